"""Where the files of a library lie: paths below its folder, as the database keeps them."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError

TRASH = ".trash"
# Where timelines lie, and below it media that were brought for them and films made of them, none of which are takes.
TIMELINES = "timelines"
UPLOADS, FILMS = f"{TIMELINES}/uploads", f"{TIMELINES}/films"
# Where training runs lie, with their samples, which are no takes either.
TRAININGS = "trainings"
# SQL and its values to rows: a reader's, or that of the transaction at hand.
Ask = Callable[[str, tuple[str, ...]], Iterable[Any]]


def trash_place(take_id: str) -> str:
    """Where a take lies while it is in the trash."""
    return f"{TRASH}/{take_id}.mp4"


def place_of(root: Path, path: Path) -> str:
    """A path below the library's folder. A link counts as a file of its own.

    Raises:
        InputError: it lies outside.
    """
    folder = path.expanduser().absolute().parent.resolve()
    if folder != root and root not in folder.parents:
        raise InputError(f"{path} does not lie in the library {root}; move it there.", field="library")
    return (folder / path.name).relative_to(root).as_posix()


def free_place(root: Path, name: str, ask: Ask) -> str:
    """The first of NAME.mp4, NAME-2.mp4, ... that no file has and no take had.

    Raises:
        InputError: 9,999 of them are taken.
    """
    for suffix in ("", *(f"-{count}" for count in range(2, 10_000))):
        place = f"{name}{suffix}.mp4"
        known = list(ask("SELECT 1 FROM takes WHERE path = ? OR home = ? LIMIT 1", (place, place)))
        if not known and not (root / place).exists():
            return place
    raise InputError(f"{name}.mp4 and 9,998 more are taken; put {{seed}} and {{time}} into the filename template.")


def is_there(path: Path) -> bool:
    """Whether a file lies there and may be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
