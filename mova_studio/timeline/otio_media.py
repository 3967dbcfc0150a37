"""Media that an .otio file refers to, as sources of a timeline."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import opentimelineio as otio

from mova_studio.errors import InputError
from mova_studio.timeline.clip import SAMPLE_RATE, Source
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_times import frames_of, rate_of, seconds_of
from mova_studio.timeline.otio_write import KEY
from mova_studio.timeline.source import source_of

_FILE_SCHEMES = ("", "file")


def path_of(reference: Any, folder: Path) -> Path | None:
    """The file to which a reference points; None for one that points to no file.

    Args:
        folder: where relative addresses begin.
    """
    if isinstance(reference, otio.schema.MissingReference):
        kept = reference.metadata.get(KEY)
        path = kept.get("path") if isinstance(kept, Mapping) else None
        return Path(path) if isinstance(path, str) and path and "\0" not in path else None
    if not isinstance(reference, otio.schema.ExternalReference) or not reference.target_url:
        return None
    url = reference.target_url
    drive = len(url) > 2 and url[1] == ":" and url[0].isalpha()
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if drive or not parts.scheme:
        path = url if drive or not _is_quoted(url, folder) else unquote(url)
    elif parts.scheme in _FILE_SCHEMES and parts.netloc in ("", "localhost"):
        path = unquote(url.split("://", 1)[1].removeprefix(parts.netloc)) if "://" in url else unquote(parts.path)
        if os.name == "nt":
            path = path.lstrip("/")
    else:
        return None
    return Path(os.path.normpath(folder / path)) if path and "\0" not in path else None


def beside(path: Path, folder: Path, may_read: Callable[[Path], bool]) -> Path | None:
    """A file where it was, or under its name in `folder` or in its folder media; None if it is nowhere."""
    for place in (folder / path, folder / "media" / path.name, folder / path.name):
        if place.is_file() and may_read(place):
            return place
    return None


def with_paths(timeline: Timeline, moved: dict[str, str]) -> Timeline:
    """The same timeline with files at other places, from old path to new."""

    def at_place(source: Source) -> Source:
        return dataclasses.replace(source, path=moved.get(source.path, source.path))

    clips = (
        dataclasses.replace(clip, source=at_place(clip.source)) if isinstance(clip.source, Source) else clip
        for clip in timeline.clips
    )
    sounds = (dataclasses.replace(sound, source=at_place(sound.source)) for sound in timeline.sounds)
    return dataclasses.replace(timeline, clips=tuple(clips), sounds=tuple(sounds))


class Media:
    """Sources by their references; every file is measured once.

    Args:
        folder: where relative addresses begin.
        may_read: which files may be measured.
        known: sources that the timeline had when we wrote it, by path, for files that are missing now.
        notes: gets a sentence for each file that is missing or cannot be read.
    """

    def __init__(
        self, folder: Path, may_read: Callable[[Path], bool], known: dict[str, Source], notes: list[str]
    ) -> None:
        self._folder = folder
        self._may_read = may_read
        self._known = known
        self._notes = notes
        self._read: dict[Path, Source | None] = {}

    def source(self, item: otio.schema.Clip) -> Source | None:
        """The source of a clip; None if it points to no file of which anything is known."""
        path = path_of(item.media_reference, self._folder)
        if path is None:
            return None
        if path not in self._read:
            self._read[path] = self._measured(path, item)
        return self._read[path]

    def _measured(self, path: Path, item: otio.schema.Clip) -> Source | None:
        known = self._known.get(str(path))
        place = beside(path, self._folder, self._may_read)
        if place is None:
            self._notes.append(f"Missing: {path}; put it back, or replace or remove its clips.")
            return known or _imagined(path, item)
        if known is not None and place == path:
            return known
        try:
            return source_of(place, take=known.take if known else "", name=known.name if known else "")
        except InputError as error:
            self._notes.append(f"{error.message} A black title stands in its place.")
            return None


def _imagined(path: Path, item: otio.schema.Clip) -> Source | None:
    """A source of which only the file for other programs tells."""
    whole = item.media_reference.available_range or item.source_range
    if whole is None:
        return None
    rate = rate_of(whole.duration)
    seconds = seconds_of(whole.duration)
    if item.media_reference.available_range is None:
        seconds += max(seconds_of(whole.start_time), Fraction(0))
    heard = rate > 1000
    try:
        return Source(
            path=str(path),
            num_frames=0 if heard else frames_of(seconds, rate),
            frame_rate=Fraction(24) if heard else rate,
            width=0,
            height=0,
            num_samples=frames_of(seconds, Fraction(SAMPLE_RATE)) if heard else 0,
            name=path.name[:200],
        )
    except InputError:
        return None


def _is_quoted(url: str, folder: Path) -> bool:
    """Whether an address without a scheme is a URL, with %20 for a space, rather than a plain path."""
    return "%" in url and "\0" not in url and not (folder / url).exists()
