"""The workflow: describe the frame, rewrite the prompt, check; what is wrong goes back to the model, twice at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mova_studio.errors import AnswerError, Cancelled, InputError
from mova_studio.prompting.backend import Asked, Backend
from mova_studio.prompting.check import check
from mova_studio.prompting.instructions import of_no_use
from mova_studio.prompting.model import Finding, FrameDescription

MAX_ATTEMPTS = 3
Event = dict[str, Any]


@dataclass(frozen=True)
class Enhanced:
    """A prompt before and after.

    Attributes:
        original: as the person wrote it.
        frame: what the first frame shows; None where nobody could say.
        rewritten: the best of the attempts: the one with the fewest faults.
        checks: what is still wrong with it; () if nothing is.
        backend: name of what wrote it.
        attempts: how often it was written.
    """

    original: str
    frame: FrameDescription | None
    rewritten: str
    checks: tuple[Finding, ...]
    backend: str
    attempts: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "original": self.original,
            "frame": None if self.frame is None else self.frame.to_dict(),
            "rewritten": self.rewritten,
            "checks": [finding.to_dict() for finding in self.checks],
            "backend": self.backend,
            "attempts": self.attempts,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Enhanced:
        """The inverse of `to_dict`."""
        checks = tuple(Finding(**found | {"words": tuple(found["words"])}) for found in values["checks"])
        frame = None if values["frame"] is None else FrameDescription.from_dict(values["frame"])
        return cls(**values | {"checks": checks, "frame": frame})


def enhance(
    backend: Backend,
    prompt: str,
    png: bytes | None = None,
    *,
    frame: FrameDescription | None = None,
    count_tokens: Callable[[str], int] | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    cancelled: Asked = lambda: False,
) -> Enhanced:
    """Rewrite a prompt for MOVA.

    Args:
        png: the first frame, as a picture file's bytes.
        frame: what it shows, where that is known; nothing is described then.
        count_tokens: of the checkpoint's own tokenizer.
        on_event: told {"kind": "text", "stage": "describe" | "rewrite", "attempt", "text"} with the answer so far,
            {"kind": "described", "frame"}, {"kind": "checked", "attempt", "rewritten", "checks"} and, for what was
            loaded, {"kind": "note", "text"}.
        cancelled: asked several times a second.

    Raises:
        InputError: the prompt is empty, or the picture is none.
        BackendError: the model is not there, refuses, or cannot see.
        AnswerError: none of its answers was of use.
        Cancelled: `cancelled()` said so.
    """
    if not prompt.strip():
        raise InputError("The prompt is empty; write the scene and its sound in your own words first.", field="prompt")
    if frame is None:
        frame = _described(backend, png, prompt, on_event, cancelled)
        on_event({"kind": "described", "frame": None if frame is None else frame.to_dict()})
    best: tuple[int, str, tuple[Finding, ...]] | None = None
    feedback: tuple[Finding, ...] = ()
    trouble: AnswerError | None = None
    attempt = 0
    while attempt < MAX_ATTEMPTS and (attempt == 0 or feedback):
        attempt += 1
        try:
            rewritten = backend.rewrite(
                prompt, frame, feedback, partial(_text, on_event, "rewrite", attempt), cancelled
            )
        except AnswerError as error:
            trouble, feedback = error, (of_no_use(error),)
            continue
        if cancelled():
            raise Cancelled
        if attempt == 1 and backend.note:
            on_event({"kind": "note", "text": backend.note})
        checks = check(prompt, rewritten, frame, count_tokens)
        on_event(
            {"kind": "checked", "attempt": attempt, "rewritten": rewritten, "checks": [c.to_dict() for c in checks]}
        )
        feedback = tuple(finding for finding in checks if not finding.warning)
        if best is None or len(feedback) <= best[0]:
            best = len(feedback), rewritten, checks
        if backend.name == "composer":
            break
    if best is None:
        assert trouble is not None
        raise trouble
    return Enhanced(prompt, frame, best[1], best[2], backend.name, attempt)


def _described(
    backend: Backend, png: bytes | None, prompt: str, on_event: Callable[[Event], None], cancelled: Asked
) -> FrameDescription | None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            said = backend.describe_frame(png, prompt, partial(_text, on_event, "describe", attempt), cancelled)
            return None if said.empty else said
        except AnswerError:
            if attempt == MAX_ATTEMPTS:
                raise
    return None


def _text(on_event: Callable[[Event], None], stage: str, attempt: int, text: str) -> None:
    on_event({"kind": "text", "stage": stage, "attempt": attempt, "text": text})
