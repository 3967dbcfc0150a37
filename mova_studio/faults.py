"""What pydantic found wrong, in one sentence for the person."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

_SHOWN = 80


def first_fault(error: ValidationError, known: Iterable[str] = (), prefix: str = "") -> str:
    """The first fault: field, value and what is allowed.

    Args:
        known: the fields that there are, for one that is not.
        prefix: what the field is inside of, as in "settings.".
    """
    fault = error.errors()[0]
    field = prefix + ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "extra_forbidden":
        return f"the field {field!r} is not known; the fields are {', '.join(known)}."
    if fault["type"] == "missing":
        return f"the field {field!r} is missing."
    value = repr(fault["input"])
    value = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    what = f"{field} is {value}" if field else "the content is not an object"
    return f"{what}, but {fault['msg'][:1].lower()}{fault['msg'][1:]}."
