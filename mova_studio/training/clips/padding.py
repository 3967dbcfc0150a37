"""Pictures of any shape laid into one size, upright ones into the same size on its side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mova_studio.training.clips.decode import Fit


def pad_to(width: int, height: int) -> Fit:
    """What fits a picture into `width` x `height`, or, if it is upright, into the two changed over, on black."""

    def fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        own_height, own_width = pixels.shape[:2]
        lying = own_width >= own_height
        size = (max(width, height), min(width, height)) if lying else (min(width, height), max(width, height))
        scale = min(size[0] / own_width, size[1] / own_height)
        inner = max(round(own_width * scale), 1), max(round(own_height * scale), 1)
        padded = np.zeros((size[1], size[0], 3), np.uint8)
        left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
        resized = Image.fromarray(pixels).resize(inner, Image.Resampling.BICUBIC)
        padded[top : top + inner[1], left : left + inner[0]] = np.asarray(resized)
        return padded

    return fit
