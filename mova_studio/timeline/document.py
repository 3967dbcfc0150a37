"""An open timeline: its file, what can be undone, and a number that says which state somebody has seen."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError, StudioError
from mova_studio.timeline.commands import FindSource, apply
from mova_studio.timeline.file import load, save
from mova_studio.timeline.history import History
from mova_studio.timeline.model import Timeline

_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class State:
    """An open timeline as it is at one moment.

    Attributes:
        revision: another one after every change.
        can_undo, can_redo: whether there is a step back, or forward again.
        stale: whoever asked had seen another revision, and nothing was done.
        notes: sentences on what happened to the file outside.
    """

    timeline: Timeline
    revision: int
    can_undo: bool = False
    can_redo: bool = False
    stale: bool = False
    notes: tuple[str, ...] = ()


class Document:
    """One timeline, safe to use from many threads. What it answers is on disk.

    A new one has no file until its first change. A file that another program changed is read anew, as a step that
    can be undone; one that it damaged is put aside before it is written again.

    Args:
        path: its file.
        timeline: what to begin with where there is no file yet; None reads the file.
        read_only: why nothing can be changed; "" where everything can.
        relink: brings the paths of a timeline that was read to where its media are now.

    Raises:
        InputError: the file is missing, damaged or of a newer version.
    """

    def __init__(
        self,
        path: Path,
        timeline: Timeline | None = None,
        read_only: str = "",
        relink: Callable[[Timeline], Timeline] = lambda timeline: timeline,
    ) -> None:
        self.path, self.read_only, self._relink = path, read_only, relink
        self._lock = threading.RLock()
        self._stamp = _stamp(path)
        self._history = History(relink(load(path)) if timeline is None else timeline)
        self._revision = secrets.randbelow(2**31)
        self._damage = ""

    @property
    def saved(self) -> bool:
        """Whether it has a file."""
        return self._stamp is not None

    @property
    def state(self) -> State:
        """The timeline as it is now; another program's change is seen here first."""
        with self._lock:
            return self._state(self._look())

    def do(self, op: Any, args: Any, revision: int | None, find_source: FindSource) -> State:
        """Do a command of `commands.py`, or "undo" or "redo", and write the file.

        Args:
            revision: what the asker has seen; None does not mind.

        Raises:
            InputError: the command cannot be done.
            OutputError: the file cannot be written. The timeline is as before.
        """
        steps: dict[Any, Callable[[], Timeline]] = {"undo": self._history.undo, "redo": self._history.redo}
        if isinstance(op, str) and op in steps:
            return self._step(steps[op], revision)
        return self.change(lambda timeline: apply(timeline, op, args, find_source), revision)

    def change(self, edit: Callable[[Timeline], Timeline], revision: int | None = None) -> State:
        """Do any edit, as `do`. It may take its time: others go on meanwhile, and it begins anew if they changed it."""
        while True:
            with self._lock:
                notes = self._look()
                before = self._history.now
                if revision is not None and revision != self._revision:
                    return self._state(notes, stale=True)
            changed = edit(before)
            with self._lock:
                if self._history.now is not before:
                    continue
                if changed != before:
                    self._save(changed)
                    self._history.do(changed)
                    self._revision += 1
                return self._state(notes)

    def _step(self, step: Callable[[], Timeline], revision: int | None) -> State:
        with self._lock:
            notes = self._look()
            if revision is not None and revision != self._revision:
                return self._state(notes, stale=True)
            before, back = self._history.now, self._history.redo
            if step == self._history.redo:
                back = self._history.undo
            if step() != before:
                try:
                    self._save(self._history.now)
                except StudioError:
                    back()
                    raise
                self._revision += 1
            return self._state(notes)

    def _save(self, timeline: Timeline) -> None:
        if self.read_only:
            raise OutputError(self.read_only, field="library")
        if self._damage:
            aside = self.path.with_name(f"{self.path.stem}.damaged-{secrets.token_hex(3)}")
            try:
                self.path.replace(aside)
            except OSError as error:
                raise output_error(aside, error) from error
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.path.parent, error) from error
        save(timeline, self.path)
        self._damage, self._stamp = "", _stamp(self.path)

    def _look(self) -> tuple[str, ...]:
        """Take in what another program did to the file; returns what to say of it."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return (self._damage,) if self._damage else ()
        self._stamp = stamp
        if stamp is None:
            return (f"{self.path.name} was deleted by another program; the next change writes it again.",)
        try:
            found = self._relink(load(self.path))
        except InputError as error:
            self._damage = (
                f"Another program damaged the file: {error.message} The next change writes it anew and keeps the "
                "damaged one beside it."
            )
            return (self._damage,)
        self._damage = ""
        if found != self._history.now:
            self._history.do(found)
            self._revision += 1
        return (f"{self.path.name} was changed by another program; undo brings back what was here before.",)

    def _state(self, notes: tuple[str, ...] = (), *, stale: bool = False) -> State:
        history = self._history
        return State(history.now, self._revision, history.can_undo, history.can_redo, stale, notes)


def _stamp(path: Path) -> _Stamp | None:
    """What changes when a file does; None where there is none."""
    with suppress(OSError):
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
    return None
