"""What the three steps of the prompt hand on: a frame description, and findings about a rewritten prompt."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIALOGUE_LOST = "dialogue_lost"
DIALOGUE_CHANGED = "dialogue_changed"
DIALOGUE_ORDER = "dialogue_order"
DIALOGUE_SPEAKER = "dialogue_speaker"
DIALOGUE_ADDED = "dialogue_added"
DIALOGUE_TRANSLATED = "dialogue_translated"
FRAME_TEXT_TRANSLATED = "frame_text_translated"
TOO_LONG = "too_long"
TOO_MANY_TOKENS = "too_many_tokens"
OPENING = "opening"
SOUND_PARAGRAPH = "sound_paragraph"
STILLNESS_ADDED = "stillness_added"
CAMERA_ADDED = "camera_added"
LANGUAGE = "language"
EMPTY = "empty"
INSTRUCTIONS = "instructions"
FORM = "form"

RULES = (
    DIALOGUE_LOST,
    DIALOGUE_CHANGED,
    DIALOGUE_ORDER,
    DIALOGUE_SPEAKER,
    DIALOGUE_ADDED,
    DIALOGUE_TRANSLATED,
    FRAME_TEXT_TRANSLATED,
    TOO_LONG,
    TOO_MANY_TOKENS,
    OPENING,
    SOUND_PARAGRAPH,
    STILLNESS_ADDED,
    CAMERA_ADDED,
    LANGUAGE,
    EMPTY,
    INSTRUCTIONS,
    FORM,
)


@dataclass(frozen=True)
class FrameDescription:
    """What the first frame shows, in four parts; a part that was not described is "".

    Attributes:
        style: photograph, drawing, light, colours.
        camera: size of the shot, angle, depth of field.
        elements: who and what is in the frame, and where.
        text: readable text in the frame, as it is written there.
    """

    style: str = ""
    camera: str = ""
    elements: str = ""
    text: str = ""

    @property
    def empty(self) -> bool:
        return not any(part.strip() for part in dataclasses.astuple(self))

    def to_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> FrameDescription:
        """Of the four parts in `parts`; missing ones are "", others are left aside."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: str(parts.get(name) or "").strip() for name in names})


@dataclass(frozen=True)
class Finding:
    """One way in which a rewritten prompt breaks a rule.

    Attributes:
        rule: one of `RULES`.
        message: one sentence in English for a person, or for the model that is asked again.
        words: the words concerned, as they stand in the prompt.
        warning: True if the prompt may be used all the same, and a model is not asked again for it.
    """

    rule: str
    message: str
    words: tuple[str, ...] = ()
    warning: bool = False

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"There is no rule {self.rule!r}; the rules are {', '.join(RULES)}.")

    def to_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "message": self.message, "words": list(self.words), "warning": self.warning}
