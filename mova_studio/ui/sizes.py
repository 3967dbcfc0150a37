"""Sizes and lengths as the page offers them: always ones that can be made, and said so when changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mova_studio.library.shot import SIZE_MULTIPLE, snap_num_frames, snap_side

CUSTOM = "custom"
_ASPECTS = ((16, 9), (4, 3), (1, 1), (3, 4), (9, 16))
_NAMED_ASPECTS = (*_ASPECTS, (3, 2), (2, 3), (21, 9))
# 640 x 352 is still called 16:9, 160 x 96 is 5:3.
_NEAR = 0.025
_LARGEST_TERM = 16
_LEAST_AREA = 0.75
ROUNDING_FRAMES = 0.3


def common_sizes(width: int, height: int) -> list[tuple[str, str]]:
    """(label, "WxH") of the usual shapes at about the area of a checkpoint's own size.

    The checkpoint's own size comes first in its shape; none costs more than it does.
    """
    units = (width // SIZE_MULTIPLE) * (height // SIZE_MULTIPLE)
    found: dict[str, str] = {}
    for across, down in _ASPECTS:
        if (
            (across > down) == (width > height)
            and across != down
            and abs(math.log(width / height * down / across)) < 0.1
        ):
            size = (width, height)
        elif across != down and abs(math.log(height / width * down / across)) < 0.1:
            size = (height, width)
        else:
            size = _best(units, across / down)
        found.setdefault(f"{size[0]}x{size[1]}", size_label(*size))
    own = f"{width}x{height}"
    if own not in found:
        found = {own: size_label(width, height)} | found
    return [(label, value) for value, label in found.items()]


def size_label(width: int, height: int) -> str:
    """ "640 × 352 · 16:9"; without a shape where that has neither a usual name nor small terms."""
    shape = _shape(width, height)
    return f"{width} × {height} · {shape}" if shape else f"{width} × {height}"


def _shape(width: int, height: int) -> str:
    def distance(aspect: tuple[int, int]) -> float:
        return abs(math.log(width / height * aspect[1] / aspect[0]))

    usual = min(_NAMED_ASPECTS, key=distance)
    if distance(usual) <= _NEAR:
        return f"{usual[0]}:{usual[1]}"
    common = math.gcd(width, height)
    across, down = width // common, height // common
    return f"{across}:{down}" if max(across, down) <= _LARGEST_TERM else ""


def _best(units: int, aspect: float) -> tuple[int, int]:
    sides = [
        (w, h)
        for w in range(1, units + 1)
        for h in range(max(1, math.ceil(_LEAST_AREA * units / w)), units // w + 1)
    ]  # fmt: skip
    w, h = min(sides, key=lambda side: (abs(math.log(side[0] / side[1] / aspect)), -side[0] * side[1]))
    return w * SIZE_MULTIPLE, h * SIZE_MULTIPLE


@dataclass(frozen=True)
class Settled:
    """A number as typed and as it will be used."""

    asked: float
    used: int

    @property
    def changed(self) -> bool:
        return self.asked != self.used


def settle_side(pixels: float) -> Settled:
    """A side, moved to the nearest multiple of 16."""
    return Settled(pixels, snap_side(pixels))


def settle_frames(frames: float) -> Settled:
    """A length in frames, moved to the nearest 4n + 1."""
    return Settled(frames, snap_num_frames(frames))


def settle_seconds(seconds: float, frame_rate: float) -> Settled:
    """A length in seconds as frames. What only rounds off, as 8.04 s does for 193 frames, is no change."""
    wanted = seconds * frame_rate
    used = snap_num_frames(wanted)
    return Settled(used if abs(wanted - used) < ROUNDING_FRAMES else wanted, used)


def seconds_of(frames: int, frame_rate: float) -> float:
    """The length in seconds, to the millisecond, as the page shows it."""
    return round(frames / frame_rate, 3)
