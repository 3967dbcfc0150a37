"""Which checkpoints are on this machine, and how much of each; read from names, sizes and headers, without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from huggingface_hub import constants

from mova_studio.network.demo_place import demo_folder
from mova_studio.network.hub import PUBLISHED, is_hub_id, missing_files, model_folder
from mova_studio.network.hub_listing import Listing, noted_listing
from mova_studio.network.hub_places import CACHE_NOTE, FOLDER_NOTE
from mova_studio.network.verify import expected_files, files_in, quick_fault

DEMO = "demo"


class State(str, Enum):
    """How much of a checkpoint is here."""

    WHOLE = "whole"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    GONE = "gone"
    UNMADE = "unmade"


@dataclass(frozen=True)
class Installed:
    """A checkpoint on this machine.

    Attributes:
        model: what a person calls it: "demo", a hub id, or its folder.
        folder: where it lies.
        bytes: that it takes on the disk.
        bytes_total: of the whole checkpoint, where that is known; `bytes_here` of them are here.
        missing: files that are not here.
        fault: the first fault of a damaged one.
        hub_id: what a download of it is called; "" where it did not come from the hub.
        to: the folder that such a download goes into; None for the hub's cache.
        remembered: it is in the list only because it was used.
    """

    model: str
    folder: Path
    state: State
    bytes: int = 0
    bytes_here: int = 0
    bytes_total: int | None = None
    missing: tuple[str, ...] = ()
    fault: str = ""
    hub_id: str = ""
    to: Path | None = None
    remembered: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "path": str(self.folder),
            "state": self.state.value,
            "bytes": self.bytes,
            "bytes_here": self.bytes_here,
            "bytes_total": self.bytes_total,
            "missing": list(self.missing),
            "fault": self.fault or None,
            "hub_id": self.hub_id or None,
            "remembered": self.remembered,
        }


def installed(remembered: Iterable[str] = ()) -> list[Installed]:
    """The demo, what the hub's cache and the studio's own folder hold, and remembered folders in their order."""
    found = [_demo(), *_in_cache(), *_in_own_folder()]
    known = {checkpoint.folder for checkpoint in found}
    for name in remembered:
        folder = Path(name)
        if folder in known:
            continue
        known.add(folder)
        found.append(replace(in_folder(folder), model=name, remembered=True))
    return found


def in_folder(folder: Path, hub_id: str = "") -> Installed:
    """What a folder holds of a checkpoint."""
    noted = noted_listing(folder / FOLDER_NOTE)
    listing = None
    if noted is not None:
        hub_id, listing = noted
    about = _looked_into(folder, listing)
    here = 0
    for files in listing.contents.values() if listing else ():
        paths = (folder / files[0].path, folder / ".download" / f"{files[0].content}.part")
        here += _bytes_of_one(paths, files[0].size)
    size = _bytes_under(folder)
    return replace(about, model=str(folder), bytes=size, bytes_here=here or size, hub_id=hub_id, to=folder)


def _demo() -> Installed:
    folder = demo_folder()
    if not folder.is_dir():
        return Installed(DEMO, folder, State.UNMADE)
    size = _bytes_under(folder)
    return replace(_looked_into(folder, None), model=DEMO, bytes=size, bytes_here=size)


def _in_cache() -> list[Installed]:
    found = []
    for repo in _folders_of(Path(constants.HF_HUB_CACHE)):
        hub_id = repo.name.removeprefix("models--").replace("--", "/", 1)
        if repo.name.startswith("models--") and is_hub_id(hub_id):
            checkpoint = _cached(repo, hub_id)
            if checkpoint is not None:
                found.append(checkpoint)
    return found


def _cached(repo: Path, hub_id: str) -> Installed | None:
    """What a folder of the hub's cache holds; None where it is another model's."""
    noted = noted_listing(repo / CACHE_NOTE)
    snapshot = _snapshot(repo)
    listing = None if noted is None else noted[1]
    if listing is not None and snapshot is not None and listing.commit != snapshot.name:
        # A newer commit that is still on its way, or one that another program fetched since.
        listing = None
    if snapshot is None and noted is None and hub_id not in PUBLISHED:
        return None
    if snapshot is not None and noted is None and not _is_mova(snapshot, hub_id):
        return None
    size = _bytes_under(repo)
    if snapshot is None:
        if size == 0:
            return None
        about = Installed(hub_id, repo, State.PARTIAL, bytes_total=_published_bytes(hub_id))
        listing = None if noted is None else noted[1]
        if listing is not None:
            lacking = (file.path for file in listing.files if not (repo / "blobs" / file.content).is_file())
            about = replace(about, bytes_total=listing.total, missing=tuple(lacking))
    else:
        about = _looked_into(snapshot, listing)
        if about.state is State.PARTIAL and about.bytes_total is None:
            about = replace(about, bytes_total=_published_bytes(hub_id))
    here = size
    if listing is not None:
        blobs = repo / "blobs"
        here = sum(
            _bytes_of_one((blobs / name, blobs / f"{name}.part"), files[0].size)
            for name, files in listing.contents.items()
        )
    return replace(about, model=hub_id, bytes=size, bytes_here=here, hub_id=hub_id)


def _in_own_folder() -> list[Installed]:
    return [
        in_folder(folder, f"{owner.name}/{folder.name}")
        for owner in _folders_of(model_folder())
        for folder in _folders_of(owner)
        if (folder / FOLDER_NOTE).is_file() or _is_mova(folder, "")
    ]


def _looked_into(folder: Path, listing: Listing | None) -> Installed:
    about = Installed("", folder, State.WHOLE, bytes_total=listing.total if listing else None)
    if listing is None and not (folder / "model_index.json").exists():
        return replace(about, state=State.GONE)
    expected = expected_files(folder)
    lacking = missing_files(folder)
    if listing is not None:
        lacking = list(dict.fromkeys([*lacking, *(path for path in expected if not (folder / path).is_file())]))
    faults = (quick_fault(folder, name, expected.get(name)) for name in files_in(folder) if name not in lacking)
    fault = next((fault for fault in faults if fault is not None and fault.kind != "missing"), None)
    if fault is not None:
        return replace(about, state=State.DAMAGED, fault=str(fault), missing=tuple(lacking))
    return replace(about, state=State.PARTIAL if lacking else State.WHOLE, missing=tuple(lacking))


def _is_mova(folder: Path, hub_id: str) -> bool:
    try:
        index = json.loads((folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        return hub_id in PUBLISHED
    return isinstance(index, dict) and index.get("_class_name") == "MOVA"


def _snapshot(repo: Path) -> Path | None:
    try:
        commit = (repo / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    folder = repo / "snapshots" / commit
    return folder if commit and folder.is_dir() else None


def _published_bytes(hub_id: str) -> int | None:
    return PUBLISHED[hub_id].bytes if hub_id in PUBLISHED else None


def _bytes_of_one(candidates: tuple[Path, Path], size: int) -> int:
    """Bytes of the finished file, or of the one that grows."""
    for path in candidates:
        if path.is_file():
            return min(path.stat().st_size, size)
    return 0


def _bytes_under(folder: Path) -> int:
    """Bytes of all files, those under two names once."""
    sizes: dict[tuple[int, int], int] = {}
    for parent, _folders, files in os.walk(folder):
        for file in files:
            try:
                status = Path(parent, file).stat()
            except OSError:
                continue  # a link without a target, or a file that has just gone
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def _folders_of(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []
