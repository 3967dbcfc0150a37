"""Takes as the browser gets them: through Gradio's file cache, so that no folder of ours is ever served."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from gradio.utils import get_upload_folder

from mova_studio.errors import InputError
from mova_studio.media.probe import decode_audio, open_media
from mova_studio.media.waveform import waveform

BUCKETS = 120
# More than a page of the Gallery shows, so that nothing in view is taken away.
_REMEMBERED = 1000
_POSTER_SIZE = (480, 480)
_Key = tuple[Path, int]


@dataclass(frozen=True)
class Served:
    """A take's file in the cache.

    Attributes:
        path: of the cached copy.
        url: relative to the page, so that it also holds behind a proxy.
        peaks: the outline of its sound, 0 to 1.
        poster: address of its first picture, small; "" if it has none.
    """

    path: Path
    url: str
    peaks: tuple[float, ...]
    poster: str = ""


class ServedTakes:
    """Puts takes into the cache when they are shown, and takes them out when they are deleted."""

    def __init__(self) -> None:
        self._links: OrderedDict[tuple[Path, int, str], Path] = OrderedDict()
        self._posters: OrderedDict[_Key, str] = OrderedDict()
        self._peaks: OrderedDict[_Key, tuple[float, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def serve(self, path: Path) -> Served:
        """The take's file in the cache with its poster and peaks. Slow the first time: call it in a thread.

        Raises:
            InputError: the file has gone.
        """
        linked, key = self.link(path), _key(path)
        with self._lock:
            peaks = self._peaks.get(key)
        if peaks is None:
            peaks = _peaks(path)
            with self._lock:
                _remember(self._peaks, key, peaks)
        return Served(linked, address(linked), peaks, self.poster(path))

    def link(self, path: Path, name: str = "") -> Path:
        """The take's file in the cache, put there if it is not; quick where the cache is on the same disk.

        Args:
            name: what the file is called there; its own name by default.

        Raises:
            InputError: the file has gone.
        """
        key = (*_key(path), name or path.name)
        with self._lock:
            known = self._links.get(key)
            if known is not None and known.is_file():
                self._links.move_to_end(key)
                return known
        linked = _into_cache(path, *key[1:])
        with self._lock:
            for forgotten in _remember(self._links, key, linked):
                forgotten.unlink(missing_ok=True)
        return linked

    def known_poster(self, path: Path) -> str:
        """The address of the take's poster if it has been made, else ""."""
        try:
            key = _key(path)
        except InputError:
            return ""
        with self._lock:
            return self._posters.get(key, "")

    def poster(self, path: Path) -> str:
        """The address of the take's first picture; decodes it the first time.

        Raises:
            InputError: the file has gone.
        """
        key = _key(path)
        with self._lock:
            known = self._posters.get(key)
        if known is not None:
            return known
        jpeg = _first_picture(path)
        made = address(cached_file(jpeg, "poster.jpg")) if jpeg else ""
        with self._lock:
            _remember(self._posters, key, made)
        return made

    def withdraw(self, path: Path) -> None:
        """Take a deleted take out of the cache too."""
        with self._lock:
            for key in [key for key in self._links if key[0] == path]:
                self._links.pop(key).unlink(missing_ok=True)


def address(cached: Path) -> str:
    """What the browser asks for to get a file of the cache."""
    return "gradio_api/file=" + quote(cached.as_posix())


def cached_file(data: bytes, name: str) -> Path:
    """`data` as a file in the cache, where the page's pictures may lie."""
    folder = Path(get_upload_folder()).resolve() / hashlib.sha256(data).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    if not file.is_file():
        beside = file.with_suffix(f".{threading.get_ident()}.part")
        beside.write_bytes(data)
        beside.replace(file)
    return file


def _key(path: Path) -> _Key:
    try:
        return (path, path.stat().st_mtime_ns)
    except OSError as error:
        raise InputError(f"{path.name} has gone; reload the page.") from error


def _remember(known: OrderedDict, key: tuple, value: object) -> list:
    """Keep a value and return those that had to go for it."""
    known[key] = value
    known.move_to_end(key)
    return [known.popitem(last=False)[1] for _ in range(len(known) - _REMEMBERED)]


def _into_cache(path: Path, changed: int, called: str) -> Path:
    name = hashlib.sha256(f"{path}\n{changed}\n{called}".encode()).hexdigest()[:32]
    cached = Path(get_upload_folder()).resolve() / "takes" / name / called
    if cached.is_file():
        return cached
    cached.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, cached)
    except FileExistsError:
        pass
    except OSError:
        # Another disk, or one without hard links.
        beside = cached.with_suffix(f".{threading.get_ident()}.part")
        shutil.copyfile(path, beside)
        beside.replace(cached)
    return cached


def _first_picture(path: Path) -> bytes:
    try:
        with open_media(path) as container:
            picture = next(container.decode(video=0)).to_image()
    except (InputError, StopIteration, IndexError):
        return b""
    picture.thumbnail(_POSTER_SIZE)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _peaks(path: Path) -> tuple[float, ...]:
    try:
        samples, _rate = decode_audio(path)
    except InputError:
        return (0.0,) * BUCKETS
    return tuple(np.round(waveform(samples, BUCKETS).astype(float), 3).tolist())
