"""A job as the queue keeps it, and how it is read from its row."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from mova_studio.jobs.states import JobState


@dataclass(frozen=True)
class Cell:
    """A job's place in a grid.

    Attributes:
        scout: id of the grid.
        x, y: column and row, from 0.
    """

    scout: str
    x: int
    y: int


@dataclass(frozen=True)
class Job:
    """A job as the queue keeps it.

    Attributes:
        job_id: its name; also that of the take that it makes.
        shot_id, seed: what to make; `seed_given` unless the seed was drawn.
        asked_by: name of the login, "" without logins.
        state: where it is; `wish` is "cancel" or "pause" where another process asks that of a running one.
        place: the waiting job with the lowest one runs next.
        path: where its take goes, below the library; None until it first runs.
        stop_step: the step at which it pauses itself, as scouts do; None runs to the end.
        cell: its place in a grid, if it is part of one.
        step, steps, saved_step: done, of all, and on disk.
        deaths: of its worker since it last saved anything new.
        error: `StudioError.to_dict()` once failed.
        notes: what was changed before it was queued, for the person to read.
        kept: a person wants to see this cell of a grid finished.
        created, ended: UTC in ISO 8601.
    """

    job_id: str
    shot_id: str
    seed: int
    seed_given: bool
    asked_by: str
    state: JobState
    wish: str | None
    place: float
    path: str | None
    stop_step: int | None
    cell: Cell | None
    step: int
    steps: int
    saved_step: int
    deaths: int
    error: dict[str, Any] | None
    notes: tuple[str, ...]
    kept: bool
    created: str
    ended: str | None

    @property
    def scouted(self) -> bool:
        """It has paused where a scout stops, and waits to be judged."""
        return self.state is JobState.PAUSED and self.stop_step is not None and self.saved_step >= self.stop_step


def job_of(row: sqlite3.Row) -> Job:
    """The job of a row of the table."""
    return Job(
        job_id=row["job"],
        shot_id=row["shot"],
        seed=row["seed"],
        seed_given=bool(row["seed_given"]),
        asked_by=row["asked_by"],
        state=JobState(row["state"]),
        wish=row["wish"],
        place=row["place"],
        path=row["path"],
        stop_step=row["stop_step"],
        cell=None if row["scout"] is None else Cell(row["scout"], row["cell_x"], row["cell_y"]),
        step=row["step"],
        steps=row["steps"],
        saved_step=row["saved_step"],
        deaths=row["deaths"],
        error=None if row["error"] is None else json.loads(row["error"]),
        notes=tuple(json.loads(row["notes"])),
        kept=bool(row["kept"]),
        created=row["created"],
        ended=row["ended"],
    )
