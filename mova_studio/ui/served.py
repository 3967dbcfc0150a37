"""Takes as the browser gets them: through Gradio's file cache, so that no folder of ours is ever served."""

from __future__ import annotations

import base64
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
_REMEMBERED = 400
_POSTER_SIZE = (480, 480)


@dataclass(frozen=True)
class Served:
    """A take's file in the cache.

    Attributes:
        path: of the cached copy.
        url: relative to the page, so that it also holds behind a proxy.
        peaks: the outline of its sound, 0 to 1.
        poster: its first picture, small, as a data URI.
    """

    path: Path
    url: str
    peaks: tuple[float, ...]
    poster: str = ""


class ServedTakes:
    """Puts takes into the cache when they are shown, and takes them out when they are deleted."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, int], Served] = OrderedDict()
        self._lock = threading.Lock()

    def serve(self, path: Path) -> Served:
        """The take's file in the cache, put there if it is not. Slow the first time: call it in a thread.

        Raises:
            InputError: the file has gone.
        """
        try:
            key = (path, path.stat().st_mtime_ns)
        except OSError as error:
            raise InputError(f"{path.name} has gone; reload the page.") from error
        with self._lock:
            known = self._known.get(key)
            if known is not None and known.path.is_file():
                self._known.move_to_end(key)
                return known
        cached = _into_cache(path, key[1])
        url = "gradio_api/file=" + quote(cached.as_posix())
        served = Served(cached, url, _peaks(path), _poster(path))
        with self._lock:
            self._known[key] = served
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)[1].path.unlink(missing_ok=True)
        return served

    def withdraw(self, path: Path) -> None:
        """Take a deleted take out of the cache too."""
        with self._lock:
            for key in [key for key in self._known if key[0] == path]:
                self._known.pop(key).path.unlink(missing_ok=True)


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


def _into_cache(path: Path, changed: int) -> Path:
    name = hashlib.sha256(f"{path}\n{changed}".encode()).hexdigest()[:32]
    cached = Path(get_upload_folder()).resolve() / "takes" / name / path.name
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


def _poster(path: Path) -> str:
    try:
        with open_media(path) as container:
            picture = next(container.decode(video=0)).to_image()
    except (InputError, StopIteration, IndexError):
        return ""
    picture.thumbnail(_POSTER_SIZE)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _peaks(path: Path) -> tuple[float, ...]:
    try:
        samples, _rate = decode_audio(path)
    except InputError:
        return (0.0,) * BUCKETS
    return tuple(np.round(waveform(samples, BUCKETS).astype(float), 3).tolist())
