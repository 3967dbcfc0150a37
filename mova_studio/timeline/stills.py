"""A picture of every clip, as PNG."""

from __future__ import annotations

import dataclasses
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path

from mova_studio.atomic import check_writable, output_error, replacing
from mova_studio.errors import Cancelled, OutputError
from mova_studio.timeline.graph import Look
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.picture_file import prepare, write_still
from mova_studio.timeline.scratch import scratch


def write_stills(
    timeline: Timeline,
    look: Look,
    out: Path,
    on_done: Callable[[int, int], None] = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write the first frame of each clip, without its transition, as 001.png and so on; returns how many.

    Args:
        out: a folder that is not there yet or is empty, or a .zip.
        on_done: called with the number of stills made, and of all.

    Raises:
        InputError: a source has gone or is damaged.
        OutputError: the folder has something in it, cannot be written, or the disk is full.
        Cancelled: `cancelled()` said so; nothing is left behind.
    """
    zipped = out.suffix.lower() == ".zip"
    if zipped:
        check_writable(out)
    elif out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise OutputError(f"{out} is there already; choose a new folder for the stills.", field="out")
    try:
        with scratch(out) as work:
            stills = work / secrets.token_hex(4)
            stills.mkdir()
            _draw(timeline, look, work, stills, out, on_done, cancelled)
            if zipped:
                with replacing(out) as beside, zipfile.ZipFile(beside, "w") as archive:
                    for still in sorted(stills.iterdir()):
                        archive.write(still, still.name)
            else:
                if out.exists():
                    out.rmdir()
                stills.rename(out)
    except OSError as error:
        raise output_error(out, error) from error
    return len(timeline.clips)


def _draw(
    timeline: Timeline,
    look: Look,
    work: Path,
    stills: Path,
    out: Path,
    on_done: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    material = prepare(timeline, look, work, None, cancelled)
    total = len(timeline.clips)
    for number, clip in enumerate(timeline.clips, 1):
        if cancelled():
            raise Cancelled()
        alone = dataclasses.replace(
            timeline, clips=(dataclasses.replace(clip, transition=None),), sounds=(), captions=()
        )
        picture = work / "still.png"
        write_still(alone, look, material, picture, out)
        picture.replace(stills / f"{number:0{max(3, len(str(total)))}}.png")
        on_done(number, total)
