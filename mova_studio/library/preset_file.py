"""Presets that a person chooses: a shot (prompt and settings) or rendering (settings alone), one JSON file each.

Not to be confused with a checkpoint's own settings, which `presets.py` reads.
"""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, create_model, field_validator, model_validator

from mova_studio.errors import InputError
from mova_studio.faults import first_fault
from mova_studio.library.shot import Shot, check_prompt
from mova_studio.media.bounded_json import parse_json
from mova_studio.settings import PRESETS

FORMAT = 1
MAX_NAME = 80
MAX_BYTES = 1_000_000
KINDS = ("shot", "render")
SHIPPED = (PRESETS / "shots", PRESETS / "render" / "any")
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_NOT_SETTINGS = ("prompt", "model", "first_frame", "last_frame", "origin", "frame_origin", "adapters")
_types = typing.get_type_hints(Shot)
_fields: dict[str, Any] = {
    field.name: (_types[field.name], field.default)
    for field in dataclasses.fields(Shot)
    if field.name not in _NOT_SETTINGS
}
_Settings = create_model("_Settings", __config__=_STRICT, **_fields)
SETTINGS = tuple(_fields)


class Words(BaseModel):
    """A text in both languages of the page; a plain text stands for both."""

    model_config = _STRICT

    en: str
    zh: str

    @model_validator(mode="before")
    @classmethod
    def _of_plain_text(cls, value: Any) -> Any:
        return {"en": value, "zh": value} if isinstance(value, str) else value

    def said(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class PresetFile(BaseModel):
    """What a preset's file holds.

    Attributes:
        format: `FORMAT`.
        kind: "shot" or "render".
        name: for the list.
        prompt: of a shot; a render preset has none and leaves the page's alone.
        settings: by the names of `Shot`, without prompt, model and pictures; those that are absent stay as they are.
    """

    model_config = _STRICT

    format: int
    kind: Literal["shot", "render"]
    name: Words
    prompt: Words | None = None
    settings: dict[str, Any] = {}

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
        raise InputError(first_fault(error, SETTINGS, "settings.")) from error
    Shot(prompt="settings", **checked)
    return checked


def check_preset(values: Any) -> PresetFile:
    """The preset in a JSON value.

    Raises:
        InputError: a newer version wrote it, or a field is unknown, missing, of another type or out of range.
    """
    version = values.get("format") if isinstance(values, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise InputError(f"The format is {version} and this version reads {FORMAT}; update MOVA Studio.")
    try:
        preset = PresetFile.model_validate(values)
    except ValidationError as error:
        known = Words if len(error.errors()[0]["loc"]) > 1 else PresetFile
        raise InputError(first_fault(error, known.model_fields)) from error
    if preset.format != FORMAT:
        raise InputError(f"The format is {preset.format}, but must be {FORMAT}.")
    return preset


def read_preset(path: Path) -> PresetFile:
    """The preset in a file.

    Raises:
        InputError: the file cannot be read, is no JSON, or is wrong as `check_preset` says; it names the file.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"it has {size} bytes and at most {MAX_BYTES} are read.")
        return check_preset(parse_json(path.read_text("utf-8"), "The preset"))
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", field=error.field) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}).") from error


def shipped_presets() -> dict[str, PresetFile]:
    """The presets that come with the program, shots first, by their files' names without .json."""
    return {path.stem: read_preset(path) for folder in SHIPPED for path in sorted(folder.glob("*.json"))}
