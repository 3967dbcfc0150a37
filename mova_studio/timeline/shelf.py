"""The timelines of a library: one file each in its folder `timelines`, and a trash from which they come back."""

from __future__ import annotations

import dataclasses
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError
from mova_studio.library.places import TIMELINES, TRASH
from mova_studio.timeline.checks import MAX_NAME
from mova_studio.timeline.document import Document
from mova_studio.timeline.file import load, save
from mova_studio.timeline.layout import film_seconds
from mova_studio.timeline.model import Timeline

_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """A timeline in a list.

    Attributes:
        timeline_id: name of its file without the ending.
        name: what the person calls it.
        seconds: length of the film.
        clips: how many.
        changed: when it was written last, UTC in ISO 8601.
        fault: why it cannot be opened; "" where it can.
    """

    timeline_id: str
    name: str
    seconds: float
    clips: int
    changed: str
    fault: str = ""


class Shelf:
    """Lists, makes and opens the timelines of a library. Everyone who opens one gets the same `Document`.

    Args:
        root: the library's folder.
        read_only: why nothing can be changed there; "" where everything can.
        relink: brings the paths of a timeline to where its media are now.

    Attributes:
        last: the id of the timeline that its owner opened last in this run of the app.
    """

    def __init__(
        self,
        root: Path,
        read_only: str = "",
        relink: Callable[[Timeline], Timeline] = lambda timeline: timeline,
    ) -> None:
        self.folder, self.read_only, self._relink = root / TIMELINES, read_only, relink
        self._lock = threading.RLock()
        self._open: dict[str, Document] = {}
        self._listed: dict[Path, tuple[_Stamp, Entry]] = {}
        self.last = ""

    def entries(self) -> list[Entry]:
        """Every timeline that has a file, also a damaged one; the one changed last comes first."""
        with self._lock:
            found = [entry for path in self._files() if (entry := self._entry(path)) is not None]
        return sorted(found, key=lambda entry: (entry.changed, entry.timeline_id), reverse=True)

    def create(self, width: int, height: int, frame_rate: Fraction, name: str = "") -> str:
        """A new timeline without clips; returns its id.

        Raises:
            InputError: the size, rate or name cannot be.
            OutputError: the library cannot be written.
        """
        return self.keep(Timeline(width, height, frame_rate, name.strip()))

    def keep(self, timeline: Timeline) -> str:
        """Write a timeline into a file of its own; returns its id."""
        with self._lock:
            self._check_writable()
            timeline_id = secrets.token_hex(8)
            self._make(self.folder)
            save(timeline, self._path(timeline_id))
            return timeline_id

    def draft(self, timeline: Timeline) -> str:
        """A timeline that gets its file with its first change; returns its id."""
        with self._lock:
            timeline_id = secrets.token_hex(8)
            self._open[timeline_id] = Document(self._path(timeline_id), timeline, self.read_only, self._relink)
            self.last = timeline_id
            return timeline_id

    def open(self, timeline_id: str) -> Document:
        """The timeline of an id.

        Raises:
            InputError: there is none, or its file is damaged or of a newer version.
        """
        with self._lock:
            path = self._path(timeline_id)
            document = self._open.get(timeline_id)
            if document is None:
                if not path.is_file():
                    raise InputError(f"There is no timeline {timeline_id[:40]!r} in this library.", field="id")
                document = Document(path, None, self.read_only, self._relink)
                self._open[timeline_id] = document
            return document

    def last_used(self) -> str:
        """The id of the timeline that was opened last, else of the one that was changed last; "" without any."""
        with self._lock:
            if self.last in self._open:
                return self.last
            if self.last and self._path(self.last).is_file():
                return self.last
            return next((entry.timeline_id for entry in self.entries() if not entry.fault), "")

    def rename(self, timeline_id: str, name: str) -> None:
        """Call a timeline something else.

        Raises:
            InputError: there is none, or the name is too long.
            OutputError: the library cannot be written.
        """
        self.open(timeline_id).change(lambda timeline: dataclasses.replace(timeline, name=name.strip()))

    def duplicate(self, timeline_id: str) -> str:
        """Write a copy of a timeline; returns the id of the copy."""
        timeline = self.open(timeline_id).state.timeline
        name = f"{timeline.name} 2".strip()[-MAX_NAME:]
        return self.keep(dataclasses.replace(timeline, name=name))

    def delete(self, timeline_id: str) -> None:
        """Move a timeline into the trash, also a damaged one; who has it open can change it no more.

        Raises:
            InputError: there is none.
            OutputError: the file cannot be moved.
        """
        with self._lock:
            self._check_writable()
            path, document = self._path(timeline_id), self._open.get(timeline_id)
            if path.is_file():
                self._make(self.folder / TRASH)
                self._move(path, self.folder / TRASH / path.name)
            elif document is None:
                raise InputError(f"There is no timeline {timeline_id[:40]!r} in this library.", field="id")
            if document is not None:
                document.read_only = "This timeline was deleted; restore it, or open another one."
                del self._open[timeline_id]

    def restore(self, timeline_id: str) -> None:
        """Bring a timeline back from the trash.

        Raises:
            InputError: it is not in the trash.
            OutputError: the file cannot be moved.
        """
        with self._lock:
            self._check_writable()
            path = self._path(timeline_id)
            kept = self.folder / TRASH / path.name
            if not kept.is_file() or path.exists():
                raise InputError(f"There is no timeline {timeline_id[:40]!r} in the trash.", field="id")
            self._move(kept, path)

    def _files(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self.folder.glob("*.json") if _ID.fullmatch(path.stem)]
        return []

    def _entry(self, path: Path) -> Entry | None:
        try:
            stat = path.stat()
        except OSError:
            return None
        known, stamp = self._listed.get(path), (stat.st_mtime_ns, stat.st_size)
        if known is not None and known[0] == stamp:
            return known[1]
        changed = datetime.fromtimestamp(stat.st_mtime, timezone.utc).isoformat(timespec="milliseconds")
        try:
            timeline = load(path)
            entry = Entry(path.stem, timeline.name, film_seconds(timeline), len(timeline.clips), changed)
        except InputError as error:
            entry = Entry(path.stem, path.name, 0.0, 0, changed, error.message)
        self._listed[path] = (stamp, entry)
        return entry

    def _path(self, timeline_id: str) -> Path:
        if not isinstance(timeline_id, str) or not _ID.fullmatch(timeline_id):
            raise InputError(f"{str(timeline_id)[:40]!r} cannot name a timeline.", field="id")
        return self.folder / f"{timeline_id}.json"

    def _check_writable(self) -> None:
        if self.read_only:
            raise OutputError(self.read_only, field="library")

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error

    @staticmethod
    def _move(path: Path, to: Path) -> None:
        try:
            path.replace(to)
        except OSError as error:
            raise output_error(to, error) from error
