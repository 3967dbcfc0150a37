"""What is heard: when sounds begin, and which of the world's sounds each one is."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from mova_studio.training.world.scene import SOUNDS, Event
from mova_studio.training.world.sounds import GONG, SAMPLE_RATE, event_sound

_HOP, _WINDOW = 240, 960  # 5 and 20 ms
_FLOOR = 1e-3  # of the loudest band; what lies under it is noise, however it flickers
_LEAST_SHARE = 0.25  # of the strongest onset
_APART_SECONDS = 0.07
_SILENCE = 0.01  # peak under which nothing is heard
_LISTEN_SECONDS = 0.1
_BANDS = 48


def audible_onsets(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Seconds at which sounds begin, float64 [n], in float32 [m] at 48 kHz."""
    if np.abs(audio).max(initial=0.0) < _SILENCE:
        return np.zeros(0)
    # Mirrored at its ends: silence behind the last sample would make the end of a ringing sound another onset.
    padded = np.pad(audio.astype(np.float64), _WINDOW, mode="reflect")
    stretches = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    bands = _bands(stretches, _WINDOW, _BANDS // 2)
    level = np.log10(bands + _FLOOR * bands.max())
    rise = np.maximum(level[2:] - level[:-2], 0.0).sum(axis=1)
    apart = round(_APART_SECONDS * SAMPLE_RATE / _HOP)
    picked: list[int] = []
    for index in np.argsort(rise, kind="stable")[::-1]:
        if rise[index] < _LEAST_SHARE * rise.max():
            break
        if all(abs(index - other) >= apart for other in picked):
            picked.append(int(index))
    # The rise from a window to the second after it is greatest where the middle one has just reached the onset.
    middles = (np.sort(picked) + 1) * _HOP - _WINDOW / 2
    return np.maximum(middles, 0.0) / SAMPLE_RATE


def named_by_ear(audio: NDArray[np.float32], onset: float, among: tuple[str, ...] = SOUNDS) -> str:
    """Which of the sounds `among` begins at `onset` seconds of float32 [m] at 48 kHz; by default one of the world's."""
    start = round(onset * SAMPLE_RATE)
    heard = _spectrum(audio[start : start + round(_LISTEN_SECONDS * SAMPLE_RATE)])
    return max(among, key=lambda sound: float(heard @ _known()[sound]))


@cache
def _known() -> dict[str, NDArray[np.float64]]:
    length = round(_LISTEN_SECONDS * SAMPLE_RATE)
    return {sound: _spectrum(event_sound(Event(0.0, sound, 1.0, 0.3))[:length]) for sound in (*SOUNDS, GONG)}


def _spectrum(sound: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log power in bands, centred, of length 1."""
    length = round(_LISTEN_SECONDS * SAMPLE_RATE)
    padded = np.pad(sound, (0, max(length - sound.size, 0)))
    bands = _bands(padded[None].astype(np.float64), length, _BANDS)[0]
    level = np.log10(bands + 1e-4 * bands.max() + 1e-12)
    level -= level.mean()
    return level / max(float(np.linalg.norm(level)), 1e-12)


def _bands(stretches: NDArray[np.float64], length: int, count: int) -> NDArray[np.float64]:
    """Power of [n, length] in `count` bands of equal ratio from 60 Hz to 8 kHz, [n, count]."""
    points = 8 * length  # so fine that the lowest band has bins of its own
    power = np.abs(rfft(stretches * np.hanning(length), points)) ** 2
    edges = (np.geomspace(60, 8000, count + 1) * points / SAMPLE_RATE).round().astype(int)
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    return np.diff(sums[:, edges], axis=1)
