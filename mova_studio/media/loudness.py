"""How loud a sound is (ITU-R BS.1770, EBU R 128), and bringing it to a target under a true-peak ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from mova_studio.errors import InputError
from mova_studio.media.limiter import RELEASES_DB_PER_SECOND, limit, peak_envelope

MAX_GAIN_DB = 30.0
MIN_SECONDS = 0.4  # one gating block of BS.1770
TOLERANCE_LU = 0.3
_LFE = 3  # in 5.1 order; BS.1770 leaves it out
_CLOSE_LU = 0.05
_GENTLE_DB = 6.0  # more gain than this against a slow release crushes what a faster one leaves alone
_MAX_TRIALS = 12


@dataclass(frozen=True)
class Loudness:
    """What a listener gets.

    Attributes:
        integrated_lufs: gated loudness in LUFS; None for silence, for sound that never passes the
            gate at -70 LUFS, and under 400 ms.
        true_peak_dbtp: highest 4x oversampled peak in dBTP; None for digital silence.
    """

    integrated_lufs: float | None
    true_peak_dbtp: float | None

    def to_dict(self) -> dict[str, float | None]:
        return {"integrated_lufs": self.integrated_lufs, "true_peak_dbtp": self.true_peak_dbtp}


def as_channels(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """`samples` [n] or [channels, n] as float32 [channels, n].

    Raises:
        InputError: another shape, or a value that is not a finite number.
    """
    channels = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if channels.ndim != 2 or channels.shape[0] == 0:
        raise InputError(
            f"Sound of shape {np.shape(samples)} cannot be used; give [n] or [channels, n].", field="audio"
        )
    broken = channels.size - int(np.isfinite(channels).sum())
    if broken:
        raise InputError(
            f"The sound has {broken} of {channels.size} values that are not numbers (NaN or infinite) and cannot be "
            "used; run the shot again, at a higher precision if it happens twice.",
            field="audio",
        )
    return channels


def measure(samples: NDArray[np.floating], sample_rate: int) -> Loudness:
    """Measure float samples [n] or [channels, n], full scale 1.0, of 1 to 6 channels (6 means 5.1).

    Raises:
        InputError: a value that is not finite, or a shape or channel count outside these.
    """
    channels = as_channels(samples)
    return Loudness(_integrated(channels, sample_rate), _decibels(_true_peak(channels)))


def level_to(
    samples: NDArray[np.floating], sample_rate: int, target_lufs: float | None, ceiling_dbtp: float
) -> NDArray[np.float32]:
    """Bring a sound to `target_lufs` with no true peak above `ceiling_dbtp`.

    Gain first; where peaks would pass the ceiling, the limiter, and more gain for what it took away.
    The limiter uses the gentlest of its releases that reaches the target without crushing. The gain stays at or below
    +30 dB, so that a noise floor is not blown up into a sound. If the target cannot be reached so, the
    least gain is used that comes within 0.3 LU of the loudest possible. Sound without an integrated
    loudness (silence, under 400 ms) keeps its level and only its peaks are limited.

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
    envelope = peak_envelope(channels)
    before = _integrated(channels, sample_rate) if target_lufs is not None else None
    gain, release = 0.0, RELEASES_DB_PER_SECOND[0]
    if target_lufs is not None and before is not None:
        gain = min(target_lufs - before, MAX_GAIN_DB)
        for release in RELEASES_DB_PER_SECOND:
            curve = _Curve(channels, envelope, sample_rate, ceiling_dbtp, release)
            gentle = release != RELEASES_DB_PER_SECOND[-1]
            low, high = curve.bracket(gain, target_lufs, gain + _GENTLE_DB if gentle else MAX_GAIN_DB)
            reached = curve.at(high) >= target_lufs - _CLOSE_LU
            if reached:
                break
        goal = min(target_lufs, curve.at(high)) if reached else curve.at(high) - TOLERANCE_LU
        gain = curve.least_gain(low, high, goal)
    levelled = limit(channels, envelope, sample_rate, gain, ceiling_dbtp, release)
    # A gain that changes within the resampling filter's reach can lift a peak by some thousandths of a decibel.
    over = 20 * math.log10(max(_true_peak(levelled), 1e-10)) - ceiling_dbtp
    if over > 0:
        levelled = levelled * np.float32(10 ** (-(over + 1e-3) / 20))
    return levelled.reshape(np.shape(samples))


class _Curve:
    """Loudness over gain for one sound under one limiter. It rises all the way, and flattens as the limiter works."""

    def __init__(
        self,
        channels: NDArray[np.float32],
        envelope: NDArray[np.float32],
        sample_rate: int,
        ceiling_dbtp: float,
        release: float,
    ) -> None:
        self._limited = lambda gain: limit(channels, envelope, sample_rate, gain, ceiling_dbtp, release)
        self._sample_rate = sample_rate
        self._known: dict[float, float] = {}

    def at(self, gain: float) -> float:
        """Integrated loudness in LUFS with `gain` dB before the limiter."""
        if gain not in self._known:
            loudness = _integrated(self._limited(gain), self._sample_rate)
            self._known[gain] = -math.inf if loudness is None else loudness
        return self._known[gain]

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


def _integrated(channels: NDArray[np.float32], sample_rate: int) -> float | None:
    if channels.shape[1] < MIN_SECONDS * sample_rate:
        return None
    if channels.shape[0] == 6:
        channels = np.delete(channels, _LFE, axis=0)
    if channels.shape[0] > 5:
        raise InputError(
            f"{channels.shape[0]} channels cannot be measured; mix them down to 1, 2 or 5.1.", field="audio"
        )
    loudness = float(pyloudnorm.Meter(sample_rate).integrated_loudness(channels.T.astype(np.float64)))
    return loudness if math.isfinite(loudness) else None


def _true_peak(channels: NDArray[np.float32]) -> float:
    return float(peak_envelope(channels).max(initial=0.0))


def _decibels(peak: float) -> float | None:
    return 20 * math.log10(peak) if peak > 0.0 else None
