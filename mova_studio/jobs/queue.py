"""The queue: jobs in SQLite, in their order, each change on disk before it is answered."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.job import Cell, Job, job_of
from mova_studio.jobs.states import JobState
from mova_studio.library.database import Database
from mova_studio.library.shot import SEED_LIMIT, Shot
from mova_studio.library.shots import ShotStore

MAX_UNFINISHED = 10_000
MAX_DEATHS = 3
KEPT_DAYS = 3  # for which a failed or cancelled job can be retried from where it was
_HELD = "queue_held"
_SCOUTED = "(state = 'paused' AND coalesce(saved_step >= stop_step, 0))"
_UNFINISHED = "state IN ('waiting', 'running', 'paused')"


class JobQueue:
    """Jobs of one library. Safe from any thread and beside other processes.

    Args:
        database: of the library.
        shots: of the same.
    """

    def __init__(self, database: Database, shots: ShotStore) -> None:
        self._database, self._shots = database, shots

    def add(
        self,
        shot: Shot,
        seed: int | None = None,
        *,
        asked_by: str = "",
        notes: Iterable[str] = (),
        front: bool = False,
        stop_step: int | None = None,
        cell: Cell | None = None,
    ) -> Job:
        """Add a job; it is on disk when this returns.

        Args:
            seed: 0..2^63-1; None draws one.
            front: before all that wait.
            stop_step: pause after so many steps; None runs to the end.

        Raises:
            InputError: the seed is out of range, or 10,000 jobs are unfinished already.
            OutputError: as `Database.writing`.
        """
        given = seed is not None
        seed = secrets.randbelow(2**31) if seed is None else seed
        if not 0 <= seed < SEED_LIMIT:
            raise InputError(
                f"The seed is {seed}, but must be from 0 to {SEED_LIMIT - 1}, or -1 for any.", field="seed"
            )
        job_id = secrets.token_hex(8)
        with self._database.writing() as connection:
            count = connection.execute(f"SELECT count(*) FROM jobs WHERE {_UNFINISHED}").fetchone()[0]
            if count >= MAX_UNFINISHED:
                raise InputError(
                    f"{count} jobs are unfinished already and the queue takes {MAX_UNFINISHED}; let some finish or "
                    "cancel them."
                )
            values = {
                "job": job_id,
                "shot": self._shots.keep(shot),
                "seed": seed,
                "seed_given": int(given),
                "asked_by": asked_by,
                "created": _now(),
                "place": self._front(connection) if front else self._back(connection),
                "state": JobState.WAITING.value,
                "stop_step": stop_step,
                "scout": None if cell is None else cell.scout,
                "cell_x": None if cell is None else cell.x,
                "cell_y": None if cell is None else cell.y,
                "steps": shot.num_inference_steps,
                "notes": json.dumps(list(notes)),
            }
            named = ", ".join(f":{name}" for name in values)
            connection.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({named})", values)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """The job of an id.

        Raises:
            InputError: there is none.
        """
        rows = self._database.read("SELECT * FROM jobs WHERE job = ?", (job_id,))
        if not rows:
            raise InputError(f"There is no job {job_id[:40]!r} in this library.", field="job")
        return job_of(rows[0])

    def shot(self, job: Job) -> Shot:
        """What a job is to make."""
        return self._shots.get(job.shot_id)

    def some(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of `job_ids` that exist, by id."""
        marks = ", ".join("?" * len(job_ids))
        return {
            row["job"]: job_of(row)
            for row in self._database.read(f"SELECT * FROM jobs WHERE job IN ({marks})", job_ids)
        }

    def unfinished(self, limit: int = -1, offset: int = 0) -> list[Job]:
        """Running, waiting and paused jobs, in the order in which they run."""
        order = "ORDER BY state != 'running', place LIMIT ? OFFSET ?"
        return [
            job_of(row)
            for row in self._database.read(f"SELECT * FROM jobs WHERE {_UNFINISHED} {order}", (limit, offset))
        ]

    def all(self, limit: int = -1) -> list[Job]:
        """Every job: unfinished ones in their order, then the others, the last to end first."""
        order = f"ORDER BY NOT {_UNFINISHED}, state != 'running', CASE WHEN {_UNFINISHED} THEN place END, ended DESC"
        return [job_of(row) for row in self._database.read(f"SELECT * FROM jobs {order} LIMIT ?", (limit,))]

    def of_scout(self, scout: str) -> list[Job]:
        """The cells of a grid, row by row."""
        return [
            job_of(row)
            for row in self._database.read("SELECT * FROM jobs WHERE scout = ? ORDER BY cell_y, cell_x", (scout,))
        ]

    def line(self, limit: int = -1) -> list[Job]:
        """Unfinished jobs in the order in which they run, without scouts that have stopped and wait to be judged."""
        sql = f"SELECT * FROM jobs WHERE {_UNFINISHED} AND NOT {_SCOUTED} ORDER BY state != 'running', place LIMIT ?"
        return [job_of(row) for row in self._database.read(sql, (limit,))]

    def length(self) -> int:
        """How many jobs `line` has."""
        return int(self._database.read(f"SELECT count(*) FROM jobs WHERE {_UNFINISHED} AND NOT {_SCOUTED}")[0][0])

    def ahead(self, job: Job) -> int:
        """How many waiting jobs run before a waiting one."""
        sql = "SELECT count(*) FROM jobs WHERE state = 'waiting' AND place < ?"
        return int(self._database.read(sql, (job.place,))[0][0])

    def next_waiting(self) -> Job | None:
        """The job that runs next."""
        rows = self._database.read("SELECT * FROM jobs WHERE state = 'waiting' ORDER BY place LIMIT 1")
        return job_of(rows[0]) if rows else None

    def running(self) -> list[Job]:
        """Jobs that run, or ran when everything stopped."""
        return [job_of(row) for row in self._database.read("SELECT * FROM jobs WHERE state = 'running'")]

    def resumable(self) -> set[str]:
        """Ids of the jobs of which a saved run is still worth keeping."""
        rows = self._database.read(
            f"SELECT job FROM jobs WHERE {_UNFINISHED} OR (state IN ('failed', 'cancelled') AND "
            "julianday('now') - julianday(ended) < ?)",
            (KEPT_DAYS,),
        )
        return {row[0] for row in rows}

    @property
    def held(self) -> bool:
        """The whole queue stands still because the person wants it to; a running job finishes."""
        return bool(self._database.read("SELECT 1 FROM settings WHERE name = ?", (_HELD,)))

    def hold(self, held: bool) -> None:
        """Let no further job begin, or go on."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM settings WHERE name = ?", (_HELD,))
            if held:
                connection.execute("INSERT INTO settings VALUES (?, 'true')", (_HELD,))

    def become(self, job_id: str, state: JobState, **changes: Any) -> Job:
        """Move a job to another state, and change columns with it.

        Raises:
            InputError: it cannot go there from where it is.
        """
        with self._database.writing() as connection:
            before = self._now_in(connection, job_id)
            if not before.may_become(state):
                raise InputError(f"Job {job_id} is {before.value} and cannot become {state.value}.", field="job")
            ended = _now() if state.ended else None
            self._set(connection, job_id, state=state.value, wish=None, ended=ended, **changes)
        return self.get(job_id)

    def record(self, job_id: str, **columns: Any) -> None:
        """Write down how far a job is."""
        with self._database.writing() as connection:
            self._set(connection, job_id, **columns)

    def wish(self, job_id: str, wish: str) -> None:
        """Ask whoever runs a job to "cancel" or "pause" it."""
        with self._database.writing() as connection:
            connection.execute("UPDATE jobs SET wish = ? WHERE job = ? AND state = 'running'", (wish, job_id))

    def interrupted(self, job_id: str, error: dict[str, Any] | None = None) -> Job:
        """A running job lost its worker; it goes to the front, from where it goes on.

        Args:
            error: `StudioError.to_dict()` with which it fails instead, if it is the third death of its worker without
                anything new on disk; None where the death does not speak against the job.
        """
        with self._database.writing() as connection:
            job = self.get(job_id)
            deaths = job.deaths
            if error is not None:
                row = connection.execute("SELECT death_step FROM jobs WHERE job = ?", (job_id,)).fetchone()
                deaths = 1 if job.saved_step > row[0] else deaths + 1
            if error is not None and deaths >= MAX_DEATHS:
                self.become(job_id, JobState.FAILED, deaths=deaths, error=json.dumps(error))
            else:
                self.become(
                    job_id,
                    JobState.WAITING,
                    place=self._front(connection),
                    deaths=deaths,
                    death_step=job.saved_step,
                    step=job.saved_step,
                )
        return self.get(job_id)

    def again(self, job_id: str) -> Job:
        """Let a paused, failed or cancelled job go on, at the back of the queue unless it was paused.

        A scout that has stopped where scouts stop runs to its end.
        """
        with self._database.writing() as connection:
            job = self.get(job_id)
            paused = job.state is JobState.PAUSED
            self.become(
                job_id,
                JobState.WAITING,
                place=job.place if paused else self._back(connection),
                stop_step=None if job.scouted else job.stop_step,
                deaths=0,
                error=None,
            )
        return self.get(job_id)

    def keep(self, job_id: str, kept: bool) -> Job:
        """Mark a cell of a grid as one to be finished, or take the mark away.

        Raises:
            InputError: there is no such job.
            OutputError: as `Database.writing`.
        """
        with self._database.writing() as connection:
            self._now_in(connection, job_id)
            self._set(connection, job_id, kept=int(kept))
        return self.get(job_id)

    def to_front(self, job_id: str) -> Job:
        """Let a waiting or paused job run before all others that wait."""
        with self._database.writing() as connection:
            self._movable(job_id)
            self._set(connection, job_id, place=self._front(connection))
        return self.get(job_id)

    def move(self, job_id: str, before: str | None) -> Job:
        """Let a waiting or paused job run just before another one, or after all with None."""
        with self._database.writing() as connection:
            self._movable(job_id)
            if before is None:
                place = self._back(connection)
            else:
                after = self._movable(before).place
                rows = connection.execute(
                    f"SELECT max(place) FROM jobs WHERE {_UNFINISHED} AND place < ? AND job != ?", (after, job_id)
                ).fetchone()
                place = after - 1 if rows[0] is None else (rows[0] + after) / 2
                if place in (rows[0], after):
                    self._spread(connection)
                    return self.move(job_id, before)
            self._set(connection, job_id, place=place)
        return self.get(job_id)

    def edit(self, job_id: str, shot: Shot, seed: int | None, notes: Iterable[str] = ()) -> Job:
        """Give a waiting or paused job another shot; what was saved of the old one no longer counts.

        Raises:
            InputError: it runs, or has ended.
        """
        with self._database.writing() as connection:
            job = self._movable(job_id)
            self._set(
                connection,
                job_id,
                shot=self._shots.keep(shot),
                seed=job.seed if seed is None else seed,
                seed_given=int(seed is not None or job.seed_given),
                steps=shot.num_inference_steps,
                step=0,
                saved_step=0,
                notes=json.dumps(list(notes)),
            )
        return self.get(job_id)

    def _movable(self, job_id: str) -> Job:
        job = self.get(job_id)
        if job.state not in (JobState.WAITING, JobState.PAUSED):
            raise InputError(
                f"Job {job_id} is {job.state.value}; only waiting and paused jobs can be moved.", field="job"
            )
        return job

    @staticmethod
    def _now_in(connection: sqlite3.Connection, job_id: str) -> JobState:
        row = connection.execute("SELECT state FROM jobs WHERE job = ?", (job_id,)).fetchone()
        if row is None:
            raise InputError(f"There is no job {job_id[:40]!r} in this library.", field="job")
        return JobState(row[0])

    @staticmethod
    def _set(connection: sqlite3.Connection, job_id: str, **columns: Any) -> None:
        named = ", ".join(f"{name} = :{name}" for name in columns)
        connection.execute(f"UPDATE jobs SET {named} WHERE job = :job", columns | {"job": job_id})

    @staticmethod
    def _front(connection: sqlite3.Connection) -> float:
        return float(connection.execute("SELECT coalesce(min(place), 0) - 1 FROM jobs").fetchone()[0])

    @staticmethod
    def _back(connection: sqlite3.Connection) -> float:
        return float(connection.execute("SELECT coalesce(max(place), 0) + 1 FROM jobs").fetchone()[0])

    @staticmethod
    def _spread(connection: sqlite3.Connection) -> None:
        """Whole numbers for places again, where halving has come to its end."""
        rows = connection.execute("SELECT job FROM jobs ORDER BY place").fetchall()
        connection.executemany("UPDATE jobs SET place = ? WHERE job = ?", [(i, row[0]) for i, row in enumerate(rows)])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
