"""Stretches of a take in which the picture stands still or is black, or the sound is silent or cut off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Spans = tuple[tuple[float, float], ...]  # (start, length), both in seconds

FREEZE_SECONDS = 0.5
BLACK_SECONDS = 0.1  # a single dark picture is a cut or the start of a fade
SILENCE_SECONDS = 0.5
_STILL_LEVELS = 2.0  # of 255, in any block of 8 x 8 pixels: what a video codec changes in a picture that stands still
_BLOCK = 8
# ffmpeg's blackdetect: 98 % of the pixels below a tenth of full luma.
_BLACK_LUMA = 0.1 * 255
_BLACK_SHARE = 0.98
_SILENT_PEAK = 10 ** (-60 / 20)
_FULL_SCALE = 32767 / 32768  # the greatest value of 16 bits
_CLIPPED_RUN = 3


def freezes(grey: NDArray[np.uint8], frame_rate: float) -> Spans:
    """Where pictures `grey` [F, h, w] stay like the first of them for half a second or longer."""
    blocks = _block_means(grey)
    spans, begin = [], 0
    for index in range(1, len(blocks) + 1):
        if index == len(blocks) or np.abs(blocks[index] - blocks[begin]).max() > _STILL_LEVELS:
            if index - begin > 1:
                spans.append((begin, index))
            begin = index
    return _in_seconds(np.asarray(spans, dtype=np.int64).reshape(-1, 2), frame_rate, FREEZE_SECONDS)


def blacks(grey: NDArray[np.uint8], frame_rate: float) -> Spans:
    """Where pictures `grey` [F, h, w] are black for a tenth of a second or longer."""
    return _in_seconds(_runs((grey < _BLACK_LUMA).mean(axis=(1, 2)) >= _BLACK_SHARE), frame_rate, BLACK_SECONDS)


def silences(channels: NDArray[np.float32], sample_rate: int) -> Spans:
    """Where no sample of float32 [channels, n] reaches -60 dB below full scale for half a second or longer."""
    return _in_seconds(_runs(np.abs(channels).max(axis=0) < _SILENT_PEAK), sample_rate, SILENCE_SECONDS)


def clipped_samples(channels: NDArray[np.float32]) -> int:
    """How many samples of float32 [channels, n] lie in runs of three or more at full scale, channels added up."""
    lengths = [np.diff(_runs(np.abs(channel) >= _FULL_SCALE), axis=1) for channel in channels]
    return sum(int(length[length >= _CLIPPED_RUN].sum()) for length in lengths)


def _block_means(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    sums, area = grey, np.ones((1, 1), np.float32)
    for axis in (1, 2):
        starts = np.arange(0, grey.shape[axis], _BLOCK)
        sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.uint32)
        sides = np.diff(starts, append=grey.shape[axis]).astype(np.float32)
        area = area * (sides[:, None] if axis == 1 else sides)
    return sums.astype(np.float32) / area


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First and one past the last index of every run of True, [runs, 2]."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges.reshape(-1, 2)


def _in_seconds(runs: NDArray[np.int64], rate: float, least: float) -> Spans:
    # In floating point, 0.1 s at 30 a second is a little more than 3 frames.
    long = runs[np.diff(runs, axis=1)[:, 0] >= least * rate - 1e-3]
    return tuple((round(float(begin / rate), 6), round(float((end - begin) / rate), 6)) for begin, end in long)
