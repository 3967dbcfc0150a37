"""Whether sound and picture keep time: AV-Align, and the offset at which they agree best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from mova_studio.media.onsets import SAMPLE_RATE, onset_strength

MAX_OFFSET_SECONDS = 0.5
_LEAST_MOTION = 0.1  # pixels; the reference toolkit's threshold for a maximum
# Shorter spectra and hops than for onsets: 5.8 ms against the 42 ms of a frame.
_HOP = 128
_WINDOW = 512
_LEAST_CORRELATION = 0.3
_SCATTERS = 4.0
_NEARLY = 0.9


def motion_peaks(speed: NDArray[np.float64], frame_rate: float) -> NDArray[np.float64]:
    """Seconds of the local maxima of a flow length [F] in pixels, those under a tenth of a pixel left out."""
    middle = speed[1:-1]
    peaks = (middle > speed[:-2]) & (middle > speed[2:]) & (middle >= _LEAST_MOTION)
    return (np.flatnonzero(peaks) + 1) / frame_rate


def av_align(onsets: NDArray[np.float64], peaks: NDArray[np.float64], frame_rate: float) -> float | None:
    """AV-Align: the share of onsets and motion peaks that have each other.

    Yariv et al., "Diverse and Aligned Audio-to-Video Generation via Text-to-Video Model Adaptation", 2023,
    arXiv 2309.16429: pairs at less than a frame's distance over onsets and peaks together, a pair counted once. As in
    its toolkit (TempoTokens), an onset takes the first peak in reach that is still free.

    Args:
        onsets, peaks: seconds, rising.

    Returns:
        0 to 1; None without any onset or without any peak, where the toolkit says 0.
    """
    if not onsets.size or not peaks.size:
        return None
    taken = np.zeros(peaks.size, dtype=bool)
    for onset in onsets:
        free = np.flatnonzero((np.abs(peaks - onset) < 1 / frame_rate) & ~taken)
        taken[free[:1]] = True
    pairs = int(taken.sum())
    return pairs / (onsets.size + peaks.size - pairs)


def offset_ms(sound: NDArray[np.float32], change: NDArray[np.float64], frame_rate: float) -> float | None:
    """By how many milliseconds the sound comes after the picture, -500 to 500.

    Where the onset strength of the sound and the change of motion correlate best. In a steady rhythm shifts of a
    beat are nearly as good as each other: among peaks of at least nine tenths of the best, the one nearest to 0 counts.

    Args:
        sound: float32 [m] at 22,050 Hz, peak 1, as `at_analysis_rate` gives it.
        change: float64 [F], as in `Motion`.

    Returns:
        None if one of the two stays the same throughout, or no correlation stands out: it must reach 0.3, and four
        times the 1 / sqrt(F) by which that of unrelated curves scatters, which a take under 17 pictures never does.
    """
    if not sound.size or not change.any():
        return None
    grid = SAMPLE_RATE / _HOP
    strength = onset_strength(sound, _HOP, _WINDOW)
    count = min(strength.size, int(change.size / frame_rate * grid) + 1)
    frames = np.arange(count) * (frame_rate / grid)
    # Both curves seen through the same triangle, a frame either way.
    heard = np.convolve(strength, _triangle(grid / frame_rate), mode="same")[:count]
    seen = np.interp(frames, np.arange(change.size), change)
    correlation = _correlation(heard, seen)
    reach = min(int(MAX_OFFSET_SECONDS * grid), count - 1)
    around = correlation[count - 1 - reach : count + reach]
    peaks = 1 + np.flatnonzero((around[1:-1] > around[:-2]) & (around[1:-1] >= around[2:]))
    least = max(_LEAST_CORRELATION, _SCATTERS / np.sqrt(change.size))
    peaks = peaks[around[peaks] >= max(least, _NEARLY * around[peaks].max(initial=0.0))]
    if not peaks.size:
        return None
    peak = peaks[np.abs(peaks - reach).argmin()]
    return round(float(peak + _vertex(*around[peak - 1 : peak + 2]) - reach) / grid * 1000, 1)


def _triangle(width: float) -> NDArray[np.float64]:
    """Weights that fall to 0 at `width` from the middle, together 1."""
    reach = int(np.ceil(width))
    weights = np.maximum(1 - np.abs(np.arange(-reach, reach + 1)) / width, 0.0)
    return weights / weights.sum()


def _correlation(heard: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of two curves [n] at all shifts [2n - 1], zeros where one has no partner."""
    heard, seen = heard - heard.mean(), seen - seen.mean()
    scale = float(np.linalg.norm(heard) * np.linalg.norm(seen))
    return correlate(heard, seen, method="fft") / scale if scale > 0 else np.zeros(2 * heard.size - 1)


def _vertex(left: float, middle: float, right: float) -> float:
    """Where the parabola through three values, one apart, is highest: -0.5 to 0.5 from the middle one."""
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
