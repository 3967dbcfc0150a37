"""What no value of a timeline may be."""

from __future__ import annotations

import math

from mova_studio.errors import InputError

MIN_SIDE, MAX_SIDE = 16, 8192
MIN_GAIN_DB, MAX_GAIN_DB = -60.0, 24.0
MAX_TEXT = 1000
MAX_NAME = 200


def check_film_size(width: int, height: int) -> None:
    """Sides of a film: even, because H.264 stores colour for every second pixel.

    Raises:
        InputError: a side is odd, or out of range; it offers the nearest.
    """
    for side, value in (("width", width), ("height", height)):
        if not MIN_SIDE <= value <= MAX_SIDE or value % 2:
            nearest = min(max(value - value % 2, MIN_SIDE), MAX_SIDE)
            raise InputError(
                f"A film {value} pixels {'wide' if side == 'width' else 'high'} cannot be written; use an even number "
                f"from {MIN_SIDE} to {MAX_SIDE}, for example {nearest}.",
                field="size",
            )


def check_id(value: str, field: str) -> None:
    if not (0 < len(value) <= 40 and value.isascii() and value.isalnum()):
        raise InputError(f"{field} is {value[:60]!r}, but must be 1 to 40 letters and digits.", field=field)


def check_text(value: str, field: str, most: int) -> None:
    if len(value) > most:
        raise InputError(f"{field} has {len(value)} characters; {most} are the most.", field=field)
    check_utf8(value, field)


def check_utf8(value: str, field: str) -> None:
    """Raises:
    InputError: a sign of it cannot be written into a file, as half of a pair in JSON or an undecodable file name.
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = value.encode("utf-8", "replace").decode("utf-8")[:60]
        raise InputError(
            f"{field} is {shown!r} and has signs that cannot be stored; rename it.", field=field
        ) from error


def check_range(field: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{field} is {value:g}, but must be {low:g} to {high:g}.", field=field)


def check_unique(names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two {what}s are called {twice!r}; each needs a name of its own.", field=f"{what}_id")
