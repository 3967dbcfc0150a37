"""Adapters of a shot: said in words or JSON, looked up on the shelf, and checked before anything is queued."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mova_studio.adapter_use import PARTS, AdapterUse
from mova_studio.errors import CheckpointError, InputError
from mova_studio.library.shot import Shot, parse_interval
from mova_studio.network.adapter_shelf import AdapterShelf
from mova_studio.network.demo_place import demo_folder
from mova_studio.network.hub import resolve
from mova_studio.network.installed import DEMO
from mova_studio.settings import adapters_dir

_FIELDS = tuple(field.name for field in fields(AdapterUse))
_SAID = re.compile(r"(?P<name>[^=@]+)(?:=(?P<strengths>[^@]+))?(?:@(?P<interval>.+))?")
HOW = "NAME[=STRENGTH][@START:STOP], for example style=0.8 or style=high:1,low:0.5@0:0.4"


def shelf() -> AdapterShelf:
    """The installed adapters of this machine."""
    return AdapterShelf(adapters_dir())


def read_uses(said: Iterable[Any]) -> tuple[AdapterUse, ...]:
    """Adapters of a shot from what a person or a program says of them.

    Args:
        said: texts of the form `HOW`; or dicts by the names of `AdapterUse`, in which a "digest" stands for itself and
            a "name" alone is looked up.

    Raises:
        InputError: one is not installed, or cannot be read, or a number is out of its range.
    """
    return tuple(_of_text(each) if isinstance(each, str) else _of_dict(each) for each in said)


def check_adapters(shot: Shot) -> None:
    """That a shot's adapters are here and were made for its checkpoint.

    Raises:
        InputError: naming the first at fault.
    """
    if not shot.adapters:
        return
    entries = [shelf().of(use) for use in shot.adapters]
    folder = folder_of(shot.model)
    for entry in entries:
        words = "" if folder is None else entry.misfit(folder)
        if words:
            raise InputError(words, field="adapters")


def folder_of(model: str) -> Path | None:
    """A checkpoint's folder, told without torch; None where it is not on disk, and the run itself will look."""
    try:
        folder = demo_folder() if model == DEMO else resolve(model)
    except CheckpointError:
        return None
    return folder if (folder / "model_index.json").is_file() else None


def device_numbers(uses: Iterable[AdapterUse]) -> int:
    """How many numbers of the adapters' matrices are on the device at once: of one expert, audio tower and bridge.
    One that is not installed counts nothing."""
    total = 0
    for use in uses:
        with suppress(InputError):
            entry = shelf().of(use)
            found = {part: entry.numbers(part) if getattr(use, part) else 0 for part in PARTS}
            total += max(found["high"], found["low"]) + found["audio"] + found["bridge"]
    return total


def _of_text(text: str) -> AdapterUse:
    match = _SAID.fullmatch(text.strip())
    if match is None:
        raise InputError(f"The adapter {text[:80]!r} cannot be read; write it as {HOW}.", field="adapters")
    entry = shelf().named(match["name"].strip())
    use = entry.use()
    if match["strengths"]:
        use = replace(use, **_strengths(text, match["strengths"], [part for part in PARTS if getattr(use, part)]))
    if match["interval"]:
        start, stop = parse_interval(match["interval"])
        use = replace(use, start=start, stop=stop)
    return use


def _strengths(text: str, said: str, changed: list[str]) -> dict[str, Any]:
    try:
        if ":" not in said:
            return dict.fromkeys(changed, float(said))
        pairs = [pair.split(":") for pair in said.split(",")]
        found = {part.strip(): float(strength) for part, strength in pairs}
    except ValueError as error:
        raise InputError(f"The adapter {text[:80]!r} cannot be read; write it as {HOW}.", field="adapters") from error
    unknown = sorted(set(found) - set(PARTS))
    if unknown:
        raise InputError(f"The network has no part {unknown[0]!r}; its parts are {', '.join(PARTS)}.", field="adapters")
    return {part: found.get(part, 0.0) for part in PARTS}


def _of_dict(values: Any) -> AdapterUse:
    if not isinstance(values, dict) or not isinstance(values.get("name"), str) or not set(values) <= set(_FIELDS):
        raise InputError(
            f"{str(values)[:80]} is no adapter of a shot; give its name, and any of {', '.join(_FIELDS[2:])}.",
            field="adapters",
        )
    try:
        numbers: dict[str, Any] = {
            name: float(value) for name, value in values.items() if name not in ("name", "digest")
        }
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The adapter {values['name'][:80]} has a strength that is no number.", field="adapters"
        ) from error
    if isinstance(values.get("digest"), str):
        return AdapterUse(values["name"], values["digest"], **numbers)
    return replace(shelf().named(values["name"]).use(), **numbers)
