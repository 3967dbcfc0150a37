"""Frame rates as exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

from mova_studio.errors import InputError

_NTSC_REACH = 0.005  # 23.98, 29.97 and 59.94 are how people write 24000/1001 and its like
_MAX_DENOMINATOR = 1000


def exact_rate(frame_rate: float) -> Fraction:
    """`frame_rate` as the fraction that is meant: 24000/1001 for 23.976 or 23.98, 25/2 for 12.5.

    Raises:
        InputError: not a number from 1 to 1000.
    """
    if not (math.isfinite(frame_rate) and 1 <= frame_rate <= 1000):
        raise InputError(f"{frame_rate} frames per second cannot be written; give 1 to 1000.", field="frame_rate")
    plain = Fraction(frame_rate).limit_denominator(_MAX_DENOMINATOR)
    ntsc = Fraction(round(frame_rate * 1.001) * 1000, 1001)
    near = plain.denominator != 1 and ntsc >= 23 and abs(float(ntsc) - frame_rate) < _NTSC_REACH
    return ntsc if near else plain
