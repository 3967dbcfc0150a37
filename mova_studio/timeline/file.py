"""Timelines as JSON files: versioned, checked when they are read, written beside and renamed in."""

from __future__ import annotations

import dataclasses
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mova_studio.atomic import replacing
from mova_studio.bounded_json import parse_json
from mova_studio.errors import InputError
from mova_studio.faults import first_fault
from mova_studio.timeline.model import Timeline

FORMAT = 1
KIND = "mova-timeline"
MAX_BYTES = 16_000_000
_RATES = ("frame_rate",)


def to_dict(timeline: Timeline) -> dict[str, Any]:
    """A JSON-ready dict. Rates are [numerator, denominator]; the fields are those of the model."""
    return {"kind": KIND, "format": FORMAT, **_plain(timeline)}


def from_dict(values: Any) -> Timeline:
    """The inverse of `to_dict`.

    Raises:
        InputError: no timeline, of a newer version, or a field that is unknown, missing, of another type or wrong.
    """
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise InputError("This is not a timeline of MOVA Studio; choose another file.")
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise InputError(f"The timeline's format is {version} and this version reads {FORMAT}; update MOVA Studio.")
    if type(version) is not int or version != FORMAT:
        raise InputError(f"The timeline's format is {version!r}, but must be {FORMAT}.")
    fields = {name: value for name, value in values.items() if name not in ("kind", "format")}
    try:
        timeline = _ADAPTER.validate_python(_with_rates(fields))
    except ValidationError as error:
        raise InputError(first_fault(error)) from error
    except OverflowError as error:
        raise InputError("It holds a number that is too large for a timeline; no file of ours has one.") from error
    _check_read(fields, _plain(timeline), "")
    return timeline


def save(timeline: Timeline, path: Path) -> None:
    """Write a timeline; what was there before stays until the new file is whole. Media below the file's folder are
    named relative to it, so that the folder can be moved.

    Raises:
        InputError: it would be too large to be read again.
        OutputError: folder missing or read-only, disk full.
    """
    values = to_dict(timeline)
    folder = path.absolute().parent
    for holder in (*values["clips"], *values["sounds"]):
        source = holder["source"]
        if "path" in source and Path(source["path"]).is_relative_to(folder):
            source["path"] = Path(source["path"]).relative_to(folder).as_posix()
    text = (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
    if len(text) > MAX_BYTES:
        raise InputError(f"The timeline would have {len(text)} bytes and {MAX_BYTES} are the most; split the film.")
    with replacing(path) as beside:
        beside.write_bytes(text)


def load(path: Path) -> Timeline:
    """Read a timeline.

    Raises:
        InputError: missing, cut short, of a newer version or wrong; it names the file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"it has {path.stat().st_size} bytes and at most {MAX_BYTES} are read.")
        values = parse_json(path.read_text("utf-8"), "The timeline")
        for holder in _holders(values):
            source = holder.get("source")
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                source["path"] = os.path.normpath(path.absolute().parent / source["path"])
        return from_dict(values)
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", field=error.field) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text in UTF-8.") from error
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist; make it with: timeline new {path.name} --size WxH --fps 24"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error


def _holders(values: Any) -> list[dict[str, Any]]:
    lists = [values.get(name) for name in ("clips", "sounds")] if isinstance(values, dict) else []
    return [each for found in lists if isinstance(found, list) for each in found if isinstance(each, dict)]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Fraction):
        return [value.numerator, value.denominator]
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _check_read(given: Any, read: Any, name: str) -> None:
    """That all of what a file says was read as it stands: pydantic leaves out what it does not know, and takes "7" and
    true for numbers.
    """
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            field = f"{name}.{key}".removeprefix(".")
            if key not in read:
                raise InputError(f"the field {field!r} is not known; the fields are {', '.join(read)}.", field=key)
            if key not in _RATES:
                _check_read(value, read[key], field)
    elif isinstance(given, list) and isinstance(read, list):
        for number, (value, kept) in enumerate(zip(given, read, strict=True)):
            _check_read(value, kept, f"{name}.{number}")
    elif given != read or isinstance(given, bool) != isinstance(read, bool):
        raise InputError(f"{name} is {given!r:.80}, but must be {_KINDS.get(type(read), 'a value')}.", field=name)


_KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _with_rates(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_rates(each, key) for key, each in value.items()}
    if name in _RATES:
        whole = isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value)
        if not whole or value[1] == 0:
            raise InputError(f"{name} is {value!r}, but must be [numerator, denominator].", field=name)
        return Fraction(*value)
    return [_with_rates(each) for each in value] if isinstance(value, list) else value


_ADAPTER: TypeAdapter[Timeline] = TypeAdapter(Timeline)
