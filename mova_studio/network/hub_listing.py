"""What a hub id holds, and the note of it that a download leaves beside what it fetches.

The note tells later how much of the checkpoint is here, and what every file should contain.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from mova_studio.atomic import replacing


@dataclass(frozen=True)
class HubFile:
    """A file on the hub.

    Attributes:
        path: inside the checkpoint, with "/".
        content: hexadecimal name of what is in it (sha256 of large files, git's sha1 of small ones).
        size: bytes.
    """

    path: str
    content: str
    size: int


@dataclass(frozen=True)
class Listing:
    """The wanted files of a hub id at one commit."""

    commit: str
    files: tuple[HubFile, ...]

    @cached_property
    def contents(self) -> dict[str, tuple[HubFile, ...]]:
        """Files by content: the two experts' equal configs are fetched once."""
        names = dict.fromkeys(file.content for file in self.files)
        return {name: tuple(file for file in self.files if file.content == name) for name in names}

    @property
    def total(self) -> int:
        """Bytes to hold, equal contents once."""
        return sum(files[0].size for files in self.contents.values())


def stays_inside(path: str) -> bool:
    """Whether `path`, written with "/", names something below its folder on every system."""
    pure = PurePosixPath(path)
    return not (pure.is_absolute() or ".." in pure.parts or re.search(r'[\\:<>"|?*\0]', path))


def is_content_name(name: str) -> bool:
    """Whether `name` is a sha256, or a sha1 of git's."""
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", name) is not None


def note_listing(file: Path, hub_id: str, listing: Listing) -> None:
    """Write the note.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    files = [[file.path, file.content, file.size] for file in listing.files]
    with replacing(file) as beside:
        beside.write_text(json.dumps({"hub_id": hub_id, "commit": listing.commit, "files": files}), "utf-8")


def noted_listing(file: Path) -> tuple[str, Listing] | None:
    """(hub id, listing) of a note; None if there is none, or it is damaged."""
    try:
        noted = json.loads(file.read_text("utf-8"))
        files = tuple(HubFile(str(path), str(content), int(size)) for path, content, size in noted["files"])
        known = str(noted["hub_id"]), Listing(str(noted["commit"]), files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known if all(stays_inside(each.path) and is_content_name(each.content) for each in files) else None
