"""How much the picture moves, and when its motion changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONG_SIDE = 256  # pixels; flow at 640 x 352 takes 38 ms a frame, at 256 x 141 a sixth of that
# Those of OpenCV's example, which TempoTokens takes: scale and levels of the pyramid, window, rounds, neighbourhood and
# its sigma, flags.
_FARNEBACK = (0.5, 3, 15, 3, 5, 1.2, 0)
_DIRECTIONS = 8


@dataclass(frozen=True)
class Motion:
    """Motion of F pictures by optical flow (Farnebäck, "Two-Frame Motion Estimation", SCIA 2003).

    Attributes:
        speed: float64 [F], mean length of the flow that leads to each picture, in pixels of the full picture. The first
            picture has the second one's, as in the reference toolkit.
        change: float64 [F], how much the speed in eight directions differs between what leads to a picture and what
            leads from it, in the same pixels: high where things hit, start, stop or turn. 0 for the first and last.
    """

    speed: NDArray[np.float64]
    change: NDArray[np.float64]


def small_grey(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 RGB [F, H, W, 3] as luma [F, h, w], made smaller so that the longer side is 256 pixels at most."""
    import cv2

    height, width = frames.shape[1:3]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.empty((len(frames), size[1], size[0]), np.uint8)
    with _one_thread():
        for index, pixels in enumerate(frames):
            grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
            small[index] = grey if scale == 1.0 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small


def motion(grey: NDArray[np.uint8], enlarge: float = 1.0) -> Motion:
    """Follow `grey` [F, h, w] from picture to picture.

    Args:
        enlarge: how much larger the full picture is. Flow counts in its pixels.
    """
    import cv2

    count = len(grey)
    if count < 2:
        return Motion(np.zeros(count), np.zeros(count))
    speed, directed = np.zeros(count), np.zeros((count, _DIRECTIONS))
    flow = np.zeros((*grey.shape[1:], 2), np.float32)
    with _one_thread():
        for index in range(1, count):
            cv2.calcOpticalFlowFarneback(grey[index - 1], grey[index], flow, *_FARNEBACK)
            length = np.hypot(flow[..., 0], flow[..., 1])
            speed[index] = length.mean() * enlarge
            directed[index] = _by_direction(length, np.arctan2(flow[..., 1], flow[..., 0])) * enlarge
    speed[0] = speed[1]
    change = np.zeros(count)
    change[1:-1] = np.abs(np.diff(directed[1:], axis=0)).sum(axis=1)
    return Motion(speed, change)


def _by_direction(length: NDArray[np.float32], angle: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean flow length in each direction [8], each pixel shared between its two nearest ones.

    The directogram of Davis and Agrawala, "Visual Rhythm and Beat", SIGGRAPH 2018: it knows no place, so that a thing
    that goes on as before is no change.
    """
    place = (angle.ravel() + np.float32(np.pi)) * np.float32(_DIRECTIONS / (2 * np.pi))
    lower = place.astype(np.int64)
    upper_part = length.ravel() * (place - lower)
    lower_sum = np.bincount(lower % _DIRECTIONS, length.ravel() - upper_part, _DIRECTIONS)
    upper_sum = np.bincount((lower + 1) % _DIRECTIONS, upper_part, _DIRECTIONS)
    return (lower_sum + upper_sum) / length.size


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV's number of threads is the process's; its pool would fight torch's for the cores."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
