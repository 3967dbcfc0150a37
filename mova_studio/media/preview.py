"""A tiny looping video of a take in the making."""

from __future__ import annotations

import io

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mova_studio.media.aac import SAMPLE_RATE, encode_aac
from mova_studio.media.h264 import picture_stream, to_yuv
from mova_studio.media.muxing import mux
from mova_studio.media.rate import exact_rate

SCALE = 4  # one latent cell covers eight pixels of the take: half its size is enough to judge by
_QUICK = {"preset": "ultrafast", "crf": "28"}


def encode_preview(
    frames: NDArray[np.uint8], frame_rate: float, audio: NDArray[np.float32] | None = None, sample_rate: int = 48000
) -> bytes:
    """An mp4 in memory, four times as wide and high as `frames`.

    Args:
        frames: uint8 RGB [T, h, w, 3], T at least 1.
        frame_rate: frames per second.
        audio: float [channels, n], 1 or 2 channels; None makes it silent.
        sample_rate: of `audio`, in Hz.
    """
    rate = exact_rate(frame_rate)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = picture_stream(container, rate, frames.shape[1] * SCALE, frames.shape[2] * SCALE, _QUICK)
        stream.codec_context.thread_count = 1  # starting threads takes longer than they save
        converter = VideoReformatter()
        pictures = [to_yuv(converter, pixels, index, rate, SCALE) for index, pixels in enumerate(frames)]
        packets = [packet for picture in [*pictures, None] for packet in stream.encode(picture)]
        mux(container, packets, None if audio is None else encode_aac(_at_48k(audio, sample_rate)))
    return buffer.getvalue()


def _at_48k(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    resampled = audio if sample_rate == SAMPLE_RATE else resample_poly(audio, SAMPLE_RATE, sample_rate, axis=-1)
    return np.clip(np.nan_to_num(resampled), -1.0, 1.0).astype(np.float32)
