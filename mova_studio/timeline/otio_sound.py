"""Sound tracks of another program: what is the clips' own sound, and what is a piece of music or speech."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import opentimelineio as otio

from mova_studio.errors import InputError
from mova_studio.timeline.clip import SAMPLE_RATE, Clip, Source, sample_at
from mova_studio.timeline.edits import new_id
from mova_studio.timeline.model import MAX_CLIPS, Sound, Timeline
from mova_studio.timeline.otio_clips import Cut
from mova_studio.timeline.otio_media import Media
from mova_studio.timeline.otio_times import frames_of, seconds_of
from mova_studio.timeline.otio_write import KEY

_NAMED = 5


@dataclass(frozen=True)
class _Heard:
    """A clip of a sound track: its place in the film, and where its media begins, in seconds."""

    item: otio.schema.Clip
    at: Fraction
    begin: Fraction
    seconds: Fraction


def read_sounds(
    tracks: list[otio.schema.Track],
    pictures: list[tuple[Cut, Clip]],
    rate: Fraction,
    media: Media,
    ours: Timeline | None,
    notes: list[str],
) -> tuple[set[str], list[Sound]]:
    """Ids of the clips whose own sound is on a track, and the pieces that are no clip's own.

    Args:
        pictures: the clips with their places.
        ours: what we wrote into the file, if we did.
    """
    sounding: set[str] = set()
    pieces: list[Sound] = []
    own = {clip.clip_id for _, clip in pictures}
    by_path: dict[str, list[tuple[Cut, Clip]]] = {}
    for cut, clip in pictures:
        if isinstance(clip.source, Source):
            by_path.setdefault(clip.source.path, []).append((cut, clip))
    for heard in _all_heard(tracks):
        kept = heard.item.metadata.get(KEY)
        values = kept if isinstance(kept, Mapping) else {}
        if values.get("sound_of") in own:
            sounding |= {str(values["sound_of"])} if heard.item.enabled else set()
            continue
        source = media.source(heard.item) if heard.item.enabled else None
        if source is None:
            continue
        linked = None if "sound" in values else _linked(heard, by_path.get(source.path, []), rate)
        if linked is not None:
            sounding.add(linked)
            continue
        piece = _piece(heard, source, rate, notes)
        if piece is not None:
            pieces.append(_as_known(piece, values, ours))
    return sounding, _one_at_a_time(pieces, rate, notes)


def _all_heard(tracks: list[otio.schema.Track]) -> Iterator[_Heard]:
    for track in tracks:
        at = Fraction(0)
        for item in track:
            if isinstance(item, otio.schema.Transition):
                continue
            seconds = max(seconds_of(item.duration()), Fraction(0))
            if isinstance(item, otio.schema.Clip):
                whole = item.media_reference.available_range
                begin = seconds_of(item.trimmed_range().start_time)
                yield _Heard(item, at, begin - (seconds_of(whole.start_time) if whole else 0), seconds)
            at += seconds


def _linked(heard: _Heard, pictures: list[tuple[Cut, Clip]], rate: Fraction) -> str | None:
    """The clip of the same media that shows, at the same time, what is heard; within a frame of the film."""
    for cut, clip in pictures:
        overlaps = heard.at * rate < cut.start + cut.frames and (heard.at + heard.seconds) * rate > cut.start
        if not overlaps or not isinstance(clip.source, Source):
            continue
        shown = Fraction(clip.start) / clip.source.frame_rate
        begun = (Fraction(cut.start - cut.head)) / rate
        if clip.speed != 1 or abs((heard.begin - heard.at) - (shown - begun)) <= 1 / min(rate, clip.source.frame_rate):
            return clip.clip_id
    return None


def _piece(heard: _Heard, source: Source, rate: Fraction, notes: list[str]) -> Sound | None:
    name = source.name or source.path
    if any(isinstance(effect, otio.schema.TimeEffect) for effect in heard.item.effects):
        notes.append(f"The sound {name} runs at another speed; it is heard at its own.")
    start = min(max(frames_of(heard.begin, Fraction(SAMPLE_RATE)), 0), source.num_samples)
    stop = min(start + frames_of(heard.seconds, Fraction(SAMPLE_RATE)), source.num_samples)
    if stop <= start:
        notes.append(f"The sound {name} is left out: it has no sound where it is to be heard.")
        return None
    return Sound(new_id(), source, frames_of(heard.at, rate), start, stop)


def _as_known(piece: Sound, values: object, ours: Timeline | None) -> Sound:
    kept = values.get("sound") if isinstance(values, Mapping) else None
    name = kept.get("sound_id") if isinstance(kept, Mapping) else None
    known = next((sound for sound in ours.sounds if sound.sound_id == name), None) if ours is not None else None
    if known is None:
        return piece
    room = piece.stop - piece.start
    fade_in = min(known.fade_in, room)
    return dataclasses.replace(
        piece,
        gain_db=known.gain_db,
        role=known.role,
        duck_db=known.duck_db,
        fade_in=fade_in,
        fade_out=min(known.fade_out, room - fade_in),
    )


def _one_at_a_time(pieces: list[Sound], rate: Fraction, notes: list[str]) -> list[Sound]:
    """One track holds no two at once; a piece that rounding pushed into the next one ends a little earlier."""
    kept: list[Sound] = []
    left_out: list[str] = []
    frame = SAMPLE_RATE / rate
    for piece in sorted(pieces, key=lambda each: each.at):
        begin = sample_at(piece.at, rate)
        end = sample_at(kept[-1].at, rate) + kept[-1].stop - kept[-1].start if kept else 0
        over = end - begin
        if over > 0 and (over > frame or over >= kept[-1].stop - kept[-1].start):
            left_out.append(piece.source.name or piece.source.path)
            continue
        if over > 0:
            shorter = kept[-1].stop - kept[-1].start - over
            fade_in = min(kept[-1].fade_in, shorter)
            fade_out = min(kept[-1].fade_out, shorter - fade_in)
            kept[-1] = dataclasses.replace(kept[-1], stop=kept[-1].stop - over, fade_in=fade_in, fade_out=fade_out)
        kept.append(piece)
    if len(kept) > MAX_CLIPS:
        raise InputError(f"it has {len(kept)} pieces of sound; {MAX_CLIPS} are the most.")
    if left_out:
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        notes.append(f"One sound is heard at a time; left out: {', '.join(left_out[:_NAMED])}{more}.")
    return kept
