"""What a shot's settings are called, and their values in words."""

from __future__ import annotations

from mova_studio.adapter_use import AdapterUse
from mova_studio.ui.adapters_form import words_of
from mova_studio.ui.catalogue import TEXTS, say
from mova_studio.ui.words import number

# Settings whose label on the form is called otherwise.
_LABELS = {
    "num_frames": "frames",
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "bridge_guidance_scale": "bridge",
    "negative_prompt": "negative",
    "target_lufs": "lufs",
    "frame_rate": "fps",
}


def setting_label(language: str, name: str) -> str:
    """What the form calls a field of a shot."""
    known = next((key for key in (f"info.{name}", f"{_LABELS.get(name, name)}.label") if key in TEXTS), None)
    return say(language, known) if known else name


def setting_value(language: str, value: object) -> str:
    """A setting in words."""
    if isinstance(value, bool):
        return say(language, "info.given" if value else "info.none")
    if value is None or value in ("", []):
        return say(language, "info.none")
    if isinstance(value, list):
        return "; ".join(words_of(language, AdapterUse(**use)) for use in value)
    return number(value) if isinstance(value, float) else str(value)
