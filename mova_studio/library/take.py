"""A take: one seed's result of a shot, an mp4 that carries its own provenance."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.library.shot import Shot
from mova_studio.media.measures import TakeMeasures

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_take_id(text: str) -> bool:
    """Whether this can name a take: letters, digits, - and _, at most 64, so that files can be called by it."""
    return _ID.fullmatch(text) is not None


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
        measures: how picture and sound keep together, and what is wrong with them; None if not measured.
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
    measures: TakeMeasures | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        measures = None if self.measures is None else self.measures.to_dict()
        plain = {"path": str(self.path), "shot": self.shot.to_dict(), "notes": list(self.notes), "measures": measures}
        return values | plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Take:
        """The inverse of `to_dict`."""
        measures = values.get("measures")
        return cls(
            **values
            | {
                "path": Path(values["path"]),
                "shot": Shot.from_dict(values["shot"]),
                "notes": tuple(values["notes"]),
                "measures": None if measures is None else TakeMeasures.from_dict(measures),
            }
        )
