"""A checkpoint's files one by one: are they whole, and do they hold what the hub says? Nothing here needs torch."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mova_studio.errors import Cancelled
from mova_studio.network.hub_download import DownloadProgress
from mova_studio.network.hub_listing import HubFile, Listing, is_content_name, noted_listing
from mova_studio.network.hub_places import CACHE_NOTE, FOLDER_NOTE

_CHUNK = 1 << 22
_MAX_HEADER = 100_000_000
_TICK = 0.2
_SENTENCES = {
    "missing": "{file} is missing.",
    "size": "{file} has {found} bytes instead of {expected}.",
    "content": "{file} has the right size and a wrong checksum: {found}… instead of {expected}….",
    "header": "{file} is cut short or not a safetensors file: {found}.",
    "json": "{file} is damaged: {found}.",
    "unreadable": "{file} cannot be read: {found}.",
}


@dataclass(frozen=True)
class FileFault:
    """What is wrong with a file.

    Attributes:
        file: inside the checkpoint, with "/".
        kind: missing, size, content (its checksum), header, json or unreadable.
        expected, found: what should be and what is; "" where there is nothing to say.
    """

    file: str
    kind: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(**asdict(self))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def expected_files(folder: Path) -> dict[str, HubFile]:
    """What a checkpoint folder should hold, by path: from the note of the download that made it, or from the names
    of the hub's blobs (then without sizes: -1). {} where nobody knows."""
    listing = listing_of(folder)
    if listing is not None:
        return {file.path: file for file in listing.files}
    names = {path: _link_name(folder / path) for path in files_in(folder)}
    return {path: HubFile(path, name, -1) for path, name in names.items() if is_content_name(name)}


def _link_name(path: Path) -> str:
    """The name of the file that a link points to; "" where it is none, or gone by now."""
    try:
        return path.readlink().name
    except OSError:
        return ""


def listing_of(folder: Path) -> Listing | None:
    """The listing that a download noted for this folder, if it still holds."""
    noted = noted_listing(folder / FOLDER_NOTE)
    if noted is None and folder.parent.name == "snapshots":
        noted = noted_listing(folder.parent.parent / CACHE_NOTE)
        if noted is not None and noted[1].commit != folder.name:
            return None
    return None if noted is None else noted[1]


def files_in(folder: Path) -> Iterator[str]:
    """The files that count in a checkpoint, links without a target too: settings and weights, with "/". Folders that
    are deleted meanwhile are passed over."""
    for path in sorted(Path(parent, name) for parent, _folders, names in os.walk(folder) for name in names):
        inside = path.relative_to(folder)
        if path.suffix in (".json", ".safetensors", ".model") and not inside.parts[0].startswith("."):
            yield inside.as_posix()


def verify_files(
    folder: Path, on_progress: Callable[[DownloadProgress], None], cancelled: Callable[[], bool]
) -> tuple[list[FileFault], int]:
    """Read every file of a checkpoint and compare it with what it should be.

    Args:
        on_progress: called in this thread, a few times a second, with the bytes that were read.
        cancelled: asked as often.

    Returns:
        The faults, and the number of files whose checksum is known.

    Raises:
        Cancelled: `cancelled` answered True.
    """
    expected = expected_files(folder)
    names = sorted({*files_in(folder), *expected})
    total = sum(_size(folder / name) or 0 for name in names if name in expected)
    reading = _Reading(total, on_progress, cancelled)
    faults = []
    for name in names:
        fault = quick_fault(folder, name, expected.get(name))
        if fault is None and name in expected:
            fault = _content_fault(folder, expected[name], reading)
        if fault is not None:
            faults.append(fault)
    reading.tell("")
    return faults, len(expected)


def quick_fault(folder: Path, name: str, expected: HubFile | None) -> FileFault | None:
    """What is wrong with a file, as far as its size and its head tell."""
    path = folder / name
    size = _size(path)
    if size is None:
        return FileFault(name, "missing")
    if expected is not None and expected.size not in (-1, size):
        return FileFault(name, "size", f"{expected.size:,}", f"{size:,}")
    try:
        if path.suffix == ".safetensors":
            reason = _header_fault(path, size)
            return FileFault(name, "header", found=reason) if reason else None
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
    except ValueError as error:
        return FileFault(name, "json", found=str(error))
    except FileNotFoundError:
        return FileFault(name, "missing")
    except OSError as error:
        return FileFault(name, "unreadable", found=error.strerror or str(error))
    return None


def _size(path: Path) -> int | None:
    """A file's bytes; None where it is none, or gone by now."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _header_fault(path: Path, size: int) -> str:
    """The format: eight bytes of length, that many of JSON, and the tensors without a gap after the last."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_MAX_HEADER, size - 8):
            return f"{size:,} bytes without a header"
        try:
            header = json.loads(stream.read(length))
            ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return "its header is no list of tensors"
    whole = 8 + length + max(ends, default=0)
    return "" if whole == size else f"{size:,} bytes, and its header promises {whole:,}"


def _content_fault(folder: Path, expected: HubFile, reading: _Reading) -> FileFault | None:
    path = folder / expected.path
    try:
        if len(expected.content) == 64:
            digest = hashlib.sha256()
        else:
            digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                reading.add(expected.path, len(chunk))
    except OSError as error:
        return FileFault(expected.path, "unreadable", found=error.strerror or str(error))
    if digest.hexdigest() == expected.content:
        return None
    return FileFault(expected.path, "content", expected.content[:12], digest.hexdigest()[:12])


class _Reading:
    """How far the reading is, told now and then."""

    def __init__(
        self, total: int, on_progress: Callable[[DownloadProgress], None], cancelled: Callable[[], bool]
    ) -> None:
        self._total, self._done = total, 0
        self._on_progress, self._cancelled = on_progress, cancelled
        self._started = self._told = time.monotonic()

    def add(self, file: str, count: int) -> None:
        self._done += count
        if time.monotonic() - self._told > _TICK:
            self.tell(file)
            if self._cancelled():
                raise Cancelled("The check was stopped; nothing was changed.")

    def tell(self, file: str) -> None:
        self._told = time.monotonic()
        speed = self._done / max(self._told - self._started, 1e-6)
        self._on_progress(DownloadProgress(self._done, self._total, speed, file))
