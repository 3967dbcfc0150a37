"""Files of a timeline for other programs, made in the browser's cache, and an .otio file back as a timeline."""

from __future__ import annotations

import re
import secrets
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.subtitles import write_srt, write_vtt
from mova_studio.ui.served import address, cached_file

KINDS = ("otio", "edl", "xml", "srt", "vtt", "folder")
MAX_OTIO = 64 * 2**20


def file_of(timeline: Timeline, kind: str) -> dict[str, Any]:
    """One of `KINDS` as url and name, with sentences on what it could not carry.

    Raises:
        InputError: the kind is not known, or the timeline has nothing for it.
    """
    if kind not in KINDS:
        raise InputError(f"There is no file of kind {kind[:40]!r}; choose {', '.join(KINDS)}.", field="kind")
    if kind == "folder":
        return _folder(timeline)
    name = f"{safe_name(timeline.name)}.{kind}"
    with tempfile.TemporaryDirectory(prefix="mova-timeline-") as folder:
        out = Path(folder) / name
        notes = _write(timeline, out, kind)
        return {"url": address(cached_file(out.read_bytes(), name)), "name": name, "notes": list(notes)}


def _folder(timeline: Timeline) -> dict[str, Any]:
    """The timeline with all its media, as a zip; media is stored as it is, for it cannot be made smaller."""
    from mova_studio.timeline.project_folder import write_folder

    name = safe_name(timeline.name)
    cache = Path(get_upload_folder()).resolve() / "folders" / secrets.token_hex(8)
    try:
        cache.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=cache) as beside:
            written = write_folder(timeline, Path(beside) / name, moves=True)
            zip_folder(written.path, cache / f"{name}.zip")
    except OSError as error:
        raise output_error(cache, error) from error
    return {"url": address(cache / f"{name}.zip"), "name": f"{name}.zip", "notes": list(written.notes)}


def zip_folder(folder: Path, out: Path) -> None:
    """The files of a folder, under its name, as one zip, which is there when it is whole."""
    with replacing(out) as beside, zipfile.ZipFile(beside, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{folder.name}/{file.relative_to(folder)}")


def _write(timeline: Timeline, out: Path, kind: str) -> tuple[str, ...]:
    if kind in ("srt", "vtt"):
        if not timeline.captions:
            raise InputError("There is no caption on this timeline; make some from the prompts, or write one.")
        (write_srt if kind == "srt" else write_vtt)(timeline, out)
        return ()
    from mova_studio.timeline.exchange import export  # OpenTimelineIO is loaded when it is first needed

    return export(timeline, out).notes


def read_otio(path: Path, called: str, may_read: Callable[[Path], bool]) -> tuple[Timeline, tuple[str, ...]]:
    """The timeline of an .otio file that was sent to the page, with notes.

    Args:
        called: what the person calls the file, named in errors.
        may_read: which media files may be looked at; others count as missing.

    Raises:
        InputError: it is none, or nothing in it can be held.
    """
    from mova_studio.timeline.otio_read import from_otio_text

    if path.stat().st_size > MAX_OTIO:
        raise InputError(f"{called} has {path.stat().st_size} bytes and at most {MAX_OTIO} are read.", field="upload")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{called} is not a text in UTF-8, so it is no .otio file.", field="upload") from error
    try:
        return from_otio_text(text, path.parent, may_read)
    except InputError as error:
        raise InputError(f"{called}: {error.message}", field="upload") from error


def safe_name(name: str) -> str:
    """A name for a file, from a film's; "film" where nothing of it is left."""
    return re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFKC", name)).strip("-_")[:60] or "film"
