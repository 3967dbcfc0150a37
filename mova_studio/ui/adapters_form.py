"""Adapters of a shot in the form: a list that `adapters.js` draws, and the hidden text that it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from mova_studio.adapter_use import PARTS, AdapterUse
from mova_studio.errors import InputError
from mova_studio.jobs.adapters import read_uses, shelf
from mova_studio.network.adapter_shelf import InstalledAdapter
from mova_studio.ui.catalogue import say
from mova_studio.ui.translated import translate

NONE = "[]"
EDITOR_JS = "window.movaAdapters.attach(element, watch);"
SHOW_JS = "(text) => { window.movaAdapters.show(text); }"
_WORDS = ("label", "add", "none", "models", "strength", "mixed", "details", "remove", "gone", "from", "until")


def editor(language: str, entries: Sequence[tuple[InstalledAdapter, str]]) -> str:
    """The frame of the list: what is installed, with why it does not fit, and the words that the script says."""
    known = [
        {"name": entry.name, "digest": entry.digest, "parts": list(entry.parts), "misfit": translate(language, fault)}
        for entry, fault in entries
    ]
    words = {f"shot.{name}": say(language, f"adapters.shot.{name}") for name in _WORDS}
    words |= {f"part.{part}": say(language, f"adapters.part.{part}") for part in PARTS}
    data = {name: escape(json.dumps(value, ensure_ascii=False)) for name, value in (("k", known), ("w", words))}
    return f'<div class="m-adapters" data-known="{data["k"]}" data-words="{data["w"]}"></div>'


def text_of(uses: Sequence[AdapterUse]) -> str:
    """The field's text for adapters of a shot."""
    return json.dumps([use.to_dict() for use in uses], ensure_ascii=False)


def uses_of(text: Any) -> tuple[AdapterUse, ...]:
    """The inverse of `text_of`, for a text that a browser sends.

    Raises:
        InputError: it is damaged, or a number is out of its range.
    """
    try:
        said = json.loads(str(text or NONE))
    except ValueError as error:
        raise InputError("The list of adapters cannot be read; reload the page.", field="adapters") from error
    return read_uses(said if isinstance(said, list) else [said])


def words_of(language: str, use: AdapterUse) -> str:
    """ "style 0.8", "style high-noise expert 1, audio tower 0.5 · 0–0.4"."""
    strengths = {part: getattr(use, part) for part in PARTS if getattr(use, part)}
    # One number is enough where it does not hide that an expert goes without.
    if len(set(strengths.values())) == 1 and {"high", "low"} <= set(strengths):
        told = f"{next(iter(strengths.values())):g}"
    else:
        told = ", ".join(f"{say(language, f'adapters.part.{part}')} {value:g}" for part, value in strengths.items())
    steps = "" if (use.start, use.stop) == (0, 1) else f" · {use.start:g}–{use.stop:g}"
    return f"{use.name} {told or 0}{steps}"


def restored_lines(language: str, uses: Sequence[AdapterUse]) -> list[str]:
    """What is said of adapters that come back into the form, those that are not here by name."""
    if not uses:
        return []
    here = {entry.digest for entry in shelf().entries()}
    lines = [say(language, "adapters.restored", names="; ".join(words_of(language, use) for use in uses))]
    return lines + [say(language, "adapters.missing", name=use.name) for use in uses if use.digest not in here]
