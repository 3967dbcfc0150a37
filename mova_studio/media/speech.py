"""Where a sound speaks: stretches of voice by their energy, and how much they are like speech at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from mova_studio.media.aac import SAMPLE_RATE

TICK = SAMPLE_RATE // 100  # 10 ms
Stretches = list[tuple[int, int]]

_BAND = (200.0, 4000.0)
_ABOVE_FLOOR_DB = 9.0
_BELOW_PEAK_DB = 32.0
_SILENT_DB = -60.0
_GAP, _SHORTEST = 25, 8  # ticks: pauses within a phrase, and what is too short for a syllable
_WINDOW, _STEP = 150, 50
_LEAST_SHARE = 0.5
_LEAST_MODULATION = 0.45
_LEAST_PITCH = 0.35
_SYLLABLES = (2.0, 10.0)  # a second


def levels(sound: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The power of each 10 ms of float32 [channels, n] at 48 kHz: in the band of speech, and in all; float64 [m]."""
    mono = sound.mean(axis=0, dtype=np.float64)
    voice = sosfilt(butter(2, _BAND, "bandpass", fs=SAMPLE_RATE, output="sos"), mono)
    return _power(voice), _power(mono)


def voiced_stretches(sound: NDArray[np.float32]) -> Stretches:
    """Where something sounds in the band of speech above the floor of noise.

    Args:
        sound: float32 [channels, n] at 48 kHz.

    Returns:
        samples as (start, stop), in order, at least 80 ms long and 250 ms apart.
    """
    return _voiced(levels(sound)[0], sound.shape[1])


def speech_stretches(sound: NDArray[np.float32]) -> Stretches:
    """The voiced stretches that are like speech: most of their power in its band, rising and falling with
    syllables, and pitched like a voice.
    """
    voice, whole = levels(sound)
    speaks = np.zeros(voice.size, bool)
    for begin in range(0, max(voice.size - _WINDOW // 2, 1), _STEP):
        window = slice(begin, begin + _WINDOW)
        if _like_speech(voice[window], whole[window], sound[:, begin * TICK : (begin + _WINDOW) * TICK]):
            speaks[window] = True
    found = []
    for start, stop in _voiced(voice, sound.shape[1]):
        if speaks[start // TICK : -(-stop // TICK)].mean() > 0.5:
            found.append((start, stop))
    return found


def _voiced(voice: NDArray[np.float64], length: int) -> Stretches:
    """`voiced_stretches` of a sound of `length` samples, by its power in the band of speech."""
    decibels = 10 * np.log10(np.maximum(voice, 1e-12))
    if not decibels.size or decibels.max() < _SILENT_DB:
        return []
    peak = np.percentile(decibels, 99)
    floor = np.percentile(decibels, 10)
    # Where the sound never pauses the floor is the voice's own, and only what lies far below the peak is none.
    threshold = max(_SILENT_DB, min(max(floor + _ABOVE_FLOOR_DB, peak - _BELOW_PEAK_DB), peak - _ABOVE_FLOOR_DB))
    found = joined(runs(decibels > threshold), _GAP)
    return [(start * TICK, min(stop * TICK, length)) for start, stop in found if stop - start >= _SHORTEST]


def runs(marks: NDArray[np.bool_]) -> Stretches:
    """Where a row is true, as (start, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def joined(stretches: Stretches, gap: int) -> Stretches:
    """In order, those less than `gap` apart made one."""
    found: Stretches = []
    for start, stop in sorted(stretches):
        if found and start - found[-1][1] < gap:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return found


def _like_speech(voice: NDArray[np.float64], whole: NDArray[np.float64], sound: NDArray[np.float32]) -> bool:
    total = whole.sum()
    if voice.size < _WINDOW // 2 or total <= 10 ** (_SILENT_DB / 10) * whole.size:
        return False
    if voice.sum() < _LEAST_SHARE * total:
        return False
    loudness = np.sqrt(voice)
    spectrum = np.abs(np.fft.rfft((loudness - loudness.mean()) * np.hanning(loudness.size)))
    rates = np.fft.rfftfreq(loudness.size, TICK / SAMPLE_RATE)
    syllables = spectrum[(rates >= _SYLLABLES[0]) & (rates <= _SYLLABLES[1])]
    moving = 2 * np.sqrt(2 * np.square(syllables).sum()) / (loudness.size * max(loudness.mean(), 1e-9))
    return moving > _LEAST_MODULATION and _pitch_strength(sound) > _LEAST_PITCH


def _pitch_strength(sound: NDArray[np.float32]) -> float:
    """How periodic the louder 30 ms pieces are at 70 to 400 Hz: the median peak of their autocorrelation, 0 to 1."""
    mono = sound.mean(axis=0, dtype=np.float64)[::6]
    size = round(0.04 * SAMPLE_RATE / 6)
    count = mono.size // size
    if count == 0:
        return 0.0
    pieces = mono[: count * size].reshape(count, size)
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    power = np.square(pieces).sum(axis=1)
    loud = pieces[power >= np.median(power)]
    spectrum = np.abs(np.fft.rfft(loud, 2 * size, axis=1)) ** 2
    alike = np.fft.irfft(spectrum, axis=1)[:, :size]
    # What a shift leaves of a piece is less of it, by its share.
    alike = alike / np.maximum(alike[:, :1], 1e-12) / (1 - np.arange(size) / size)
    lags = slice(round(SAMPLE_RATE / 6 / 400), round(SAMPLE_RATE / 6 / 70))
    return float(np.median(alike[:, lags].max(axis=1)))


def _power(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    count = -(-mono.size // TICK)
    padded = np.pad(np.square(mono), (0, count * TICK - mono.size))
    return padded.reshape(count, TICK).mean(axis=1)
