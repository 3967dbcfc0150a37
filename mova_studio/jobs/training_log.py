"""The log of a training run, read as it grows: where it stands, how fast it is, and its curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PACE_STEPS = 20
_POINTS = 240


@dataclass(frozen=True)
class Point:
    """Means of neighbouring steps, the last of which is `step`."""

    step: int
    video_loss: float
    audio_loss: float


class TrainingLog:
    """log.jsonl of a run. A run that goes on writes it anew, and then it is read anew."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = (0, 0)
        self._rows: list[tuple[Point, float]] = []

    def read(self) -> TrainingLog:
        """Take in what was added; itself."""
        try:
            with self._file.open("rb") as log:
                node, size = self._known
                if self._file.stat().st_ino != node:
                    self._rows, size = [], 0
                log.seek(size)
                new = log.read()
                # A line that is being written is left for later.
                whole = new[: new.rfind(b"\n") + 1]
                self._known = (self._file.stat().st_ino, size + len(whole))
        except OSError:
            return self
        for line in whole.splitlines():
            try:
                said = json.loads(line)
                point = Point(int(said["step"]), float(said["video_loss"]), float(said["audio_loss"]))
                self._rows.append((point, float(said["seconds"])))
            except (ValueError, KeyError, TypeError):
                continue
        return self

    @property
    def step(self) -> int:
        """The last step."""
        return self._rows[-1][0].step if self._rows else 0

    @property
    def pace(self) -> float | None:
        """Seconds of a step, of late; None before the first one."""
        latest = [seconds for _point, seconds in self._rows[-_PACE_STEPS:]]
        return median(latest) if latest else None

    def curve(self) -> tuple[Point, ...]:
        """The losses over the steps, in so few points that they can be drawn."""
        rows = [point for point, _seconds in self._rows]
        width = -(-len(rows) // _POINTS) or 1
        return tuple(_mean(rows[start : start + width]) for start in range(0, len(rows), width))


def _mean(rows: Sequence[Point]) -> Point:
    count = len(rows)
    return Point(
        rows[-1].step,
        sum(point.video_loss for point in rows) / count,
        sum(point.audio_loss for point in rows) / count,
    )
