"""Tracks of another program as clips: one track of pictures with its own sound, and pieces of sound.

Pictures keep their places in the film to the frame: cuts are the nearest frames to where the other program has them. A
gap becomes a black title; so does what cannot be shown here, named in a note.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from mova_studio.errors import InputError
from mova_studio.timeline.checks import MAX_SIDE, MAX_TEXT, MIN_SIDE
from mova_studio.timeline.clip import Clip, Source
from mova_studio.timeline.edits import settle
from mova_studio.timeline.model import MAX_CLIPS, MAX_RATE, MIN_RATE, Caption, Timeline
from mova_studio.timeline.otio_clips import Cut, clips_of, cuts_of
from mova_studio.timeline.otio_media import Media
from mova_studio.timeline.otio_sound import read_sounds
from mova_studio.timeline.otio_times import frames_of, rate_of, seconds_of
from mova_studio.timeline.otio_write import KEY, sources_of

_SIZE = (1280, 720)


def read_tracks(
    film: otio.schema.Timeline, folder: Path, may_read: Callable[[Path], bool], ours: Timeline | None, notes: list[str]
) -> Timeline:
    """A timeline made of tracks.

    Args:
        ours: what we wrote into the file, if we did.
        notes: gets sentences on what was left out or changed.

    Raises:
        InputError: no track of pictures, or more than a timeline can hold.
    """
    known = {source.path: source for source in sources_of(ours)} if ours else {}
    media = Media(folder, may_read, known, notes)
    pictures = _picture_track(film, notes)
    rate = _film_rate(film, pictures, notes)
    cuts = cuts_of(pictures, rate, notes)
    if len(cuts) > MAX_CLIPS:
        raise InputError(f"its track of pictures has {len(cuts)} clips and gaps; {MAX_CLIPS} are the most.")
    clips = clips_of(cuts, rate, media, ours, notes)
    audio = [track for track in film.audio_tracks() if track.enabled]
    sounding, sounds = read_sounds(audio, list(zip(cuts, clips, strict=True)), rate, media, ours, notes)
    if audio:
        clips = [clip if clip.clip_id in sounding else dataclasses.replace(clip, gain_db=None) for clip in clips]
    width, height = (ours.width, ours.height) if ours else _size(clips)
    return Timeline(
        width=width,
        height=height,
        frame_rate=rate,
        name=_name(film.name),
        clips=tuple(settle(clips, rate)),
        sounds=tuple(sounds),
        captions=tuple(_captions(cuts, clips, rate, notes)),
    )


def _picture_track(film: otio.schema.Timeline, notes: list[str]) -> otio.schema.Track:
    tracks = [track for track in film.video_tracks() if track.enabled and any(True for _ in track)]
    if not tracks:
        raise InputError("it has no track of pictures with a clip on it; a timeline here needs one.")
    if len(tracks) > 1:
        named = ", ".join(repr(track.name or "without a name") for track in tracks[1:])
        notes.append(f"One track of pictures is read; left out: {named}.")
    return tracks[0]


def _film_rate(film: otio.schema.Timeline, pictures: otio.schema.Track, notes: list[str]) -> Fraction:
    starts = [film.global_start_time] if film.global_start_time is not None else []
    starts += [item.source_range.duration for item in pictures.find_clips() if item.source_range is not None]
    rate = next((found for found in map(rate_of, starts) if MIN_RATE <= found <= MAX_RATE), None)
    if rate is None:
        notes.append("The file tells no frame rate; 24 is taken.")
    return rate or Fraction(24)


def _size(clips: list[Clip]) -> tuple[int, int]:
    for clip in clips:
        if isinstance(clip.source, Source) and clip.source.width and clip.source.height:
            width, height = (
                min(max(side - side % 2, MIN_SIDE), MAX_SIDE) for side in (clip.source.width, clip.source.height)
            )
            return width, height
    return _SIZE


def _name(name: Any) -> str:
    return str(name or "").encode("utf-8", "ignore").decode("utf-8")[:200]


def _captions(cuts: list[Cut], clips: list[Clip], rate: Fraction, notes: list[str]) -> list[Caption]:
    """Our own markers are captions; those of others are notes of theirs."""
    captions: list[Caption] = []
    others = 0
    for cut, clip in zip(cuts, clips, strict=True):
        counted = clip.source.frame_rate if isinstance(clip.source, Source) else rate
        for marker in getattr(cut.item, "markers", []):
            if KEY not in marker.metadata:
                others += 1
                continue
            start = max(frames_of(seconds_of(marker.marked_range.start_time), counted), 0)
            stop = max(start + frames_of(seconds_of(marker.marked_range.duration), counted), start + 1)
            text = _text(marker.name)
            captions.append(Caption(f"caption{len(captions) + 1}", clip.clip_id, start, stop, text))
    if others:
        notes.append(f"{others} markers are left out.")
    return captions


def _text(text: str) -> str:
    return text.encode("utf-8", "ignore").decode("utf-8")[:MAX_TEXT]
