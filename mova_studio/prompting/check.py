"""The checker: does a rewritten prompt keep what the person said, and MOVA's form?"""

from __future__ import annotations

from collections.abc import Callable

from mova_studio.prompting.model import EMPTY, Finding, FrameDescription


def check(
    original: str,
    rewritten: str,
    frame: FrameDescription | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> tuple[Finding, ...]:
    """Every rule that `rewritten` breaks as a rewrite of `original`; () if none."""
    if not rewritten.strip():
        return (Finding(EMPTY, "The answer is empty."),)
    return ()


def advise(
    prompt: str,
    frame: FrameDescription | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> tuple[Finding, ...]:
    """What would make a hand-written prompt more like what MOVA was trained on; warnings all."""
    return ()
