"""A timeline as OpenTimelineIO, so that other programs show the same frames and our own reading gives it back equal.

Our dissolve of N frames overlaps two clips; a transition of OpenTimelineIO sits on a cut and reaches `in_offset` back
and `out_offset` on from it. So the cut lies in the middle of our overlap: the first clip's range ends N - N // 2 frames
early, the second one's begins N // 2 frames late, and the transition reaches back and on by just these frames. Every
frame of the film shows the same frames of the sources, and the film is as long. A dip sits on its cut already; it is
a custom transition named "Dip to black" or "Dip to white".

Sources keep their own rate. A clip's range lasts as long as it is shown, which a source of another rate may count in
parts of a frame; its speed is a `LinearTimeWarp`. Captions are markers on their clip, in frames of its source.
What OpenTimelineIO has no word for stands in `metadata["mova_studio"]`: of each clip and each sound, and of the whole
film once more as a text of JSON, because OpenTimelineIO rounds the numbers that it writes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from mova_studio.timeline.clip import SAMPLE_RATE, Clip, Source, Title, Transition, called, exact_speed, sample_at
from mova_studio.timeline.file import to_dict
from mova_studio.timeline.layout import film_frames, film_samples, place
from mova_studio.timeline.model import Caption, Sound, Timeline

KEY = "mova_studio"
PICTURE, LINKED, SOUNDS = "Picture", "Sound of the clips", "Music and voice"
_DIPS = {"black": "Dip to black", "white": "Dip to white"}


@dataclass(frozen=True)
class Spliced:
    """A clip between its cuts.

    Attributes:
        clip: the clip.
        head: film frames that it shows before its cut, in the dissolve from the clip before.
        frames: film frames between its cuts.
        tail: film frames that it shows behind its cut, in the dissolve to the next clip.
    """

    clip: Clip
    head: int
    frames: int
    tail: int


def splice(timeline: Timeline, cut_of: Callable[[int, int], int]) -> list[Spliced]:
    """Clips that follow each other without overlap.

    Args:
        cut_of: from the place of a clip and the length of its dissolve, how many frames of it lie before the cut.
    """
    placed = place(timeline)
    heads = [cut_of(index, each.overlap) if each.overlap else 0 for index, each in enumerate(placed)]
    tails = [each.overlap - head for each, head in zip(placed[1:], heads[1:], strict=True)] + [0]
    return [
        Spliced(each.clip, head, each.length - head - tail, tail)
        for each, head, tail in zip(placed, heads, tails, strict=False)
    ]


def cut_by_sound(sounding: list[bool]) -> Callable[[int, int], int]:
    """Where the sound is cut: next to a silent clip there is nothing to fade to, and the other one sounds in full."""

    def cut_of(index: int, overlap: int) -> int:
        if sounding[index - 1] and not sounding[index]:
            return overlap
        return 0 if sounding[index] and not sounding[index - 1] else overlap // 2

    return cut_of


def to_otio(timeline: Timeline, is_there: Callable[[str], bool] = os.path.isfile) -> otio.schema.Timeline:
    """A timeline for other programs: a track of pictures, one of their sound, one of music and voice.

    Args:
        is_there: whether a file can be referred to; one that cannot is a missing reference.
    """
    references = References(timeline.frame_rate, is_there)
    film = otio.schema.Timeline(
        name=one_line(timeline.name),
        global_start_time=RationalTime(0, float(timeline.frame_rate)),
        metadata={KEY: {"timeline": json.dumps(to_dict(timeline), ensure_ascii=False)}},
    )
    film.tracks.append(_pictures(timeline, references))
    film.tracks.append(_linked_sound(timeline, references))
    if timeline.sounds:
        film.tracks.append(_sounds(timeline, references))
    return film


def _pictures(timeline: Timeline, references: References) -> otio.schema.Track:
    track = otio.schema.Track(name=PICTURE, kind=otio.schema.TrackKind.Video)
    captions: dict[str, list[Caption]] = {}
    for caption in timeline.captions:
        captions.setdefault(caption.clip_id, []).append(caption)
    settings = {values["clip_id"]: values for values in to_dict(timeline)["clips"]}
    for each in splice(timeline, lambda index, overlap: overlap // 2):
        if each.clip.transition is not None:
            track.append(_transition(each.clip.transition, timeline.frame_rate))
        item = item_of(each, timeline.frame_rate, references)
        item.metadata[KEY] = {"clip": settings[each.clip.clip_id]}
        item.markers.extend(
            _marker(caption, rate_of(each.clip, timeline.frame_rate)) for caption in captions.get(each.clip.clip_id, [])
        )
        track.append(item)
    return track


def _linked_sound(timeline: Timeline, references: References) -> otio.schema.Track:
    track = otio.schema.Track(name=LINKED, kind=otio.schema.TrackKind.Audio)
    sounding = [has_sound(clip) for clip in timeline.clips]
    for index, each in enumerate(splice(timeline, cut_by_sound(sounding))):
        transition = each.clip.transition
        if not sounding[index]:
            if each.frames:
                track.append(gap_of(each.frames, timeline.frame_rate))
            continue
        if transition is not None and transition.kind == "dissolve" and sounding[index - 1]:
            track.append(_transition(transition, timeline.frame_rate))
        item = item_of(each, timeline.frame_rate, references)
        item.enabled = each.clip.gain_db is not None
        item.metadata[KEY] = {"sound_of": each.clip.clip_id}
        track.append(item)
    return track


def _sounds(timeline: Timeline, references: References) -> otio.schema.Track:
    """The pieces as far as the film lasts, with gaps between them."""
    track = otio.schema.Track(name=SOUNDS, kind=otio.schema.TrackKind.Audio)
    settings = {values["sound_id"]: values for values in to_dict(timeline)["sounds"]}
    at, end = 0, film_samples(timeline) if film_frames(timeline) else None
    for sound in sorted(timeline.sounds, key=lambda each: each.at):
        begin = sample_at(sound.at, timeline.frame_rate)
        length = sound.stop - sound.start if end is None else min(sound.stop - sound.start, end - begin)
        if length <= 0:
            break
        if begin > at:
            track.append(gap_of(begin - at, Fraction(SAMPLE_RATE)))
        track.append(_piece(sound, length, references, settings[sound.sound_id]))
        at = begin + length
    return track


def item_of(each: Spliced, frame_rate: Fraction, references: References) -> otio.schema.Clip:
    rate, speed = rate_of(each.clip, frame_rate), exact_speed(each.clip.speed)
    start = each.clip.start + Fraction(each.head) / frame_rate * speed * rate
    item = otio.schema.Clip(
        name=one_line(each.clip.source.text[:80] if isinstance(each.clip.source, Title) else called(each.clip)),
        media_reference=references.of(each.clip.source),
        source_range=TimeRange(time_at(start, rate), time_at(Fraction(each.frames) / frame_rate * rate, rate)),
    )
    if speed != 1:
        item.effects.append(otio.schema.LinearTimeWarp(name="Speed", time_scalar=float(speed)))
    return item


def _piece(sound: Sound, length: int, references: References, settings: dict[str, Any]) -> otio.schema.Clip:
    rate = Fraction(SAMPLE_RATE)
    return otio.schema.Clip(
        name=one_line(sound.source.name or Path(sound.source.path).name),
        media_reference=references.of(sound.source, heard=True),
        source_range=TimeRange(time_at(Fraction(sound.start), rate), time_at(Fraction(length), rate)),
        metadata={KEY: {"sound": settings}},
    )


def _transition(transition: Transition, frame_rate: Fraction) -> otio.schema.Transition:
    before = transition.frames // 2
    dip = transition.kind != "dissolve"
    types = otio.schema.TransitionTypes
    return otio.schema.Transition(
        name=_DIPS[transition.kind] if dip else "Cross dissolve",
        transition_type=types.Custom if dip else types.SMPTE_Dissolve,
        in_offset=time_at(Fraction(before), frame_rate),
        out_offset=time_at(Fraction(transition.frames - before), frame_rate),
        metadata={KEY: {"kind": transition.kind, "frames": transition.frames}},
    )


def _marker(caption: Caption, rate: Fraction) -> otio.schema.Marker:
    return otio.schema.Marker(
        name=_without_end(caption.text),
        marked_range=TimeRange(
            time_at(Fraction(caption.start), rate), time_at(Fraction(caption.stop - caption.start), rate)
        ),
        color=otio.schema.MarkerColor.WHITE,
        metadata={KEY: {"caption_id": caption.caption_id}},
    )


def gap_of(length: int, rate: Fraction) -> otio.schema.Gap:
    return otio.schema.Gap(source_range=TimeRange(time_at(Fraction(0), rate), time_at(Fraction(length), rate)))


def one_line(text: str) -> str:
    """Text that can be a name everywhere: in a list of lines, in XML and in C."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _address(path: str) -> str:
    """A file's URL; without a scheme for a path that begins at the file for other programs."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)


def _without_end(text: str) -> str:
    """Text without the sign at which C ends it."""
    return text.replace("\0", "")


def sources_of(timeline: Timeline) -> Iterator[Source]:
    """The files of a timeline, each as often as it is used."""
    for clip in timeline.clips:
        if isinstance(clip.source, Source):
            yield clip.source
    for sound in timeline.sounds:
        yield sound.source


class References:
    """Where media lies, asked for once a file."""

    def __init__(
        self, frame_rate: Fraction, is_there: Callable[[str], bool], sound_rate: Fraction = Fraction(SAMPLE_RATE)
    ) -> None:
        self._sound_rate = sound_rate
        self._frame_rate = frame_rate
        self._is_there = is_there
        self._known: dict[str, bool] = {}

    def of(self, source: Source | Title, *, heard: bool = False) -> otio.schema.MediaReference:
        if isinstance(source, Title):
            return otio.schema.GeneratorReference(
                name="Title",
                generator_kind="Title",
                available_range=_whole(source.num_frames, self._frame_rate),
                parameters={"text": _without_end(source.text), "ink": source.ink, "ground": source.ground},
            )
        if source.path not in self._known:
            self._known[source.path] = self._is_there(source.path)
        by_sample = heard or source.num_frames == 0
        whole = (
            _whole(round(source.num_samples * self._sound_rate / SAMPLE_RATE), self._sound_rate)
            if by_sample
            else _whole(source.num_frames, source.frame_rate)
        )
        if not self._known[source.path]:
            return otio.schema.MissingReference(
                name=source.name, available_range=whole, metadata={KEY: {"path": source.path}}
            )
        reference = otio.schema.ExternalReference(target_url=_address(source.path), available_range=whole)
        reference.name = source.name
        return reference


def has_sound(clip: Clip) -> bool:
    return isinstance(clip.source, Source) and clip.source.num_samples > 0


def rate_of(clip: Clip, frame_rate: Fraction) -> Fraction:
    return frame_rate if isinstance(clip.source, Title) else clip.source.frame_rate


def _whole(length: int, rate: Fraction) -> TimeRange:
    return TimeRange(time_at(Fraction(0), rate), time_at(Fraction(length), rate))


def time_at(value: Fraction, rate: Fraction) -> RationalTime:
    return RationalTime(float(value), float(rate))
