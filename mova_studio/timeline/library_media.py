"""The media that a library's timelines are made of: its takes, and files that were brought to it."""

from __future__ import annotations

import dataclasses
import re
import secrets
import shutil
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError, OutputError
from mova_studio.library.kept import KeptTake
from mova_studio.library.places import UPLOADS
from mova_studio.library.store import TakeStore
from mova_studio.timeline.clip import SAMPLE_RATE, Clip, Source, Title
from mova_studio.timeline.model import Sound, Timeline
from mova_studio.timeline.source import source_of

MAX_TITLE = 80
_UPLOAD = re.compile(r"[\w-]{1,60}-[0-9a-f]{8}\.[a-z0-9]{1,5}")
_ENDINGS = frozenset(("mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "flv"))
_ENDINGS |= frozenset(("mp3", "m4a", "aac", "wav", "flac", "ogg", "oga", "opus", "aiff", "aif"))
_REMEMBERED = 2000
_Part = TypeVar("_Part", Clip, Sound)


class LibraryMedia:
    """Finds and measures media by what a page calls them. Every file is measured once.

    Args:
        store: the library's takes; uploads lie in `timelines/uploads` below its folder.
        read_only: why nothing can be brought there; "" where it can.
    """

    def __init__(self, store: TakeStore, read_only: str = "") -> None:
        self.store, self.read_only, self.folder = store, read_only, store.root / UPLOADS
        self._lock = threading.Lock()
        self._measured: dict[tuple[Path, int, int], Source] = {}

    def __call__(self, kind: str, name: str) -> Source:
        """The source of a take's id, or of an upload's name.

        Raises:
            InputError: there is none, it is in the trash, its file has gone, or it cannot be used.
        """
        if kind == "upload":
            return self._measure(self._upload(name))
        kept = self._kept(name)
        return self._measure(kept.take.path, kept.take_id, name_of(kept))

    def prompt(self, take: str) -> str:
        """What a take was asked for.

        Raises:
            InputError: there is no such take.
        """
        return self.store.get(take).take.shot.prompt

    def bring(self, path: Path, called: str) -> str:
        """Keep a copy of a file with picture or sound; returns its name as an upload.

        Args:
            called: what the person calls the file; it only colours the name.

        Raises:
            InputError: it has neither picture nor sound, or is damaged.
            OutputError: the library cannot be written.
        """
        if self.read_only:
            raise OutputError(self.read_only, field="library")
        try:
            source = source_of(path, name=called)
        except InputError as error:
            raise InputError(error.message.replace(str(path), called), field="upload") from error
        if not (source.num_frames or source.num_samples):
            raise InputError(f"{called} has neither picture nor sound.", field="upload")
        name = f"{_plain(called)}-{secrets.token_hex(4)}{_ending(called)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from error
        with replacing(self.folder / name) as beside:
            shutil.copyfile(path, beside)
        return name

    def uploads(self, limit: int = 60) -> list[dict[str, Any]]:
        """The files that were brought last, as `upload_info` says them; one that cannot be read is passed over."""
        files: list[tuple[float, str]] = []
        with suppress(OSError):
            files = [
                (file.stat().st_mtime, file.name) for file in self.folder.iterdir() if _UPLOAD.fullmatch(file.name)
            ]
        found = []
        for _changed, name in sorted(files, reverse=True)[:limit]:
            with suppress(InputError):
                found.append(self.upload_info(name))
        return found

    def upload_info(self, name: str) -> dict[str, Any]:
        """An upload as JSON: id, name, frames (0 for sound alone), seconds, width, height, sound.

        Raises:
            InputError: there is none, or it is damaged.
        """
        source = self("upload", name)
        seconds = max(float(source.num_frames / source.frame_rate), source.num_samples / SAMPLE_RATE)
        return {
            "id": name,
            "name": source.name,
            "frames": source.num_frames,
            "seconds": seconds,
            "width": source.width,
            "height": source.height,
            "sound": source.num_samples > 0,
        }

    def relink(self, timeline: Timeline) -> Timeline:
        """The timeline with every source whose file has gone at the place where the library has it now."""
        clips = tuple(self._linked(clip) for clip in timeline.clips)
        sounds = tuple(self._linked(sound) for sound in timeline.sounds)
        return dataclasses.replace(timeline, clips=clips, sounds=sounds)

    def _linked(self, part: _Part) -> _Part:
        source = part.source
        if isinstance(source, Title) or Path(source.path).is_file():
            return part
        try:
            path = self._kept(source.take).take.path if source.take else self._upload(Path(source.path).name)
        except InputError:
            return part
        return dataclasses.replace(part, source=dataclasses.replace(source, path=str(path)))

    def missing(self, source: Source) -> str:
        """Why a source cannot be used; "" where its file is there."""
        if Path(source.path).is_file():
            return ""
        if source.take:
            try:
                self._kept(source.take)
            except InputError as error:
                return error.message
        return f"{source.name} is no longer at {source.path}."

    def _kept(self, take: str) -> KeptTake:
        kept = self.store.get(take)
        if kept.trashed is not None:
            raise InputError(f"{name_of(kept)} is in the trash; restore it, or use another take.", field="take")
        if kept.missing:
            raise InputError(f"The file of {name_of(kept)} has gone; put it back, or use another take.", field="take")
        return kept

    def _upload(self, name: str) -> Path:
        path = self.folder / name
        if not _UPLOAD.fullmatch(name) or not path.is_file():
            raise InputError(f"There is no upload {name[:60]!r} in this library; bring the file again.", field="upload")
        return path

    def _measure(self, path: Path, take: str = "", name: str = "") -> Source:
        try:
            stat = path.stat()
        except OSError as error:
            raise InputError(f"{path.name} has gone; reload the page.", field="take") from error
        key = (path, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            known = self._measured.get(key)
        if known is None:
            known = source_of(path, take, name or path.name.rsplit("-", 1)[0])
            with self._lock:
                self._measured[key] = known
                while len(self._measured) > _REMEMBERED:
                    self._measured.pop(next(iter(self._measured)))
        return known


def name_of(kept: KeptTake) -> str:
    """What a take is called on a timeline: the beginning of its prompt, and its seed."""
    words = " ".join(kept.take.shot.prompt.split())
    short = words if len(words) <= MAX_TITLE else words[:MAX_TITLE].rsplit(" ", 1)[0] + "…"
    return f"{short} · seed {kept.take.seed}"


def _plain(called: str) -> str:
    letters = unicodedata.normalize("NFKC", Path(called).stem)
    return re.sub(r"[^\w-]+", "-", letters).strip("-_")[:50] or "file"


def _ending(called: str) -> str:
    ending = Path(called).suffix.lower().removeprefix(".")
    return f".{ending}" if ending in _ENDINGS else ".media"
