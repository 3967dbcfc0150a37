"""What the page sees of a job: one immutable picture of it, taken whenever it is asked for."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from mova_studio.library.take import Take

STAGES = ("load", "text", "frames", "denoise", "decode", "write")


class JobState(enum.Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class JobSnapshot:
    """A job at one moment.

    Attributes:
        job_id: opaque name of the job.
        state: where it is.
        seed: of its noise, drawn or given.
        ahead: jobs that run before it, while it waits.
        stage: one of `STAGES` while it runs.
        step, steps: denoising steps done, and all of them.
        expert: "high" or "low" while denoising.
        fraction: 0..1 of the whole run.
        seconds_left: estimate for the whole run; None until there is something to go by.
        preview: a small silent mp4 of the x0 estimate, and `preview_step` the step it belongs to.
        plan: how the network is placed for it, `Candidate.to_dict()`; None until that is decided.
        memory: {"vram_gb", "ram_gb"} that each finished stage really took, in GiB.
        notes: what was changed on the way, for the person to read.
        take: the result, once done.
        error: `StudioError.to_dict()` of what went wrong, once failed.
    """

    job_id: str
    state: JobState
    seed: int
    ahead: int = 0
    stage: str = "load"
    step: int = 0
    steps: int = 0
    expert: str | None = None
    fraction: float = 0.0
    seconds_left: float | None = None
    preview: bytes | None = None
    preview_step: int = 0
    plan: dict[str, Any] | None = None
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    take: Take | None = None
    error: dict[str, Any] | None = None
