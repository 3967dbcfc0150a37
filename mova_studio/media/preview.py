"""A tiny looping video of a take in the making."""

from __future__ import annotations

import io

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from mova_studio.media.h264 import picture_stream, to_yuv
from mova_studio.media.rate import exact_rate

SCALE = 4  # one latent cell covers eight pixels of the take: half its size is enough to judge by
_QUICK = {"preset": "ultrafast", "crf": "28"}


def encode_preview(frames: NDArray[np.uint8], frame_rate: float) -> bytes:
    """A silent mp4 in memory, four times as wide and high as `frames`.

    Args:
        frames: uint8 RGB [T, h, w, 3], T at least 1.
        frame_rate: frames per second.
    """
    rate = exact_rate(frame_rate)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = picture_stream(container, rate, frames.shape[1] * SCALE, frames.shape[2] * SCALE, _QUICK)
        stream.codec_context.thread_count = 1  # starting threads takes longer than they save
        converter = VideoReformatter()
        for index, pixels in enumerate(frames):
            container.mux(stream.encode(to_yuv(converter, pixels, index, rate, SCALE)))
        container.mux(stream.encode(None))
    return buffer.getvalue()
