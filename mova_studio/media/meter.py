"""How loud a sound is: ITU-R BS.1770, as EBU R 128 uses it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from mova_studio.errors import InputError
from mova_studio.media.limiter import peak_envelope

MIN_SECONDS = 0.4  # one gating block of BS.1770
_HOPS = 4  # a block begins every quarter of its length
_OFFSET_LU = -0.691
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_WEIGHTS = (1.0, 1.0, 1.0, 1.41, 1.41)
_LFE = 3  # in 5.1 order; BS.1770 leaves it out


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
    return Loudness(integrated(channels, sample_rate), decibels(true_peak(channels)))


def integrated(channels: NDArray[np.float32], sample_rate: int) -> float | None:
    """Gated loudness of float32 [channels, n] in LUFS; None where `Loudness` has None."""
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


def weighted_power(channels: NDArray[np.float32], sample_rate: int, step: int) -> NDArray[np.float64]:
    """What `gated` measures: the K-weighted power of each `step` samples, its channels summed up.

    Args:
        channels: float32 [channels, n] of 1 to 6 channels; n at least `step`.

    Returns:
        float64 [n // step].
    """
    if channels.shape[0] == 6:
        channels = np.delete(channels, _LFE, axis=0)
    count = channels.shape[1] // step
    power = np.zeros(count)
    for channel, weight in zip(channels, _WEIGHTS, strict=False):
        weighted = channel.astype(np.float64)
        for stage in pyloudnorm.Meter(sample_rate)._filters.values():
            weighted = stage.apply_filter(weighted)
        power += weight * np.square(weighted[: count * step]).reshape(count, step).mean(axis=1)
    return power


def gated(power: NDArray[np.float64], per_second: float) -> float:
    """Integrated loudness in LUFS of a power [m] of `per_second` values per second; -inf below the gate."""
    sums = np.concatenate([[0.0], np.cumsum(power)])
    length = MIN_SECONDS * per_second
    count = math.floor((power.size / length - 1) * _HOPS + 1e-6) + 1
    begins = np.rint(np.arange(max(count, 0)) * length / _HOPS).astype(np.int64)
    ends = np.minimum(begins + round(length), power.size)
    blocks = (sums[ends] - sums[begins]) / length
    loud = blocks[blocks > 10 ** ((_ABSOLUTE_GATE - _OFFSET_LU) / 10)]
    loud = loud[loud > loud.mean() * 10 ** (_RELATIVE_GATE / 10)] if loud.size else loud
    return _OFFSET_LU + 10 * math.log10(loud.mean()) if loud.size else -math.inf


def true_peak(channels: NDArray[np.float32]) -> float:
    """Highest 4x oversampled magnitude of float32 [channels, n], linear."""
    return float(peak_envelope(channels).max(initial=0.0))


def decibels(peak: float) -> float | None:
    """A linear peak in decibels of full scale; None for 0."""
    return 20 * math.log10(peak) if peak > 0.0 else None
