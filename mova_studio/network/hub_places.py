"""Where a download goes: the hub's own cache, in its documented layout, or a plain folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Protocol

from huggingface_hub import constants
from huggingface_hub.file_download import are_symlinks_supported, repo_folder_name

from mova_studio.atomic import replacing
from mova_studio.errors import CheckpointError, OutputError
from mova_studio.network.hub_listing import HubFile, Listing, note_listing, stays_inside

CACHE_NOTE = ".download.json"
"""In a checkpoint's folder of the hub's cache: the listing of the latest download."""
FOLDER_NOTE = ".download/listing.json"
"""The same in a plain folder."""


class Place(Protocol):
    """Somewhere that a download can go, and go on after an interruption.

    Attributes:
        folder: for messages and for the free disk.
        lock: a file that is locked while the place is written.
    """

    hub_id: str
    folder: Path
    lock: Path

    def prepare(self, listing: Listing) -> None:
        """Make the folders, and drop partial files that `listing` has no use for."""

    def part(self, content: str) -> Path:
        """The partial file of a content."""

    def has(self, files: tuple[HubFile, ...]) -> bool:
        """Whether these files, of one content, are in place."""

    def put(self, files: tuple[HubFile, ...]) -> None:
        """Move the finished partial file into place."""

    def drop(self, files: tuple[HubFile, ...]) -> None:
        """Take files of one content out, so that they are fetched again."""

    def finish(self, listing: Listing) -> Path:
        """Check every size and return the checkpoint folder."""


def bytes_here(place: Place, files: tuple[HubFile, ...]) -> int:
    """How much of a content a place holds, in bytes."""
    if place.has(files):
        return files[0].size
    part = place.part(files[0].content)
    return min(part.stat().st_size, files[0].size) if part.exists() else 0


class CachePlace:
    """The hub's cache: contents in blobs/, a snapshot of links per commit, and refs/main written last."""

    def __init__(self, hub_id: str) -> None:
        self.hub_id = hub_id
        self.folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=hub_id, repo_type="model")
        self.lock = self.folder / ".download.lock"
        self._blobs = self.folder / "blobs"

    def prepare(self, listing: Listing) -> None:
        self._blobs.mkdir(parents=True, exist_ok=True)
        note_listing(self.folder / CACHE_NOTE, self.hub_id, listing)
        _drop_stale(self._blobs, listing)

    def part(self, content: str) -> Path:
        return self._blobs / f"{content}.part"

    def has(self, files: tuple[HubFile, ...]) -> bool:
        return _is_file_of(self._blobs / files[0].content, files[0].size)

    def put(self, files: tuple[HubFile, ...]) -> None:
        self.part(files[0].content).replace(self._blobs / files[0].content)

    def drop(self, files: tuple[HubFile, ...]) -> None:
        (self._blobs / files[0].content).unlink(missing_ok=True)
        self.part(files[0].content).unlink(missing_ok=True)
        for file in files:
            # Where links are not possible, these are copies, as bad as the blob.
            for pointer in self.folder.glob(f"snapshots/*/{file.path}"):
                pointer.unlink()

    def finish(self, listing: Listing) -> Path:
        snapshot = self.folder / "snapshots" / listing.commit
        links = are_symlinks_supported(constants.HF_HUB_CACHE)
        for file in listing.files:
            pointer = snapshot / file.path
            if not _is_file_of(pointer, file.size):
                pointer.parent.mkdir(parents=True, exist_ok=True)
                pointer.unlink(missing_ok=True)
                _point(pointer, self._blobs / file.content, symbolic=links)
        _check_sizes(snapshot, listing)
        (self.folder / "refs").mkdir(exist_ok=True)
        with replacing(self.folder / "refs" / "main") as beside:
            beside.write_text(listing.commit)
        return snapshot


class FolderPlace:
    """A plain folder. What was fetched into it is noted in .download/manifest.json, so that a later download
    replaces what changed on the hub and never a file of the person's own."""

    def __init__(self, hub_id: str, folder: Path) -> None:
        self.hub_id = hub_id
        self.folder = folder.expanduser().absolute()
        self._own = self.folder / ".download"
        self.lock = self._own / "lock"
        self._noted: dict[str, str] = {}

    def prepare(self, listing: Listing) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = self._own / "manifest.json"
        if manifest.exists():
            hub_id, self._noted = _read_manifest(manifest)
            if hub_id != self.hub_id:
                raise OutputError(
                    f"{self.folder} holds {hub_id}, not {self.hub_id}; choose another folder.", field="to"
                )
        elif any(path != self._own for path in self.folder.iterdir()):
            raise OutputError(
                f"{self.folder} is not empty, and nothing in it came from a download of {self.hub_id}; give a new "
                "or an empty folder.",
                field="to",
            )
        self._own.mkdir(exist_ok=True)
        self._note()
        note_listing(self.folder / FOLDER_NOTE, self.hub_id, listing)
        _drop_stale(self._own, listing)

    def part(self, content: str) -> Path:
        return self._own / f"{content}.part"

    def has(self, files: tuple[HubFile, ...]) -> bool:
        return all(
            self._noted.get(file.path) == file.content and _is_file_of(self.folder / file.path, file.size)
            for file in files
        )

    def put(self, files: tuple[HubFile, ...]) -> None:
        first, *others = (self.folder / file.path for file in files)
        first.parent.mkdir(parents=True, exist_ok=True)
        self.part(files[0].content).replace(first)
        for other in others:
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(first, other)
        self._noted |= {file.path: file.content for file in files}
        self._note()

    def drop(self, files: tuple[HubFile, ...]) -> None:
        self.part(files[0].content).unlink(missing_ok=True)
        for file in files:
            self._noted.pop(file.path, None)
        self._note()

    def finish(self, listing: Listing) -> Path:
        # A single file that the hub has since split into shards would otherwise win over them.
        for path in set(self._noted) - {file.path for file in listing.files}:
            if stays_inside(path):
                (self.folder / path).unlink(missing_ok=True)
            del self._noted[path]
        self._note()
        _check_sizes(self.folder, listing)
        return self.folder

    def _note(self) -> None:
        with replacing(self._own / "manifest.json") as beside:
            beside.write_text(json.dumps({"hub_id": self.hub_id, "files": self._noted}, indent=2), "utf-8")


def _read_manifest(path: Path) -> tuple[str, dict[str, str]]:
    try:
        noted = json.loads(path.read_text("utf-8"))
        return str(noted["hub_id"]), {str(name): str(noted["files"][name]) for name in noted["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} is damaged; delete it, or choose another folder.", field="to") from error


def _point(pointer: Path, blob: Path, *, symbolic: bool) -> None:
    if symbolic:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
        return
    try:
        pointer.hardlink_to(blob)
    except OSError:
        shutil.copyfile(blob, pointer)


def _drop_stale(folder: Path, listing: Listing) -> None:
    for part in folder.glob("*.part"):
        if part.stem not in listing.contents:
            part.unlink()


def _check_sizes(folder: Path, listing: Listing) -> None:
    for file in listing.files:
        path = folder / file.path
        found = path.stat().st_size if path.is_file() else 0
        if found != file.size:
            raise CheckpointError(
                f"{path} has {found:,} bytes instead of {file.size:,}; delete it and run the download again."
            )


def _is_file_of(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
