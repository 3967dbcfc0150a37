"""One track of pictures of another program, clip by clip."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from mova_studio.errors import InputError
from mova_studio.timeline.checks import MAX_TEXT
from mova_studio.timeline.clip import (
    MAX_SPEED,
    MIN_SPEED,
    Clip,
    Source,
    Title,
    Transition,
    TransitionKind,
    clip_length,
    exact_speed,
)
from mova_studio.timeline.edits import new_id
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_media import Media
from mova_studio.timeline.otio_times import frames_of, seconds_of
from mova_studio.timeline.otio_write import KEY

_BLACK = "#000000"
_KEPT = ("gain_db", "fade_in", "fade_out", "fit", "focus_x", "focus_y", "match_colour")


@dataclass(frozen=True)
class Cut:
    """What lies between two cuts of a track.

    Attributes:
        item: a clip, gap or nested sequence.
        start: frame of the film.
        frames: how many it shows between its cuts.
        head, tail: frames that a dissolve shows of it before its start, and behind its end.
        into: kind and length of the transition before it.
    """

    item: Any
    start: int
    frames: int
    head: int = 0
    tail: int = 0
    into: Transition | None = None


def cuts_of(track: otio.schema.Track, rate: Fraction, notes: list[str]) -> list[Cut]:
    """The items of a track with their places in the film."""
    cuts: list[Cut] = []
    seconds = Fraction(0)
    pending: otio.schema.Transition | None = None
    for item in track:
        if isinstance(item, otio.schema.Transition):
            pending = item
            continue
        begin = frames_of(seconds, rate)
        seconds += max(seconds_of(item.duration()), Fraction(0))
        frames = frames_of(seconds, rate) - begin
        if frames < 1:
            if not isinstance(item, otio.schema.Gap):
                notes.append(f"{_called(item)} shows no frame and is left out.")
            continue
        cut = Cut(item, begin, frames)
        if pending is not None and cuts:
            before, after, cut = _joined(pending, cuts[-1], cut, rate, notes)
            cuts[-1] = dataclasses.replace(before, tail=after)
        elif pending is not None:
            notes.append("A fade at the beginning of the film is left out.")
        cuts.append(cut)
        pending = None
    if pending is not None:
        notes.append("A fade at the end of the film is left out.")
    return cuts


def _joined(
    transition: otio.schema.Transition, before: Cut, cut: Cut, rate: Fraction, notes: list[str]
) -> tuple[Cut, int, Cut]:
    head = max(frames_of(seconds_of(transition.in_offset), rate), 0)
    tail = max(frames_of(seconds_of(transition.out_offset), rate), 0)
    if head + tail == 0:
        return before, 0, cut
    words = f"{transition.name} {transition.transition_type}".lower()
    if "dip" in words:
        kind: TransitionKind = "white" if "white" in words else "black"
        return before, 0, dataclasses.replace(cut, into=Transition(kind, head + tail))
    if transition.transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
        notes.append(f"A transition {transition.name or transition.transition_type!r} became a dissolve.")
    return before, tail, dataclasses.replace(cut, head=head, into=Transition("dissolve", head + tail))


def clips_of(cuts: list[Cut], rate: Fraction, media: Media, ours: Timeline | None, notes: list[str]) -> list[Clip]:
    """The clips of a track, as far as their media reaches; a dissolve is as long as both clips have frames for it.

    Args:
        ours: what we wrote into the file, if we did.
    """
    clips: list[Clip] = []
    used: set[str] = set()
    tail = 0
    for cut in cuts:
        clip, head = _clip(cut, rate, media, ours, used, notes)
        into = cut.into if clips else None
        if into is not None and into.kind == "dissolve":
            into = Transition("dissolve", head + tail) if head + tail else None
        clips.append(dataclasses.replace(clip, transition=into))
        used.add(clip.clip_id)
        tail = min(max(clip_length(clip, rate) - head - cut.frames, 0), cut.tail)
    return clips


def _clip(
    cut: Cut, rate: Fraction, media: Media, ours: Timeline | None, used: set[str], notes: list[str]
) -> tuple[Clip, int]:
    """The clip, and how many frames it has for the dissolve before it."""
    item = cut.item
    source = media.source(item) if isinstance(item, otio.schema.Clip) and item.enabled else None
    known = _known(item, ours)
    name = known.clip_id if known is not None and known.clip_id not in used else new_id()
    if source is None or not source.num_frames:
        title = _title(cut, notes)
        clip = Clip(name, title, 0, title.num_frames)
        head = cut.head
    else:
        clip, head = _stretch(name, cut, source, rate, notes)
    if known is not None:
        clip = dataclasses.replace(clip, **{field: getattr(known, field) for field in _KEPT})
    return clip, head


def _stretch(name: str, cut: Cut, source: Source, rate: Fraction, notes: list[str]) -> tuple[Clip, int]:
    """The clip, and how many frames it has for the dissolve before it."""
    speed = _speed(cut.item, notes)
    per_frame = source.frame_rate * exact_speed(speed) / rate
    whole = cut.item.media_reference.available_range
    begin = seconds_of(cut.item.trimmed_range().start_time) - (seconds_of(whole.start_time) if whole else 0)
    first = begin * source.frame_rate
    head = min(cut.head, max(math.floor((first + Fraction(1, 2)) / per_frame), 0))
    start = min(max(math.floor(first - head * per_frame + Fraction(1, 2)), 0), source.num_frames - 1)
    length = head + cut.frames + cut.tail
    clip = Clip(name, source, start, source.num_frames, speed=speed)
    if clip_length(clip, rate) > length:
        nearest = start + math.floor(length * per_frame + Fraction(1, 2))
        stops = [stop for stop in (nearest, nearest - 1, nearest + 1) if start < stop <= source.num_frames]
        clips = [dataclasses.replace(clip, stop=stop) for stop in stops]
        clip = min(clips, key=lambda each: abs(clip_length(each, rate) - length), default=clip)
    elif clip_length(clip, rate) < length - cut.tail:
        notes.append(f"{_called(cut.item)} needs {length} frames and its media ends after {clip_length(clip, rate)}.")
    return clip, head


def _speed(item: otio.schema.Clip, notes: list[str]) -> float:
    speed = 1.0
    for effect in item.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            wished = effect.time_scalar
            speed = min(max(wished, MIN_SPEED), MAX_SPEED) if math.isfinite(wished) else 1.0
            if speed != wished:
                notes.append(f"{_called(item)} runs at {speed:g} instead of {wished:g} times its speed.")
        else:
            notes.append(f"The effect {effect.effect_name or effect.name!r} on {_called(item)} is left out.")
    return speed


def _title(cut: Cut, notes: list[str]) -> Title:
    frames = cut.head + cut.frames + cut.tail
    reference = getattr(cut.item, "media_reference", None)
    if isinstance(reference, otio.schema.GeneratorReference):
        words = reference.parameters.get("text")
        if isinstance(words, str):
            shown = words.encode("utf-8", "ignore").decode("utf-8")[:MAX_TEXT]
            colours = {
                field: value for field in ("ink", "ground") if isinstance(value := reference.parameters.get(field), str)
            }
            try:
                return Title(shown, frames, **colours)
            except InputError:
                return Title(shown, frames)
    if isinstance(cut.item, otio.schema.Gap):
        notes.append(f"A gap of {frames} frames became a black title.")
    else:
        notes.append(f"{_called(cut.item)} cannot be shown here; a black title of {frames} frames stands in its place.")
    return Title("", frames, ground=_BLACK)


def _known(item: Any, ours: Timeline | None) -> Clip | None:
    """The clip that we wrote, whose level, fades and fitting another program may have kept without knowing them."""
    kept = item.metadata.get(KEY)
    values = kept.get("clip") if isinstance(kept, Mapping) else None
    name = values.get("clip_id") if isinstance(values, Mapping) else None
    return next((clip for clip in ours.clips if clip.clip_id == name), None) if ours is not None else None


def _called(item: Any) -> str:
    return repr(item.name[:60]) if item.name else f"A {type(item).__name__}"
