"""The film's sound: every clip cut, set to speed, faded and laid in its place, with music and voice-over."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import Cancelled
from mova_studio.media.speech import Stretches, speech_stretches, voiced_stretches
from mova_studio.timeline.clip import Clip, Title, exact_speed, sample_at
from mova_studio.timeline.ducking import duck_gain
from mova_studio.timeline.layout import Placed, film_samples, place, place_captions
from mova_studio.timeline.model import Sound, Timeline
from mova_studio.timeline.sound_files import SHARED
from mova_studio.timeline.subtitles import is_note
from mova_studio.timeline.tempo import stretch


def mix(timeline: Timeline, cancelled: Callable[[], bool] = lambda: False) -> NDArray[np.float32]:
    """The sound of a whole film at 48 kHz, not levelled: float32 [2, film_samples].

    Values may pass 1; levelling brings them under a ceiling.

    Raises:
        InputError: a file is missing, damaged or has lost its sound.
        Cancelled: `cancelled()` said so between two clips.
    """
    film = np.zeros((2, film_samples(timeline)), np.float32)
    pieces = [_Piece(sound, sample_at(sound.at, timeline.frame_rate)) for sound in timeline.sounds]
    ducks = any(piece.sound.role == "music" and piece.sound.duck_db < 0 for piece in pieces)
    speech: Stretches = []
    audible: set[str] = set()
    for index, placed in enumerate(place(timeline)):
        if cancelled():
            raise Cancelled()
        heard = clip_sound(timeline, placed, _after(timeline, index))
        if heard is None:
            continue
        begin = sample_at(placed.start, timeline.frame_rate)
        film[:, begin : begin + heard.shape[1]] += heard
        if ducks:
            audible.add(placed.clip.clip_id)
            speech += _moved(speech_stretches(heard), begin)
    speech += _captioned(timeline, audible)
    for piece in sorted(pieces, key=lambda each: each.sound.role == "music"):
        if cancelled():
            raise Cancelled()
        heard = piece_sound(piece.sound)[:, : max(film.shape[1] - piece.begin, 0)]
        if piece.sound.role == "voice":
            speech += _moved(voiced_stretches(heard), piece.begin) if ducks else []
        elif piece.sound.duck_db < 0:
            heard *= duck_gain(_moved(speech, -piece.begin), heard.shape[1], piece.sound.duck_db)
        film[:, piece.begin : piece.begin + heard.shape[1]] += heard
    return film


class _Piece(NamedTuple):
    sound: Sound
    begin: int


def _moved(stretches: Stretches, by: int) -> Stretches:
    return [(start + by, stop + by) for start, stop in stretches]


def _captioned(timeline: Timeline, heard: set[str]) -> Stretches:
    """Where captions of the clips `heard` say that somebody speaks; notes in brackets are no speech."""
    rate = timeline.frame_rate
    return [
        (sample_at(each.start, rate), sample_at(each.stop, rate))
        for each in place_captions(timeline)
        if each.caption.clip_id in heard and not is_note(each.caption.text)
    ]


def clip_sound(timeline: Timeline, placed: Placed, after: Clip | None) -> NDArray[np.float32] | None:
    """What a clip adds to the film: float32 [2, n], from the sample at its start to that at its stop.

    Args:
        after: the clip that follows it; their transition is part of this one's end.

    Returns:
        None where it adds nothing: titles, muted clips, files without sound.
    """
    clip, rate = placed.clip, timeline.frame_rate
    if isinstance(clip.source, Title) or clip.gain_db is None or clip.source.num_samples == 0:
        return None
    begin, end = sample_at(placed.start, rate), sample_at(placed.stop, rate)
    heard = _at_speed(clip, end - begin)
    heard *= _linear(clip.gain_db)
    _fade(heard, clip.fade_in, clip.fade_out)
    first = sample_at(placed.start + _frames_into(clip), rate) - begin
    last = end - sample_at(placed.stop - _frames_out_of(after), rate)
    heard[:, :first] *= rising(first)
    if last:
        heard[:, -last:] *= rising(last)[::-1]
    return heard


def piece_sound(sound: Sound) -> NDArray[np.float32]:
    """A piece of the sound track, float32 [2, n] at 48 kHz, with its level and its fades."""
    heard = _cut(SHARED.load(Path(sound.source.path)), sound.start, sound.stop - sound.start)
    heard *= _linear(sound.gain_db)
    _fade(heard, sound.fade_in, sound.fade_out)
    return heard


def rising(count: int) -> NDArray[np.float32]:
    """A quarter of a sine, float32 [count]: with its mirror it keeps the power of two sounds that differ."""
    return np.sin((np.arange(count) + 0.5) * (math.pi / 2 / max(count, 1))).astype(np.float32)


def _at_speed(clip: Clip, length: int) -> NDArray[np.float32]:
    """The clip's sound in `length` samples. Where its last frame is shown longer, the sound goes on too."""
    assert not isinstance(clip.source, Title)
    source = SHARED.load(Path(clip.source.path))
    start = sample_at(clip.start, clip.source.frame_rate)
    speed = exact_speed(clip.speed)
    if speed == 1:
        return _cut(source, start, length)
    return stretch(_cut(source, start, max(1, math.floor(length * speed + Fraction(1, 2)))), length)


def _cut(sound: NDArray[np.float32], start: int, length: int) -> NDArray[np.float32]:
    """A copy of `length` samples from `start` on, with silence behind the end."""
    piece = sound[:, start : start + length]
    return np.pad(piece, ((0, 0), (0, length - piece.shape[1])))


def _fade(heard: NDArray[np.float32], fade_in: int, fade_out: int) -> None:
    """In place: the first `fade_in` samples come up and the last `fade_out` go down, along a squared sine."""
    heard[:, :fade_in] *= np.square(rising(fade_in))
    if fade_out:
        heard[:, -fade_out:] *= np.square(rising(fade_out))[::-1]


def _after(timeline: Timeline, index: int) -> Clip | None:
    return timeline.clips[index + 1] if index + 1 < len(timeline.clips) else None


def _frames_into(clip: Clip) -> int:
    """How many of a clip's first frames belong to the transition before it."""
    if clip.transition is None:
        return 0
    frames = clip.transition.frames
    return frames if clip.transition.kind == "dissolve" else frames - frames // 2


def _frames_out_of(after: Clip | None) -> int:
    """How many of a clip's last frames belong to the transition into the clip behind it."""
    if after is None or after.transition is None:
        return 0
    frames = after.transition.frames
    return frames if after.transition.kind == "dissolve" else frames // 2


def _linear(gain_db: float) -> np.float32:
    return np.float32(10 ** (gain_db / 20))
