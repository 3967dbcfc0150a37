"""What became of raw films: how much of them survived, and why the rest did not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.atomic import replacing
from mova_studio.training.clips.decode import FRAME_RATE
from mova_studio.training.clips.record import FilmRecord
from mova_studio.training.clips.source import Skipped

REPORT, READABLE = "report.json", "report.txt"
_SHORT, _SPEECH = "no whole clip left in the scene", "within a phrase"


@dataclass(frozen=True)
class Report:
    """The outcome of `prepare`.

    Attributes:
        seconds: of all raw films that could be read.
        kept_seconds: of the clips that were kept.
        clips: how many those are.
        uncaptioned: how many of them have no caption yet.
        dropped: seconds by reason; a clip with several counts under its first.
        faults: every dropped clip or film with its sentences.
        notes: what else is worth knowing.
    """

    seconds: float
    kept_seconds: float
    clips: int
    uncaptioned: int
    dropped: dict[str, float]
    faults: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the raw duration, what survived; 0 to 1."""
        return self.kept_seconds / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seconds": round(self.seconds, 3),
            "kept_seconds": round(self.kept_seconds, 3),
            "share": round(self.share, 4),
            "clips": self.clips,
            "uncaptioned": self.uncaptioned,
            "dropped": {kind: round(seconds, 3) for kind, seconds in self.dropped.items()},
            "faults": [vars(fault) for fault in self.faults],
            "notes": list(self.notes),
        }

    def readable(self) -> str:
        """Lines for people."""
        lines = [
            f"{self.clips} clips, {self.kept_seconds:.1f} of {self.seconds:.1f} s ({self.share:.2%}) survived.",
            *(f"  {seconds:10.1f} s  {kind}" for kind, seconds in self.dropped.items()),
        ]
        if self.uncaptioned:
            lines.append(
                f"{self.uncaptioned} clips have no caption and are not trained on; write them into metadata.json, or "
                "run again with --caption."
            )
        return "\n".join([*lines, *self.notes, *(f"{fault.name}: {fault.reason}" for fault in self.faults)])


def report_of(films: Sequence[FilmRecord], skipped: Sequence[Skipped]) -> Report:
    """Count.

    Args:
        skipped: what could not even be found.
    """
    dropped: Counter[str] = Counter()
    faults = list(skipped)
    notes = []
    kept = uncaptioned = kept_frames = 0
    for film in films:
        if film.fault:
            faults.append(Skipped(film.name, film.fault))
            dropped["the film cannot be used"] += film.num_frames
            continue
        dropped[_SHORT] += film.short
        dropped[_SPEECH] += film.speech
        for clip in film.clips:
            place = f"{film.name} {float(clip.start / FRAME_RATE):.2f}-{float(clip.stop / FRAME_RATE):.2f} s"
            if clip.faults:
                dropped[clip.faults[0][0]] += clip.stop - clip.start
                faults.append(Skipped(place, " ".join(reason for _, reason in clip.faults)))
                continue
            kept, kept_frames = kept + 1, kept_frames + clip.stop - clip.start
            uncaptioned += not clip.caption
            if clip.note:
                notes.append(f"{place}: {clip.note}")
    return Report(
        float(sum(film.num_frames for film in films) / FRAME_RATE),
        float(kept_frames / FRAME_RATE),
        kept,
        uncaptioned,
        {kind: float(frames / FRAME_RATE) for kind, frames in dropped.most_common() if frames},
        tuple(faults),
        tuple(notes),
    )


def write_report(folder: Path, report: Report) -> None:
    """report.json and report.txt.

    Raises:
        OutputError: the disk is full, or refuses.
    """
    for name, text in (
        (REPORT, json.dumps(report.to_dict(), ensure_ascii=False, indent=1)),
        (READABLE, report.readable()),
    ):
        with replacing(folder / name) as beside:
            beside.write_text(text + "\n", "utf-8")
