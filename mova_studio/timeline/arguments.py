"""Values of a command as they come from a browser or a program, checked before anything is done with them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from mova_studio.errors import InputError
from mova_studio.media.rate import exact_rate

MAX_WHOLE = 2**53  # the whole numbers of a browser
MAX_SHOWN = 60
# Signs that no file in UTF-8 can hold among them; line feeds and tabs stay.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Arguments:
    """The named values of one command.

    Args:
        values: what came, of any type.
        known: the names that the command takes.

    Raises:
        InputError: no object, or it has a name that is not taken.
    """

    def __init__(self, values: Any, known: Iterable[str]) -> None:
        if not isinstance(values, dict):
            raise InputError(f"The values of a command must be an object, but are {_shown(values)}.", field="args")
        names = tuple(known)
        for name in values:
            if name not in names:
                taken = f"{', '.join(names)} are" if names else "nothing is"
                raise InputError(f"{_shown(name)} is not known here; {taken} taken.", field=str(name)[:MAX_SHOWN])
        self._values = values

    def has(self, name: str) -> bool:
        """Whether a value was given; null is none."""
        return self._values.get(name) is not None

    def given(self) -> list[str]:
        """The names that came, also with null."""
        return list(self._values)

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self._value(name)
        exact = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not exact or abs(value) > MAX_WHOLE:
            raise InputError(f"{name} is {_shown(value)}, but must be a whole number.", field=name)
        return int(value)

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_WHOLE or value != value:
            raise InputError(f"{name} is {_shown(value)}, but must be a number.", field=name)
        return float(value)

    def text(self, name: str, most: int = 1000) -> str:
        """Words; line ends are alike on every system, and other control characters are left out."""
        value = self._value(name)
        if not isinstance(value, str):
            raise InputError(f"{name} is {_shown(value)}, but must be a text.", field=name)
        if len(value) > most:
            raise InputError(f"{name} has {len(value)} characters; {most} are the most.", field=name)
        lines = value.replace("\r\n", "\n").replace("\r", "\n")
        return _CONTROLS.sub("", lines)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise InputError(f"{name} is {_shown(value)}, but must be true or false.", field=name)
        return value

    def rate(self, name: str) -> Fraction:
        """Frames per second, as a number or as [numerator, denominator]."""
        value = self._value(name)
        if isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value):
            if value[1] == 0 or max(map(abs, value)) > MAX_WHOLE:
                raise InputError(f"{name} is {_shown(value)}, and cannot be divided.", field=name)
            return Fraction(*value)
        number = self.number(name)
        return exact_rate(number) if math.isfinite(number) else Fraction(0)

    def list(self, name: str, most: int) -> list[Any]:
        """A list of anything."""
        value = self._value(name)
        if not isinstance(value, list):
            raise InputError(f"{name} is {_shown(value)}, but must be a list.", field=name)
        if len(value) > most:
            raise InputError(f"{name} has {len(value)} entries; {most} are the most.", field=name)
        return value

    def _value(self, name: str) -> Any:
        if not self.has(name):
            raise InputError(f"{name} is missing.", field=name)
        return self._values[name]


def _shown(value: Any) -> str:
    """A value for a sentence; a long one is cut, and none is turned into text as a whole."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        return "a number that is too large"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
