"""Wildcards: `{red|blue} car` stands for two prompts.

They may be nested; `\\{`, `\\|` and `\\}` stand for themselves, and so do braces without a bar between them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mova_studio.errors import InputError

MAX_DEPTH = 20
_MARKS = re.compile(r"\\[{|}]|[{|}]")


@dataclass(frozen=True)
class _Choice:
    options: tuple[_Sequence, ...]


_Sequence = tuple["str | _Choice", ...]


def expand(text: str, seed: int) -> str:
    """`text` with one option of each wildcard; the same for the same seed.

    Raises:
        InputError: wildcards are nested more than 20 deep.
    """
    draw = random.Random(seed)  # noqa: S311 (no secret)

    def told(parts: _Sequence) -> str:
        return "".join(part if isinstance(part, str) else told(draw.choice(part.options)) for part in parts)

    return told(_parse(text))


def all_of(text: str, limit: int) -> list[str]:
    """Every text that `text` stands for, the last wildcard changing first; at most `limit` of them.

    Raises:
        InputError: wildcards are nested more than 20 deep, or `limit` is below 1.
    """
    if limit < 1:
        raise InputError(f"At most {limit} prompts are asked for; ask for 1 or more.", field="prompt")
    return list(islice(_told(_parse(text)), limit))


def batch(lines: str, limit: int = 1) -> list[str]:
    """The prompts of a text with one on each line.

    Args:
        limit: how many prompts a line with wildcards may become; 1 leaves wildcards as they are written.

    Raises:
        InputError: there is none, or as `all_of`.
    """
    prompts = [line.strip() for line in lines.splitlines() if line.strip()]
    if not prompts:
        raise InputError("There is no prompt in it; write one on each line.", field="prompt")
    return prompts if limit == 1 else [each for prompt in prompts for each in all_of(prompt, limit)]


def _told(parts: _Sequence) -> Iterator[str]:
    if not parts:
        yield ""
        return
    first, rest = parts[0], parts[1:]
    heads = [first] if isinstance(first, str) else (told for option in first.options for told in _told(option))
    for head in heads:
        for tail in _told(rest):
            yield head + tail


def _parse(text: str) -> _Sequence:
    """The parts of a text; a stack holds what is open, each with its options so far."""
    open_: list[list[list[str | _Choice]]] = [[[]]]
    at = 0
    for mark in _MARKS.finditer(text):
        options = open_[-1]
        options[-1].append(text[at : mark.start()])
        at = mark.end()
        if len(mark[0]) == 2:
            options[-1].append(mark[0][1])
        elif mark[0] == "{":
            open_.append([[]])
            if len(open_) > MAX_DEPTH + 1:
                raise InputError(f"Wildcards are nested more than {MAX_DEPTH} deep; untangle them.", field="prompt")
        elif mark[0] == "|" and len(open_) > 1:
            options.append([])
        elif mark[0] == "}" and len(open_) > 1:
            open_.pop()
            made = [_Choice(tuple(map(tuple, options)))] if len(options) > 1 else ["{", *options[0], "}"]
            open_[-1][-1] += made
        else:
            options[-1].append(mark[0])
    open_[-1][-1].append(text[at:])
    while len(open_) > 1:
        options = open_.pop()
        literal: list[str | _Choice] = ["{"]
        for number, option in enumerate(options):
            literal += (["|"] if number else []) + option
        open_[-1][-1] += literal
    return tuple(part for part in open_[0][0] if part != "")
