"""The studio behind the page: jobs in order, one worker, takes in a folder."""

from __future__ import annotations

import base64
import dataclasses
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.limits_file import LimitsFile
from mova_studio.jobs.process import WorkerProcess
from mova_studio.jobs.snapshot import JobSnapshot, JobState
from mova_studio.library.folder import TakeFolder
from mova_studio.library.shot import SEED_LIMIT, Shot
from mova_studio.library.take import Take
from mova_studio.settings import cache_dir

MAX_WAITING = 100
MAX_REMEMBERED = 500
CANCEL_GRACE_SECONDS = 2.0


@dataclass
class _Job:
    shot: Shot
    seed: int
    snapshot: JobSnapshot
    cancelling: bool = False


class Studio:
    """Takes shots in, one after the other, and hands their takes out. Safe to call from many threads.

    Args:
        library: folder of the takes.
        model: "demo", a checkpoint folder or a hub id; the default for pages.

    Attributes:
        last_run: the last finished job, for its predicted and actual memory; None before the first.
    """

    last_run: JobSnapshot | None = None

    def __init__(self, library: Path, model: str = "demo") -> None:
        self.model = model
        self.library = TakeFolder(library)
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._waiting: list[str] = []
        self._running: str | None = None
        self._worker: WorkerProcess | None = None
        self._running_on: WorkerProcess | None = None
        self._limits = LimitsFile(cache_dir() / "limits.json")
        self._lock = threading.RLock()
        self._closed = False

    def submit(self, shot: Shot, seed: int | None = None) -> str:
        """Add a job for one take of `shot`; returns its id at once.

        Args:
            seed: 0..2^63-1; None draws one.

        Raises:
            InputError: the seed is out of range, or 100 jobs are waiting already.
        """
        if seed is None:
            seed = secrets.randbelow(2**31)
        if not 0 <= seed < SEED_LIMIT:
            raise InputError(
                f"The seed is {seed}, but must be from 0 to {SEED_LIMIT - 1}, or -1 for any.", field="seed"
            )
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise InputError(f"{len(self._waiting)} jobs are waiting already; let some finish or cancel them.")
            job_id = secrets.token_urlsafe(16)
            snapshot = JobSnapshot(job_id, JobState.WAITING, seed, steps=shot.num_inference_steps)
            self._jobs[job_id] = _Job(shot, seed, snapshot)
            self._waiting.append(job_id)
            self._forget_old()
            self._start_next()
        return job_id

    def snapshot(self, job_id: str) -> JobSnapshot:
        """The job as it is now.

        Raises:
            KeyError: there is no such job, or it ended long ago.
        """
        with self._lock:
            job = self._jobs[job_id]
            if job.snapshot.state is JobState.WAITING:
                ahead = self._waiting.index(job_id) + (self._running is not None)
                return dataclasses.replace(job.snapshot, ahead=ahead)
            return job.snapshot

    def cancel(self, job_id: str) -> None:
        """Cancel a waiting or running job, and no other.

        A running one stops between two layers; one that does not answer within 2 s (inside a long decode)
        is stopped with its worker, which the next job starts anew.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.snapshot.state.ended:
                return
            if job_id in self._waiting:
                self._waiting.remove(job_id)
                self._end(job, JobState.CANCELLED)
                return
            if job.cancelling or self._worker is None:
                return
            job.cancelling = True
            worker = self._worker
            worker.send({"cancel": job_id})
        timer = threading.Timer(CANCEL_GRACE_SECONDS, self._kill_if_still_running, (worker, job_id))
        timer.daemon = True
        timer.start()

    def takes(self, limit: int = 24) -> list[Take]:
        """The newest takes of the library, newest first."""
        return self.library.takes(limit)

    def delete_take(self, path: Path) -> None:
        """Delete a take's file; see `TakeFolder.delete`."""
        self.library.delete(path)

    def use_model(self, model: str) -> None:
        """Make `model` the default; the next job loads it.

        Raises:
            InputError: it is not a whole checkpoint on this machine. Nothing changes then.
        """
        from mova_studio.jobs.modelcheck import check_model

        check_model(model)
        self.model = model

    @property
    def limits(self) -> dict[str, Any]:
        """What plans may use: `Limits.to_dict()`, or {} where nothing was said."""
        return self._limits.read()

    def set_limits(self, limits: dict[str, Any]) -> None:
        """Keep what plans may use; it holds from the next job on, also after a restart.

        Raises:
            InputError: a cap or a pin is impossible; nothing changes then.
            OutputError: it cannot be kept.
        """
        from mova_studio.placement.request import Limits

        self._limits.write(Limits.from_dict(limits).to_dict())

    def worker_memory(self) -> int:
        """Bytes of RAM that the worker holds now, which a new plan could use."""
        with self._lock:
            return 0 if self._worker is None else self._worker.memory()

    def unload(self) -> None:
        """End the worker if nothing runs, and with it all that it holds; the next job starts another.

        Raises:
            InputError: a job is running.
        """
        with self._lock:
            if self._running is not None:
                raise InputError("A take is being made; cancel it or let it finish before unloading.", field="model")
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """Stop the worker. Jobs that are not done are lost with it."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _start_next(self) -> None:
        if self._running is not None or not self._waiting or self._closed:
            return
        job_id = self._waiting.pop(0)
        job = self._jobs[job_id]
        try:
            path = self.library.new_path(job.seed)
        except StudioError as error:
            self._end(job, JobState.FAILED, error=error.to_dict())
            self._start_next()
            return
        if self._worker is None:
            self._worker = self._new_worker()
        self._running, self._running_on = job_id, self._worker
        job.snapshot = dataclasses.replace(job.snapshot, state=JobState.RUNNING)
        self._worker.send(
            {
                "run": job_id,
                "shot": job.shot.to_dict(),
                "seed": job.seed,
                "path": str(path),
                "limits": self._limits.read(),
            }
        )

    def _new_worker(self) -> WorkerProcess:
        def exited(code: int) -> None:
            with self._lock:
                self._on_exit(worker, code)

        worker = WorkerProcess(self._on_event, exited)
        return worker

    def _end(self, job: _Job, state: JobState, **changes: Any) -> None:
        job.snapshot = dataclasses.replace(job.snapshot, state=state, preview=None, seconds_left=None, **changes)

    def _on_event(self, event: dict[str, Any]) -> None:
        with self._lock:
            job = self._jobs.get(event["job"])
            if job is None or job.snapshot.state.ended:
                return
            kind = event["kind"]
            if kind == "progress":
                names = ("stage", "step", "steps", "expert", "fraction", "seconds_left")
                job.snapshot = dataclasses.replace(job.snapshot, **{name: event[name] for name in names})
                return
            if kind == "preview":
                mp4 = base64.b64decode(event["mp4"])
                job.snapshot = dataclasses.replace(job.snapshot, preview=mp4, preview_step=event["step"])
                return
            if kind == "plan":
                job.snapshot = dataclasses.replace(job.snapshot, plan=event["plan"])
                return
            if kind == "memory":
                taken = {name: event[name] for name in ("vram_gb", "ram_gb")}
                job.snapshot = dataclasses.replace(job.snapshot, memory=job.snapshot.memory | {event["stage"]: taken})
                return
            if kind == "note":
                job.snapshot = dataclasses.replace(job.snapshot, notes=(*job.snapshot.notes, event["text"]))
                return
            if kind == "done":
                take = Take.from_dict(event["take"])
                self.library.remember(take)
                self._end(job, JobState.DONE, take=take, fraction=1.0)
                self.last_run = job.snapshot
            elif kind == "cancelled":
                self._end(job, JobState.CANCELLED)
            else:
                self._end(job, JobState.FAILED, error=event["error"])
            self._running = None
            self._start_next()

    def _on_exit(self, worker: WorkerProcess, code: int) -> None:
        if self._worker is worker:
            self._worker = None
        if self._running is not None and self._running_on is worker:
            job = self._jobs[self._running]
            if job.cancelling:
                self._end(job, JobState.CANCELLED)
            else:
                self._end(job, JobState.FAILED, error=_worker_died(code).to_dict())
            self._running = None
        self._start_next()

    def _kill_if_still_running(self, worker: WorkerProcess, job_id: str) -> None:
        with self._lock:
            if self._running == job_id and self._worker is worker:
                worker.kill()

    def _forget_old(self) -> None:
        ended = [name for name, job in self._jobs.items() if job.snapshot.state.ended]
        for name in ended[: max(0, len(self._jobs) - MAX_REMEMBERED)]:
            del self._jobs[name]


def _worker_died(code: int) -> StudioError:
    cause = "the system killed it, most likely because RAM ran out" if code == -9 else f"exit code {code}"
    return StudioError(
        f"The worker process ended in the middle of this take ({cause}). Nothing else was lost; generate again, "
        "with a smaller size if it repeats."
    )
