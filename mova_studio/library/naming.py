"""Where the next take is written: a template of the owner, filled with nothing that could leave the library."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from pathlib import PurePosixPath

from mova_studio.errors import InputError
from mova_studio.library.shot import SEED_LIMIT, Shot
from mova_studio.library.shots import shot_id

DEFAULT_TEMPLATE = "{date}/{time}-{seed}"
PLACEHOLDERS = ("date", "time", "seed", "prompt", "size", "frames", "steps", "shot")
MAX_SLUG = 40
MAX_CHARACTERS = 120
# A file system takes 255 bytes a name; a number that makes it free, ".mp4" and a temporary name's ending are added.
MAX_PART_BYTES = 200
_FIELD = re.compile(r"\{([^{}]*)\}")
_FORBIDDEN = re.compile(r'[\\<>:"|?*{}]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\..*)?")


def slug(prompt: str, most: int = MAX_SLUG) -> str:
    """The first letters and digits of a prompt, in any script, with "-" where others stood; "untitled" if none."""
    letters = (
        letter if letter.isalnum() else "-"
        for letter in unicodedata.normalize("NFC", prompt)
        if not unicodedata.category(letter).startswith("M")
    )
    joined = unicodedata.normalize("NFC", re.sub("-+", "-", "".join(letters)).strip("-"))
    return joined[:most].strip("-") or "untitled"


def check_template(template: str) -> str:
    """The template as it is kept: NFC, without ".mp4" at its end.

    Raises:
        InputError: a placeholder is unknown, or a name made from it could be unsafe, too long or the same each time.
    """
    kept = unicodedata.normalize("NFC", template.strip()).removesuffix(".mp4")
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    for name in _FIELD.findall(kept):
        if name not in PLACEHOLDERS:
            raise _refused(template, f"{{{name}}} is not known; the placeholders are {known}")
    if "{seed}" not in kept and "{time}" not in kept:
        raise _refused(template, "every take would get the same name; put {seed} or {time} in")
    literal = _FIELD.sub("", kept)
    bad = _FORBIDDEN.search(literal)
    if bad is not None or not literal.isprintable():
        raise _refused(template, f"{bad[0] if bad else 'an invisible character'} is not allowed in a file's name")
    values = dict.fromkeys(PLACEHOLDERS, "0") | {"seed": str(SEED_LIMIT - 1), "prompt": "0", "size": "2048x2048"}
    values |= {"date": "2026-01-01", "time": "000000", "frames": "4093", "steps": "1000", "shot": "00000000"}
    filled = _FIELD.sub(lambda field: values[field[1]], kept)
    for part in filled.split("/"):
        if part in ("", ".", "..") or part.startswith((".", " ")) or part.endswith((".", " ")):
            raise _refused(
                template, f"{part!r} cannot be a part of its path; begin and end each with a letter or digit"
            )
        if _RESERVED.fullmatch(part):
            raise _refused(template, f"Windows keeps the name {part} for itself")
    if not _fits(filled):
        raise _refused(template, f"its names are longer than {MAX_CHARACTERS} characters")
    return kept


def fill_template(template: str, shot: Shot, seed: int, now: datetime) -> PurePosixPath:
    """The path of a take below the library, without the suffix.

    Args:
        template: as `check_template` returns it.
        now: local time.
    """
    values = {
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H%M%S}",
        "seed": str(seed),
        "size": f"{shot.width}x{shot.height}",
        "frames": str(shot.num_frames),
        "steps": str(shot.num_inference_steps),
        "shot": shot_id(shot)[:8],
    }
    for most in range(MAX_SLUG, 0, -1):
        named = values | {"prompt": slug(shot.prompt, most)}
        filled = _FIELD.sub(lambda field: named[field[1]], template)  # noqa: B023 - called at once
        if _fits(filled):
            break
    parts = (f"{part}_" if _RESERVED.fullmatch(part) else part for part in filled.split("/"))
    return PurePosixPath(*parts)


def _fits(filled: str) -> bool:
    return len(filled) <= MAX_CHARACTERS and all(len(part.encode()) <= MAX_PART_BYTES for part in filled.split("/"))


def _refused(template: str, why: str) -> InputError:
    return InputError(f"The filename template {template!r} cannot be used: {why}.", field="filename_template")
