"""What keeps a job from running, in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

from mova_studio.atomic import output_error
from mova_studio.errors import OutputError, StudioError
from mova_studio.jobs.job import Job
from mova_studio.jobs.queue import MAX_DEATHS

ROOM_BYTES = 50_000_000
KILLED = -9


def check_room(library: Path) -> None:
    """Better wait than find out after hours of work that there is no room for the result.

    Raises:
        OutputError: the library's disk is all but full, or cannot be asked.
    """
    try:
        free = shutil.disk_usage(library).free
    except OSError as error:
        raise output_error(library, error) from error
    if free < ROOM_BYTES:
        raise OutputError(
            f"The disk of the library {library} has {free / 1e6:.0f} MB left and a take may need "
            f"{ROOM_BYTES / 1e6:.0f} MB. Free some space; the queue then goes on by itself.",
            field="library",
        )


def worker_died(code: int, job: Job) -> StudioError:
    """Why a job is given up whose worker died too often."""
    cause = "the system killed it, most likely because RAM ran out" if code == KILLED else f"exit code {code}"
    return StudioError(
        f"The worker process ended {MAX_DEATHS} times at step {job.saved_step} of {job.steps} of this take ({cause}). "
        "Nothing else was lost; try a smaller size, or less memory for plans in the System view, and retry."
    )
