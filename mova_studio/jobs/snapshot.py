"""What the page sees of a job: one immutable picture of it, taken whenever it is asked for."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mova_studio.jobs.job import Cell, Job
from mova_studio.jobs.states import JobState
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take

STAGES = ("load", "text", "frames", "denoise", "decode", "write")


@dataclass(frozen=True)
class Live:
    """What only the process that runs a job knows of it.

    Attributes:
        stage: one of `STAGES`.
        begun_step: the step on disk from which this run went on; 0 from the beginning.
        step: denoising steps done.
        expert: "high" or "low" while denoising.
        fraction: 0..1 of the whole run.
        seconds_left: estimate for the whole run; None until there is something to go by.
        preview: a small mp4 of the x0 estimate, now and then with its sound, and `preview_step` the step it belongs to.
        plan: how the network is placed for it, `Candidate.to_dict()`; None until that is decided.
        memory: {"vram_gb", "ram_gb"} that each finished stage really took, in GiB.
        notes: what was changed on the way, for the person to read.
    """

    stage: str = "load"
    begun_step: int = 0
    step: int = 0
    expert: str | None = None
    fraction: float = 0.0
    seconds_left: float | None = None
    preview: bytes | None = None
    preview_step: int = 0
    plan: dict[str, Any] | None = None
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def after(self, event: dict[str, Any]) -> Live:
        """What is known once the worker has told `event`; most kinds of event change nothing here."""
        kind = event["kind"]
        if kind == "progress":
            names = ("stage", "step", "expert", "fraction", "seconds_left")
            return replace(self, **{name: event[name] for name in names})
        if kind == "begun":
            return replace(self, begun_step=event["step"], step=event["step"])
        if kind == "preview":
            return replace(self, preview=base64.b64decode(event["mp4"]), preview_step=event["step"])
        if kind == "plan":
            return replace(self, plan=event["plan"])
        if kind == "memory":
            taken = {name: event[name] for name in ("vram_gb", "ram_gb")}
            return replace(self, memory=self.memory | {event["stage"]: taken})
        if kind == "note":
            return replace(self, notes=tuple(dict.fromkeys((*self.notes, event["text"]))))
        return self


@dataclass(frozen=True)
class JobSnapshot(Live):
    """A job at one moment: `Job` and `Live` in one.

    Attributes:
        shot: what it makes.
        ahead: jobs that run before it, while it waits.
        asked_notes: what was changed before it was queued.
        place, kept, ended: as in `Job`.
        take: the result, once done and as long as the library has it.
    """

    job_id: str = ""
    state: JobState = JobState.WAITING
    shot: Shot | None = None
    seed: int = 0
    seed_given: bool = False
    asked_by: str = ""
    steps: int = 0
    saved_step: int = 0
    stop_step: int | None = None
    scouted: bool = False
    cell: Cell | None = None
    ahead: int = 0
    place: float = 0.0
    kept: bool = False
    ended: str | None = None
    asked_notes: tuple[str, ...] = ()
    take: Take | None = None
    error: dict[str, Any] | None = None


def snapshot_of(job: Job, shot: Shot, live: Live | None, ahead: int, take: Take | None) -> JobSnapshot:
    """A job as it is now."""
    # Of a job that another process runs only the step is known.
    known = Live(stage="denoise" if job.step else "load", step=job.step) if live is None else live
    return JobSnapshot(
        **{each.name: getattr(known, each.name) for each in fields(Live)},
        job_id=job.job_id,
        state=job.state,
        shot=shot,
        seed=job.seed,
        seed_given=job.seed_given,
        asked_by=job.asked_by,
        steps=job.steps,
        saved_step=job.saved_step,
        stop_step=job.stop_step,
        scouted=job.scouted,
        cell=job.cell,
        ahead=ahead,
        place=job.place,
        kept=job.kept,
        ended=job.ended,
        asked_notes=job.notes,
        take=take,
        error=job.error,
    )
