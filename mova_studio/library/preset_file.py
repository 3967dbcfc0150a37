"""Presets that a person chooses: a shot (prompt and settings) or rendering (settings alone), one JSON file each.

Not to be confused with a checkpoint's own settings, which `presets.py` reads.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Literal

from pydantic import Field, ValidationError, create_model, field_validator, model_validator

from mova_studio.errors import InputError
from mova_studio.faults import first_fault
from mova_studio.library.shot import Shot, check_prompt
from mova_studio.settings import PRESETS
from mova_studio.versioned_json import Part, Versioned, VersionedJson

FORMAT = 1
MAX_NAME = 80
MAX_BYTES = 1_000_000
KINDS = ("shot", "render")
SHIPPED = (PRESETS / "shots", PRESETS / "render" / "any")
_NOT_SETTINGS = ("prompt", "model", "first_frame", "last_frame", "origin", "frame_origin", "adapters")
_types = typing.get_type_hints(Shot)
_fields: dict[str, Any] = {
    field.name: (_types[field.name], field.default)
    for field in dataclasses.fields(Shot)
    if field.name not in _NOT_SETTINGS
}
_Settings = create_model("_Settings", __base__=Part, **_fields)
SETTINGS = tuple(_fields)


class Words(Part):
    """A text in both languages of the page; a plain text stands for both."""

    en: str
    zh: str

    @model_validator(mode="before")
    @classmethod
    def _of_plain_text(cls, value: Any) -> Any:
        return {"en": value, "zh": value} if isinstance(value, str) else value

    def said(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class PresetFile(Versioned):
    """What a preset's file holds.

    Attributes:
        format: `FORMAT`.
        kind: "shot" or "render".
        name: for the list.
        prompt: of a shot; a render preset has none and leaves the page's alone.
        settings: by the names of `Shot`, without prompt, model and pictures; those that are absent stay as they are.
    """

    kind: Literal["shot", "render"]
    name: Words
    prompt: Words | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _short(cls, name: Words) -> Words:
        for text in (name.en, name.zh):
            if not text.strip() or len(text) > MAX_NAME:
                raise InputError(f"The name has {len(text.strip())} characters, but must have 1 to {MAX_NAME}.")
        return name

    @field_validator("settings")
    @classmethod
    def _fit_a_shot(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return check_settings(settings)

    @model_validator(mode="after")
    def _prompt_of_a_shot(self) -> PresetFile:
        if self.prompt is not None:
            check_prompt(self.prompt.en)
            check_prompt(self.prompt.zh)
        if (self.prompt is None) is (self.kind == "shot"):
            raise InputError(f"A {self.kind} preset {'needs a' if self.kind == 'shot' else 'must have no'} prompt.")
        return self


def check_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by the names of `Shot`, each of the right type and within its range.

    Raises:
        InputError: names the field, the value and what is allowed.
    """
    try:
        checked = _Settings.model_validate(settings).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise InputError(first_fault(error, _Settings, "settings.")) from error
    Shot(prompt="settings", **checked)
    return checked


_FILE = VersionedJson(PresetFile, FORMAT, "The preset", MAX_BYTES)
check_preset, read_preset = _FILE.check, _FILE.read


def shipped_presets() -> dict[str, PresetFile]:
    """The presets that come with the program, shots first, by their files' names without .json."""
    return {path.stem: read_preset(path) for folder in SHIPPED for path in sorted(folder.glob("*.json"))}
