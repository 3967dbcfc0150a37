"""The training runs of a library: begun, watched, stopped and gone on with, one at a time, beside no take.

A run has the machine to itself: its thread first lets no further take begin, waits for the one at work, and gives the
worker's memory back. The run's process writes into its own folder alone, so that what is known of a run is read from
there, whoever started it. One that an app left behind when it died is found at the next start and goes on; takes wait
for it then as before.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
import threading
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError, StudioError
from mova_studio.jobs.training_folder import ASKED, LOG, Asked, TrainingFolder
from mova_studio.jobs.training_log import TrainingLog
from mova_studio.jobs.training_order import MAX_NAME, TrainingOrder, check_kinds, look_at_clips
from mova_studio.jobs.training_process import TrainingProcess
from mova_studio.jobs.training_snapshot import TrainingSnapshot, picture

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 900.0  # for a run that is asked to stop: a step and a save may take minutes
CLOSING_SECONDS = 8.0  # for one that has to because the app ends
ROOM_BYTES = 50_000_000
_LATENTS = "latents"


class Machine(Protocol):
    """Whose jobs must not run beside a training run; see `Dispatcher`."""

    def reserve(self) -> bool: ...

    def release(self) -> None: ...


class _Active:
    """The run that has the machine, or waits for it."""

    def __init__(self, folder: TrainingFolder, process: TrainingProcess | None) -> None:
        self.folder, self.process = folder, process
        self.wish = ""  # "stop", or "end" for at once
        self.poked, self.ended = threading.Event(), threading.Event()

    def ask(self, wish: str) -> None:
        self.wish = wish
        self.poked.set()


class Trainings:
    """Safe to call from many threads; what reads the disk takes its time.

    Args:
        root: of all runs; made by the first.
        read_only: why nothing can be begun here; "" where it can.
    """

    def __init__(self, root: Path, read_only: str) -> None:
        self.root = root
        self._read_only = read_only
        self._lock = threading.RLock()
        self._machine: Machine | None = None
        self._logs: dict[str, TrainingLog] = {}
        self._rested: dict[str, tuple[tuple[object, ...], TrainingSnapshot]] = {}
        self._faults: dict[str, str] = {}
        self._active: _Active | None = None
        self._closed = False
        for folder in () if read_only else self._folders():
            process = TrainingProcess.left_running(folder.path)
            if process is not None:
                self._active = _Active(folder, process)

    @property
    def at_work(self) -> bool:
        """Whether a run has the machine, or waits for it."""
        return self._active is not None

    def attend(self, machine: Machine) -> None:
        """From now on runs can begin; one that was left running is watched."""
        self._machine = machine
        if self._active is not None:
            self._watched(self._active)

    def start(self, order: TrainingOrder, model: str) -> str:
        """Begin a run; returns its id once it is on disk.

        Args:
            model: the checkpoint to train.

        Raises:
            InputError: another one is under way, or something of the order cannot be; `field` says what.
            OutputError: the disk is full or refuses.
        """
        recipe, found = order.to_recipe(), look_at_clips(order.clips)
        kinds = () if found.encoded else check_kinds(order.kinds)
        name = " ".join(order.name.split())[:MAX_NAME] or order.recipe
        with self._lock:
            self._check_free()
            latents = found.path if found.encoded else self._latents(found.path, model, kinds)
            now = datetime.now(timezone.utc)
            created = now.isoformat(timespec="seconds")
            places = str(found.path), kinds, str(latents)
            size = recipe.batch_size * recipe.accumulation
            asked = Asked(name, model, *places, order.recipe, recipe.mode, recipe.steps, size, created)
            self._check_room()
            run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            folder = TrainingFolder.make(self.root / run_id, asked, recipe.model_dump_json(indent=2))
            self._begin(folder)
        return run_id

    def resume(self, run_id: str) -> None:
        """Let a run go on from where it was saved.

        Raises:
            InputError: there is none of that id, it is done, or one is under way.
        """
        with self._lock:
            self._check_free()
            folder = self._folder(run_id)
            if not folder.phases():
                raise InputError("This training run has reached its last step.", field="run")
            self._check_room()
            self._begin(folder)

    def stop(self, run_id: str, *, at_once: bool = False) -> None:
        """Ask a run to save itself and end; nothing happens to one that is not under way.

        Args:
            at_once: end it without a save; it goes on from the last one.
        """
        active = self._active
        if active is not None and active.folder.run_id == run_id:
            active.ask("end" if at_once else "stop")

    def remove(self, run_id: str) -> None:
        """Delete a run's folder, and clips that were encoded for it alone.

        Raises:
            InputError: there is none of that id, or it is under way.
            OutputError: the disk refuses.
        """
        with self._lock:
            folder = self._folder(run_id)
            if self._active is not None and self._active.folder.run_id == run_id:
                raise InputError("This training run is under way; stop it first.", field="run")
            latents = Path(folder.asked().latents)
            try:
                shutil.rmtree(folder.path)
                others = {each.asked().latents for each in self._folders()}
                if latents.parent == self.root / _LATENTS and str(latents) not in others:
                    shutil.rmtree(latents, ignore_errors=True)
            except OSError as error:
                raise output_error(folder.path, error) from error
            self._rested.pop(run_id, None)
            self._faults.pop(run_id, None)

    def all(self) -> list[TrainingSnapshot]:
        """Every run, the newest first."""
        found = []
        for folder in self._folders():
            with suppress(InputError):
                found.append(self._picture(folder))
        return found

    def snapshot(self, run_id: str) -> TrainingSnapshot:
        """One run as it is now.

        Raises:
            InputError: there is none of that id.
        """
        return self._picture(self._folder(run_id))

    def wait(self, seconds: float) -> bool:
        """Wait until no run is under way; whether that is so."""
        active = self._active
        return active is None or active.ended.wait(seconds)

    def close(self) -> None:
        """Let the run save itself and end; it can go on at the next start."""
        active, self._closed = self._active, True
        if active is None:
            return
        active.ask("stop")
        if not active.ended.wait(CLOSING_SECONDS):
            active.ask("end")
            active.ended.wait(CLOSING_SECONDS)

    def _picture(self, folder: TrainingFolder) -> TrainingSnapshot:
        with self._lock:
            active, at_work, stopping = self._active, None, False
            if active is not None and active.folder.run_id == folder.run_id:
                at_work = "" if active.process is None else active.process.phase
                stopping = bool(active.wish)
            else:
                left = TrainingProcess.left_running(folder.path) if self._read_only else None
                at_work = None if left is None else left.phase
            if at_work is None:
                return self._at_rest(folder)
            known = self._logs.setdefault(folder.run_id, TrainingLog(folder.path / LOG))
            return picture(folder, known, at_work, stopping=stopping)

    def _at_rest(self, folder: TrainingFolder) -> TrainingSnapshot:
        """A run that is not under way, read anew only if something of it has changed."""
        error = self._faults.get(folder.run_id, "")
        now = (error, *folder.changed())
        kept = self._rested.get(folder.run_id)
        if kept is None or kept[0] != now:
            log_file = self._logs.pop(folder.run_id, TrainingLog(folder.path / LOG))
            kept = self._rested[folder.run_id] = (now, picture(folder, log_file, None, error=error))
        return kept[1]

    def _folders(self) -> list[TrainingFolder]:
        try:
            found = sorted(self.root.iterdir(), reverse=True)
        except OSError:
            return []
        return [TrainingFolder(path) for path in found if (path / ASKED).is_file()]

    def _folder(self, run_id: str) -> TrainingFolder:
        for folder in self._folders():
            if folder.run_id == run_id:
                folder.asked()
                return folder
        raise InputError(f"There is no training run {run_id[:40]!r} in this library.", field="run")

    def _latents(self, clips: Path, model: str, kinds: tuple[str, ...]) -> Path:
        """Where raw clips are encoded to: one place for all runs on the same ones, so that it is done once."""
        parts = "\n".join((str(clips), model, *kinds))
        return self.root / _LATENTS / hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _check_free(self) -> None:
        if self._read_only or self._closed or self._machine is None:
            raise InputError(self._read_only or "The studio is closed.", field="run")
        if self._active is not None:
            raise InputError("A training run is under way already; stop it or let it finish.", field="run")

    def _check_room(self) -> None:
        place = self.root if self.root.is_dir() else self.root.parent
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            raise output_error(place, error) from error
        if free < ROOM_BYTES:
            raise OutputError(
                f"The disk of {place} has {free / 1e6:.0f} MB left and a training run needs at least "
                f"{ROOM_BYTES / 1e6:.0f} MB. Free some space."
            )

    def _begin(self, folder: TrainingFolder) -> None:
        self._faults.pop(folder.run_id, None)
        folder.forget_ends()
        self._active = _Active(folder, None)
        self._watched(self._active)

    def _watched(self, active: _Active) -> None:
        threading.Thread(target=self._run, args=(active,), name="training", daemon=True).start()

    def _run(self, active: _Active) -> None:
        """A run from its place in line to its end, whatever becomes of it."""
        try:
            self._carry_out(active)
        except StudioError as error:
            self._faults[active.folder.run_id] = error.message
        except Exception as error:
            log.exception("training run %s", active.folder.run_id)
            self._faults[active.folder.run_id] = f"The run failed inside: {type(error).__name__}: {error}"
        finally:
            if not self._closed and self._machine is not None:
                self._machine.release()
            with self._lock:
                self._active = None
            active.ended.set()

    def _carry_out(self, active: _Active) -> None:
        assert self._machine is not None
        folder = active.folder
        while not self._machine.reserve():
            if active.wish:
                return
            active.poked.wait(LOOK_SECONDS)
        while phases := folder.phases():
            if active.process is None:
                if active.wish:
                    return
                active.process = TrainingProcess.start(folder.path, phases[0], folder.arguments(phases[0]))
            phase = active.process.phase
            _see_through(active, active.process)
            active.process = None
            if not folder.went_well(phase):
                return


def _see_through(active: _Active, process: TrainingProcess) -> None:
    """Wait for a process, and hand on what it is asked."""
    told = None
    while not process.ended(LOOK_SECONDS):
        if active.wish and told is None:
            told = time.monotonic()
            process.stop()
        if active.wish == "end" or (told is not None and time.monotonic() - told > PATIENCE_SECONDS):
            process.kill()
