"""How loud a sound is (ITU-R BS.1770, EBU R 128), and bringing it to a target under a true-peak ceiling."""

from __future__ import annotations

import math
from collections.abc import Callable
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
    The limiter uses the gentlest of its releases that reaches the target. The gain stays at or below
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
        first = min(target_lufs - before, MAX_GAIN_DB)
        for release in RELEASES_DB_PER_SECOND:

            def loudness_at(gain_db: float, release: float = release) -> float:
                limited = limit(channels, envelope, sample_rate, gain_db, ceiling_dbtp, release)
                loudness = _integrated(limited, sample_rate)
                return -math.inf if loudness is None else loudness

            gain, reached = _least_gain(loudness_at, target_lufs, first)
            if reached:
                break
    levelled = limit(channels, envelope, sample_rate, gain, ceiling_dbtp, release)
    # A gain that changes within the resampling filter's reach can lift a peak by some thousandths of a decibel.
    over = 20 * math.log10(max(_true_peak(levelled), 1e-10)) - ceiling_dbtp
    if over > 0:
        levelled = levelled * np.float32(10 ** (-(over + 1e-3) / 20))
    return levelled.reshape(np.shape(samples))


def _least_gain(loudness_at: Callable[[float], float], target: float, first: float) -> tuple[float, bool]:
    """(the least gain, from `first` up to `MAX_GAIN_DB`, that brings `target`, whether it can be brought)."""
    low, low_loudness = first, loudness_at(first)
    if low_loudness >= target - _CLOSE_LU:
        return first, True
    high, high_loudness = low, low_loudness
    while high < MAX_GAIN_DB and high_loudness < target:
        high = min(high + max(2 * (target - high_loudness), 1.0), MAX_GAIN_DB)
        high_loudness = loudness_at(high)
    reached = high_loudness >= target - _CLOSE_LU
    goal = target if reached else high_loudness - TOLERANCE_LU
    if low_loudness >= goal:
        return low, reached
    for trial in range(_MAX_TRIALS):
        if high_loudness - goal <= _CLOSE_LU:
            break
        # Where the curve is flat on one side, interpolation creeps; every third trial halves instead.
        share = 0.5 if trial % 3 == 2 else (goal - low_loudness) / (high_loudness - low_loudness)
        middle = low + (high - low) * min(max(share, 0.05), 0.95)
        loudness = loudness_at(middle)
        if loudness >= goal:
            high, high_loudness = middle, loudness
        else:
            low, low_loudness = middle, loudness
    return high, reached


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
