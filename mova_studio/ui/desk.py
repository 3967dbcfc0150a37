"""Whose job is whose: what the studio's queue does not need to know, and the page does."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, field
from typing import Any

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot
from mova_studio.ui.advice import Advice

MAX_PAGE_JOBS = 120


@dataclass(frozen=True)
class Ticket:
    """A job as the page that asked for it knows it.

    Attributes:
        user: name of the login, or "" without logins.
        shot, seed: what was asked for; `seed_given` unless the seed was drawn.
        notes: what the page changed on the way, for the person to read.
    """

    job_id: str
    user: str
    shot: Shot
    seed: int
    seed_given: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imagined:
    """The last question about another machine, and its answer."""

    shot: Shot
    advice: Advice


@dataclass
class PageState:
    """One open page. Lives in its session and is changed in place, on the event loop only.

    Attributes:
        language: "en" or "zh".
        jobs: ids of the jobs that this page asked for, oldest first.
        pinned: the job that the person chose to look at, or None for the one at work.
        last_sides: width and height as last settled; a note stays until they change again.
        last_length: seconds and frames, in the same way.
        last_seed: of the latest take.
        owner: the person may do everything.
        cost_of: the settings that the cost line spoke of last.
        plan: their plan in a few words; "" until it is known.
        looked: the System view has been opened, and what stands in its fields is the person's.
        imagined: what was asked last about another machine.
        sent: what the page shows now, by part, so that only changes are sent.
        idle_looks: how often the page has looked in vain since its last job ended.
        painting: held while the page's changes are put together, so that they leave in order.
    """

    language: str = "en"
    jobs: list[str] = field(default_factory=list)
    pinned: str | None = None
    last_sides: tuple[float, float] | None = None
    last_length: tuple[float, float] | None = None
    last_seed: int | None = None
    owner: bool = False
    cost_of: dict[str, Any] = field(default_factory=dict)
    plan: str = ""
    looked: bool = False
    imagined: Imagined | None = None
    sent: dict[str, object] = field(default_factory=dict)
    idle_looks: int = 0
    painting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Desk:
    """Hands jobs to the studio, and says which of them a page may see."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def submit(self, shot: Shot, seed: int | None, user: str, notes: tuple[str, ...] = ()) -> Ticket:
        """Queue a job.

        Raises:
            InputError: the seed is out of range, or the queue is full.
        """
        job_id = self.studio.submit(shot, seed, asked_by=user, notes=notes)
        return _ticket(self.studio.snapshot(job_id))

    def known(self, job_ids: list[str], user: str) -> list[str]:
        """Those of `job_ids` that exist and are this user's: what a reloaded page may ask for again."""
        found = self._snapshots(job_ids[-MAX_PAGE_JOBS:])
        return [snapshot.job_id for snapshot in found if snapshot.asked_by == user]

    def look(self, page: PageState) -> list[tuple[Ticket, JobSnapshot]]:
        """The page's jobs as they are now, oldest first."""
        return [(_ticket(snapshot), self._fit(snapshot)) for snapshot in self._snapshots(page.jobs)]

    def _snapshots(self, job_ids: list[str]) -> list[JobSnapshot]:
        return self.studio.snapshots(job_ids)

    def _fit(self, snapshot: JobSnapshot) -> JobSnapshot:
        """Without the library's folder in an error: guests read it too."""
        if snapshot.error is None:
            return snapshot
        message = str(snapshot.error.get("message", "")).replace(
            str(self.studio.root), self.studio.root.name
        )
        return dataclasses.replace(snapshot, error={**snapshot.error, "message": message})


def _ticket(snapshot: JobSnapshot) -> Ticket:
    assert snapshot.shot is not None, "the queue knows what every job makes"
    return Ticket(
        snapshot.job_id, snapshot.asked_by, snapshot.shot, snapshot.seed, snapshot.seed_given, snapshot.asked_notes
    )


def at_work(jobs: list[tuple[Ticket, JobSnapshot]]) -> tuple[Ticket, JobSnapshot] | None:
    """The first job that has not ended."""
    return next((job for job in jobs if not job[1].state.ended), None)


def in_view(page: PageState, jobs: list[tuple[Ticket, JobSnapshot]]) -> tuple[Ticket, JobSnapshot] | None:
    """The job to show: the chosen one, else the one at work, else the latest."""
    chosen = next((job for job in jobs if job[0].job_id == page.pinned), None)
    return chosen or at_work(jobs) or (jobs[-1] if jobs else None)
