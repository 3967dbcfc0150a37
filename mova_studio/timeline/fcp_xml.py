"""A timeline as Final Cut Pro 7 XML, which Premiere, Resolve and Kdenlive import.

Written by the OpenTimelineIO project's adapter, from tracks made for it: all lengths in frames of the film; a dip as a
fade to black and one from it; a title as a text generator; a speed as the time remapping filter, with the range
counted in frames after it, as that format does. Sound is cut to whole frames. Where sources of another rate begin is
counted in frames of the film too: beside a transition the adapter would mix both rates.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from mova_studio.timeline.clip import SAMPLE_RATE, Clip, Source, Title, exact_speed
from mova_studio.timeline.edl import check_timecode, has_timecode
from mova_studio.timeline.layout import film_frames
from mova_studio.timeline.model import Sound, Timeline
from mova_studio.timeline.otio_write import (
    KEY,
    References,
    Spliced,
    cut_by_sound,
    gap_of,
    has_sound,
    item_of,
    one_line,
    splice,
)

_NAMESPACE = "fcp_xml"
_AUDIO_FADE = {
    "name": "Cross Fade (+3dB)",
    "effectid": "KGAudioTransCrossFade3dB",
    "effecttype": "transition",
    "mediatype": "audio",
}


def to_fcp_xml(timeline: Timeline, is_there: Callable[[str], bool]) -> str:
    """The text of an XML file.

    Raises:
        InputError: the timeline's rate has no timecode.
    """
    check_timecode(timeline.frame_rate, "Final Cut Pro XML")
    references = References(timeline.frame_rate, is_there, sound_rate=timeline.frame_rate)
    size = {"width": str(timeline.width), "height": str(timeline.height)}
    film = otio.schema.Timeline(
        name=one_line(timeline.name) or "Timeline",
        global_start_time=RationalTime(0, float(timeline.frame_rate)),
        metadata={_NAMESPACE: {"media": {"video": {"format": {"samplecharacteristics": size}}}}},
    )
    film.tracks.append(_pictures(timeline, references))
    film.tracks.append(_linked_sound(timeline, references))
    if timeline.sounds:
        film.tracks.append(_sounds(timeline, references))
    return otio.adapters.write_to_string(film, "fcp_xml")


def _pictures(timeline: Timeline, references: References) -> otio.schema.Track:
    rate = timeline.frame_rate
    track = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
    for each in splice(timeline, lambda index, overlap: overlap // 2):
        transition = each.clip.transition
        if transition is not None and transition.kind == "dissolve" and transition.frames > 1:
            track.append(_fade(transition.frames // 2, transition.frames - transition.frames // 2, rate))
        elif transition is not None and transition.kind != "dissolve":
            before = transition.frames // 2
            track.extend([_fade(before, 0, rate)] if before else [])
            track.append(_fade(0, transition.frames - before, rate))
        if each.frames:
            track.append(_conformed(each, rate, references))
    return track


def _linked_sound(timeline: Timeline, references: References) -> otio.schema.Track:
    rate = timeline.frame_rate
    track = otio.schema.Track(name="Sound of the clips", kind=otio.schema.TrackKind.Audio)
    heard = [has_sound(clip) and clip.gain_db is not None for clip in timeline.clips]
    for index, each in enumerate(splice(timeline, cut_by_sound(heard))):
        if not each.frames:
            continue
        if not heard[index]:
            track.append(gap_of(each.frames, rate))
            continue
        transition = each.clip.transition
        if transition is not None and transition.kind == "dissolve" and transition.frames > 1 and heard[index - 1]:
            before = transition.frames // 2
            track.append(_fade(before, transition.frames - before, rate, {"effect": _AUDIO_FADE}))
        item = _conformed(each, rate, references)
        item.metadata[_NAMESPACE] = {**item.metadata.get(_NAMESPACE, {}), **_SOUND_TRACK}
        track.append(item)
    return track


_SOUND_TRACK = {"sourcetrack": {"mediatype": "audio", "trackindex": "1"}}


def _sounds(timeline: Timeline, references: References) -> otio.schema.Track:
    track = otio.schema.Track(name="Music and voice", kind=otio.schema.TrackKind.Audio)
    rate = timeline.frame_rate
    pieces = sorted(timeline.sounds, key=lambda each: each.at)
    ends = [*(each.at for each in pieces[1:]), film_frames(timeline)]
    at = 0
    for sound, limit in zip(pieces, ends, strict=True):
        length = min(_frames(sound.stop - sound.start, rate), min(limit, film_frames(timeline)) - sound.at)
        if length < 1:
            continue
        if sound.at > at:
            track.append(gap_of(sound.at - at, rate))
        track.append(_piece(sound, length, rate, references))
        at = sound.at + length
    return track


def _piece(sound: Sound, length: int, rate: Fraction, references: References) -> otio.schema.Clip:
    start = RationalTime(_frames(sound.start, rate), float(rate))
    return otio.schema.Clip(
        name=one_line(sound.source.name),
        media_reference=_reference(sound.source, rate, references, heard=True),
        source_range=TimeRange(start, RationalTime(length, float(rate))),
        metadata={_NAMESPACE: _SOUND_TRACK, KEY: {"sound_id": sound.sound_id}},
    )


def _conformed(each: Spliced, rate: Fraction, references: References) -> otio.schema.Clip:
    item = item_of(each, rate, references)
    speed = exact_speed(each.clip.speed)
    start = item.source_range.start_time
    counted = RationalTime(start.value / float(speed), start.rate).rescaled_to(float(rate))
    item.source_range = TimeRange(counted.round(), RationalTime(each.frames, float(rate)))
    item.media_reference = _reference(each.clip.source, rate, references)
    item.effects.clear()
    # The adapter writes of two equal clips only the first, and would lose the place of the second.
    item.metadata[KEY] = {"clip_id": each.clip.clip_id}
    if speed != 1:
        item.metadata[_NAMESPACE] = {"filter": {"effect": _time_remap(each.clip)}}
    return item


def _reference(
    source: Source | Title, rate: Fraction, references: References, *, heard: bool = False
) -> otio.schema.MediaReference:
    reference = references.of(source, heard=heard)
    reference.name = one_line(reference.name)
    whole = reference.available_range
    if not has_timecode(Fraction(whole.start_time.rate)):
        reference.available_range = TimeRange(
            RationalTime(0, float(rate)), whole.duration.rescaled_to(float(rate)).floor()
        )
    if isinstance(source, Title):
        reference.metadata[_NAMESPACE] = _text_generator(source)
    else:
        media: dict[str, Any] = {}
        if source.num_frames:
            media["video"] = {
                "samplecharacteristics": {"width": str(source.width), "height": str(source.height)},
            }
        if source.num_samples:
            media["audio"] = {"samplecharacteristics": {"depth": "16", "samplerate": str(SAMPLE_RATE)}}
        reference.metadata[_NAMESPACE] = {"media": media}
    return reference


def _text_generator(title: Title) -> dict[str, Any]:
    text = " / ".join(one_line(line) for line in title.text.splitlines())
    return {
        "effectcategory": "Text",
        "effecttype": "generator",
        "mediatype": "video",
        "parameter": {"parameterid": "str", "name": "Text", "value": text},
    }


def _time_remap(clip: Clip) -> dict[str, Any]:
    parameters = (("variablespeed", "0"), ("speed", f"{clip.speed * 100:.10g}"), ("reverse", "FALSE"))
    return {
        "name": "Time Remap",
        "effectid": "timeremap",
        "effectcategory": "motion",
        "effecttype": "motion",
        "mediatype": "video",
        "parameter": [{"parameterid": name, "name": name, "value": value} for name, value in parameters],
    }


def _fade(before: int, after: int, rate: Fraction, metadata: dict[str, Any] | None = None) -> otio.schema.Transition:
    return otio.schema.Transition(
        name="Cross Dissolve",
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=RationalTime(before, float(rate)),
        out_offset=RationalTime(after, float(rate)),
        metadata={_NAMESPACE: metadata} if metadata else {},
    )


def _frames(samples: int, rate: Fraction) -> int:
    return round(samples * rate / SAMPLE_RATE)
