"""What describes a first frame and rewrites a prompt: one protocol for models, servers and the built-in composer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from mova_studio.errors import BackendError
from mova_studio.prompting.composer import compose
from mova_studio.prompting.instructions import (
    DESCRIBE,
    REWRITE,
    describing,
    parse_description,
    parse_rewrite,
    rewriting,
)
from mova_studio.prompting.model import Finding, FrameDescription

OnText = Callable[[str], None]
"""Told the whole answer so far, each time there is more of it; a new try begins again from its own start."""
Asked = Callable[[], bool]
MAX_CHARACTERS = 20_000


class Backend(Protocol):
    """Describes frames and rewrites prompts.

    Attributes:
        name: "composer", "server:NAME" or "local:ID"; kept in the take's record.
        can_see: whether it takes pictures; where that is not known, True.
        note: how it was made ready, in a sentence, once it was; "" where there is nothing to say.
    """

    @property
    def name(self) -> str: ...

    @property
    def can_see(self) -> bool: ...

    @property
    def note(self) -> str: ...

    def describe_frame(self, png: bytes | None, prompt: str, on_text: OnText, cancelled: Asked) -> FrameDescription:
        """What the first frame shows; without a picture, what it should show by the prompt's words.

        Raises:
            BackendError: it is not there, refuses, or cannot see.
            AnswerError: the answer is of no use.
            Cancelled: `cancelled()` said so.
        """

    def rewrite(
        self,
        prompt: str,
        frame: FrameDescription | None,
        feedback: Sequence[Finding],
        on_text: OnText,
        cancelled: Asked,
    ) -> str:
        """The prompt in MOVA's form.

        Args:
            frame: what the first frame shows.
            feedback: what was wrong with the last answer; () at the first try.

        Raises:
            as `describe_frame`.
        """

    def close(self) -> None:
        """Give all memory back."""


class ComposerBackend:
    """The built-in rewriter. It cannot see, and says nothing of a frame that nobody described."""

    name = "composer"
    can_see = False
    note = ""

    def describe_frame(self, png: bytes | None, prompt: str, on_text: OnText, cancelled: Asked) -> FrameDescription:
        return FrameDescription()

    def rewrite(
        self,
        prompt: str,
        frame: FrameDescription | None,
        feedback: Sequence[Finding],
        on_text: OnText,
        cancelled: Asked,
    ) -> str:
        composed = compose(prompt, frame)
        on_text(composed)
        return composed

    def close(self) -> None:
        pass


class ChatBackend(ABC):
    """A backend that is a model which answers a system text and a request."""

    name: str
    can_see: bool
    note = ""

    @abstractmethod
    def answer(self, system: str, request: str, png: bytes | None, on_text: OnText, cancelled: Asked) -> str:
        """The model's whole answer as it came.

        Raises:
            BackendError, AnswerError, Cancelled: as `Backend.describe_frame`.
        """

    def describe_frame(self, png: bytes | None, prompt: str, on_text: OnText, cancelled: Asked) -> FrameDescription:
        if png is not None and not self.can_see:
            raise cannot_see(self.name)
        request = describing(prompt, seen=png is not None)
        return parse_description(self.answer(DESCRIBE, request, png, on_text, cancelled))

    def rewrite(
        self,
        prompt: str,
        frame: FrameDescription | None,
        feedback: Sequence[Finding],
        on_text: OnText,
        cancelled: Asked,
    ) -> str:
        request = rewriting(prompt, frame, feedback)
        return parse_rewrite(self.answer(REWRITE, request, None, on_text, cancelled))

    @abstractmethod
    def close(self) -> None: ...


def cannot_see(name: str) -> BackendError:
    """What to say of a picture that a model does not take."""
    return BackendError(
        f"{name} cannot look at pictures. Choose a model with vision, or describe the first frame in words.",
        field="first_frame",
    )
