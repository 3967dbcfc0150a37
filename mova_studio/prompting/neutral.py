"""Sentences of the composer's own, which say nothing but where they stand; the checker knows them."""

from __future__ import annotations

import re

OPENING = {"en": "The shot opens on the first frame.", "zh": "画面从首帧开始。"}
SOUND = {"en": "The sound follows what is seen.", "zh": "声音与画面相合。"}
_SOUND_OF = re.compile(r"The sound of (?=\w)|听得到(?=.{1,40}。)|Text in the frame reads|画面中写着")


def own_tongue(language: str) -> str:
    """The language in which the composer speaks beside a prompt of `language`."""
    return "zh" if language == "zh" else "en"


def sounds_sentence(sounds: tuple[str, ...], tongue: str) -> str:
    """One sentence that names the given sounds, or none in particular if there are none."""
    if not sounds:
        return SOUND[tongue]
    *others, last = sounds
    if tongue == "zh":
        return f"听得到{'、'.join(others)}{'和' if others else ''}{last}。"
    return f"The sound of {', '.join(others)}{' and ' if others else ''}{last}."


def without_own(text: str) -> str:
    """`text` without the composer's own sentences."""
    for sentence in (*OPENING.values(), *SOUND.values()):
        text = text.replace(sentence, " ")
    return _SOUND_OF.sub(" ", text)
