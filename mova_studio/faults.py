"""What pydantic found wrong, in one sentence for the person."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ValidationError

_SHOWN = 80


def first_fault(error: ValidationError, model: type[BaseModel] | None = None, prefix: str = "") -> str:
    """The first fault: field, value and what is allowed.

    Args:
        model: what was validated, if it forbids unknown fields; one that is not known is told those that there are.
        prefix: what the field is inside of, as in "settings.".
    """
    fault = error.errors()[0]
    field = prefix + ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "extra_forbidden" and model is not None:
        known = ", ".join(_inside(model, fault["loc"][:-1]).model_fields)
        return f"the field {field!r} is not known; the fields are {known}."
    if fault["type"] == "missing":
        return f"the field {field!r} is missing."
    value = repr(fault["input"])
    value = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    what = f"{field} is {value}" if field else "the content is not an object"
    return f"{what}, but {fault['msg'][:1].lower()}{fault['msg'][1:]}."


def _inside(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of the object at a place, through fields that hold a model or None."""
    for name in place:
        kind = model.model_fields[str(name)].annotation
        model = next(each for each in (kind, *get_args(kind)) if isinstance(each, type) and issubclass(each, BaseModel))
    return model
