"""What is known of each raw film and its clips, kept on disk so that a second run does only what is missing."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mova_studio.atomic import replacing

RECORDS = ".prepare"


@dataclass
class ClipRecord:
    """One piece of a film.

    Attributes:
        start, stop: in frames at 24 a second.
        file: its path below the folder; "" if it was dropped.
        faults: kind and sentence of each reason to drop it.
        figures: by name.
        speaks: whether somebody speaks in it.
        caption: what was written for it last.
        captioned_by: "raw", "person", or the backend's name; "" for none.
        note: why the backend wrote none; "" if it did.
    """

    start: int
    stop: int
    file: str = ""
    faults: list[list[str]] = field(default_factory=list)
    figures: dict[str, float | None] = field(default_factory=dict)
    speaks: bool = False
    caption: str = ""
    captioned_by: str = ""
    note: str = ""


@dataclass
class FilmRecord:
    """A raw film under one set of settings.

    Attributes:
        settings: digest of everything that its cutting and judging depend on.
        name: of the raw film.
        num_frames: at 24 a second.
        short, speech: frames that no clip has; see `cutting.Cutting`.
        fault: why nothing of it can be used; "" if something may.
        clips: judged ones, in order.
        left: (start, stop) of those that are yet to be judged.
    """

    settings: str
    name: str
    num_frames: int = 0
    short: int = 0
    speech: int = 0
    fault: str = ""
    clips: list[ClipRecord] = field(default_factory=list)
    left: list[list[int]] = field(default_factory=list)


def load_record(folder: Path, digest: str) -> FilmRecord | None:
    """What `save_record` wrote; None if it is not there or cannot be read."""
    try:
        content: dict[str, Any] = json.loads(_file(folder, digest).read_text("utf-8"))
        clips = [ClipRecord(**clip) for clip in content.pop("clips")]
        return FilmRecord(**content, clips=clips)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def save_record(folder: Path, digest: str, record: FilmRecord) -> None:
    """Raises OutputError: the disk is full, or refuses."""
    with replacing(_file(folder, digest)) as beside:
        beside.write_text(json.dumps(dataclasses.asdict(record), ensure_ascii=False, indent=1), "utf-8")


def _file(folder: Path, digest: str) -> Path:
    return folder / RECORDS / f"{digest}.json"
