"""The built-in rewriter: no model, nothing invented."""

from __future__ import annotations

from mova_studio.prompting.model import FrameDescription


def compose(prompt: str, frame: FrameDescription | None = None) -> str:
    """`prompt` in MOVA's order: opening with the frame, events with dialogue as given, a paragraph on sound."""
    return prompt.strip()
