"""The outline of a sound, for drawing under a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def waveform(samples: NDArray[np.floating], buckets: int = 160) -> NDArray[np.float32]:
    """The peak of each of `buckets` equal stretches of a sound.

    Args:
        samples: float [n] or [channels, n], full scale 1.0; the louder channel counts.
        buckets: at least 1. With fewer samples than buckets, neighbours share a sample.

    Returns:
        float32 [buckets], 0 to 1; zeros for an empty sound, and a value that is not finite counts as 0.
    """
    channels = np.nan_to_num(np.atleast_2d(np.asarray(samples, dtype=np.float32)), posinf=0.0, neginf=0.0)
    total = channels.shape[-1]
    if total == 0:
        return np.zeros(buckets, np.float32)
    peaks = np.abs(channels).max(axis=0)
    starts = np.arange(buckets) * total // buckets
    return np.minimum(np.maximum.reduceat(peaks, starts), 1.0).astype(np.float32)
