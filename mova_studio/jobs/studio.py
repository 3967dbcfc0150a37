"""The studio behind the page: a library, its queue, and the one worker that makes its takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError, OutputError, StudioError
from mova_studio.jobs.adapters import check_adapters
from mova_studio.jobs.dispatcher import Dispatcher
from mova_studio.jobs.enhancing import Enhancing, Wanted
from mova_studio.jobs.limits_file import LimitsFile
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.saved_run import SAVE_SECONDS
from mova_studio.jobs.scouting import SHARE, Axis, Scout, Scouts
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.snapshots import Snapshots
from mova_studio.jobs.states import JobState
from mova_studio.jobs.trainings import Trainings
from mova_studio.jobs.used_folders import UsedFolders
from mova_studio.library.opening import open_library
from mova_studio.library.places import TRAININGS
from mova_studio.library.query import Query
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take
from mova_studio.library.votes import VoteStore
from mova_studio.settings import cache_dir

log = logging.getLogger(__name__)


class Studio:
    """A library and its queue. Safe to call from many threads.

    Jobs that were unfinished when the last studio of this library ended go on by themselves.

    Args:
        library: its folder; made if it does not exist.
        model: "demo", a checkpoint folder or a hub id; the default for pages.
        save_every: seconds between two saves of a run, at least; 0 saves after every step.

    Attributes:
        queue, store, votes, scouts, trainings: what the library holds.
        folders: checkpoint folders that were used, newest first.
        read_only: why nothing can be changed here; "" where everything can.
        last_run: the last finished job, for its predicted and actual memory; None before the first.

    Raises:
        InputError: the library was written by a newer version, or is damaged.
        OutputError: there is no library in that place and none can be made.
    """

    def __init__(self, library: Path, model: str = "demo", *, save_every: float = SAVE_SECONDS) -> None:
        self.model = model
        self.root = library.expanduser().resolve()
        self._limits = LimitsFile(cache_dir() / "limits.json")
        self.folders = UsedFolders()
        self._database, self._lock, self.read_only = open_library(self.root)
        self.shots = ShotStore(self._database)
        self.store = TakeStore(self._database, self.root, self.shots)
        self.votes = VoteStore(self._database)
        self.queue = JobQueue(self._database, self.shots)
        self.scouts = Scouts(self._database, self.queue)
        self.trainings = Trainings(self.root / TRAININGS, self.read_only)
        self._closed = threading.Event()
        self._dispatcher: Dispatcher | None = None
        if not self.read_only:
            reserved = self.trainings.at_work
            self._dispatcher = Dispatcher(self._database, self.queue, self.store, self._limits, save_every, reserved)
            self.trainings.attend(self._dispatcher)
        self._shown = Snapshots(self.queue, self.store, self._dispatcher)
        if not self.read_only:
            threading.Thread(target=self._take_in, name="takes found", daemon=True).start()

    def _take_in(self) -> None:
        """Takes of a folder that has no list of them yet, or whose list was moved away."""
        try:
            known = self.store.page(limit=1).total + self.store.page(Query(trashed=True), limit=1).total
            if known == 0 and next(self.root.glob("*/*.mp4"), None) is not None:
                found = self.store.rebuild(cancelled=self._closed.is_set)
                log.warning("%d takes of %s were taken into the library", found.added, self.root)
        except StudioError as error:
            log.warning("not all takes of %s were taken into the library: %s", self.root, error.message)

    @property
    def trouble(self) -> str:
        """Why the queue stands still although jobs wait; "" where it does not."""
        return "" if self._dispatcher is None else self._dispatcher.trouble

    @property
    def reserved(self) -> bool:
        """Whether takes wait for a training run to end."""
        return self._dispatcher is not None and self._dispatcher.reserved

    @property
    def last_run(self) -> JobSnapshot | None:
        done = next((job for job in self.queue.all(limit=50) if job.state is JobState.DONE), None)
        snapshot = None if done is None else self.snapshot(done.job_id)
        return snapshot if snapshot is not None and snapshot.plan is not None else None

    def submit(
        self,
        shot: Shot,
        seed: int | None = None,
        *,
        asked_by: str = "",
        notes: Iterable[str] = (),
        front: bool = False,
    ) -> str:
        """Add a job for one take of `shot`; returns its id once it is on disk.

        Args:
            seed: 0..2^63-1; None draws one.
            asked_by: name of the login.
            notes: what was changed before, for the person to read.
            front: before all that wait.

        Raises:
            InputError: the seed is out of range, the queue is full, or an adapter is not here or does not fit.
            OutputError: the library cannot be written.
        """
        check_adapters(shot)
        job = self.queue.add(shot, seed, asked_by=asked_by, notes=notes, front=front)
        self._poke()
        return job.job_id

    def scout(
        self,
        shot: Shot,
        axes: Sequence[Axis],
        seed: int | None = None,
        *,
        share: float = SHARE,
        asked_by: str = "",
        notes: Iterable[str] = (),
    ) -> Scout:
        """Queue a grid, see `Scouts.add`.

        Raises:
            InputError: the grid cannot be made; nothing is queued then.
            OutputError: the library cannot be written.
        """
        check_adapters(shot)
        scout = self.scouts.add(shot, axes, seed, share=share, asked_by=asked_by, notes=notes)
        self._poke()
        return scout

    def enhance(self, wanted: Wanted) -> Enhancing:
        """Begin to rewrite a prompt, beside the queue; returns at once.

        A local model needs the worker: it is refused while a take is being made, and the queue waits for it.
        """
        return Enhancing(wanted, self._dispatcher, self.limits, self.read_only or "The studio is closed.")

    def drop(self, job_id: str) -> None:
        """Cancel a job and free what it has saved; taken up again, it begins anew.

        Raises:
            InputError: there is no such job.
        """
        self.cancel(job_id)
        with self._running():
            if self._dispatcher is not None and self.queue.get(job_id).state is JobState.CANCELLED:
                self.queue.record(job_id, step=0, saved_step=0, kept=0)
                self._dispatcher.discard(job_id)

    def snapshot(self, job_id: str) -> JobSnapshot:
        """The job as it is now.

        Raises:
            InputError: there is no such job.
        """
        return self._shown.of(self.queue.get(job_id))

    def snapshots(self, job_ids: Sequence[str]) -> list[JobSnapshot]:
        """Those of `job_ids` that exist, in this order."""
        found = self.queue.some(job_ids)
        return self._shown.readable((found[name], None) for name in job_ids if name in found)

    def line(self, limit: int = -1) -> list[JobSnapshot]:
        """Running, waiting and paused jobs, in the order in which they run, without scouts that wait to be judged."""
        ahead = int(self._dispatcher is not None and self._dispatcher.busy)
        line = []
        for job in self.queue.line(limit):
            line.append((job, ahead))
            ahead += job.state is JobState.WAITING
        return self._shown.readable(line)

    def cancel(self, job_id: str) -> None:
        """Cancel an unfinished job, and no other; nothing happens to one that has ended.

        Raises:
            InputError: there is no such job.
        """
        with self._running():
            job = self.queue.get(job_id)
            if job.state is JobState.RUNNING:
                self._ask(job_id, "cancel")
            elif not job.state.ended:
                self.queue.become(job_id, JobState.CANCELLED)

    def cancel_all(self) -> None:
        """Cancel every unfinished job, the running one last: none begins in between."""
        for job in reversed(self.queue.unfinished()):
            with suppress(InputError):
                self.cancel(job.job_id)

    def pause(self, job_id: str) -> None:
        """Let a job wait until it is told to go on; a running one saves itself first.

        Raises:
            InputError: there is no such job, or it has ended.
        """
        with self._running():
            if self.queue.get(job_id).state is JobState.RUNNING:
                self._ask(job_id, "pause")
            else:
                self.queue.become(job_id, JobState.PAUSED)

    def resume(self, job_id: str) -> None:
        """Let a paused, failed or cancelled job go on, from its last saved step; a scout runs to its end.

        Raises:
            InputError: there is no such job, or it is not to be taken up again.
        """
        self.queue.again(job_id)
        self._poke()

    def edit(self, job_id: str, shot: Shot, seed: int | None = None, notes: Iterable[str] = ()) -> None:
        """Give a waiting or paused job another shot.

        Raises:
            InputError: it runs, or has ended.
        """
        check_adapters(shot)
        self.queue.edit(job_id, shot, seed, notes)
        if self._dispatcher is not None:
            self._dispatcher.discard(job_id)

    def duplicate(self, job_id: str) -> str:
        """Add a job for the same shot with another seed; returns its id."""
        job = self.queue.get(job_id)
        return self.submit(self.queue.shot(job), asked_by=job.asked_by, notes=job.notes)

    def hold(self, held: bool) -> None:
        """Let no further job begin, or go on."""
        self.queue.hold(held)
        self._poke()

    def takes(self, limit: int = 24) -> list[Take]:
        """The newest takes of the library, newest first."""
        return [kept.take for kept in self.store.page(limit=limit).takes if not kept.missing]

    def scout_preview(self, job_id: str) -> Path | None:
        """The film of a scout that has stopped; None where there is none."""
        if self._dispatcher is None:
            return None
        path = self._dispatcher.preview(job_id)
        return path if path.is_file() else None

    def use_model(self, model: str) -> None:
        """Make `model` the default for pages.

        Raises:
            InputError: it is not a whole checkpoint on this machine. Nothing changes then.
        """
        from mova_studio.jobs.modelcheck import check_model

        check_model(model)
        for used in (self.model, model):
            folder = Path(used).expanduser()
            if used != "demo" and folder.is_dir():
                with suppress(OutputError):  # a list to choose from is no reason to refuse
                    self.folders.remember(folder)
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
        return 0 if self._dispatcher is None else self._dispatcher.worker_memory()

    def unload(self) -> None:
        """End the worker if nothing runs, and with it all that it holds; the next job starts another.

        Raises:
            InputError: a job is running.
        """
        if self._dispatcher is not None:
            self._dispatcher.unload()

    def close(self) -> None:
        """Save what runs, stop the worker and let go of the library. The next studio goes on with the queue."""
        if self._closed.is_set():
            return
        self._closed.set()
        self.trainings.close()
        if self._dispatcher is not None:
            self._dispatcher.close()
            self._dispatcher = None
        self._lock.release()
        self._database.close()

    def _poke(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.poke()

    def _running(self) -> Any:
        """Holds off the queue's next move."""
        return threading.RLock() if self._dispatcher is None else self._dispatcher.lock

    def _ask(self, job_id: str, wish: str) -> None:
        if self._dispatcher is not None and self._dispatcher.runs(job_id):
            self._dispatcher.ask(job_id, wish)
        else:
            self.queue.wish(job_id, wish)
