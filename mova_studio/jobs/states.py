"""Where a job can be, and where it can go from there."""

from __future__ import annotations

import enum


class JobState(enum.Enum):
    """A job's state. Done is final; everything else can be taken up again."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    def may_become(self, after: JobState) -> bool:
        """Whether this is an allowed move."""
        return after in _MOVES[self]


_MOVES: dict[JobState, tuple[JobState, ...]] = {
    JobState.WAITING: (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED, JobState.FAILED, JobState.DONE),
    JobState.RUNNING: (JobState.WAITING, JobState.PAUSED, JobState.DONE, JobState.FAILED, JobState.CANCELLED),
    JobState.PAUSED: (JobState.WAITING, JobState.CANCELLED),
    JobState.DONE: (),
    JobState.FAILED: (JobState.WAITING,),
    JobState.CANCELLED: (JobState.WAITING,),
}
