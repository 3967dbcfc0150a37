"""Pictures of many jobs, with the takes that they made."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable

from mova_studio.errors import InputError
from mova_studio.jobs.dispatcher import Dispatcher
from mova_studio.jobs.job import Job
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.snapshot import JobSnapshot, snapshot_of
from mova_studio.jobs.states import JobState
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take

log = logging.getLogger(__name__)
REMEMBERED = 500


class Snapshots:
    """Takes them.

    Args:
        queue, store: of the library.
        dispatcher: what runs the queue, and knows how far a job is; None where nothing runs.
    """

    def __init__(self, queue: JobQueue, store: TakeStore, dispatcher: Dispatcher | None) -> None:
        self._queue, self._store, self._dispatcher = queue, store, dispatcher
        self._made: OrderedDict[str, Take] = OrderedDict()

    def of(self, job: Job, ahead: int | None = None) -> JobSnapshot:
        """One job as it is now.

        Args:
            ahead: how many run before it; None where that has not been counted.

        Raises:
            InputError, KeyError: its shot was written by a newer version.
        """
        dispatcher = self._dispatcher
        live = None if dispatcher is None else dispatcher.live(job.job_id)
        if job.state is not JobState.WAITING:
            ahead = 0
        elif ahead is None:
            ahead = self._queue.ahead(job) + (dispatcher is not None and dispatcher.busy)
        return snapshot_of(job, self._queue.shot(job), live, ahead, self._take(job))

    def readable(self, jobs: Iterable[tuple[Job, int | None]]) -> list[JobSnapshot]:
        """Without those of which the shot was written by a newer version: one of them must not hide the others."""
        found = []
        for job, ahead in jobs:
            try:
                found.append(self.of(job, ahead))
            except (InputError, KeyError) as error:
                log.warning("job %s cannot be shown: %s", job.job_id, error)
        return found

    def _take(self, job: Job) -> Take | None:
        if job.state is not JobState.DONE:
            return None
        known = self._made.get(job.job_id)
        if known is not None and known.path.is_file():
            return known
        try:
            kept = self._store.get(job.job_id)
        except InputError:
            return None
        if kept.trashed or kept.missing:
            return None
        self._made[job.job_id] = kept.take
        while len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return kept.take
