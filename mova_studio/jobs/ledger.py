"""What becomes of jobs, written down at once or as soon as the disk takes it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError, OutputError, StudioError
from mova_studio.jobs.job import Job
from mova_studio.jobs.obstacles import worker_died
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.saved_run import SavedRun
from mova_studio.jobs.states import JobState
from mova_studio.library.shot import Shot
from mova_studio.library.shots import shot_id
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take

log = logging.getLogger(__name__)
STEP_SECONDS = 1.0  # between two notes of the step in the database


class Ledger:
    """Writes into the library what the running job came to, in the order in which it happened.

    Args:
        queue, store: of the library.
        runs: folder of the saved runs.
    """

    def __init__(self, queue: JobQueue, store: TakeStore, runs: Path) -> None:
        self._queue, self._store, self._runs = queue, store, runs
        self._unrecorded: list[Callable[[], None]] = []
        self._step_recorded = 0.0

    def catch_up(self) -> None:
        """Write down what the disk refused before.

        Raises:
            OutputError: it refuses still; no job may begin.
        """
        while self._unrecorded:
            try:
                self._unrecorded[0]()
            except InputError as error:
                log.warning("not written down: %s", error.message)
            del self._unrecorded[0]

    def done(self, job_id: str, take: Take) -> None:
        """The job has its take; what was saved of its run is no longer needed."""

        def done() -> None:
            self._store.add(take, job_id)
            self._queue.become(job_id, JobState.DONE, step=take.shot.num_inference_steps)
            SavedRun(self._runs, job_id).discard()

        self._record(done)

    def ended(self, job_id: str, state: JobState, **changes: Any) -> None:
        """The job ended otherwise; `changes` as of `JobQueue.become`."""

        def end() -> None:
            self._queue.become(job_id, state, **changes)

        self._record(end)

    def given_back(self, job_id: str, code: int | None = None) -> None:
        """The job waits again; `code` is that of its worker's exit, where that speaks against it."""

        def give_back() -> None:
            error = None if code is None else worker_died(code, self._queue.get(job_id)).to_dict()
            self._queue.interrupted(job_id, error)

        self._record(give_back)

    def unfit(self, job_id: str, fault: StudioError) -> None:
        """The job cannot begin.

        Raises:
            OutputError: the disk refuses; the job waits on.
        """
        self._queue.become(job_id, JobState.FAILED, error=json.dumps(fault.to_dict()))

    def begins_at(self, job: Job, shot: Shot) -> int:
        """The step that the job goes on from, as the disk has it: a save that was made just as its app died is written
        down now, and one that is gone is no longer counted."""
        kept = SavedRun(self._runs, job.job_id).read()
        step = 0 if kept is None or (kept[0].shot, kept[0].seed) != (shot_id(shot), job.seed) else kept[0].step
        if step != job.saved_step:
            self.saved(job.job_id, step)
        return step

    def saved(self, job_id: str, step: int) -> None:
        """The run was saved after `step`."""
        self._record(lambda: self._queue.record(job_id, saved_step=step, step=step))

    def stepped(self, job_id: str, step: int) -> None:
        """The run has done `step`: noted once a second, and no matter if the disk refuses."""
        if time.monotonic() - self._step_recorded > STEP_SECONDS:
            self._step_recorded = time.monotonic()
            try:
                self._queue.record(job_id, step=step)
            except StudioError as error:
                log.warning("the step was not written down: %s", error.message)

    def _record(self, change: Callable[[], None]) -> None:
        """Write a change down, after those that wait; where the disk refuses, as soon as it no longer does."""
        self._unrecorded.append(change)
        try:
            self.catch_up()
        except OutputError as error:
            log.warning("written down later: %s", error.message)
