"""What can be said of a take without looking at it: whether sound and picture keep time, and its flaws."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import InputError
from mova_studio.media.flaws import Spans, blacks, clipped_samples, freezes, silences
from mova_studio.media.meter import as_channels
from mova_studio.media.motion import motion, small_grey
from mova_studio.media.onsets import at_analysis_rate, onset_strength, onset_times
from mova_studio.media.probe import decode_audio, decode_frames, probe
from mova_studio.media.sync import av_align, motion_peaks, offset_ms


@dataclass(frozen=True)
class TakeMeasures:
    """Measures of one take.

    Attributes:
        av_align: AV-Align, 0 to 1 (see `sync.av_align`); None where nothing moves or nothing begins to sound.
        offset_ms: milliseconds by which the sound comes after the picture, -500 to 500; None where that is unclear.
        freeze: (start, seconds) where the picture stands still for half a second or longer; black counts.
        black: (start, seconds) where it is black for a tenth of a second or longer.
        silence: (start, seconds) where the sound stays under -60 dBFS for half a second or longer.
        clipped_samples: samples in runs of three or more at full scale. Levelling hides them: a take's sound is
            measured before it, and its file has none.
    """

    av_align: float | None
    offset_ms: float | None
    freeze: Spans
    black: Spans
    silence: Spans
    clipped_samples: int

    @property
    def flaws(self) -> tuple[str, ...]:
        """Which of "freeze", "black", "silence" and "clipping" were found, in this order."""
        found = {
            "freeze": self.freeze,
            "black": self.black,
            "silence": self.silence,
            "clipping": self.clipped_samples,
        }
        return tuple(name for name, what in found.items() if what)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; spans are lists of [start, seconds]."""
        record = dataclasses.asdict(self)
        for name in ("freeze", "black", "silence"):
            record[name] = [list(span) for span in record[name]]
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TakeMeasures:
        """What `to_dict` gave, also after a way through JSON."""
        spans = {
            name: tuple((start, length) for start, length in record[name]) for name in ("freeze", "black", "silence")
        }
        return cls(**{**record, **spans})


def measure_streams(
    frames: NDArray[np.uint8],
    frame_rate: float,
    samples: NDArray[np.floating] | None,
    sample_rate: int,
) -> TakeMeasures:
    """Measure pictures and sound that start together.

    The pictures are made smaller first, to 256 pixels on the longer side, so that AV-Align of larger ones differs from
    what the reference toolkit gives. OpenCV keeps to one thread.

    Args:
        frames: uint8 RGB [F, H, W, 3], F may be 0.
        frame_rate: frames per second.
        samples: float [n] or [channels, n], full scale 1.0; None for no sound.
        sample_rate: in Hz.

    Raises:
        InputError: pictures or sound of another shape, or sound with values that are not finite.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape[1:]:
        raise InputError(f"Pictures of shape {frames.shape} cannot be measured; give [F, H, W, 3].", field="frames")
    grey = small_grey(frames)
    moved = motion(grey, max(frames.shape[1:3]) / max(grey.shape[1:]))
    channels = np.zeros((1, 0), np.float32) if samples is None else as_channels(samples)
    sound = at_analysis_rate(channels, sample_rate)
    onsets = onset_times(onset_strength(sound))
    return TakeMeasures(
        av_align=av_align(onsets, motion_peaks(moved.speed, frame_rate), frame_rate),
        offset_ms=offset_ms(sound, moved.change, frame_rate),
        freeze=freezes(grey, frame_rate),
        black=blacks(grey, frame_rate),
        silence=silences(channels, sample_rate),
        clipped_samples=clipped_samples(channels),
    )


def measure_file(path: Path) -> TakeMeasures:
    """Measure a media file; one without pictures or without sound has only the other's measures.

    Raises:
        InputError: missing, not a media file, or damaged.
    """
    info = probe(path)
    frames = decode_frames(path) if info.video_codec else np.zeros((0, 1, 1, 3), np.uint8)
    samples, sample_rate = decode_audio(path) if info.audio_codec else (None, 1)
    return measure_streams(frames, info.frame_rate or 1.0, samples, sample_rate)
