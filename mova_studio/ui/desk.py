"""Whose job is whose: what the studio's queue does not need to know, and the page does."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.training_order import FoundClips
from mova_studio.library.origin import FrameOrigin, PromptOrigin
from mova_studio.library.shot import Shot
from mova_studio.ui.advice import Advice

MAX_PAGE_JOBS = 300
LINE_SHOWN = 30
ENDED_SHOWN = 10
# All owners' pages look at one picture of the queue, which is no older than this.
LINE_SECONDS = 0.25


@dataclass(frozen=True)
class Imagined:
    """The last question about another machine, and its answer."""

    shot: Shot
    advice: Advice


@dataclass(frozen=True)
class Sight:
    """What one page sees of the queue.

    Attributes:
        line: unfinished jobs in the order in which they run, as many as the page shows.
        more: unfinished jobs after those.
        ended: jobs of this page that have ended, the last to end last.
        own: ids of the jobs that this page asked for.
        sounded: the job of which a preview had sound.
        pinned: the job that the person chose to look at.
        held: nothing further begins, because the person wants it so.
        reserved: nothing further begins, because a training run has the machine.
        read_only: why nothing can be changed here; "" where everything can.
        trouble: why the queue stands still, or cannot be read; "" where it does not.
    """

    line: tuple[JobSnapshot, ...] = ()
    more: int = 0
    ended: tuple[JobSnapshot, ...] = ()
    own: frozenset[str] = frozenset()
    pinned: JobSnapshot | None = None
    held: bool = False
    reserved: bool = False
    read_only: str = ""
    trouble: str = ""

    @property
    def jobs(self) -> tuple[JobSnapshot, ...]:
        return (*self.ended, *self.line)

    @property
    def busy(self) -> bool:
        """Something runs, or will without being told to."""
        return any(job.state in (JobState.RUNNING, JobState.WAITING) for job in self.line)


@dataclass(frozen=True)
class MadeFrame:
    """A picture that a model made, known again by its file's bytes.

    Attributes:
        digest: see `digest_of`.
    """

    digest: str
    origin: FrameOrigin


def digest_of(picture: bytes) -> str:
    """A name for a picture file's bytes."""
    return hashlib.sha256(picture).hexdigest()


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
        line_shown: how many unfinished jobs the queue shows.
        editing: the waiting job whose settings stand in the form; None where they are of a job to come.
        scout: the grid that the Scouts view shows; None for the newest.
        seen: the queue as last seen, which stays while it cannot be read.
        cost_of: the settings that the cost line spoke of last.
        plan: their plan in a few words; "" until it is known.
        origin: of the prompt that was last rewritten or restored on this page.
        made_frame: the first frame that was last made or restored on this page.
        server: who rewrites, the address, and the language, as the lab was last told.
        looked: the System view has been opened, and what stands in its fields is the person's.
        imagined: what was asked last about another machine.
        training: the training run that the Train view shows; None for the newest.
        recipe: whose numbers were filled into the Train view's fields last; None for the first one's.
        clips: that were found last where the Train view's field points to.
        sent: what the page shows now, by part, so that only changes are sent.
        recent: what was sent of the Create view, by component, since all of it was sent again.
        idle_looks: how often the page has looked in vain since the last job ended.
        painting: held while the page's changes are put together, so that they leave in order.
    """

    language: str = "en"
    jobs: list[str] = field(default_factory=list)
    sounded: str | None = None
    pinned: str | None = None
    last_sides: tuple[float, float] | None = None
    last_length: tuple[float, float] | None = None
    last_seed: int | None = None
    owner: bool = False
    line_shown: int = LINE_SHOWN
    editing: str | None = None
    scout: str | None = None
    seen: Sight = field(default_factory=Sight)
    cost_of: dict[str, Any] = field(default_factory=dict)
    plan: str = ""
    origin: PromptOrigin | None = None
    made_frame: MadeFrame | None = None
    server: tuple[str, str, str] = ("", "", "")
    looked: bool = False
    imagined: Imagined | None = None
    training: str | None = None
    recipe: str | None = None
    clips: FoundClips | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    recent: dict[Any, Any] = field(default_factory=dict)
    idle_looks: int = 0
    painting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def add_jobs(self, job_ids: Iterable[str]) -> None:
        """Remember jobs as this page's own."""
        known = dict.fromkeys((*self.jobs, *job_ids))
        self.jobs = list(known)[-MAX_PAGE_JOBS:]

    def know(self, origin: PromptOrigin | None, frame_origin: FrameOrigin | None, first_frame: bytes | None) -> None:
        """Remember where a prompt and a first frame came from that are put into the form."""
        self.origin = origin or self.origin
        if frame_origin is not None and first_frame is not None:
            self.made_frame = MadeFrame(digest_of(first_frame), frame_origin)

    def only_changed(self, wanted: dict[Any, tuple[object, Any]]) -> dict[Any, Any]:
        """The updates of those components that the page does not show yet, without properties that stay as they are.

        Args:
            wanted: for each component a key that tells what it shows, and the update that shows it.
        """
        changes = {}
        for component, (key, update) in wanted.items():
            name = str(component._id)
            known, before = self.sent.get(name, (self, None))
            if known != key:
                self.sent[name] = key, update
                changes[component] = _differing(update, before)
        return changes

    def said(self, changes: dict[Any, Any]) -> None:
        """Remember changes as `recent`."""
        for component, update in changes.items():
            before = self.recent.get(component)
            kept = before if isinstance(before, dict) else {}
            self.recent[component] = kept | update if isinstance(update, dict) else update


def _differing(update: Any, before: Any) -> Any:
    """A new dictionary, as Gradio takes the value out of the one that it is given."""
    if not isinstance(update, dict):
        return update
    known = before if isinstance(before, dict) else {}
    # The browser reads a component back where an update leaves its value out, so that each property is work.
    return {
        name: value for name, value in update.items() if name == "__type__" or name not in known or known[name] != value
    }


class Desk:
    """Hands jobs to the studio, and says which of them a page may see."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._lock = threading.Lock()
        self._line: tuple[float, int, list[JobSnapshot], int] | None = None

    def submit(
        self, shot: Shot, seed: int | None, user: str, notes: tuple[str, ...] = (), *, front: bool = False
    ) -> JobSnapshot:
        """Queue a job.

        Raises:
            InputError: the seed is out of range, or the queue is full.
            OutputError: the library cannot be written.
        """
        job_id = self.studio.submit(shot, seed, asked_by=user, notes=notes, front=front)
        self.changed()
        return self.studio.snapshot(job_id)

    def known(self, job_ids: list[str], user: str) -> list[str]:
        """Those of `job_ids` that exist and are this user's: what a reloaded page may ask for again."""
        try:
            found = self.studio.queue.some(job_ids[-MAX_PAGE_JOBS:])
        except StudioError:
            return []
        return [name for name in job_ids[-MAX_PAGE_JOBS:] if name in found and found[name].asked_by == user]

    def may(self, page: PageState, job_id: str) -> bool:
        """Whether a page may see a job and act on it: the owner may on all, guests on what they asked for here."""
        return page.owner or job_id in page.jobs

    def changed(self) -> None:
        """The next look reads the queue anew."""
        with self._lock:
            self._line = None

    def look(self, page: PageState) -> Sight:
        """The queue as this page sees it now; as it was seen last where it cannot be read."""
        try:
            page.seen = self._sight(page)
        except StudioError as error:
            page.seen = dataclasses.replace(page.seen, trouble=self.without_folder(error.message))
        return page.seen

    def _sight(self, page: PageState) -> Sight:
        studio, queue = self.studio, self.studio.queue
        own = queue.some(page.jobs) if page.jobs else {}
        if page.owner:
            line, count = self._whole_line(page.line_shown)
        else:
            mine = sorted((job for job in own.values() if not (job.state.ended or job.scouted)), key=_in_order)
            line = studio.snapshots([job.job_id for job in mine[: page.line_shown]])
            count = len(mine)
        ended = sorted((job for job in own.values() if job.state.ended), key=lambda job: job.ended or "")
        shown = [job.job_id for job in ended[-ENDED_SHOWN:]]
        if page.pinned is not None and self.may(page, page.pinned):
            shown.append(page.pinned)
        seen = studio.snapshots(shown) if shown else []
        known = {snapshot.job_id: self.fit(snapshot) for snapshot in seen}
        # The line may have been read a moment before what became of this page's own.
        over = {job.job_id for job in ended}
        return Sight(
            line=tuple(self.fit(job) for job in line if job.job_id not in over),
            more=max(0, count - len(line)),
            ended=tuple(known[job.job_id] for job in ended[-ENDED_SHOWN:] if job.job_id in known),
            own=frozenset(own),
            pinned=known.get(page.pinned or ""),
            held=queue.held,
            reserved=studio.reserved,
            read_only=self.without_folder(studio.read_only),
            trouble=self.without_folder(studio.trouble),
        )

    def _whole_line(self, limit: int) -> tuple[list[JobSnapshot], int]:
        """The first jobs of the whole queue, and how many there are; read once for all pages of a moment."""
        with self._lock:
            if self._line is not None:
                read, reach, line, count = self._line
                if time.monotonic() - read < LINE_SECONDS and (reach >= limit or len(line) < reach):
                    return line[:limit], count
            line = self.studio.line(limit)
            count = len(line)
            if count == limit:
                count = self.studio.queue.length()
            self._line = time.monotonic(), limit, line, count
            return line, count

    def movable(self, page: PageState) -> list[str]:
        """Ids of the waiting and paused jobs that this page may act on, in their order."""
        jobs = self.studio.queue.unfinished()
        return [job.job_id for job in jobs if job.state is not JobState.RUNNING and self.may(page, job.job_id)]

    def require(self, page: PageState, job_id: str) -> None:
        """Raises:
        InputError: the page may not act on this job. Jobs of others do not exist for a guest.
        """
        if not self.may(page, job_id):
            raise InputError(f"There is no job {job_id[:40]!r} in this library.", field="job")

    def without_folder(self, message: str) -> str:
        """A sentence without the library's folder: guests read it too."""
        return message.replace(str(self.studio.root), self.studio.root.name)

    def fit(self, snapshot: JobSnapshot) -> JobSnapshot:
        """The same job without the library's folder in its error."""
        if snapshot.error is None:
            return snapshot
        message = self.without_folder(str(snapshot.error.get("message", "")))
        return dataclasses.replace(snapshot, error={**snapshot.error, "message": message})


def _in_order(job: Any) -> tuple[bool, float]:
    return job.state is not JobState.RUNNING, job.place


def in_view(page: PageState, sight: Sight) -> JobSnapshot | None:
    """The job to show: the chosen one, else this page's at work, else its latest, else whatever runs."""
    if page.pinned is not None and sight.pinned is not None:
        return sight.pinned
    own = [job for job in sight.line if job.job_id in sight.own]
    for state in (JobState.RUNNING, JobState.WAITING):
        at_work = next((job for job in own if job.state is state), None)
        if at_work is not None:
            return at_work
    if sight.ended:
        return sight.ended[-1]
    return next((job for job in sight.line if job.state is JobState.RUNNING), own[0] if own else None)
