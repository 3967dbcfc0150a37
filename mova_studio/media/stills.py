"""Single pictures out of a video file."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.media.probe import open_media


def still_from_end(path: Path, count: int = 1) -> Image.Image:
    """The picture that is `count` before the end, 1 being the last, as RGB.

    Every picture is decoded, because a file's index may lie, but only `count` are held.

    Raises:
        InputError: not a media file, damaged, or with fewer pictures than that.
    """
    with open_media(path) as container:
        if not container.streams.video:
            raise InputError(f"{path.name} has no picture.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        last: deque[Any] = deque(container.decode(stream), maxlen=count)
        if len(last) < count:
            raise InputError(f"{path.name} has {len(last)} pictures; the one {count} before its end is not there.")
        array = last[0].to_ndarray(format="rgb24", interpolation="BICUBIC")
        return Image.fromarray(np.rot90(array, last[0].rotation // 90) if last[0].rotation % 360 else array)
