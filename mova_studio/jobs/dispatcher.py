"""Runs the queue: one job after the other on one worker process, whatever dies on the way."""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs import guest
from mova_studio.jobs.errand import errand, made_before, place_of
from mova_studio.jobs.guest import Guest
from mova_studio.jobs.job import Job
from mova_studio.jobs.ledger import Ledger
from mova_studio.jobs.limits_file import LimitsFile
from mova_studio.jobs.obstacles import KILLED, check_room
from mova_studio.jobs.process import WorkerProcess
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.saved_run import FOLDER, SavedRun, discard_all_but
from mova_studio.jobs.snapshot import Live
from mova_studio.jobs.states import JobState
from mova_studio.library.database import Database
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25  # between two looks for what other processes asked for
GRACE_SECONDS = 2.0  # for a worker that is asked to cancel
SAVING_SECONDS = 8.0  # for one that is asked to save its run because the app ends
REMEMBERED = 50
ENDS = ("done", "paused", "cancelled", "failed")
MAX_STILLBORN = 10  # workers in a row that are killed before they say anything, until that counts against the job


class Dispatcher:
    """Runs the jobs of a library. One per library, which the caller's lock sees to.

    Args:
        database, queue, store: of the library.
        limits: what plans may use.
        save_every: seconds between two saves of a run, see `Saver`.
        reserved: as the attribute, from the beginning on.

    Attributes:
        trouble: why the queue stands still although jobs wait; "" where it does not.
        reserved: no job begins because a training run has the machine, or waits for it.
    """

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        store: TakeStore,
        limits: LimitsFile,
        save_every: float,
        reserved: bool = False,
    ) -> None:
        self.trouble = ""
        self.reserved = reserved
        self._database, self._queue, self._store = database, queue, store
        self._limits, self._save_every = limits, save_every
        self._runs = store.root / FOLDER
        self._ledger = Ledger(queue, store, self._runs)
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._live: OrderedDict[str, Live] = OrderedDict()
        self._running: str | None = None
        self._wish: str | None = None
        self._worker: WorkerProcess | None = None
        self._guest: Guest | None = None
        self._alive = False
        self._stillborn = 0
        self._seen = -1
        self._closed = False
        self._paused_for_good = threading.Event()
        self._recover()
        self._thread = threading.Thread(target=self._look, name="queue", daemon=True)
        self._thread.start()

    @property
    def lock(self) -> threading.RLock:
        """Held while jobs change hands."""
        return self._lock

    def poke(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def live(self, job_id: str) -> Live | None:
        """What is known of a job that runs, or ran a short while ago."""
        with self._lock:
            return self._live.get(job_id)

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._running is not None

    def runs(self, job_id: str) -> bool:
        """Whether this is the running job."""
        with self._lock:
            return self._running == job_id

    def ask(self, job_id: str, wish: str) -> None:
        """Ask the running job to stop.

        It does so between two layers. One that does not cancel within 2 s (inside a long decode) is stopped with its
        worker, which the next job starts anew; one that is to pause is waited for, or what it did would be lost.

        Args:
            wish: "cancel" or "pause".
        """
        with self._lock:
            if self._running != job_id or self._worker is None or self._wish == "cancel":
                return
            self._wish = wish
            worker = self._worker
            worker.send({wish: job_id})
        if wish != "cancel":
            return
        timer = threading.Timer(GRACE_SECONDS, self._kill_if_still_running, (worker, job_id))
        timer.daemon = True
        timer.start()

    def discard(self, job_id: str) -> None:
        """Forget what was saved of a job's run."""
        SavedRun(self._runs, job_id).discard()

    def preview(self, job_id: str) -> Path:
        """Where the preview of a scout lies, once it has stopped."""
        return SavedRun(self._runs, job_id).preview

    def worker_memory(self) -> int:
        """Bytes of RAM that the worker holds now."""
        with self._lock:
            return 0 if self._worker is None else self._worker.memory()

    def unload(self) -> None:
        """End the worker if nothing runs.

        Raises:
            InputError: a job is running.
        """
        with self._lock:
            if self._running is not None or self._guest is not None:
                raise InputError("A take is being made; cancel it or let it finish before unloading.", field="model")
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def reserve(self) -> bool:
        """Let no further job begin; whether none runs by now, and the worker's memory is free."""
        with self._lock:
            self.reserved = True
            free = self._running is None and self._guest is None
        if free:
            self.unload()
        return free

    def release(self) -> None:
        """Let jobs begin again."""
        self.reserved = False
        self.poke()

    def lend(self, command: dict[str, Any], on_event: Callable[[dict[str, Any]], None]) -> None:
        """Give the worker a command that is no job, see `Guest`; no job begins until it has ended.

        Raises:
            InputError: the worker is at work.
        """
        with self._lock:
            if self._running is not None or self._guest is not None or self._closed or self.reserved:
                raise InputError(guest.BUSY, field="backend")
            self._guest = Guest(command["enhance"], on_event)
            self._worker = self._worker or self._new_worker()
            self._worker.send(command)

    def recall(self, name: str) -> None:
        """Cancel a lent command; one that does not end in half a second is stopped with its worker."""
        with self._lock:
            if self._worker is not None and self._guest is not None and self._guest.name == name:
                self._guest.recall(self._worker)

    def close(self) -> None:
        """Let the running job save itself and stop the worker; the next start goes on with it."""
        with self._lock:
            self._closed = True
            running, worker = self._running, self._worker
            if running is not None and worker is not None:
                worker.send({"pause": running})
        if running is not None and worker is not None:
            self._paused_for_good.wait(SAVING_SECONDS)
        self.poke()
        self._thread.join()
        if worker is not None:
            worker.close()

    def _recover(self) -> None:
        for job in self._queue.running():
            self._queue.interrupted(job.job_id)
        discard_all_but(self._runs, self._queue.resumable())

    def _look(self) -> None:
        while not self._closed:
            try:
                self._tick()
                self.trouble = ""
            except StudioError as error:
                if error.message != self.trouble:
                    log.warning("the queue stands still: %s", error.message)
                self.trouble = error.message
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _tick(self) -> None:
        with self._lock:
            self._ledger.catch_up()
            changed = self._database.changed_by_others()
            if self._running is None and self._guest is None and not self._closed:
                job = None if self._queue.held or self.reserved else self._queue.next_waiting()
                if job is not None:
                    self._begin(job)
            elif self._running is not None and changed != self._seen:
                wish = self._queue.get(self._running).wish
                if wish is not None:
                    self.ask(self._running, wish)
            self._seen = changed

    def _begin(self, job: Job) -> None:
        try:
            shot = self._queue.shot(job)
        except (InputError, KeyError) as error:
            fault = error if isinstance(error, StudioError) else InputError("The job's shot is not in the library.")
            self._ledger.unfit(job.job_id, fault)
            self.poke()
            return
        check_room(self._store.root)
        made = made_before(job, self._store)
        if made is not None:
            self._ledger.done(job.job_id, made)
            self.poke()
            return
        path = place_of(job, shot, self._store)
        place = path.relative_to(self._store.root).as_posix()
        self._queue.become(job.job_id, JobState.RUNNING, path=place)
        self._running, self._wish, self._alive = job.job_id, None, False
        begun = self._ledger.begins_at(job, shot)
        self._live[job.job_id] = Live(step=begun, begun_step=begun)
        self._live.move_to_end(job.job_id)
        while len(self._live) > REMEMBERED:
            self._live.popitem(last=False)
        if self._worker is None:
            self._worker = self._new_worker()
        self._worker.send(errand(job, shot, path, self._limits.read(), self._runs, self._save_every))

    def _new_worker(self) -> WorkerProcess:
        def exited(code: int) -> None:
            with self._lock:
                self._on_exit(worker, code)

        worker = WorkerProcess(self._on_event, exited)
        return worker

    def _on_event(self, event: dict[str, Any]) -> None:
        with self._lock:
            job_id, kind = event["job"], event["kind"]
            if self._guest is not None and self._guest.hears(event):
                self._guest = None
                self.poke()
            if job_id != self._running:
                return
            live = self._live[job_id]
            self._alive, self._stillborn = True, 0
            self._live[job_id] = live.after(event)
            if kind == "progress":
                self._ledger.stepped(job_id, event["step"])
            elif kind in ("begun", "saved"):
                self._ledger.saved(job_id, event["step"])
            elif kind in ENDS:
                self._on_end(job_id, event)

    def _on_end(self, job_id: str, event: dict[str, Any]) -> None:
        kind = event["kind"]
        if kind == "done":
            self._ledger.done(job_id, Take.from_dict(event["take"]))
        elif kind == "paused" and self._closed:
            self._ledger.given_back(job_id)
            self._paused_for_good.set()
        elif kind in ("paused", "cancelled"):
            state = JobState.PAUSED if kind == "paused" else JobState.CANCELLED
            self._ledger.ended(job_id, state, step=self._live[job_id].step)
        else:
            self._ledger.ended(job_id, JobState.FAILED, error=json.dumps(event["error"]))
        self._running = self._wish = None
        self.poke()

    def _on_exit(self, worker: WorkerProcess, code: int) -> None:
        if self._worker is worker:
            self._worker = None
            lost, self._guest = self._guest, None
            if lost is not None:
                lost.lost(code)
        job_id, wish = self._running, self._wish
        if job_id is None or self._worker is not None:
            return
        self._running = self._wish = None
        if self._closed:
            self._paused_for_good.set()
        if wish is None:
            blamed = code if not self._closed and self._blames(code) else None
            self._ledger.given_back(job_id, blamed)
        else:
            state = JobState.CANCELLED if wish == "cancel" else JobState.PAUSED
            self._ledger.ended(job_id, state)
        self.poke()

    def _blames(self, code: int) -> bool:
        """Whether a worker's death speaks against its job: hardly, if it was killed before it began."""
        self._stillborn += not self._alive
        return self._alive or code != KILLED or self._stillborn >= MAX_STILLBORN

    def _kill_if_still_running(self, worker: WorkerProcess, job_id: str) -> None:
        with self._lock:
            if self._running == job_id and self._worker is worker and self._wish == "cancel":
                worker.kill()
