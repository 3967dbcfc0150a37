"""Where clips come from: a folder of videos, a metadata.json, or WebDataset shards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.training.clips.shards import list_shard
from mova_studio.training.clips.source import VIDEO_SUFFIXES, ClipSource, Listing, Skipped, joined, read_caption

METADATA = "metadata.json"


def list_clips(place: Path) -> Listing:
    """Find clips.

    A folder with a metadata.json is read by it: a list of {"video_path", "caption"}, MOVA's own form, with paths
    below the folder. Any other folder is searched for videos, whose captions lie beside them in a .txt of the same
    name, and for WebDataset shards (.tar). A shard or a metadata.json may also be given itself.

    Raises:
        InputError: there is no such place, it cannot be read, or it holds no clip.
    """
    if place.is_dir():
        if (place / METADATA).is_file():
            listing = _list_metadata(place / METADATA)
        else:
            files = sorted(_visible_files(place))
            listings = [list_shard(file) for file in files if file.suffix == ".tar"]
            listings += [_list_videos(place, [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES])]
            listing = joined(listings)
    elif place.suffix == ".json":
        listing = _list_metadata(place)
    elif place.suffix == ".tar":
        listing = list_shard(place)
    else:
        raise InputError(
            f"{place} is no folder, metadata.json or .tar shard; give the folder that holds the clips.", field="clips"
        )
    if not listing.clips and not listing.skipped and (place / METADATA).is_file():
        raise InputError(f"{place / METADATA} lists no clip.", field="clips")
    if not listing.clips and not listing.skipped:
        kinds = ", ".join(sorted(VIDEO_SUFFIXES))
        raise InputError(f"{place} holds no clip: no {METADATA}, no .tar and none of {kinds}.", field="clips")
    return listing


def _visible_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in files if not name.startswith("."))


def _list_videos(folder: Path, files: list[Path]) -> Listing:
    clips, skipped = [], []
    for file in files:
        beside = file.with_suffix(".txt")
        name = file.relative_to(folder).as_posix()
        try:
            caption = read_caption(beside.read_bytes() if beside.is_file() else None, beside.name)
        except OSError as error:
            skipped.append(Skipped(name, f"{beside.name} cannot be read ({error.strerror or error})."))
            continue
        clips.append(ClipSource(name, *caption, file))
    return Listing(tuple(clips), tuple(skipped))


def _list_metadata(file: Path) -> Listing:
    try:
        rows = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}).", field="clips") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is no JSON ({error}); save it as UTF-8 JSON.", field="clips") from error
    if not isinstance(rows, list):
        raise InputError(
            f'{file} holds a {type(rows).__name__}, but must be a list of {{"video_path", "caption"}}.', field="clips"
        )
    clips: list[ClipSource] = []
    skipped: list[Skipped] = []
    for number, row in enumerate(rows, start=1):
        found = _of_row(file.parent, row, f"{file.name} entry {number}")
        (clips if isinstance(found, ClipSource) else skipped).append(found)  # type: ignore[arg-type]
    return Listing(tuple(clips), tuple(skipped))


def _of_row(folder: Path, row: Any, where: str) -> ClipSource | Skipped:
    path = row.get("video_path") if isinstance(row, dict) else None
    if not isinstance(path, str) or not path.strip() or "\0" in path:
        return Skipped(where, 'It has no "video_path".')
    # Compared as written, so that links inside the folder may lead to another disk.
    root = os.path.abspath(folder)  # noqa: PTH100 (resolve would follow links)
    target = os.path.normpath(os.path.join(root, path))  # noqa: PTH118
    if not Path(target).is_relative_to(root):
        return Skipped(path[:200], f"It lies outside of {folder}; move it, or metadata.json above it.")
    file = Path(target)
    name = file.relative_to(root).as_posix()
    if not file.is_file():
        return Skipped(name, "It does not exist; check its path in metadata.json.")
    caption = row.get("caption")
    written = caption.encode("utf-8", "surrogatepass") if isinstance(caption, str) else None
    return ClipSource(name, *read_caption(written, where), file)
