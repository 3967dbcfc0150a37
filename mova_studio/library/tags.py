"""Words that a person puts on takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from mova_studio.errors import InputError
from mova_studio.library.shots import fold

MAX_TAGS = 20
MAX_TAG_CHARACTERS = 40


def clean_tags(tags: Iterable[str]) -> dict[str, str]:
    """Tags by their folded form.

    Raises:
        InputError: more than 20, or one of more than 40 characters.
    """
    cleaned: dict[str, str] = {}
    for tag in tags:
        shown = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", tag))
        words = " ".join(shown.split())
        if len(words) > MAX_TAG_CHARACTERS:
            raise InputError(
                f"The tag {words[:60]!r} has {len(words)} characters; at most {MAX_TAG_CHARACTERS} are kept.",
                field="tags",
            )
        if words:
            cleaned.setdefault(fold(words), words)
    if len(cleaned) > MAX_TAGS:
        raise InputError(f"{len(cleaned)} tags are too many for a take; at most {MAX_TAGS} are kept.", field="tags")
    return cleaned
