"""The checker: does a rewritten prompt keep what the person said, and MOVA's form?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from mova_studio.prompting import model
from mova_studio.prompting.dialogue_rules import dialogue_findings
from mova_studio.prompting.form_rules import (
    language_findings,
    length_findings,
    opening_findings,
    sound_findings,
    talk_findings,
)
from mova_studio.prompting.languages import language_of
from mova_studio.prompting.model import Finding, FrameDescription
from mova_studio.prompting.reading import Prompt, read_prompt


def check(
    original: str,
    rewritten: str,
    frame: FrameDescription | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> tuple[Finding, ...]:
    """Every rule that `rewritten` breaks as a rewrite of `original`; () if none.

    Args:
        original: the person's own words, which are never judged.
        rewritten: the answer of a backend.
        frame: the description of the first frame that the rewrite was made with.
        count_tokens: tokens of a text by the checkpoint's tokenizer; None leaves that rule out.
    """
    if not language_of(rewritten) and not any(char.isalnum() for char in rewritten):
        return (Finding(model.EMPTY, "The answer is empty."),)
    old, new = read_prompt(original), read_prompt(rewritten)
    found = dialogue_findings(old, new, frame)
    found += talk_findings(old, new)
    found += language_findings(old, new, frame)
    found += opening_findings(old, new, frame)
    found += sound_findings(new)
    found += _motion_findings(old, new)
    found += length_findings(new, count_tokens)
    return tuple(found)


def advise(
    prompt: str,
    frame: FrameDescription | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> tuple[Finding, ...]:
    """What would bring a hand-written prompt nearer to what MOVA was trained on; every finding is a warning.

    The person's words of stillness and moves of the camera are theirs and are not spoken of.
    """
    if not prompt.strip():
        return (Finding(model.EMPTY, "The prompt is empty.", warning=True),)
    read = read_prompt(prompt)
    found = opening_findings(read, read, frame) + sound_findings(read) + length_findings(read, count_tokens)
    return tuple(dataclasses.replace(finding, warning=True) for finding in found)


def _motion_findings(original: Prompt, rewritten: Prompt) -> list[Finding]:
    own = " ".join(original.narration.lower().split())
    said = {" ".join(words.lower().split()) for words in original.stillness}
    still = tuple(
        words
        for words in rewritten.stillness
        if " ".join(words.lower().split()) not in said and words.lower() not in own
    )
    found = []
    if still:
        found.append(Finding(model.STILLNESS_ADDED, f"Words of stillness were added: {', '.join(still)}.", still))
    asked = {move.kind for move in original.camera_moves}
    moves = [move for move in rewritten.camera_moves if move.kind not in asked]
    if asked:
        moves = [move for move in moves if move.kind != "move"]
    words = tuple(dict.fromkeys(move.words for move in moves if move.words.lower() not in own))
    if words:
        found.append(Finding(model.CAMERA_ADDED, f"Moves of the camera were added: {', '.join(words)}.", words))
    return found
