"""Times of OpenTimelineIO as exact seconds and frames."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from opentimelineio.opentime import RationalTime

from mova_studio.errors import InputError
from mova_studio.media.rate import exact_rate

_LONGEST = 10**7  # seconds, 115 days


def rate_of(time: RationalTime) -> Fraction:
    """The rate in which a time is counted; 24000/1001 for 23.976.

    Raises:
        InputError: no rate at all.
    """
    if not (math.isfinite(time.rate) and 0 < time.rate <= 10**6):
        raise InputError(f"a time in it is counted at {time.rate:g} per second; export it again.")
    return exact_rate(time.rate) if 1 <= time.rate <= 1000 else Fraction(time.rate)


def seconds_of(time: Any) -> Fraction:
    """A time in seconds.

    Raises:
        InputError: it is none, or no timeline is so long.
    """
    if not isinstance(time, RationalTime) or not math.isfinite(time.value):
        raise InputError("a time in it is no number; export it again.")
    seconds = Fraction(time.value) / rate_of(time)
    if abs(seconds) > _LONGEST:
        raise InputError(f"a time in it is {float(seconds):g} s; at most {_LONGEST} s are read.")
    return seconds


def frames_of(seconds: Fraction, rate: Fraction) -> int:
    """The nearest frame, halves rounded up."""
    return math.floor(seconds * rate + Fraction(1, 2))
