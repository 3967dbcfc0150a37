"""Timelines for tests: random ones over sources that are not files, and tiny files with a flash and a click."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mova_studio.media.mp4 import write_mp4
from mova_studio.timeline.clip import Clip, Source, Title, Transition, clip_length, sample_at
from mova_studio.timeline.edits import settle
from mova_studio.timeline.model import Caption, Sound, Timeline
from mova_studio.timeline.source import source_of

RATES = (24, Fraction(24000, 1001), 25, Fraction(30000, 1001), 30, 60, Fraction(25, 2))
SPEEDS = st.sampled_from([1.0, 1.0, 1.0, 0.5, 2.0, 0.8, 1.25, 0.73])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def sources(draw, rates=RATES, *, folder: str = "/takes") -> Source:
    """A source in memory, of one of a few names; with or without sound."""
    number = draw(st.integers(0, 5))
    frames = draw(st.integers(1, 60))
    rate = Fraction(draw(st.sampled_from(rates)))
    heard = draw(st.booleans())
    return Source(
        path=f"{folder}/{number}-{frames}-{rate.numerator}-{heard:d} 雨.mp4",
        num_frames=frames,
        frame_rate=rate,
        width=64,
        height=48,
        num_samples=sample_at(frames, rate) if heard else 0,
        take=f"take{number}",
        name=f"take {number}",
    )


@st.composite
def clips(draw, clip_id: str, rates=RATES, speeds=None) -> Clip:
    """A clip of a source or a title, whose transition and fades may be too long for it."""
    titled = draw(st.integers(0, 5)) == 0
    source = Title(draw(WORDS), draw(st.integers(1, 40))) if titled else draw(sources(rates))
    start = draw(st.integers(0, source.num_frames - 1))
    kinds = st.sampled_from(["dissolve", "black", "white"])
    transition = draw(st.none() | st.builds(Transition, kinds, st.integers(1, 12)))
    return Clip(
        clip_id,
        source,
        start,
        draw(st.integers(start + 1, source.num_frames)),
        speed=draw(SPEEDS if speeds is None else speeds),
        gain_db=draw(st.none() | st.floats(-60, 24)),
        fade_in=draw(st.integers(0, 30_000)),
        fade_out=draw(st.integers(0, 30_000)),
        transition=transition,
        fit=draw(st.sampled_from(["letterbox", "crop"])),
        focus_x=draw(st.floats(0, 1)),
        match_colour=draw(st.booleans()),
    )


@st.composite
def timelines(draw, *, min_clips: int = 0, max_clips: int = 8, rates=RATES, film_rates=None, speeds=None) -> Timeline:
    """A timeline in memory.

    Args:
        rates: of the sources.
        film_rates: of the film; `rates` by default.
        speeds: strategy of the clips' speeds.
    """
    rate = Fraction(draw(st.sampled_from(film_rates or rates)))
    count = draw(st.integers(min_clips, max_clips))
    made = settle([draw(clips(f"clip{number}", rates, speeds)) for number in range(count)], rate)
    captions = []
    for clip in made:
        for number in range(draw(st.integers(0, 2))):
            start = draw(st.integers(0, clip.source.num_frames))
            name = f"{clip.clip_id}caption{number}"
            captions.append(Caption(name, clip.clip_id, start, start + draw(st.integers(1, 30)), draw(WORDS)))
    return Timeline(
        width=64,
        height=48,
        frame_rate=rate,
        name=draw(WORDS),
        clips=tuple(made),
        sounds=tuple(draw(_sounds(rate))),
        captions=tuple(captions),
    )


@st.composite
def _sounds(draw, rate: Fraction) -> list[Sound]:
    """Pieces that follow each other, kept in any order."""
    made: list[Sound] = []
    at = 0
    for number in range(draw(st.integers(0, 3))):
        at += draw(st.integers(0, 20))
        total = draw(st.integers(1, 200_000))
        source = Source(f"/music/{number}.wav", 0, Fraction(24), 0, 0, total, name=f"music {number}")
        start = draw(st.integers(0, total - 1))
        stop = draw(st.integers(start + 1, total))
        fade = draw(st.integers(0, stop - start))
        role = draw(st.sampled_from(["music", "voice"]))
        made.append(Sound(f"sound{number}", source, at, start, stop, fade_in=fade, role=role))
        while sample_at(at, rate) < sample_at(made[-1].at, rate) + stop - start:
            at += 1
    return draw(st.permutations(made))


def film_length(clips_: tuple[Clip, ...], rate: Fraction) -> int:
    """Frames of a film, counted in another way than the layout's: all clips less all overlaps."""
    dissolves = [clip.transition for clip in clips_ if clip.transition and clip.transition.kind == "dissolve"]
    return sum(clip_length(clip, rate) for clip in clips_) - sum(each.frames for each in dissolves)


def write_flash(
    path: Path, *, num_frames: int = 24, flash: int = 12, frame_rate: float = 24.0, size=(64, 48), sound: bool = True
) -> Source:
    """A dark mp4 with one white frame, and a click of 5 ms that begins with it.

    Args:
        flash: the frame that is white.
        size: width and height.
    """
    width, height = size
    frames = np.full((num_frames, height, width, 3), 30, np.uint8)
    frames[flash] = 255
    audio = None
    if sound:
        rate = Fraction(frame_rate).limit_denominator(1001)
        audio = np.zeros((2, sample_at(num_frames, rate)), np.float32)
        begin = sample_at(flash, rate)
        audio[:, begin : begin + 240] = 0.5
    write_mp4(path, frames, frame_rate=frame_rate, audio=audio, target_lufs=None)
    return source_of(path)
