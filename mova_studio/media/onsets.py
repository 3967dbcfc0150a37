"""When a sound begins to sound: spectral flux over mel bands, and its peaks.

The definition is that of librosa 0.11 (`onset_strength`, `onset_detect`, `util.peak_pick` with their defaults), after
Böck, Krebs and Schedl, "Evaluating the Online Capabilities of Onset Detection Methods", ISMIR 2012. It is written here
on scipy because librosa brings numba, LLVM and scikit-learn along, 260 MB, and its first call takes seconds to compile.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft, rfftfreq
from scipy.ndimage import uniform_filter1d
from scipy.signal import get_window, resample_poly

SAMPLE_RATE = 22_050
HOP = 512
WINDOW = 2048
_RANGE_DB = 80.0
# Peak picking in hops of 23.2 ms: librosa's 30 ms back for the maximum, 100 ms either way for the mean.
_MEAN_REACH = 4
_DELTA = 0.07
_WAIT = 1


def at_analysis_rate(channels: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The mean of float32 [channels, n] as float32 [m] at 22,050 Hz, its peak at 1; empty where that is silence."""
    sound = channels.mean(axis=0)
    if sample_rate != SAMPLE_RATE and sound.size:
        common = math.gcd(SAMPLE_RATE, sample_rate)
        sound = resample_poly(sound, SAMPLE_RATE // common, sample_rate // common)
    peak = np.abs(sound).max(initial=0.0)
    return (sound / peak).astype(np.float32) if peak > 0 else np.zeros(0, np.float32)


def onset_strength(sound: NDArray[np.float32], hop: int = HOP, window: int = WINDOW) -> NDArray[np.float64]:
    """How much louder the mel bands become from one hop to the next, in dB, averaged over the bands.

    Args:
        sound: float32 [m] at 22,050 Hz, peak 1.
        hop: samples from one value to the next.
        window: samples of a spectrum; a power of two, a multiple of `hop`. A sixteenth as many bands.

    Returns:
        float64 [1 + m // hop], not negative; value i stands for time i * hop / 22,050.
    """
    count = 1 + sound.size // hop
    padded = np.pad(sound, (window // 2, window // 2 + hop))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]
    power = np.abs(rfft(stretches * get_window("hann", window).astype(np.float32), axis=1)) ** 2
    bands = power @ _mel_filters(window, window // 16).T
    decibels = 10 * np.log10(np.maximum(bands, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - _RANGE_DB)
    rise = np.maximum(np.diff(decibels, axis=0), 0.0).mean(axis=1)
    # A spectrum notices a sound half a window before its centre reaches it.
    return np.pad(rise, (1 + window // (2 * hop), 0))[:count].astype(np.float64)


def onset_times(strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds of the onsets in an onset strength [n] of the default hop.

    A value is an onset if it is no less than the one before, stands 0.07 of the greatest above the mean of 100 ms
    either way, and no onset lies 30 ms before it.
    """
    scaled = strength - strength.min(initial=0.0)
    if not scaled.any():
        return np.zeros(0)
    scaled = scaled / scaled.max()
    width = 2 * _MEAN_REACH + 1
    # The mean of what there is of the window: at the ends, less.
    share = uniform_filter1d(np.ones_like(scaled), width, mode="constant")
    mean = uniform_filter1d(scaled, width, mode="constant") / share
    rising = np.concatenate([[True], scaled[1:] >= scaled[:-1]])
    picked: list[int] = []
    for index in np.flatnonzero(rising & (scaled >= mean + _DELTA)):
        if not picked or index - picked[-1] > _WAIT:
            picked.append(int(index))
    return np.asarray(picked, dtype=np.float64) * HOP / SAMPLE_RATE


def _mel_filters(window: int, bands: int) -> NDArray[np.float32]:
    """Slaney's triangles of equal area up to half the rate, float32 [bands, 1 + window // 2]."""
    edges = _mel_to_hertz(np.linspace(0.0, _hertz_to_mel(SAMPLE_RATE / 2), bands + 2))
    bins = rfftfreq(window, 1 / SAMPLE_RATE)
    low, middle, high = (edge[:, None] for edge in (edges[:-2], edges[1:-1], edges[2:]))
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return (np.maximum(triangles, 0.0) * 2 / (high - low)).astype(np.float32)


# Slaney's scale (Auditory Toolbox, 1998): linear up to 1000 Hz, 15 mel; then 27 mel for every factor of 6.4.
def _hertz_to_mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000, 6.4)


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
