"""Sound as AAC whose decoded loudness and true peak keep their promises."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import Cancelled
from mova_studio.media.limiter import peak_envelope
from mova_studio.media.loudness import Leveller, Loudness
from mova_studio.media.meter import decibels, integrated
from mova_studio.media.probe import decode_audio

SAMPLE_RATE = 48000
BIT_RATE = 192_000
FRAME_SAMPLES = 1024

Coder = Literal["twoloop", "fast"]

_LAYOUTS = {1: "mono", 2: "stereo"}
_CLOSE_LU = 0.1
_MAX_ENCODES = 9
_PATIENCE = 5  # encodings before the whole sound, and not only its lifted peaks, is given a lower ceiling
_NEAR_DB = 0.2  # peaks this close below the limit are treated like those above it: the next encoding may lift them
_CAUTION = 0.05  # and a little more than they were lifted, because no two encodings lift them alike
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
    bit_rate: int = BIT_RATE,
    coder: Coder = "twoloop",
    cancelled: Callable[[], bool] = lambda: False,
) -> EncodedSound:
    """Level, encode, decode, measure, and again with what was learned, until the decoded sound fits.

    AAC moves the loudness by some hundredths of a LU and lifts single peaks by up to a few decibels, by
    amounts that only decoding shows. The limiter is told of each lifted peak, so that it dips there and
    leaves the rest alone. The ceiling is kept in any case; the loudness within 0.3 LU of the target
    wherever `level_to` can bring it.

    Args:
        samples: float32 [channels, n] at 48 kHz, 1 or 2 channels.
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.
        bit_rate: in bits per second.
        coder: ffmpeg's way to share out the bits: "twoloop" sounds best, "fast" takes a quarter of the time.

    Raises:
        Cancelled: `cancelled()` said so between two encodings.
    """
    limit_dbtp = ceiling_dbtp - _MARGIN_DB
    leveller = Leveller(samples, SAMPLE_RATE)
    aim_lufs, aim_peak = target_lufs, limit_dbtp
    best: tuple[float, EncodedSound] | None = None
    for attempt in range(_MAX_ENCODES):
        if cancelled():
            raise Cancelled()
        sent = leveller.level(aim_lufs, aim_peak)
        m4a, peaks, loudness = _heard(sent.samples, bit_rate, coder)
        over = _over(loudness, limit_dbtp)
        missing = 0.0
        if target_lufs is not None and loudness.integrated_lufs is not None:
            missing = target_lufs - loudness.integrated_lufs
        if over <= 0 and (best is None or abs(missing) < best[0]):
            best = abs(missing), EncodedSound(m4a, loudness)
        # What the leveller could not bring, asking for more will not bring either.
        if best is not None and (best[0] <= _CLOSE_LU or not sent.reached):
            break
        # Each encoding is met with more of both: a long sound has many peaks that one more encoding may lift.
        hot = peaks > 10 ** ((limit_dbtp - _NEAR_DB * (1 + attempt)) / 20)
        leveller.learn(np.where(hot, peaks * (1 + _CAUTION * (1 + attempt)), 0.0).astype(np.float32), sent.gain)
        if over > 0 and attempt >= _PATIENCE:
            aim_peak -= over / 2
        if aim_lufs is not None and sent.reached and abs(missing) > _CLOSE_LU:
            aim_lufs += missing
    return best[1] if best is not None else _turned_down(sent.samples, limit_dbtp, bit_rate, coder)


def _turned_down(samples: NDArray[np.float32], limit_dbtp: float, bit_rate: int, coder: Coder) -> EncodedSound:
    """For sound whose peaks come out somewhere else with every encoding: all of it, as far down as it takes."""
    while True:
        m4a, _, loudness = _heard(samples, bit_rate, coder)
        over = _over(loudness, limit_dbtp)
        if over <= 0:
            return EncodedSound(m4a, loudness)
        samples = samples * np.float32(10 ** (-(over + 0.5) / 20))


def _heard(samples: NDArray[np.float32], bit_rate: int, coder: Coder) -> tuple[bytes, NDArray[np.float32], Loudness]:
    """The encoded sound, the true peak around each sample of it as decoded, and how loud that is."""
    m4a = encode_aac(samples, bit_rate, coder)
    heard = decode_audio(io.BytesIO(m4a))[0]
    peaks = peak_envelope(heard)
    return m4a, peaks, Loudness(integrated(heard, SAMPLE_RATE), decibels(float(peaks.max(initial=0.0))))


def _over(loudness: Loudness, limit_dbtp: float) -> float:
    return -np.inf if loudness.true_peak_dbtp is None else loudness.true_peak_dbtp - limit_dbtp


def encode_aac(samples: NDArray[np.float32], bit_rate: int = BIT_RATE, coder: Coder = "twoloop") -> bytes:
    """An m4a file in memory, of float32 [channels, n] at 48 kHz, 1 or 2 channels."""
    buffer = io.BytesIO()
    # The default clock of an mp4 ticks in milliseconds, which would cut up to 47 samples off the end.
    with av.open(buffer, "w", format="mp4", options={"movie_timescale": str(SAMPLE_RATE)}) as container:
        layout = _LAYOUTS[samples.shape[0]]
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout=layout, options={"aac_coder": coder})
        stream.bit_rate = bit_rate
        for start in range(0, samples.shape[1], SAMPLE_RATE):
            piece = np.ascontiguousarray(samples[:, start : start + SAMPLE_RATE])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
