"""Pictures and sound into one mp4 that any player, browser and editor takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import Cancelled, InputError, OutputError
from mova_studio.media.aac import FRAME_SAMPLES, SAMPLE_RATE, encode_levelled
from mova_studio.media.h264 import encode_picture
from mova_studio.media.loudness import Loudness, as_channels, measure
from mova_studio.media.muxing import mux
from mova_studio.media.probe import decode_audio, probe
from mova_studio.media.provenance import Provenance, to_tags
from mova_studio.media.rate import exact_rate

_PICTURE_SHARE = 0.7  # of the time that a take's picture and sound need together
# Movie clock in ticks per second: the default of 1000 would round the sound's length to milliseconds.
_MUXER = {"movflags": "+faststart", "movie_timescale": str(SAMPLE_RATE)}


@dataclass(frozen=True)
class WrittenMedia:
    """What was measured in the finished file.

    Attributes:
        num_frames: pictures in the file.
        video_seconds: the picture's length.
        audio_seconds: the sound's length; 0 without sound.
        loudness: of the file's decoded sound.
    """

    num_frames: int
    video_seconds: float
    audio_seconds: float
    loudness: Loudness

    def to_dict(self) -> dict[str, Any]:
        return {
            "num_frames": self.num_frames,
            "video_seconds": self.video_seconds,
            "audio_seconds": self.audio_seconds,
            **self.loudness.to_dict(),
        }


def write_mp4(
    path: Path,
    frames: NDArray[np.uint8] | Iterable[NDArray[np.uint8]],
    *,
    frame_rate: float,
    audio: NDArray[np.float32] | None,
    sample_rate: int = SAMPLE_RATE,
    target_lufs: float | None = -16.0,
    ceiling_dbtp: float = -1.0,
    provenance: Provenance | None = None,
    title: str = "",
    on_progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> WrittenMedia:
    """Write H.264 (yuv420p, BT.709, faststart) and AAC (48 kHz, 192 kbit/s), both starting at 0.

    The sound is brought to exactly the picture's length (cut, or led out with silence) and to the
    target loudness, as measured on the decoded file. The file appears under its name only when it is
    whole; until then, and if anything fails, what was there before stays.

    Args:
        path: the mp4 to write.
        frames: uint8 RGB [F, H, W, 3], or as many [H, W, 3]; both sides even.
        frame_rate: frames per second; 23.976 and its like mean 24000/1001 (see `exact_rate`).
        audio: float samples [n] or [channels, n], 1 or 2 channels, full scale 1.0; None for no sound track.
        sample_rate: of `audio`, in Hz.
        target_lufs: integrated loudness of the file; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak of the file.
        provenance: what made this take, kept inside the file.
        title: the file's title, made one line of at most 200 characters.
        on_progress: called with the share done, 0 to 1; within the picture only if its length is known.
        cancelled: asked before every frame and every encoding of the sound.

    Raises:
        InputError: frames or sound of a wrong shape, or sound with values that are not finite.
        OutputError: folder missing or read-only, disk full.
        Cancelled: `cancelled()` said so; nothing is left behind.
    """
    rate = exact_rate(frame_rate)
    sound = None if audio is None else _at_48k(audio, sample_rate)
    tags = to_tags(provenance, title)
    report = on_progress or (lambda share: None)
    with _writing(path), replacing(path) as beside:
        # Absolute, because ffmpeg would take a name such as "a:b.mp4" for an address.
        with av.open(str(beside.absolute()), "w", format="mp4", options=dict(_MUXER)) as container:
            container.metadata.update(tags)
            packets = encode_picture(container, frames, rate, lambda share: report(_PICTURE_SHARE * share), cancelled)
            num_frames = len(packets)
            encoded = None
            if sound is not None:
                fitted = _fit(sound, round(num_frames / rate * SAMPLE_RATE))
                encoded = encode_levelled(
                    fitted, target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp, cancelled=cancelled
                )
                report(0.95)
            mux(container, packets, encoded.m4a if encoded else None)
        written = _check(beside, path, num_frames, has_sound=sound is not None)
        if cancelled():
            raise Cancelled()
    report(1.0)
    return written


def _at_48k(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    channels = as_channels(audio)
    if channels.shape[0] > 2:
        raise InputError(
            f"{channels.shape[0]} channels of sound cannot be written; mix them down to 1 or 2.", field="audio"
        )
    if sample_rate == SAMPLE_RATE or channels.shape[1] == 0:
        return channels
    return resample_poly(channels, SAMPLE_RATE, sample_rate, axis=-1).astype(np.float32)


def _fit(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    cut = samples[:, :length]
    return np.pad(cut, ((0, 0), (0, length - cut.shape[1])))


def _check(beside: Path, path: Path, num_frames: int, *, has_sound: bool) -> WrittenMedia:
    """Read the finished file back; what is returned was measured, not hoped for."""
    try:
        info = probe(beside)
        loudness = measure(*decode_audio(beside)) if has_sound else Loudness(None, None)
    except InputError as error:
        raise OutputError(f"{path} could not be read back after writing ({error}); try again.", field="out") from error
    apart = abs(info.video_seconds - info.audio_seconds) if has_sound else 0.0
    if info.num_frames != num_frames or apart >= FRAME_SAMPLES / SAMPLE_RATE:
        raise OutputError(
            f"{path} came out with {info.num_frames} of {num_frames} frames and picture and sound {apart:.3f} s apart; "
            "try again.",
            field="out",
        )
    return WrittenMedia(info.num_frames, info.video_seconds, info.audio_seconds, loudness)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """ffmpeg's own errors are not all `OSError`s, which are all that `replacing` knows."""
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error
    except av.FFmpegError as error:
        raise output_error(path, OSError(error.errno, error.strerror)) from error
