"""Music goes down under speech: ahead of its first word, and up again well behind its last."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mova_studio.media.speech import Stretches, joined
from mova_studio.timeline.clip import SAMPLE_RATE

ATTACK = round(0.15 * SAMPLE_RATE)
RELEASE = round(0.5 * SAMPLE_RATE)
HOLD = round(0.8 * SAMPLE_RATE)
MARGIN = round(0.05 * SAMPLE_RATE)


def duck_gain(speech: Stretches, length: int, duck_db: float) -> NDArray[np.float32]:
    """The gain of music under speech, linear, float32 [length].

    It reaches `duck_db` when somebody begins to speak, after 150 ms of going down; stays there through pauses up to
    1.5 s; and comes back over 500 ms. Both ways are a cosine in decibels.

    Args:
        speech: samples as (start, stop), in any order; they may overlap, and lie outside the music.
        duck_db: 0 or below.
    """
    depth = np.zeros(length, np.float32)
    # What is closer than a way up, a way down and a rest between would only pump.
    for start, stop in joined([each for each in speech if each[0] < each[1]], ATTACK + RELEASE + HOLD):
        _lower(depth, start - ATTACK, _ease(ATTACK))
        _lower(depth, start, np.ones(max(stop + MARGIN - start, 0), np.float32))
        _lower(depth, stop + MARGIN, _ease(RELEASE)[::-1])
    return (10 ** (depth * np.float32(duck_db / 20))).astype(np.float32)


def _lower(depth: NDArray[np.float32], at: int, curve: NDArray[np.float32]) -> None:
    """In place: at least as deep as `curve` from `at` on, where there is music."""
    first, last = max(at, 0), min(at + curve.size, depth.size)
    if first < last:
        depth[first:last] = np.maximum(depth[first:last], curve[first - at : last - at])


def _ease(count: int) -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos((np.arange(count) + 0.5) * (math.pi / count))).astype(np.float32)
