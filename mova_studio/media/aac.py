"""Sound as AAC whose decoded loudness and true peak keep their promises."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import Cancelled
from mova_studio.media.loudness import TOLERANCE_LU, Loudness, level_to, measure
from mova_studio.media.probe import decode_audio

SAMPLE_RATE = 48000
BIT_RATE = 192_000
FRAME_SAMPLES = 1024

_LAYOUTS = {1: "mono", 2: "stereo"}
_MAX_ENCODES = 8
_CLOSE_LU = 0.1
_STEP_DB = 0.05
_MARGIN_DB = 0.05  # meters differ by a few hundredths of a decibel in their oversampling filters


@dataclass(frozen=True)
class EncodedSound:
    """An m4a file in memory, and what its decoded sound measures."""

    m4a: bytes
    loudness: Loudness


def encode_levelled(
    samples: NDArray[np.float32],
    *,
    target_lufs: float | None,
    ceiling_dbtp: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> EncodedSound:
    """Level, encode, decode, measure, and again with the difference taken off, until the decoded sound fits.

    AAC moves the loudness by some hundredths of a LU and lifts peaks by up to a few decibels, by an amount
    that only decoding shows. The ceiling is kept in any case; the loudness within 0.3 LU wherever
    `level_to` can bring it.

    Args:
        samples: float32 [channels, n] at 48 kHz, 1 or 2 channels.
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.

    Raises:
        Cancelled: `cancelled()` said so between two encodings.
    """
    limit_dbtp = ceiling_dbtp - _MARGIN_DB
    aim_lufs, aim_peak = target_lufs, limit_dbtp
    best: tuple[float, EncodedSound] | None = None
    for attempt in range(_MAX_ENCODES):
        if cancelled():
            raise Cancelled()
        levelled = level_to(samples, SAMPLE_RATE, aim_lufs, aim_peak)
        sent = measure(levelled, SAMPLE_RATE)
        m4a = _encode(levelled)
        heard = measure(decode_audio(io.BytesIO(m4a))[0], SAMPLE_RATE)
        over = -np.inf if heard.true_peak_dbtp is None else heard.true_peak_dbtp - limit_dbtp
        missing = 0.0
        if target_lufs is not None and heard.integrated_lufs is not None:
            missing = target_lufs - heard.integrated_lufs
        if over <= 0 and (best is None or abs(missing) < best[0]):
            best = abs(missing), EncodedSound(m4a, heard)
        # What level_to could not bring, asking for more will not bring either.
        unreachable = (
            aim_lufs is not None and sent.integrated_lufs is not None and sent.integrated_lufs < aim_lufs - TOLERANCE_LU
        )
        if best is not None and (best[0] <= _CLOSE_LU or (over <= 0 and unreachable)):
            break
        if over > 0:
            aim_peak -= over + _STEP_DB * (attempt + 1)
        if aim_lufs is not None and not unreachable:
            aim_lufs += missing
    return best[1] if best is not None else _safe(samples, aim_peak, limit_dbtp)


def _safe(samples: NDArray[np.float32], aim_peak: float, limit_dbtp: float) -> EncodedSound:
    """Well below the ceiling, for sound whose overshoot changes with every encoding."""
    while True:
        aim_peak -= 1.0
        m4a = _encode(level_to(samples, SAMPLE_RATE, None, aim_peak))
        heard = measure(decode_audio(io.BytesIO(m4a))[0], SAMPLE_RATE)
        if heard.true_peak_dbtp is None or heard.true_peak_dbtp <= limit_dbtp:
            return EncodedSound(m4a, heard)


def _encode(samples: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    # The default clock of an mp4 ticks in milliseconds, which would cut up to 47 samples off the end.
    with av.open(buffer, "w", format="mp4", options={"movie_timescale": str(SAMPLE_RATE)}) as container:
        layout = _LAYOUTS[samples.shape[0]]
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout=layout)
        stream.bit_rate = BIT_RATE
        for start in range(0, samples.shape[1], SAMPLE_RATE):
            piece = np.ascontiguousarray(samples[:, start : start + SAMPLE_RATE])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
