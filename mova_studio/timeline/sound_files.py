"""The sound of media files as stereo at 48 kHz, each file decoded once."""

from __future__ import annotations

import math
from collections import OrderedDict
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mova_studio.errors import InputError
from mova_studio.media.probe import decode_audio
from mova_studio.timeline.clip import SAMPLE_RATE

_HALF = math.sqrt(0.5)
# Left and right from ffmpeg's order of channels (ITU-R BS.775): fronts, centre and surrounds at -3 dB, no LFE.
_TO_STEREO = {
    1: ([1], [1]),
    2: ([1, 0], [0, 1]),
    3: ([1, 0, _HALF], [0, 1, _HALF]),
    4: ([1, 0, _HALF, 0], [0, 1, 0, _HALF]),
    5: ([1, 0, _HALF, _HALF, 0], [0, 1, _HALF, 0, _HALF]),
    6: ([1, 0, _HALF, 0, _HALF, 0], [0, 1, _HALF, 0, 0, _HALF]),
    7: ([1, 0, _HALF, 0, _HALF, _HALF, 0], [0, 1, _HALF, 0, _HALF, 0, _HALF]),
    8: ([1, 0, _HALF, 0, _HALF, 0, _HALF, 0], [0, 1, _HALF, 0, 0, _HALF, 0, _HALF]),
}
_KEPT_BYTES = 256 << 20

_Key = tuple[str, int, int]


class SoundFiles:
    """Decoded sounds, the ones used last kept up to `kept_bytes`; a file that has changed is decoded again."""

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[_Key, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def load(self, path: Path) -> NDArray[np.float32]:
        """The sound of a file as float32 [2, n] at 48 kHz, read-only; sample 0 sounds with its first picture.

        Raises:
            InputError: missing, damaged, without sound, or more than 8 channels.
        """
        try:
            status = path.stat()
        except OSError:
            return stereo(*decode_audio(path))
        key = str(path), status.st_mtime_ns, status.st_size
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        sound = stereo(*decode_audio(path))
        sound.flags.writeable = False
        with self._lock:
            self._kept[key] = sound
            self._kept.move_to_end(key)
            # The last one stays whatever its size: a long piece of music is often used piece by piece.
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > self._kept_bytes:
                self._kept.popitem(last=False)
        return sound


def stereo(channels: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """A sound of 1 to 8 channels [channels, n] at any rate as float32 [2, m] at 48 kHz.

    One channel goes to both sides as it is; more than two are mixed down. No time is moved.

    Raises:
        InputError: more than 8 channels.
    """
    if channels.shape[0] not in _TO_STEREO:
        raise InputError(f"{channels.shape[0]} channels of sound cannot be mixed down; use 1 to 8.", field="source")
    if channels.shape[0] == 2:
        sides = channels.astype(np.float32)
    elif channels.shape[0] == 1:
        sides = np.repeat(channels.astype(np.float32), 2, axis=0)
    else:
        sides = np.asarray(_TO_STEREO[channels.shape[0]], np.float32) @ channels.astype(np.float32)
    if sample_rate == SAMPLE_RATE or not sides.size:
        return sides
    common = math.gcd(SAMPLE_RATE, sample_rate)
    return resample_poly(sides, SAMPLE_RATE // common, sample_rate // common, axis=1).astype(np.float32)


# Previews, renders and captions read the same files again and again.
SHARED = SoundFiles()
