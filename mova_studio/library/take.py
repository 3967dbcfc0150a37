"""A take: one seed's result of a shot, an mp4 that carries its own provenance."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.library.shot import Shot


@dataclass(frozen=True)
class Take:
    """One finished mp4.

    Attributes:
        path: absolute path of the mp4.
        shot: what was asked for.
        seed: of the noise.
        width, height: pixels.
        num_frames, frame_rate: of the picture.
        audio_seconds: length of the sound.
        integrated_lufs, true_peak_dbtp: measured on the decoded file; None for silence (and, for the
            loudness, under 400 ms).
        seconds: wall-clock seconds per stage.
        checkpoint: identity of the weights, see `Checkpoint.identity`.
        untrained: whether the weights were random, so that the take is noise.
        program: version of MOVA Studio that made it.
        created: UTC time in ISO 8601.
        notes: what was changed on the way (a picture cropped, a prompt cut), for the person to read.
    """

    path: Path
    shot: Shot
    seed: int
    width: int
    height: int
    num_frames: int
    frame_rate: float
    audio_seconds: float
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    seconds: dict[str, float]
    checkpoint: str
    untrained: bool
    program: str
    created: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"path": str(self.path), "shot": self.shot.to_dict(), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Take:
        """The inverse of `to_dict`."""
        return cls(
            **values
            | {
                "path": Path(values["path"]),
                "shot": Shot.from_dict(values["shot"]),
                "notes": tuple(values["notes"]),
            }
        )
