"""The film's sound as an encoded file, levelled as its listener will hear it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import soundfile

from mova_studio.errors import Cancelled
from mova_studio.media.aac import encode_levelled
from mova_studio.timeline.clip import SAMPLE_RATE
from mova_studio.timeline.mixing import mix
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.programme import programme_sound

_KINDS = {
    "pcm_s16le": ("WAV", "PCM_16", ".wav"),
    "pcm_s24le": ("WAV", "PCM_24", ".wav"),
    "flac": ("FLAC", "PCM_24", ".flac"),
}
_LARGEST_WAV = 4 * 10**9


def write_sound(
    timeline: Timeline,
    codec: str,
    target_lufs: float | None,
    ceiling_dbtp: float,
    folder: Path,
    cancelled: Callable[[], bool],
) -> Path:
    """Mix, level and encode the film's sound into a file in `folder`; stereo at 48 kHz.

    Args:
        codec: "aac" (192 kbit/s, levelled as decoded), "pcm_s16le", "pcm_s24le" or "flac" (24 bit).
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.

    Raises:
        InputError: a source has gone or lost its sound.
        Cancelled: `cancelled()` said so.
    """
    if codec == "aac":
        film = mix(timeline, cancelled)
        encoded = encode_levelled(film, target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp, cancelled=cancelled)
        if cancelled():
            raise Cancelled()
        path = folder / "sound.m4a"
        path.write_bytes(encoded.m4a)
        return path
    levelled = programme_sound(timeline, target_lufs, ceiling_dbtp, cancelled)
    if cancelled():
        raise Cancelled()
    kind, subtype, suffix = _KINDS[codec]
    if kind == "WAV" and levelled.nbytes > _LARGEST_WAV:
        kind = "RF64"
    path = folder / f"sound{suffix}"
    with path.open("wb") as file:
        soundfile.write(file, levelled.T, SAMPLE_RATE, format=kind, subtype=subtype)
    return path
