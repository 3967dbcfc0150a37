"""Sizes and lengths that clips are brought to, so that a batch has clips of one kind."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.framing import crop_box
from mova_studio.training.clips.decode import Fit

_SIDE, _STEP = 16, 4


@dataclass(frozen=True, order=True)
class Bucket:
    """One kind of clip.

    Attributes:
        width, height: pixels, multiples of 16.
        num_frames: 4n + 1.

    Raises:
        InputError: another number.
    """

    width: int
    height: int
    num_frames: int

    def __post_init__(self) -> None:
        if self.width < _SIDE or self.height < _SIDE or self.width % _SIDE or self.height % _SIDE:
            raise InputError(
                f"Clips of {self.width}x{self.height} cannot be trained on; both sides must be multiples of {_SIDE}, "
                f"such as 640x352.",
                field="size",
            )
        if self.num_frames < 1 or self.num_frames % _STEP != 1:
            lower = max((self.num_frames - 1) // _STEP * _STEP + 1, 1)
            raise InputError(
                f"Clips of {self.num_frames} frames cannot be trained on; take {lower} or {lower + _STEP} (4n + 1).",
                field="num_frames",
            )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}x{self.num_frames}"


def parse_bucket(text: str) -> Bucket:
    """ "640x352x193": width, height, frames.

    Raises:
        InputError: another form, or a size or length that cannot be.
    """
    parts = re.fullmatch(r"\s*(\d{1,5})[x×](\d{1,5})[x×](\d{1,6})\s*", text)
    if parts is None:
        raise InputError(
            f"{text[:40]!r} is no kind of clip; give width, height and frames such as 640x352x193.", field="size"
        )
    return Bucket(*map(int, parts.groups()))


def choose_size(width: int, height: int, buckets: Collection[Bucket]) -> tuple[int, int]:
    """The size whose aspect is nearest to that of a picture; of several the largest that need not enlarge it."""

    def distance(size: tuple[int, int]) -> tuple[float, bool, int]:
        area, own = size[0] * size[1], width * height
        apart = abs(math.log(size[0] / size[1] * height / width))
        return round(apart, 2), area > own, abs(area - own)

    return min(sorted({(bucket.width, bucket.height) for bucket in buckets}), key=distance)


def choose(size: tuple[int, int], num_frames: int, buckets: Collection[Bucket]) -> Bucket:
    """The longest bucket of a size that a clip of `num_frames` fills.

    Raises:
        InputError: the clip is shorter than all of them.
    """
    lengths = sorted(bucket.num_frames for bucket in buckets if (bucket.width, bucket.height) == size)
    filled = [length for length in lengths if length <= num_frames]
    if not filled:
        raise InputError(
            f"It has {num_frames} {'frame' if num_frames == 1 else 'frames'} at 24 a second, and the shortest kind of "
            f"clip has {lengths[0]}; take a longer clip, or add a shorter kind."
        )
    return Bucket(*size, filled[-1])


def fit_to(buckets: Collection[Bucket]) -> Fit:
    """What brings a picture to the nearest size of `buckets`: centre crop to the aspect, bilinear (MODEL.md 12)."""

    def fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        size = choose_size(width, height, buckets)
        if size == (width, height):
            return pixels
        cropped = Image.fromarray(pixels).crop(crop_box((width, height), *size))
        return np.asarray(cropped.resize(size, Image.Resampling.BILINEAR))

    return fit


def as_video(frames: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 [F, H, W, 3] as float32 [3, F, H, W] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2).float() / 127.5 - 1
