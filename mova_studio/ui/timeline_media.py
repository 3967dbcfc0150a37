"""What clips look and sound like on the tracks: a strip of small pictures and the outline of the sound.

Both are made in a thread when a source is first asked for, and kept as long as the app runs.
"""

from __future__ import annotations

import io
import logging
import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.media.probe import decode_audio, open_media
from mova_studio.media.waveform import waveform
from mova_studio.timeline.clip import SAMPLE_RATE, Source
from mova_studio.ui.served import address, cached_file

log = logging.getLogger(__name__)
STRIP_HEIGHT = 48
MAX_PICTURES = 24
PEAKS_A_SECOND = 20
MIN_PEAKS, MAX_PEAKS = 40, 1500
_REMEMBERED = 2000
_Key = tuple[str, int, int]


@dataclass(frozen=True)
class Strip:
    """Small pictures side by side, from the first to the last of a source, at equal distances.

    Attributes:
        url: of the JPEG, relative to the page.
        count: how many pictures.
        width, height: of one, in pixels.
    """

    url: str
    count: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawn:
    """A source as it is drawn; `strip` is None where it has no picture, `peaks` are 0 to 1."""

    strip: Strip | None
    peaks: tuple[float, ...]


class Drawings:
    """Makes drawings one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: OrderedDict[_Key, Drawn] = OrderedDict()
        self._asked: set[_Key] = set()
        self._wanted: queue.SimpleQueue[tuple[_Key, Source]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def of(self, source: Source) -> Drawn | None:
        """The drawing of a source; None while it is being made."""
        try:
            stat = Path(source.path).stat()
        except OSError:
            return None
        key = (source.path, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            known = self._drawn.get(key)
            if known is not None or key in self._asked:
                return known
            self._asked.add(key)
            self._wanted.put((key, source))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="timeline drawings", daemon=True)
                self._thread.start()
        return None

    def _work(self) -> None:
        while True:
            key, source = self._wanted.get()
            try:
                drawn = draw(source)
            except Exception:
                log.exception("%s cannot be drawn", source.path)
                drawn = Drawn(None, ())
            with self._lock:
                self._drawn[key] = drawn
                self._asked.discard(key)
                while len(self._drawn) > _REMEMBERED:
                    self._drawn.popitem(last=False)


def draw(source: Source) -> Drawn:
    """The drawing of a source, decoded now."""
    return Drawn(_strip(source) if source.num_frames else None, _peaks(source) if source.num_samples else ())


def _strip(source: Source) -> Strip | None:
    """Pictures about a second apart; a long film is read by its key frames."""
    seconds = source.num_frames / source.frame_rate
    count = min(max(int(seconds * 2), 1), MAX_PICTURES, source.num_frames)
    wanted = [index * source.num_frames // count for index in range(count)]
    pictures: list[Image.Image] = []
    try:
        with open_media(Path(source.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for number, frame in enumerate(container.decode(stream)):
                if len(pictures) == count:
                    break
                if number < wanted[len(pictures)]:
                    continue
                array = frame.to_ndarray(format="rgb24", height=STRIP_HEIGHT, width=_width(frame.width, frame.height))
                upright = np.rot90(array, frame.rotation // 90) if frame.rotation % 360 else array
                pictures.append(Image.fromarray(np.ascontiguousarray(upright)))
    except (InputError, IndexError) as error:
        log.warning("%s has no strip: %s", source.path, error)
    if not pictures:
        return None
    width = _width(*pictures[0].size)
    sheet = Image.new("RGB", (width * len(pictures), STRIP_HEIGHT))
    for number, picture in enumerate(pictures):
        sheet.paste(picture.resize((width, STRIP_HEIGHT)), (number * width, 0))
    data = io.BytesIO()
    sheet.save(data, "JPEG", quality=75)
    return Strip(address(cached_file(data.getvalue(), "strip.jpg")), len(pictures), width, STRIP_HEIGHT)


def _width(width: int, height: int) -> int:
    return min(max(round(STRIP_HEIGHT * width / height), 8), 4 * STRIP_HEIGHT)


def _peaks(source: Source) -> tuple[float, ...]:
    seconds = source.num_samples / SAMPLE_RATE
    try:
        samples, _rate = decode_audio(Path(source.path))
    except InputError as error:
        log.warning("%s has no outline: %s", source.path, error)
        return ()
    count = int(min(max(seconds * PEAKS_A_SECOND, MIN_PEAKS), MAX_PEAKS))
    return tuple(np.round(waveform(samples, count).astype(float), 2).tolist())
