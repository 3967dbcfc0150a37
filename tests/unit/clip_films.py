"""Films whose pictures say their number, at any times, with any sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CLOCK = 90_000
STEP = 5  # grey levels from one number to the next


def write_film(
    path: Path,
    times: Sequence[float],
    sound: NDArray[np.float32] | None,
    *,
    rate: int = 48_000,
    layout: str = "mono",
    sound_start: float = 0.0,
    size: tuple[int, int] = (64, 48),
    coded: str | None = None,
    pictures: Sequence[NDArray[np.uint8]] | None = None,
) -> Path:
    """H.264 pictures at `times` in seconds and uncompressed sound [channels, n] in a .mkv or .mov.

    Picture n is grey of level 5 n, or pictures[n].
    """
    with av.open(str(path), "w") as container:
        gap = float(np.median(np.diff(times))) if len(times) > 1 else 1 / 24
        rate_of_pictures = Fraction(1 / gap).limit_denominator(1001)
        video = container.add_stream(
            "libx264", rate=rate_of_pictures, options={"crf": "1", "preset": "ultrafast", "g": "12"}
        )
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, CLOCK)
        packets = []
        for number, time in enumerate(times):
            grey = np.full((size[1], size[0], 3), number * STEP % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey if pictures is None else pictures[number], "rgb24")
            frame.pts, frame.time_base = round(time * CLOCK), Fraction(1, CLOCK)
            packets += video.encode(frame)
        packets += video.encode(None)
        if sound is not None:
            track = container.add_stream(coded or "pcm_s16le", rate=rate, layout=layout)
            kind = "fltp" if coded else "s16"
            values = sound.astype(np.float32) if coded else np.round(sound * 32767).astype(np.int16).T.reshape(1, -1)
            piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), kind, layout)
            piece.sample_rate, piece.pts, piece.time_base = rate, round(sound_start * rate), Fraction(1, rate)
            packets += track.encode(piece)
            packets += track.encode(None)
        for packet in packets:
            container.mux(packet)
    return path


def numbers(frames: NDArray[np.uint8]) -> list[int]:
    """What the pictures say."""
    return [round(float(frame.mean()) / STEP) for frame in frames]


def clicks(seconds: Sequence[float], length: float, rate: int = 48_000) -> NDArray[np.float32]:
    """Single samples of 0.5 at `seconds`, [1, n]."""
    sound = np.zeros((1, round(length * rate)), np.float32)
    for second in seconds:
        sound[0, round(second * rate)] = 0.5
    return sound
