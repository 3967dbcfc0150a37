"""OpenTimelineIO as a timeline: our own file comes back equal, one from another program as far as it can be held."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import opentimelineio as otio

from mova_studio.errors import InputError
from mova_studio.timeline.file import from_dict
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_media import beside, path_of, with_paths
from mova_studio.timeline.otio_times import seconds_of
from mova_studio.timeline.otio_tracks import read_tracks
from mova_studio.timeline.otio_write import KEY, sources_of, to_otio

MAX_BYTES = 64_000_000
_NEAR = Fraction(1, 10_000)  # seconds within which two times are the same


def from_otio_text(
    text: str, folder: Path, may_read: Callable[[Path], bool] = lambda path: True
) -> tuple[Timeline, tuple[str, ...]]:
    """Read the text of an .otio file.

    Args:
        folder: where it lies; relative addresses of media begin there, and missing media is looked for there and in
            its folder media.
        may_read: which files may be measured; others are taken as missing.

    Returns:
        the timeline, and sentences on what was left out or changed.

    Raises:
        InputError: not OpenTimelineIO, or nothing in it that a timeline can hold.
    """
    film = _film(_parsed(text))
    ours = _ours(film)
    notes: list[str] = []
    if ours is not None and _same(_shape(film), _shape(to_otio(ours, lambda path: True))):
        timeline = _found_again(ours, folder, may_read, notes)
    else:
        if KEY in film.metadata:
            notes.append("Another program changed this timeline; it was read anew.")
        try:
            timeline = read_tracks(film, folder, may_read, ours, notes)
        except (OverflowError, AttributeError, TypeError, RuntimeError, otio.exceptions.OTIOError) as error:
            raise InputError(f"it holds something that no timeline can ({error}).") from error
    return timeline, tuple(notes)


def _parsed(text: str) -> Any:
    try:
        _check_timelines(json.loads(text, parse_constant=_refuse))
        return otio.adapters.read_from_string(text, "otio_json")
    except RecursionError as error:
        raise InputError("it is nested too deeply; export it again.") from error
    except (ValueError, TypeError, KeyError, RuntimeError, otio.exceptions.OTIOError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"it is no OpenTimelineIO that can be read ({said}).") from error


def _check_timelines(value: Any) -> None:
    """A timeline whose tracks are no object ends the process inside the library that reads it."""
    if isinstance(value, dict):
        if str(value.get("OTIO_SCHEMA")).startswith("Timeline.") and not isinstance(value.get("tracks"), dict):
            raise InputError("its timeline has no tracks; export it again.")
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        _check_timelines(each)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _film(read: Any) -> otio.schema.Timeline:
    found = read
    if isinstance(read, otio.schema.SerializableCollection):
        found = next((each for each in read if isinstance(each, otio.schema.Timeline)), None)
    if not isinstance(found, otio.schema.Timeline):
        what = type(read).__name__
        raise InputError(f"it holds a {what} and no Timeline; export a whole sequence.")
    return found


def _ours(film: otio.schema.Timeline) -> Timeline | None:
    kept = film.metadata.get(KEY)
    if not isinstance(kept, Mapping) or "timeline" not in kept:
        return None
    try:
        return from_dict(json.loads(kept["timeline"]))
    except (InputError, ValueError, TypeError, RecursionError):
        return None


def _shape(film: otio.schema.Timeline) -> list[tuple[Any, ...]]:
    """What a person can change in another program, in a row; times are Fractions in seconds."""
    rows: list[tuple[Any, ...]] = [(film.name,)]
    for track in film.tracks:
        rows.append((getattr(track, "kind", ""), getattr(track, "enabled", True)))
        rows += [_row(item) for item in track]
    return rows


def _row(item: Any) -> tuple[Any, ...]:
    if isinstance(item, otio.schema.Transition):
        return (item.transition_type, item.name, seconds_of(item.in_offset), seconds_of(item.out_offset))
    if not isinstance(item, otio.schema.Clip) or item.source_range is None:
        return (type(item).__name__, *(_range(item.source_range) if getattr(item, "source_range", None) else ()))
    reference = item.media_reference
    generator = isinstance(reference, otio.schema.GeneratorReference)
    media = str(reference.parameters.get("text")) if generator else str(path_of(reference, Path("/")))
    scalars = tuple(
        Fraction(effect.time_scalar) for effect in item.effects if isinstance(effect, otio.schema.LinearTimeWarp)
    )
    marks = tuple(part for marker in item.markers for part in (marker.name, *_range(marker.marked_range)))
    return (item.enabled, media, len(item.effects), *_range(item.source_range), *scalars, *marks)


def _range(range_: otio.opentime.TimeRange) -> tuple[Fraction, Fraction]:
    return seconds_of(range_.start_time), seconds_of(range_.duration)


def _same(rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> bool:
    if [len(row) for row in rows] != [len(row) for row in others]:
        return False
    flat, theirs = ([part for row in each for part in row] for each in (rows, others))
    return all(_near(one, other) for one, other in zip(flat, theirs, strict=True))


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) <= _NEAR
    return bool(one == other)


def _found_again(timeline: Timeline, folder: Path, may_read: Callable[[Path], bool], notes: list[str]) -> Timeline:
    """Media that is gone, but lies beside the file under the same name, is taken from there."""
    moved: dict[str, str] = {}
    for path in dict.fromkeys(source.path for source in sources_of(timeline)):
        place = beside(Path(path), folder, may_read)
        if place is None:
            notes.append(f"Missing: {path}; put it back, or replace or remove its clips.")
        elif place != Path(path):
            moved[path] = str(place)
    return with_paths(timeline, moved)
