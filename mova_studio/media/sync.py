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
