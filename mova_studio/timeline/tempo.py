"""Sound at another speed and the same pitch, with every attack where it belongs.

ffmpeg's atempo and rubberband were measured on clicks at speeds of 0.5 to 2: they put them up to 80 ms beside their
place, and rubberband takes more than half off their peaks. Here short overlapping stretches of the sound are laid out
anew, each where it continues the one before best (WSOLA: Verhelst and Roelands, ICASSP 1993), and around an attack the
sound is copied as it is, so that it comes exactly when its picture does.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from mova_studio.timeline.clip import SAMPLE_RATE

_HOP = 768  # 16 ms; a stretch is two hops, and has to hold a period of the lowest voice
_REACH = 640  # how far from its place a stretch may be taken: a period of 75 Hz either way
_COARSE = 4
_GUARD = 24  # half a millisecond kept in front of an attack
_BODY = 240  # and 5 ms behind its beginning, in which it is not touched
_BLOCK = 24
_RISE = 16.0  # 12 dB over the 20 ms before
_FLOOR = 1e-5  # 50 dB below the loudest
_APART = 3 * _HOP


def stretch(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """`samples` in `length` samples; sample i is due at `i * length / n`.

    Args:
        samples: float32 [channels, n] at 48 kHz, n at least 1.
        length: at least 1, from about half to about twice of n.

    Returns:
        float32 [channels, length].
    """
    total = samples.shape[1]
    if length == total:
        return samples.copy()
    speed = total / length
    margin = 4 * _HOP + _REACH
    padded = np.pad(samples, ((0, 0), (margin, margin)))
    starts = _starts(padded.mean(axis=0), attacks(samples, round(_APART * max(speed, 1.0))), speed, length, margin)
    window = np.hanning(2 * _HOP + 1)[:-1].astype(np.float32)
    laid = np.zeros((samples.shape[0], (len(starts) + 1) * _HOP), np.float32)
    for index, start in enumerate(starts):
        laid[:, index * _HOP : (index + 2) * _HOP] += padded[:, start : start + 2 * _HOP] * window
    return laid[:, _HOP : _HOP + length]


def attacks(samples: NDArray[np.float32], apart: int) -> NDArray[np.int64]:
    """Where a sound sets in suddenly: samples in order, at least `apart` from each other, the louder ones first to be
    taken.

    Args:
        samples: float32 [channels, n] at 48 kHz.
    """
    # Differences let a click stand out of a hum.
    energy = np.square(np.diff(samples, axis=1, prepend=samples[:, :1])).mean(axis=0).astype(np.float64)
    count = energy.size // _BLOCK
    if count < 2 or not energy.any():
        return np.zeros(0, np.int64)
    blocks = energy[: count * _BLOCK].reshape(count, _BLOCK).mean(axis=1)
    width = round(0.02 * SAMPLE_RATE / _BLOCK)
    before = np.concatenate([[0.0], np.cumsum(blocks)])
    begins = np.maximum(np.arange(count) - width, 0)
    past = (before[np.arange(count)] - before[begins]) / np.maximum(np.arange(count) - begins, 1)
    near = maximum_filter1d(blocks, 2 * round(0.5 * SAMPLE_RATE / _BLOCK) + 1)
    rise = blocks / (past + _FLOOR * near + 1e-20)
    rise[0] = 0.0  # the beginning stays at the beginning anyway
    sudden = np.flatnonzero((rise > _RISE) & (blocks > 100 * _FLOOR * near))
    taken: list[int] = []
    for block in sudden[np.argsort(-blocks[sudden], kind="stable")]:
        place = max(int(block) * _BLOCK - _BLOCK, 0)
        loud = energy[place : place + 3 * _BLOCK]
        at = place + int(np.argmax(loud > 0.1 * loud.max()))
        index = bisect_left(taken, at)
        if all(abs(at - other) >= apart for other in taken[max(index - 1, 0) : index + 1]):
            taken.insert(index, at)
    return np.asarray(taken, np.int64)


def _starts(
    mono: NDArray[np.float32], attack_places: NDArray[np.int64], speed: float, length: int, margin: int
) -> list[int]:
    """Where in the padded sound each stretch is taken from; stretch k is heard from (k - 1) hops on."""
    smooth = uniform_filter1d(mono, _COARSE)[::_COARSE].astype(np.float32)
    last = mono.size - 2 * _HOP
    places = [(int(at), round(at / speed)) for at in attack_places]
    starts: list[int] = []
    for index in range(-(-length // _HOP) + 1):
        heard = (index - 1) * _HOP
        ideal = round(heard * speed)
        low, high = ideal - _REACH, ideal + _REACH
        copied = None
        for at, due in _near(places, heard):
            if heard < due + _BODY and heard + 2 * _HOP > due - _GUARD:
                copied = at - due + heard
                break
            if heard >= due:
                low = max(low, at + min(_BODY, heard - due))
            else:
                high = min(high, at - _GUARD - 2 * _HOP)
        if copied is not None:
            start = copied
        elif not starts or low >= high:
            start = min(max(ideal, low), high) if low < high else (low if ideal < low else high)
        else:
            start = _best(mono, smooth, starts[-1] + _HOP, low + margin, high + margin) - margin
        starts.append(min(max(start + margin, 0), last) if copied is None else start + margin)
    return starts


def _near(places: list[tuple[int, int]], heard: int) -> list[tuple[int, int]]:
    reach = 8 * _HOP
    first = bisect_left(places, heard - reach, key=_due)
    return places[first : bisect_left(places, heard + reach, key=_due)]


def _due(place: tuple[int, int]) -> int:
    return place[1]


def _best(mono: NDArray[np.float32], smooth: NDArray[np.float32], goes_on: int, low: int, high: int) -> int:
    """The start from `low` to `high` whose first hop is most like the one at `goes_on`."""
    low, high = max(low, 0), min(high, mono.size - 2 * _HOP)
    coarse = _likest(smooth, goes_on // _COARSE, low // _COARSE, max(high // _COARSE, low // _COARSE), _HOP // _COARSE)
    middle = coarse * _COARSE
    return _likest(mono, goes_on, max(low, middle - _COARSE), max(min(high, middle + _COARSE), low), _HOP)


def _likest(sound: NDArray[np.float32], goes_on: int, low: int, high: int, size: int) -> int:
    pattern = sound[goes_on : goes_on + size]
    field = sound[low : high + size]
    if pattern.size < size or field.size < size:
        return low
    likeness = np.correlate(field, pattern, mode="valid")
    squares = np.concatenate([[0.0], np.cumsum(np.square(field, dtype=np.float64))])
    scale = np.sqrt(squares[size:] - squares[:-size] + 1e-9)
    return low + int(np.argmax(likeness / scale))
