"""Tiles of a picture: how it is cut, and which part of every layer's input one tile's result depends on.

Plain arithmetic along one axis at a time, shared by what decodes in tiles and by what predicts its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mova_studio.errors import InputError

Interval = tuple[int, int]


@dataclass(frozen=True)
class Tiling:
    """How the video VAE cuts the picture; exactly one of the two is given.

    Attributes:
        side: the longest side of a tile, in latent pixels (8 pixels of the picture each); as few tiles as that
            allows.
        count: the most tiles; of all grids with no more, the one whose tiles have the shortest edge, because the
            edge is what gets computed twice.

    Raises:
        InputError: none or both given, or less than 1.
    """

    side: int | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.side, self.count) if value is not None]
        if len(given) != 1 or given[0] < 1:
            raise InputError(
                f"Tiling has side={self.side} and count={self.count}, but takes exactly one of them, at least 1."
            )

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """(rows, columns) for a picture of `height` x `width` latent pixels; (1, 1) is no tiling."""
        if self.side is not None:
            return -(-height // self.side), -(-width // self.side)
        most = self.count or 1
        grids = [
            (rows, columns)
            for rows in range(1, min(most, height) + 1)
            for columns in range(1, min(most // rows, width) + 1)
        ]
        return min(grids, key=lambda grid: (-(-height // grid[0]) + -(-width // grid[1]), grid[0] * grid[1], grid))


def cut(size: int, parts: int) -> list[Interval]:
    """0..size as `parts` intervals whose lengths differ by at most 1."""
    return [(size * part // parts, size * (part + 1) // parts) for part in range(parts)]


@dataclass(frozen=True)
class Reach:
    """How far a layer looks along one axis of the picture.

    Attributes:
        scale: "same"; "up" doubles by repeating and then convolves; "down" pads one zero at the far end and
            convolves three wide with stride 2.
        radius: neighbours on either side, summed over the layer's convolutions ("down" has its own rule).
    """

    scale: Literal["same", "up", "down"]
    radius: int

    def after(self, position: int) -> int:
        """Where an input position, or a whole length, lies in the output."""
        return {"same": position, "up": 2 * position, "down": position // 2}[self.scale]

    def needs(self, wanted: Interval, size: int) -> Interval:
        """The least of an input of `size` from which the `wanted` outputs come out right.

        Never beyond the input: at the picture's border the layer's own zero padding is the right one.
        """
        start, stop = wanted
        if self.scale == "down":
            return 2 * start, min(2 * stop + 1, size)
        start, stop = start - self.radius, stop + self.radius
        if self.scale == "up":
            start, stop = start // 2, (stop + 1) // 2
        return max(start, 0), min(stop, size)


def needed(reaches: Sequence[Reach], size: int, wanted: Interval) -> list[Interval]:
    """What every layer must be given for the last one's output to be right within `wanted`.

    Args:
        reaches: of the layers, in the order in which they run.
        size: of the first layer's whole input.
        wanted: interval of the last layer's output.

    Returns:
        One interval of each layer's input, and `wanted` at the end.
    """
    sizes = [size]
    for reach in reaches:
        sizes.append(reach.after(sizes[-1]))
    intervals = [wanted]
    for reach, length in zip(reversed(reaches), reversed(sizes[:-1]), strict=True):
        intervals.append(reach.needs(intervals[-1], length))
    return intervals[::-1]
