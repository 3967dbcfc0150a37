"""Films from timelines: one export at a time in a process of its own, and the list of what was made."""

from __future__ import annotations

import re
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.background import Background, Outcome
from mova_studio.library.places import FILMS
from mova_studio.timeline.checks import check_film_size
from mova_studio.timeline.clip import Title
from mova_studio.timeline.export_preset import export_preset
from mova_studio.timeline.file import save
from mova_studio.timeline.library_media import LibraryMedia
from mova_studio.timeline.model import Timeline
from mova_studio.ui.catalogue import say
from mova_studio.ui.served import ServedTakes, address
from mova_studio.ui.timeline_files import safe_name, zip_folder
from mova_studio.ui.translated import translate

CAPTIONS = ("none", "burn", "files")
MAX_LISTED = 50
_SIZE = re.compile(r"(\d{1,5})\s*[x×]\s*(\d{1,5})")


@dataclass(frozen=True)
class Wish:
    """What an export should become.

    Attributes:
        preset: id of an export preset.
        size: "WxH"; "" is the preset's own.
        captions: none | burn (into the picture) | files (beside the film).
    """

    preset: str
    size: str = ""
    captions: str = "none"


class FilmExport:
    """Exports into the library's folder `timelines/films`.

    Args:
        library: where the media are; its folder takes the films.
        served: the browser's cache.
    """

    def __init__(self, library: LibraryMedia, served: ServedTakes) -> None:
        self._library, self._served = library, served
        self.folder = library.store.root / FILMS
        self._lock = threading.Lock()
        self._background = Background("Another film is being exported; wait for it, or cancel it.")
        self._snapshot: tempfile.TemporaryDirectory[str] | None = None
        self._offered: dict[str, Any] | None = None

    def start(self, timeline: Timeline, wish: Wish, language: str) -> dict[str, Any]:
        """Begin to export a timeline as it is now; later changes do not touch it.

        Raises:
            InputError: one is running, a clip's file has gone, there is no clip, or the wish cannot be met.
            OutputError: the library cannot be written.
        """
        suffix = export_preset(wish.preset).suffix
        if wish.captions not in CAPTIONS:
            raise InputError(f"captions is {wish.captions[:40]!r}, but must be one of {', '.join(CAPTIONS)}.")
        size = ["--size", _size(wish.size)] if wish.size else []
        self._check(timeline, language)
        with self._lock:
            if self._background.running:
                raise InputError(say(language, "timeline.error.busy"), field="export")
            self._clear()
            self._make_folder()
            out = self._free(timeline.name, wish.preset, suffix)
            self._snapshot = tempfile.TemporaryDirectory(prefix="mova-timeline-")
            file = Path(self._snapshot.name) / "film.json"
            save(timeline, file)
            arguments = ["timeline", "render", str(file), "--preset", wish.preset, "--out", str(out), *size]
            self._background.start([*arguments, "--captions", wish.captions, "--json", "--events"], {"out": str(out)})
        return self.state(language)

    def cancel(self, language: str) -> dict[str, Any]:
        """Stop the export; what it had written goes."""
        self._background.stop()
        return self.state(language)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of an export; whether it has come."""
        return self._background.wait(seconds)

    def state(self, language: str) -> dict[str, Any]:
        """Where the export stands.

        Returns:
            running; fraction 0 to 1; seconds_left, None while nobody knows; stage in the renderer's words; done, with
            url, name, and what the renderer measured, or None; cancelled; error, "" where there is none.
        """
        answer: dict[str, Any] = {
            "running": False,
            "fraction": 0.0,
            "seconds_left": None,
            "stage": "",
            "done": None,
            "cancelled": False,
            "error": "",
        }
        command = self._background.command
        if command is None:
            return answer
        if command.outcome is Outcome.RUNNING:
            progress = command.events.get("progress", {})
            told = {name: progress[name] for name in ("fraction", "seconds_left", "stage") if name in progress}
            return answer | {"running": True} | told
        if command.outcome is Outcome.DONE:
            return answer | {"fraction": 1.0, "done": self._done(command.answer, Path(command.about["out"]))}
        if command.outcome is Outcome.STOPPED:
            return answer | {"cancelled": True}
        return answer | {"error": translate(language, command.error.message) if command.error else ""}

    def films(self) -> list[dict[str, Any]]:
        """The films that were exported last, the newest first."""
        files: list[tuple[float, int, Path]] = []
        with suppress(OSError):
            for path in self.folder.iterdir():
                if not path.name.startswith(".") and path.is_file():
                    stat = path.stat()
                    files.append((stat.st_mtime, stat.st_size, path))
        found = []
        for changed, size, path in sorted(files, reverse=True)[:MAX_LISTED]:
            with suppress(InputError, OSError):
                url = address(self._served.link(path))
                when = datetime.fromtimestamp(changed).astimezone().isoformat(timespec="seconds")
                found.append({"name": path.name, "url": url, "bytes": size, "changed": when})
        return found

    def _check(self, timeline: Timeline, language: str) -> None:
        if not timeline.clips:
            raise InputError(say(language, "timeline.error.empty"), field="clips")
        sources = [*(clip.source for clip in timeline.clips), *(sound.source for sound in timeline.sounds)]
        gone = [each.name for each in sources if not isinstance(each, Title) and self._library.missing(each)]
        if gone:
            names = ", ".join(dict.fromkeys(gone))
            raise InputError(say(language, "timeline.error.missing", names=names), field="clips")

    def _make_folder(self) -> None:
        if self._library.read_only:
            raise OutputError(self._library.read_only, field="library")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from error

    def _free(self, name: str, preset: str, suffix: str) -> Path:
        """A path that no file has: name, preset and time."""
        stem = f"{safe_name(name)}-{preset}-{datetime.now():%Y%m%d-%H%M%S}"
        for count in range(1, 1000):
            path = self.folder / f"{stem}{'' if count == 1 else f'-{count}'}{suffix}"
            if not path.exists():
                return path
        raise InputError(f"{stem} and 998 more are taken; export again.", field="out")

    def _done(self, answer: dict[str, Any], out: Path) -> dict[str, Any]:
        with self._lock:
            if self._offered is None:
                self._clear(offered=False)
                heard = answer.get("loudness") or {}
                measured = {name: value for name, value in answer.items() if name != "path"} | {
                    "loudness": heard.get("integrated_lufs"),
                    "true_peak": heard.get("true_peak_dbtp"),
                }
                beside = [self._link(Path(str(file))) for file in answer.get("caption_files", [])]
                found = self._link(out if out.is_file() else _zipped(out))
                self._offered = measured | {"caption_files": beside} | found
            return self._offered

    def _link(self, path: Path) -> dict[str, Any]:
        return {"name": path.name, "url": address(self._served.link(path))}

    def _clear(self, *, offered: bool = True) -> None:
        if self._snapshot is not None:
            self._snapshot.cleanup()
            self._snapshot = None
        if offered:
            self._offered = None


def _size(text: str) -> str:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"The size is {text[:40]!r}, but must be WIDTHxHEIGHT, for example 1280x720.", field="size")
    width, height = int(match[1]), int(match[2])
    check_film_size(width, height)
    return f"{width}x{height}"


def _zipped(folder: Path) -> Path:
    """The files of a folder as one zip beside it, for the browser."""
    path = folder.with_name(f"{folder.name}.zip")
    if not path.is_file():
        zip_folder(folder, path)
    return path
