"""A folder with a film's media and lists, for Resolve, Premiere, Kdenlive, and back into MOVA Studio."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError
from mova_studio.library.naming import slug
from mova_studio.timeline.edl import has_timecode
from mova_studio.timeline.exchange import Exported, exchange_text
from mova_studio.timeline.file import save
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_media import with_paths
from mova_studio.timeline.otio_write import sources_of
from mova_studio.timeline.subtitles import cues, write_srt, write_vtt

MEDIA = "media"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
_README = """A film of MOVA Studio, with its media.

DaVinci Resolve    File > Import > Timeline: timeline.otio (version 18.5 or newer), or timeline.xml
Premiere Pro       File > Import: timeline.xml
Kdenlive           File > OpenTimelineIO Import: timeline.otio
other programs     timeline.edl: the pictures' cuts alone
MOVA Studio        timeline.json: everything, also after this folder was moved

Captions, if the film has any, are in captions.srt and captions.vtt.
"""
_STAYS = "The lists name the media where this folder was made. If it was moved, choose the folder media when asked.\n"
_MOVES = "The lists name the media in the folder media beside them. Choose that folder when a program asks.\n"


def write_folder(timeline: Timeline, folder: Path, *, moves: bool = False) -> Exported:
    """Make a folder that other programs open.

    Media is linked where the disk can (it then takes no space, and changing it there changes the take), or copied.

    Args:
        folder: it may exist, but must be empty. It appears when it is whole.

        moves: whether the folder will go elsewhere, as in a zip; the lists then name media relative to themselves. By
            default they name it where it is, which every program finds.

    Returns:
        the folder, and sentences on what the lists in it could not carry.

    Raises:
        InputError: no clips, or the folder has something in it.
        OutputError: read-only, no such place, disk full; nothing is left.
    """
    if not timeline.clips:
        raise InputError("A timeline without clips has nothing for another program; add a clip first.", field="clips")
    whole = Path(os.path.normpath(folder.absolute()))
    beside = whole.with_name(f".{secrets.token_hex(6)}.folder")
    try:
        if whole.exists() and (not whole.is_dir() or any(whole.iterdir())):
            raise InputError(f"{whole} exists and is not an empty folder; choose another name.", field="out")
        beside.mkdir()
        (beside / MEDIA).mkdir()
        notes = _fill(timeline, beside, Path() if moves else whole)
        if whole.exists():
            whole.rmdir()
        beside.rename(whole)
    except OSError as error:
        raise output_error(whole, error) from error
    except OutputError as error:
        raise OutputError(error.message.replace(str(beside), str(whole)), field="out") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Exported(whole, notes)


def _fill(timeline: Timeline, beside: Path, named: Path) -> tuple[str, ...]:
    names = _media_names(timeline)
    for path, name in names.items():
        _link_or_copy(Path(path), beside / MEDIA / name)
    save(_rebased(timeline, names, beside), beside / "timeline.json")
    rebased = _rebased(timeline, names, named)
    inside = {(named / MEDIA / name).as_posix() for name in names.values()}
    notes: list[str] = []
    for kind in ("otio", "edl", "xml"):
        if kind != "otio" and not has_timecode(timeline.frame_rate):
            rate = f"{float(timeline.frame_rate):g} frames per second"
            notes.append(f"timeline.{kind} is not made: there is no timecode for {rate}.")
            continue
        text, said = exchange_text(rebased, kind, lambda path: Path(path).as_posix() in inside)
        (beside / f"timeline.{kind}").write_text(text, "utf-8")
        known = {note.split(": ", 1)[-1] for note in notes}
        notes += [f"timeline.{kind}: {note}" for note in said if note not in known]
    if cues(timeline):
        write_srt(timeline, beside / "captions.srt")
        write_vtt(timeline, beside / "captions.vtt")
    (beside / "README.txt").write_text(_README + (_STAYS if named.is_absolute() else _MOVES), "utf-8")
    return tuple(notes)


def _media_names(timeline: Timeline) -> dict[str, str]:
    """Names in the folder for the files that are there; numbers make them unique."""
    names: dict[str, str] = {}
    for source in sources_of(timeline):
        path = Path(source.path)
        if source.path not in names and path.is_file():
            suffix = path.suffix.lower() if _SUFFIX.fullmatch(path.suffix.lower()) else ""
            stem = slug(source.name.removesuffix(path.suffix) or path.stem)
            names[source.path] = f"{len(names) + 1:03}-{stem}{suffix}"
    return names


def _rebased(timeline: Timeline, names: dict[str, str], folder: Path) -> Timeline:
    return with_paths(timeline, {path: str(folder / MEDIA / name) for path, name in names.items()})


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
