"""Where a film cuts from one scene to the next."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mova_studio.training.clips.decode import FRAME_RATE

_LONG_SIDE = 256


def scene_starts(pictures: Iterable[NDArray[np.uint8]]) -> tuple[list[int], int]:
    """The first pictures of all scenes, 0 among them, and how many pictures there are.

    PySceneDetect's adaptive detector: colour and light change by more than three times what they do around the place,
    so that a camera that moves quickly is no cut.

    Args:
        pictures: uint8 RGB [H, W, 3] each, at 24 a second.
    """
    import cv2
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    detector = AdaptiveDetector()
    starts, count = [0], 0
    for pixels in pictures:
        scale = min(1.0, _LONG_SIDE / max(pixels.shape[:2]))
        size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
        found = detector.process_frame(FrameTimecode(count, float(FRAME_RATE)), small)
        starts += [cut.frame_num for cut in found]
        count += 1
    return starts, count
