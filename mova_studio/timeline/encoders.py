"""Which encoders this ffmpeg and this machine really have: a few frames are encoded to find out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mova_studio.errors import InputError, OutputError
from mova_studio.timeline.ffmpeg import output_of

_KEY_FRAME_SECONDS = 2  # keeps scrubbing quick
STAND_IN = 20, "medium"  # quality and speed of an encoder that stands in for another: H.264 or H.265
_TRIAL_SIZE = "256x256"  # NVENC refuses pictures that are much smaller


@dataclass(frozen=True)
class Encoder:
    """A way to encode a picture.

    Attributes:
        codec: ffmpeg's name of the encoder.
        pixel_format: what it is given.
        options: further arguments; "{quality}" and "{speed}" stand for those of the preset.
        fallback: the encoder to use where this one does not work; "" for none.
        gap: longest distance of key frames in seconds; 0 leaves it to the encoder.
        bits: of the smallest file that is likely, per pixel of each frame.
    """

    codec: str
    pixel_format: str
    options: tuple[str, ...]
    fallback: str = ""
    gap: float = _KEY_FRAME_SECONDS
    bits: float = 0.002


ENCODERS: dict[str, Encoder] = {
    "h264": Encoder(
        "libx264", "yuv420p", ("-preset", "{speed}", "-crf", "{quality}", "-profile:v", "high"), bits=0.002
    ),
    "h265": Encoder(
        "libx265",
        "yuv420p",
        ("-preset", "{speed}", "-crf", "{quality}", "-tag:v", "hvc1", "-x265-params", "log-level=error"),
        fallback="h264",
    ),
    "av1": Encoder("libsvtav1", "yuv420p", ("-preset", "{speed}", "-crf", "{quality}"), fallback="h264"),
    "h264-nvenc": Encoder(
        "h264_nvenc",
        "yuv420p",
        ("-preset", "{speed}", "-rc", "vbr", "-cq", "{quality}", "-b:v", "0"),
        fallback="h264",
    ),
    "h265-nvenc": Encoder(
        "hevc_nvenc",
        "yuv420p",
        ("-preset", "{speed}", "-rc", "vbr", "-cq", "{quality}", "-b:v", "0", "-tag:v", "hvc1"),
        fallback="h265",
    ),
    "prores": Encoder(
        "prores_ks",
        "yuv422p10le",
        ("-profile:v", "hq", "-vendor", "apl0", "-qscale:v", "{quality}"),
        gap=0,
        bits=0.3,
    ),
    "gif": Encoder("gif", "yuv444p", (), gap=0, bits=0.001),
    "webp": Encoder(
        "libwebp_anim",
        "yuv444p",
        ("-quality", "{quality}", "-compression_level", "{speed}", "-loop", "0"),
        gap=0,
        bits=0.001,
    ),
    "png": Encoder("png", "yuv444p", (), gap=0, bits=0.01),
}


def options_of(name: str, quality: int, speed: str) -> list[str]:
    """The arguments that choose an encoder and its settings."""
    encoder = ENCODERS[name]
    filled = [option.format(quality=quality, speed=speed) for option in encoder.options]
    return ["-c:v", encoder.codec, *filled]


@lru_cache(maxsize=len(ENCODERS))
def works(name: str) -> bool:
    """Whether an encoder can encode here. Found out once in a process."""
    encoder = ENCODERS[name]
    speed, quality = {"libsvtav1": ("12", 40), "libwebp_anim": ("0", 50)}.get(encoder.codec, ("", 30))
    if not speed:
        speed = "p1" if encoder.codec.endswith("nvenc") else "ultrafast"
    picture = f"testsrc2=size={_TRIAL_SIZE}:rate=24,trim=end_frame=3,format={encoder.pixel_format}"
    arguments = ["-f", "lavfi", "-i", picture, *options_of(name, quality, speed), "-f", "null", "-"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            output_of(arguments, folder=Path(folder))
    except OutputError:
        return False
    return True


def chosen(name: str) -> str:
    """The encoder of that name, or the nearest one that works here.

    Raises:
        InputError: neither it nor what stands in for it works.
    """
    tried = name
    while not works(tried):
        tried = ENCODERS[tried].fallback
        if not tried:
            raise InputError(
                f"This machine's ffmpeg cannot encode {name}; choose another preset, for example web.", field="preset"
            )
    return tried


def available() -> tuple[str, ...]:
    """Every encoder that works here."""
    return tuple(name for name in ENCODERS if works(name))
