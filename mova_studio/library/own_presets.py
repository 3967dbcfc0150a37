"""A person's own presets, in the library: `presets/shots/<id>.json` and `presets/render/<id>.json`."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError
from mova_studio.library.preset_file import FORMAT, MAX_NAME, PresetFile, check_preset, read_preset

MAX_PRESETS = 500
FOLDERS = {"shot": "shots", "render": "render"}
# Emoji are joined, and Persian and Indic letters kept apart, by two characters that are not printable.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class OwnPreset:
    """One file.

    Attributes:
        key: "shots/0123abcd": folder and file name without .json.
        preset: None if the file cannot be used.
        fault: why not.
    """

    key: str
    path: Path
    preset: PresetFile | None
    fault: str = ""


class OwnPresets:
    """The store. What a person types is kept inside the files and never names one.

    Args:
        library: the library's folder; nothing is made there before the first preset is saved.
    """

    def __init__(self, library: Path) -> None:
        self.root = library / "presets"

    def presets(self) -> list[OwnPreset]:
        """Every preset by kind and name; those that cannot be used come last, with the reason."""
        found = []
        for folder in FOLDERS.values():
            for path in sorted((self.root / folder).glob("[!.]*.json"))[:MAX_PRESETS]:
                key = f"{folder}/{path.stem}"
                try:
                    preset = read_preset(path)
                    if FOLDERS[preset.kind] != folder:
                        raise InputError(f"{path.name}: its kind is {preset.kind!r}, but it lies in {folder}.")
                    found.append(OwnPreset(key, path, preset))
                except InputError as error:
                    found.append(OwnPreset(key, path, None, error.message))
        return sorted(found, key=_order)

    def find(self, key: str) -> OwnPreset:
        """The preset of a key, by looking through the folder.

        Raises:
            InputError: there is none.
        """
        for own in self.presets():
            if own.key == key:
                return own
        raise InputError(f"{key[:80]!r} is not a preset of this library; reload the page.", field="preset")

    def named(self, kind: str, name: str) -> OwnPreset | None:
        """The preset of this kind and name, if there is one."""
        wanted = clean_name(name)
        for own in self.presets():
            if own.preset is not None and own.preset.kind == kind and own.preset.name.en == wanted:
                return own
        return None

    def save(self, kind: str, name: str, prompt: str | None, settings: dict[str, Any]) -> str:
        """Keep a preset and return its key; one of the same kind and name is replaced.

        Args:
            kind: "shot" or "render".
            prompt: of a shot; None for a render preset.
            settings: by the names of `Shot`.

        Raises:
            InputError: a value that no preset may have, or too many presets.
            OutputError: the file cannot be written; what was there before is still there.
        """
        values = {"format": FORMAT, "kind": kind, "name": clean_name(name), "settings": settings}
        if prompt is not None:
            values["prompt"] = prompt
        check_preset(values)
        known = self.named(kind, name)
        folder = self.root / FOLDERS[kind]
        if known is None and len(list(folder.glob("[!.]*.json"))) >= MAX_PRESETS:
            raise InputError(f"There are {MAX_PRESETS} presets already; delete some.", field="preset")
        path = folder / f"{secrets.token_hex(16)}.json" if known is None else known.path
        try:
            text = json.dumps(values, ensure_ascii=False, indent=2).encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                "The prompt holds half of a letter (a lone surrogate); remove it.", field="prompt"
            ) from error
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        with replacing(path) as beside:
            beside.write_bytes(text)
        return f"{FOLDERS[kind]}/{path.stem}"

    def delete(self, key: str) -> None:
        """Delete a preset, usable or not.

        Raises:
            InputError: there is none of this key.
            OutputError: the file cannot be deleted.
        """
        path = self.find(key).path
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise output_error(path, error) from error


def clean_name(name: str) -> str:
    """A typed name on one line, without control characters and without those that turn the direction of text.

    Raises:
        InputError: nothing is left, or it is too long.
    """
    plain = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    cleaned = " ".join(plain.split())
    if not cleaned.strip(_JOINERS):
        raise InputError("The preset has no name; type one.", field="preset")
    if len(cleaned) > MAX_NAME:
        raise InputError(f"The name has {len(cleaned)} characters, but must have 1 to {MAX_NAME}.", field="preset")
    return cleaned


def _order(own: OwnPreset) -> tuple[bool, bool, str]:
    if own.preset is None:
        return True, False, own.path.name
    return False, own.preset.kind != "shot", own.preset.name.en.casefold()
