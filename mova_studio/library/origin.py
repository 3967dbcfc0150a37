"""Where a shot's prompt and its first frame came from, when the person did not bring them as they are."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mova_studio.errors import InputError

MAX_CHARACTERS = 20_000
_PARTS = ("style", "camera", "elements", "text")


@dataclass(frozen=True)
class PromptOrigin:
    """A prompt before and after it was rewritten; the shot's own may have been changed by hand since.

    Attributes:
        original: as the person wrote it.
        rewritten: as it was written for them.
        backend: what wrote it, "composer", "server:NAME" or "local:ID"; never a key.
        frame: what the first frame was said to show: style, camera, elements, text; None where nobody said.

    Raises:
        InputError: a text is far too long, or the frame has other parts.
    """

    original: str
    rewritten: str
    backend: str
    frame: dict[str, str] | None = None

    def __post_init__(self) -> None:
        frame = {} if self.frame is None else self.frame
        if max(map(len, (self.original, self.rewritten, self.backend, *frame.values()))) > MAX_CHARACTERS:
            raise InputError(
                f"The record of the rewritten prompt has a text of more than {MAX_CHARACTERS} characters; shorten it.",
                field="prompt",
            )
        if not set(frame) <= set(_PARTS):
            raise InputError(f"A frame is described by {', '.join(_PARTS)} and nothing else.", field="prompt")

    def to_dict(self) -> dict[str, Any]:
        """For JSON and for the take's record."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class FrameOrigin:
    """A first frame that a model made of words.

    Attributes:
        backend: whose model it was, "server:NAME"; never a key.
        model: its name there.
        description: what it was made of.

    Raises:
        InputError: a text is far too long.
    """

    backend: str
    model: str
    description: str

    def __post_init__(self) -> None:
        if max(map(len, (self.backend, self.model, self.description))) > MAX_CHARACTERS:
            raise InputError(
                f"The record of the made first frame has a text of more than {MAX_CHARACTERS} characters; shorten it.",
                field="first_frame",
            )

    def to_dict(self) -> dict[str, Any]:
        """For JSON and for the take's record."""
        return dataclasses.asdict(self)
