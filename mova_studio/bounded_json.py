"""JSON from strangers: read in bounded time and memory, and only if every text in it can be shown."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from mova_studio.errors import InputError

# A shot's record has under 200; a prompt may hold 20,000 brackets of its own.
MAX_MARKS = 200_000
_MARKS = "[{,"


def parse_json(text: str, name: str) -> Any:
    """The value of a JSON text.

    Args:
        name: what to call the text in an error.

    Raises:
        InputError: not whole JSON, NaN or infinity, nested or filled beyond what any record of ours is, or a text
            inside that is no Unicode.
    """
    marks = sum(text.count(mark) for mark in _MARKS)
    if marks > MAX_MARKS:
        raise InputError(f"{name} holds about {marks} values and at most {MAX_MARKS} are read; it is no file of ours.")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise InputError(f"{name} is nested too deeply; it is no file of ours.") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{name} is damaged: it holds half of a letter (a lone surrogate).") from error
    except ValueError as error:
        raise InputError(f"{name} is not whole JSON ({error}).") from error
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")
