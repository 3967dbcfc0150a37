"""Bringing a sound to a loudness under a true-peak ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mova_studio.media.limiter import BALLISTICS, Ballistics, gain_curve, peak_envelope
from mova_studio.media.meter import Loudness, as_channels, gated, integrated, measure, true_peak, weighted_power

__all__ = ["MAX_GAIN_DB", "TOLERANCE_LU", "Levelled", "Leveller", "Loudness", "level_to", "measure"]

MAX_GAIN_DB = 30.0
TOLERANCE_LU = 0.3
_CLOSE_LU = 0.05
# Gain beyond what would do without a limiter: a slow limiter crushes with more what a faster one leaves alone,
# and the fastest distorts with more than anyone would want for the loudness.
_GENTLE_EXTRA_DB = 6.0
_MOST_EXTRA_DB = 12.0
_MAX_TRIALS = 12
# The search for a gain runs on a clock this slow, where the fastest limiter's look-ahead still has four ticks. How far
# that is off is measured once the gain is found, and taken into the next search.
_SEARCH_RATE = 4000
_EXACT_LU = 0.02
_MAX_SEARCHES = 4


def level_to(
    samples: NDArray[np.floating], sample_rate: int, target_lufs: float | None, ceiling_dbtp: float
) -> NDArray[np.float32]:
    """Bring a sound to `target_lufs` with no true peak above `ceiling_dbtp`.

    Gain first; where peaks would pass the ceiling, the limiter, and more gain for what it took away. The
    limiter uses the gentlest of its settings that reaches the target without crushing. The gain stays at
    or below +30 dB, so that a noise floor is not blown up into a sound. If the target cannot be reached
    so, the least gain is used that comes within 0.3 LU of the loudest possible. Sound without an
    integrated loudness (silence, under 400 ms) keeps its level and only its peaks are limited.

    Args:
        samples: float [n] or [channels, n].
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.

    Returns:
        float32 of the same shape; sample n of the input is sample n of the output.
    """
    channels = as_channels(samples)
    if channels.size == 0:
        return np.asarray(samples, dtype=np.float32)
    return Leveller(channels, sample_rate).level(target_lufs, ceiling_dbtp).samples.reshape(np.shape(samples))


@dataclass(frozen=True)
class Levelled:
    """A levelled sound.

    Attributes:
        samples: float32 [channels, n].
        gain: float32 [n], the linear gain that made them.
        reached: whether the target was met; True where there was none.
    """

    samples: NDArray[np.float32]
    gain: NDArray[np.float32]
    reached: bool


class Leveller:
    """Levels one sound, more than once if need be, and learns where a codec lifts its peaks."""

    def __init__(self, channels: NDArray[np.float32], sample_rate: int) -> None:
        self._channels = channels
        self._sample_rate = sample_rate
        self._envelope = peak_envelope(channels)
        self._before = integrated(channels, sample_rate)
        self._step = max(1, sample_rate // _SEARCH_RATE)
        self._power = np.zeros(0) if self._before is None else weighted_power(channels, sample_rate, self._step)

    def learn(self, peaks: NDArray[np.float32], gain: NDArray[np.float32]) -> None:
        """From now on, expect at least `peaks` [n] where the sound is given `gain` [n]."""
        self._envelope = np.maximum(self._envelope, peaks / np.maximum(gain, 1e-6))

    def level(self, target_lufs: float | None, ceiling_dbtp: float) -> Levelled:
        """See `level_to`."""
        reached = True
        if target_lufs is None or self._before is None:
            gain = gain_curve(self._envelope, self._sample_rate, 0.0, ceiling_dbtp)
        else:
            gain, reached = self._gain_for(target_lufs, self._before, ceiling_dbtp)
        # A gain that changes within the resampling filter's reach can lift a peak by some thousandths of a decibel.
        over = 20 * math.log10(max(true_peak(self._channels * gain), 1e-10)) - ceiling_dbtp
        if over > 0:
            gain = gain * np.float32(10 ** (-(over + 1e-3) / 20))
        return Levelled(self._channels * gain, gain, reached)

    def _gain_for(self, target: float, before: float, ceiling_dbtp: float) -> tuple[NDArray[np.float32], bool]:
        """The gain for each sample, and whether it reaches the target."""
        curves = [_Curve(self, ceiling_dbtp, ballistics) for ballistics in BALLISTICS]
        for _ in range(_MAX_SEARCHES):
            curve, gain_db, reached = _found(curves, min(target - before, MAX_GAIN_DB), target)
            gain = gain_curve(self._envelope, self._sample_rate, gain_db, ceiling_dbtp, curve.ballistics)
            loudness = integrated(self._channels * gain, self._sample_rate)
            off = 0.0 if loudness is None else loudness - curve.at(gain_db)
            if not _EXACT_LU < abs(off) < math.inf:
                break
            curve.correct(off)
        return gain, reached

    def loudness_with(self, gain_db: float, ceiling_dbtp: float, ballistics: Ballistics) -> float:
        """Integrated loudness in LUFS with `gain_db` before the limiter, nearly; -inf where it has none."""
        count = self._power.size
        envelope = self._envelope[: count * self._step].reshape(count, self._step).max(axis=1)
        rate = self._sample_rate / self._step
        gain = gain_curve(envelope, rate, gain_db, ceiling_dbtp, ballistics).astype(np.float64)
        return gated(self._power * np.square(gain), rate)


def _found(curves: list[_Curve], first: float, target: float) -> tuple[_Curve, float, bool]:
    """The gentlest limiter that reaches the target, its gain in decibels, and whether any does."""
    for curve in curves:
        extra = _MOST_EXTRA_DB if curve is curves[-1] else _GENTLE_EXTRA_DB
        low, high = curve.bracket(first, target, first + extra)
        reached = curve.at(high) >= target - _CLOSE_LU
        if reached:
            break
    goal = min(target, curve.at(high)) if reached else curve.at(high) - TOLERANCE_LU
    return curve, curve.least_gain(low, high, goal), reached


class _Curve:
    """Loudness over gain under one limiter. It rises all the way, and flattens as the limiter works."""

    def __init__(self, leveller: Leveller, ceiling_dbtp: float, ballistics: Ballistics) -> None:
        self._leveller = leveller
        self.ballistics = ballistics
        self._ceiling_dbtp = ceiling_dbtp
        self._known: dict[float, float] = {}
        self._off = 0.0

    def at(self, gain: float) -> float:
        if gain not in self._known:
            self._known[gain] = self._leveller.loudness_with(gain, self._ceiling_dbtp, self.ballistics)
        return self._known[gain] + self._off

    def correct(self, off: float) -> None:
        """The measured loudness lies `off` above what `at` says."""
        self._off += off

    def bracket(self, first: float, target: float, last: float) -> tuple[float, float]:
        """Two gains from `first` to `last` with `target` between their loudnesses, if there are such."""
        last = min(last, MAX_GAIN_DB)
        low = high = first
        step = max(2 * (target - self.at(first)), 1.0)
        while self.at(high) < target - _CLOSE_LU and high < last:
            low, high, step = high, min(high + step, last), 2 * step
        return (low, high) if self.at(high) >= target - _CLOSE_LU else (first, high)

    def least_gain(self, low: float, high: float, goal: float) -> float:
        """The least gain between `low` and `high` that is as loud as `goal`, to a twentieth of a LU."""
        if self.at(low) >= goal:
            return low
        for trial in range(_MAX_TRIALS):
            if self.at(high) - goal <= _CLOSE_LU:
                break
            # Where the curve is flat on one side, interpolation creeps; every third trial halves instead.
            share = 0.5 if trial % 3 == 2 else (goal - self.at(low)) / (self.at(high) - self.at(low))
            middle = low + (high - low) * min(max(share, 0.05), 0.95)
            low, high = (low, middle) if self.at(middle) >= goal else (middle, high)
        return high
