"""From what stands in the fields of scouting to axes and a share, or to an error that names the value."""

from __future__ import annotations

from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.scouting import Axis
from mova_studio.ui.catalogue import say
from mova_studio.ui.reading import optional_number
from mova_studio.ui.scout_form import NO_SETTING, SETTING_LABELS

COUNTS = (2, 16)
SHARES = (10, 50)
GRID_SHARES = (1, 100)
_WHOLE = ("seed", "num_inference_steps")
_LINES = ("prompt", "negative_prompt")
_WORDS = ("step_cache",)


def read_scout_count(value: Any, language: str) -> int:
    """How many seeds; a whole number from 2 to 16."""
    number, (least, most) = optional_number(value), COUNTS
    if number is None or number != int(number) or not least <= number <= most:
        raise InputError(say(language, "scout.count.wrong", value=str(value)[:20], least=least, most=most))
    return int(number)


def read_share(value: Any, limits: tuple[int, int], language: str) -> float:
    """A share of the steps, from per cent to a fraction."""
    number, (least, most) = optional_number(value), limits
    if number is None or not least <= number <= most:
        raise InputError(say(language, "scout.share.wrong", value=str(value)[:20], least=least, most=most))
    return number / 100


def read_axes(settings: tuple[Any, Any], texts: tuple[Any, Any], language: str) -> list[Axis]:
    """One axis, or two where a second setting is chosen.

    Raises:
        InputError: a value cannot be read, is there twice, or there is none.
    """
    chosen = [
        (str(setting), str(text or ""))
        for setting, text in zip(settings, texts, strict=True)
        if setting not in (None, NO_SETTING)
    ]
    return [read_axis(setting, text, language) for setting, text in chosen]


def read_axis(setting: str, text: str, language: str) -> Axis:
    """The values of one setting: one a line for prompts, else by commas or lines.

    Raises:
        InputError: there is none, one cannot be read or is there twice, or the setting cannot be varied.
    """
    if setting not in SETTING_LABELS:
        return Axis(setting, (text,))
    if setting not in _LINES:
        for comma in (",", "，", "、", ";"):
            text = text.replace(comma, "\n")
    words = [line.strip() for line in text.splitlines() if line.strip()]
    name = say(language, SETTING_LABELS[setting])
    if not words:
        raise InputError(say(language, "grid.empty", name=name))
    if setting in (*_LINES, *_WORDS):
        return Axis(setting, tuple(words))
    return Axis(setting, tuple(_number(setting, word, name, language) for word in words))


def _number(setting: str, word: str, name: str, language: str) -> float | int:
    """A seed is read as a whole number at once: as a float its last digits would be lost."""
    try:
        return int(word) if setting in _WHOLE else float(word)
    except ValueError as error:
        raise InputError(say(language, "grid.number", value=word[:40], name=name)) from error
