"""Timelines for other programs, and from them: OpenTimelineIO, CMX 3600, Final Cut Pro 7 XML, subtitles."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from mova_studio.atomic import replacing
from mova_studio.errors import InputError
from mova_studio.timeline.edl import to_edl
from mova_studio.timeline.exchange_notes import notes_on
from mova_studio.timeline.fcp_xml import to_fcp_xml
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_read import MAX_BYTES, from_otio_text
from mova_studio.timeline.otio_write import to_otio
from mova_studio.timeline.subtitles import cues, write_srt, write_vtt

Kind = Literal["otio", "edl", "xml", "srt", "vtt"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_SUFFIXES = ", ".join(f".{kind}" for kind in KINDS[:-1]) + f" or .{KINDS[-1]}"


@dataclass(frozen=True)
class Exported:
    """A file, or folder, for other programs.

    Attributes:
        path: where it is.
        notes: sentences on what it could not carry, and on media that is missing.
    """

    path: Path
    notes: tuple[str, ...] = ()


def export(timeline: Timeline, out: Path, kind: Kind | None = None) -> Exported:
    """Write a timeline for other programs.

    Args:
        out: the file; what was there before stays until the new one is whole.
        kind: "otio" (OpenTimelineIO), "edl" (CMX 3600), "xml" (Final Cut Pro 7), "srt" or "vtt" (captions); by
            default the suffix of `out`.

    Raises:
        InputError: kind not known, no clips, no captions for a file of them, or a rate that the format does not have.
        OutputError: folder missing or read-only, disk full.
    """
    chosen = kind or out.suffix.lower().removeprefix(".")
    if chosen not in KINDS:
        raise InputError(
            f"{out.name} cannot be written as {chosen or 'a file without a suffix'!r}; end it in {_SUFFIXES}.",
            field="out",
        )
    if chosen in ("srt", "vtt"):
        if not cues(timeline):
            raise InputError("The film shows no captions that could be written; add some first.", field="captions")
        (write_srt if chosen == "srt" else write_vtt)(timeline, out)
        return Exported(out)
    text, notes = exchange_text(timeline, chosen)
    with replacing(out) as beside:
        beside.write_text(text, "utf-8")
    return Exported(out, notes)


def exchange_text(
    timeline: Timeline, kind: str, is_there: Callable[[str], bool] = os.path.isfile
) -> tuple[str, tuple[str, ...]]:
    """What `export` writes as "otio", "edl" or "xml", with its notes.

    Args:
        is_there: whether a file can be referred to.
    """
    if not timeline.clips:
        raise InputError("A timeline without clips has nothing for another program; add a clip first.", field="clips")
    film = to_otio(timeline, is_there)
    notes = notes_on(timeline, kind, is_there)
    if kind == "edl":
        return to_edl(timeline, is_there), notes
    if kind == "xml":
        return to_fcp_xml(timeline, is_there), notes
    return film.to_json_string(indent=1) + "\n", notes


def import_otio(path: Path, may_read: Callable[[Path], bool] = lambda path: True) -> tuple[Timeline, tuple[str, ...]]:
    """Read an OpenTimelineIO file, ours or another program's.

    Args:
        may_read: which media files may be measured and shown; others are taken as missing.

    Returns:
        the timeline, and sentences on what was left out or changed.

    Raises:
        InputError: missing, not OpenTimelineIO, or nothing in it that a timeline can hold.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name} has {path.stat().st_size} bytes and at most {MAX_BYTES} are read.")
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text in UTF-8, so it is no .otio file.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check its path.") from error
    try:
        return from_otio_text(text, path.absolute().parent, may_read)
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", field=error.field) from error
