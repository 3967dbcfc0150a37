"""A take as the library knows it, and its row in the database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mova_studio.errors import InputError
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take
from mova_studio.media.measures import TakeMeasures
from mova_studio.media.probe import decode_audio
from mova_studio.media.waveform import waveform

BUCKETS = 160
# Columns of a KeptTake, from the tables that `FROM` names.
COLUMNS = (
    "t.*, (SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE tags.take = t.take ORDER BY tag)) AS tags"
)


@dataclass(frozen=True)
class KeptTake:
    """A take in the library.

    Attributes:
        take_id: its name in the library and in its file's record.
        take: what was measured; its path is where the file is meant to be now.
        shot_id: of its shot, see `shots.shot_id`.
        stars: 0 to 5.
        tags: in the order of the alphabet.
        missing: whether the file was not there when last looked for.
        trashed: since when it is in the trash, UTC in ISO 8601; None outside it.
        waveform: 160 peaks of the sound, 0 to 1; empty if it has none or could not be read.
    """

    take_id: str
    take: Take
    shot_id: str
    stars: int = 0
    tags: tuple[str, ...] = ()
    missing: bool = False
    trashed: str | None = None
    waveform: tuple[float, ...] = ()


def row_of(take: Take) -> dict[str, Any]:
    """The columns that a take's facts fill; its file is read for the waveform, its size and time."""
    measures = take.measures
    try:
        stat = take.path.stat()
    except OSError:
        stat = None
    return {
        "seed": take.seed,
        "width": take.width,
        "height": take.height,
        "num_frames": take.num_frames,
        "frame_rate": take.frame_rate,
        "audio_seconds": take.audio_seconds,
        "integrated_lufs": take.integrated_lufs,
        "true_peak_dbtp": take.true_peak_dbtp,
        "measures": None if measures is None else json.dumps(measures.to_dict()),
        "av_align": None if measures is None else measures.av_align,
        "offset_ms": None if measures is None else measures.offset_ms,
        "flaws": None if measures is None else len(measures.flaws),
        "seconds": json.dumps(take.seconds),
        "checkpoint": take.checkpoint,
        "untrained": int(take.untrained),
        "program": take.program,
        "created": take.created,
        "notes": json.dumps(take.notes),
        "missing": int(stat is None),
        "waveform": None if stat is None else _peaks(take.path),
        "size": None if stat is None else stat.st_size,
        "modified": None if stat is None else stat.st_mtime_ns,
    }


def kept_of(row: sqlite3.Row, shot: Shot, root: Path) -> KeptTake:
    """The take of a row with `COLUMNS`."""
    take = Take(
        path=root / (row["path"] or row["home"]),
        shot=shot,
        seed=row["seed"],
        width=row["width"],
        height=row["height"],
        num_frames=row["num_frames"],
        frame_rate=row["frame_rate"],
        audio_seconds=row["audio_seconds"],
        integrated_lufs=row["integrated_lufs"],
        true_peak_dbtp=row["true_peak_dbtp"],
        seconds=json.loads(row["seconds"]),
        checkpoint=row["checkpoint"],
        untrained=bool(row["untrained"]),
        program=row["program"],
        created=row["created"],
        notes=tuple(json.loads(row["notes"])),
        measures=None if row["measures"] is None else TakeMeasures.from_dict(json.loads(row["measures"])),
    )
    peaks = np.frombuffer(row["waveform"] or b"", np.uint8) / 255
    return KeptTake(
        take_id=row["take"],
        take=take,
        shot_id=row["shot"],
        stars=row["stars"],
        tags=tuple(json.loads(row["tags"])),
        missing=bool(row["missing"]),
        trashed=row["trashed"],
        waveform=tuple(peaks.tolist()),
    )


def _peaks(path: Path) -> bytes | None:
    try:
        samples, _ = decode_audio(path)
    except InputError:
        return None
    return np.round(waveform(samples, BUCKETS) * 255).astype(np.uint8).tobytes()
