"""An open timeline as JSON for the editor of the page."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.timeline.clip import Source, Title
from mova_studio.timeline.document import State
from mova_studio.timeline.layout import Placed, film_frames, film_seconds, place, place_captions
from mova_studio.timeline.library_media import LibraryMedia
from mova_studio.timeline.model import Sound, Timeline, sample_at
from mova_studio.ui.catalogue import say
from mova_studio.ui.served import ServedTakes, address
from mova_studio.ui.timeline_media import Drawings, Drawn
from mova_studio.ui.translated import translate
from mova_studio.ui.words import number

_SAME_SHAPE = 0.01


@dataclass(frozen=True)
class Media:
    """What a page needs of a timeline's files: where they are, and what they look and sound like."""

    library: LibraryMedia
    served: ServedTakes
    drawings: Drawings


def state_of(
    timeline_id: str,
    state: State,
    media: Media,
    language: str,
    *,
    read_only: str,
    presets: list[dict[str, Any]],
) -> dict[str, Any]:
    """The whole of what the editor shows.

    Args:
        read_only: why the asker can change nothing; "" where everything can be changed.
    """
    timeline = state.timeline
    files = _Files(media, language)
    return {
        "id": timeline_id,
        "revision": state.revision,
        "name": timeline.name,
        "width": timeline.width,
        "height": timeline.height,
        "rate": [timeline.frame_rate.numerator, timeline.frame_rate.denominator],
        "frames": film_frames(timeline),
        "seconds": film_seconds(timeline),
        "undo": state.can_undo and not read_only,
        "redo": state.can_redo and not read_only,
        "read_only": translate(language, read_only),
        "clips": [_clip(timeline, placed, files, language) for placed in place(timeline)],
        "sounds": [_sound(timeline, sound, files) for sound in sorted(timeline.sounds, key=lambda each: each.at)],
        "captions": [
            {
                "id": placed.caption.caption_id,
                "clip": placed.caption.clip_id,
                "text": placed.caption.text,
                "at": placed.start,
                "length": placed.stop - placed.start,
                "start": placed.caption.start,
                "stop": placed.caption.stop,
            }
            for placed in place_captions(timeline)
        ],
        "presets": presets,
        "stale": state.stale,
        "notes": [translate(language, note) for note in state.notes],
    }


class _Files:
    """Each file of one timeline, asked for once."""

    def __init__(self, media: Media, language: str) -> None:
        self._media, self._language = media, language
        self._known: dict[str, tuple[str, str, Drawn | None]] = {}

    def of(self, source: Source) -> tuple[str, str, Drawn | None]:
        """Why it is missing, its address, and its drawing if that has been made."""
        if source.path not in self._known:
            self._known[source.path] = self._look(source)
        return self._known[source.path]

    def _look(self, source: Source) -> tuple[str, str, Drawn | None]:
        missing = self._media.library.missing(source)
        if missing:
            return translate(self._language, missing), "", None
        try:
            url = address(self._media.served.link(Path(source.path)))
        except (InputError, OSError) as error:
            return str(error), "", None
        return "", url, self._media.drawings.of(source)


def _clip(timeline: Timeline, placed: Placed, files: _Files, language: str) -> dict[str, Any]:
    clip, source = placed.clip, placed.clip.source
    transition = clip.transition
    values: dict[str, Any] = {
        "id": clip.clip_id,
        "kind": "title" if isinstance(source, Title) else "take",
        "name": "",
        "take": "",
        "start": clip.start,
        "stop": clip.stop,
        "total": source.num_frames,
        "at": placed.start,
        "length": placed.length,
        "overlap": placed.overlap,
        "rate": _pair(timeline.frame_rate if isinstance(source, Title) else source.frame_rate),
        "transition": None if transition is None else {"kind": transition.kind, "frames": transition.frames},
        "url": "",
        "strip": None,
        "peaks": [],
        "fitted": "",
        "missing": "",
        "text": "",
        "ink": "",
        "ground": "",
    }
    for setting in ("speed", "gain_db", "fade_in", "fade_out", "fit", "focus_x", "focus_y", "match_colour"):
        values[setting] = getattr(clip, setting)
    if isinstance(source, Title):
        name = source.text.split("\n")[0][:80]
        return values | {"name": name, "text": source.text, "ink": source.ink, "ground": source.ground}
    missing, url, drawn = files.of(source)
    return values | {
        "name": source.name,
        "take": source.take,
        "url": url,
        "strip": None if drawn is None or drawn.strip is None else dataclasses.asdict(drawn.strip),
        "peaks": [] if drawn is None else drawn.peaks,
        "fitted": _fitted(timeline, source, clip.fit, language),
        "missing": missing,
    }


def _sound(timeline: Timeline, sound: Sound, files: _Files) -> dict[str, Any]:
    missing, url, drawn = files.of(sound.source)
    heard = Fraction(sound.stop - sound.start, 48_000) * timeline.frame_rate
    return {
        "id": sound.sound_id,
        "name": sound.source.name,
        "at": sound.at,
        "length": max(1, round(heard)),
        "sample": sample_at(sound.at, timeline.frame_rate),
        "start": sound.start,
        "stop": sound.stop,
        "total": sound.source.num_samples,
        "gain_db": sound.gain_db,
        "fade_in": sound.fade_in,
        "fade_out": sound.fade_out,
        "role": sound.role,
        "duck_db": sound.duck_db,
        "url": url,
        "peaks": [] if drawn is None else drawn.peaks,
        "missing": missing,
    }


def _pair(rate: Fraction) -> list[int]:
    return [rate.numerator, rate.denominator]


def _fitted(timeline: Timeline, source: Source, fit: str, language: str) -> str:
    """How a source of another shape, size or rate comes to the film's; "" where nothing is done."""
    said = []
    size = f"{source.width} × {source.height}"
    if (source.width, source.height) != (timeline.width, timeline.height):
        shapes = source.width * timeline.height / max(1, timeline.width * source.height)
        kind = "scaled" if abs(shapes - 1) < _SAME_SHAPE else fit
        said.append(say(language, f"timeline.fitted.{kind}", size=size))
    if source.frame_rate != timeline.frame_rate:
        rates = {"before": number(float(source.frame_rate)), "after": number(float(timeline.frame_rate))}
        said.append(say(language, "timeline.fitted.rate", **rates))
    return " · ".join(said)
