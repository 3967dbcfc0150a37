"""Downloading a checkpoint: list it, make sure that the disk has room, fetch what is missing, put it in place."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from threading import Event, Lock

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import WeakFileLock, validate_repo_id

from mova_studio.errors import CheckpointError, InputError, OutputError
from mova_studio.network import hub_fetch
from mova_studio.network.hub_errors import explain
from mova_studio.network.hub_fetch import Fetch, fetch_all, interruptibly
from mova_studio.network.hub_listing import HubFile, Listing, is_content_name, stays_inside
from mova_studio.network.hub_places import CachePlace, FolderPlace, Place, bytes_here

WANTED = ("*.json", "*.safetensors", "*.model", "tokenizer*/*.txt", "README*", "LICENSE*")
"""Patterns of the files that are fetched. Pickled weights (.bin, .pt, .pth) never are."""
RESERVE = 2**30
"""Bytes that a download leaves free on the disk."""
LOCK_SECONDS = hub_fetch.TIMEOUT + 1
"""Longer than a cancelled download needs to let go of its place."""
_SPEED_SECONDS = 5.0


@dataclass(frozen=True)
class Room:
    """Whether a download fits on its disk.

    Attributes:
        missing: bytes still to fetch.
        free: bytes on the disk of `folder`.
    """

    missing: int
    free: int
    folder: Path

    @property
    def enough(self) -> bool:
        """Some space is left to the system; nothing missing always fits."""
        return self.missing == 0 or self.missing + RESERVE <= self.free


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is.

    Attributes:
        bytes_done: on this disk already, earlier tries included.
        bytes_total: of the whole checkpoint; equal contents count once.
        bytes_per_second: over the last five seconds.
        file: the file that bytes came in for last; "" before the first.
    """

    bytes_done: int
    bytes_total: int
    bytes_per_second: float
    file: str

    def __str__(self) -> str:
        """ "12.30 of 77.67 GB (15 %), 85.0 MB/s, 13 min left, video_dit/..." """
        share = self.bytes_done / self.bytes_total if self.bytes_total else 1.0
        words = [f"{self.bytes_done / 1e9:.2f} of {self.bytes_total / 1e9:.2f} GB ({int(100 * share)} %)"]
        if self.bytes_per_second > 0 and share < 1:
            minutes = (self.bytes_total - self.bytes_done) / self.bytes_per_second / 60
            words += [f"{self.bytes_per_second / 1e6:.1f} MB/s", f"{math.ceil(minutes)} min left", self.file]
        return ", ".join(words)


def download(
    hub_id: str,
    to: Path | None,
    on_progress: Callable[[DownloadProgress], None],
    cancelled: Callable[[], bool],
    *,
    again: Collection[str] = (),
    on_room: Callable[[Room], None] = lambda room: None,
) -> Path:
    """Fetch a checkpoint's configs, safetensors and tokenizer; an interrupted download goes on where it was.

    Args:
        hub_id: "owner/name".
        to: the folder that becomes the checkpoint: a new or empty one, or that of an earlier download of the
            same id. None for the hub's own cache ($HF_HUB_CACHE, usually huggingface/hub in the user's cache
            folder), which other programs share.
        on_progress: called in this thread, ten times a second while bytes come in, and once at the end.
        cancelled: asked in this thread ten times a second.
        again: files of the checkpoint, with "/", that are fetched even if they are here: damaged ones.
        on_room: called once, before anything is fetched, with what is missing and what is free.

    Returns:
        The checkpoint folder: `to`, or the snapshot in the cache.

    Raises:
        InputError: `hub_id` is not one.
        CheckpointError: the hub cannot be reached, refuses, or has no such checkpoint.
        OutputError: the disk has too little room, or the folder cannot be written or holds something else.
        Cancelled: `cancelled` answered True; what was fetched stays for the next try.
    """
    if not is_hub_id(hub_id):
        raise InputError(f"{hub_id!r} is not a hub id; write it as owner/name.", field="model")
    place: Place = CachePlace(hub_id) if to is None else FolderPlace(hub_id, to)
    try:
        listing = interruptibly(lambda stop: list_files(hub_id), cancelled)
        place.prepare(listing)
        _drop(place, listing, again)
        meter = _Meter(listing.total, sum(bytes_here(place, files) for files in listing.contents.values()))
        room = Room(meter.missing, free_bytes(place.folder), place.folder)
        on_room(room)
        _check_room(hub_id, room)
        interruptibly(
            lambda stop: _fetch_into(place, listing, meter, stop), cancelled, lambda: on_progress(meter.progress())
        )
        folder = place.finish(listing)
    except Exception as error:
        explained = explain(error, hub_id, place.folder)
        if explained is None or explained is error:
            raise
        raise explained from error
    on_progress(meter.progress())
    return folder


def is_hub_id(model: str) -> bool:
    """Whether `model` has the form "owner/name" of a hub id."""
    try:
        validate_repo_id(model)
    except HFValidationError:
        return False
    return model.count("/") == 1


def list_files(hub_id: str) -> Listing:
    """The wanted files of a hub id, with their sizes.

    Raises:
        CheckpointError: the answer is not a file list, names a file outside the folder, or has no weights in
            safetensors.
    """
    try:
        info = HfApi().model_info(hub_id, files_metadata=True, timeout=hub_fetch.TIMEOUT)
        commit = str(info.sha)
        files = [
            HubFile(sibling.rfilename, sibling.lfs.sha256 if sibling.lfs else str(sibling.blob_id), int(sibling.size))  # type: ignore[arg-type]
            for sibling in info.siblings or []
            if any(fnmatch(sibling.rfilename, pattern) for pattern in WANTED)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"The answer to a question for {hub_id} was not the hub's: a proxy or a login page may stand between. "
            "Open any page in a browser on this machine, and try again."
        ) from error
    for name in [commit, *(file.content for file in files)]:
        if not is_content_name(name):
            raise CheckpointError(f"The hub's file list of {hub_id} holds the identifier {name!r}, which is none.")
    for file in files:
        if not stays_inside(file.path):
            raise CheckpointError(f"{hub_id} names the file {file.path!r}, which does not stay inside its folder.")
    if not any(file.path.endswith(".safetensors") for file in files):
        raise CheckpointError(f"{hub_id} holds no weights in safetensors, and pickled ones are never fetched.")
    return Listing(commit, tuple(files))


def download_folder(hub_id: str) -> Path | None:
    """Where a download into the hub's cache goes; None if `hub_id` is none."""
    return CachePlace(hub_id).folder if is_hub_id(hub_id) else None


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of `folder`, which need not exist yet."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def _check_room(hub_id: str, room: Room) -> None:
    if not room.enough:
        raise OutputError(
            f"{hub_id} needs {(room.missing + RESERVE) / 1e9:.1f} GB of free disk ({room.missing / 1e9:.1f} GB to "
            f"fetch and 1.1 GB to spare), and {room.folder} has {room.free / 1e9:.1f} GB. Free some space, or choose "
            "another disk with --to.",
            field="to",
        )


def _drop(place: Place, listing: Listing, again: Collection[str]) -> None:
    unknown = set(again) - {file.path for file in listing.files}
    if unknown:
        raise InputError(f"{place.hub_id} has no file {min(unknown)!r} to fetch again; check its spelling.")
    if again:
        with _one_at_a_time(place):
            for files in listing.contents.values():
                if any(file.path in again for file in files):
                    place.drop(files)


def _fetch_into(place: Place, listing: Listing, meter: _Meter, stop: Event) -> None:
    def job(files: tuple[HubFile, ...]) -> Fetch:
        first = files[0]
        url = hf_hub_url(place.hub_id, first.path, revision=listing.commit)
        return Fetch(first.path, url, first.size, place.part(first.content))

    with _one_at_a_time(place):
        todo = [files for files in listing.contents.values() if not place.has(files)]
        todo.sort(key=lambda files: files[0].size, reverse=True)
        fetch_all([job(files) for files in todo], stop, meter.add)
        if stop.is_set():
            return
        for files in todo:
            place.put(files)


@contextmanager
def _one_at_a_time(place: Place) -> Iterator[None]:
    """Two downloads into one place would fetch everything twice."""
    try:
        with WeakFileLock(place.lock, timeout=LOCK_SECONDS):
            yield
    except TimeoutError as error:
        raise OutputError(
            f"Another download of {place.hub_id} into {place.folder} is running; wait for it or stop it.", field="to"
        ) from error


class _Meter:
    """Bytes so far and their speed, counted from several threads."""

    def __init__(self, total: int, done: int) -> None:
        self._total, self._done, self._file = total, done, ""
        self._lock = Lock()
        self._samples = deque([(time.monotonic(), done)])

    @property
    def missing(self) -> int:
        return self._total - self._done

    def add(self, file: str, count: int) -> None:
        with self._lock:
            self._done += count
            self._file = file

    def progress(self) -> DownloadProgress:
        with self._lock:
            done, file = self._done, self._file
        now = time.monotonic()
        while len(self._samples) > 1 and now - self._samples[0][0] > _SPEED_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        self._samples.append((now, done))
        speed = max(0.0, (done - before) / (now - since)) if now > since else 0.0
        return DownloadProgress(done, self._total, speed, file)
