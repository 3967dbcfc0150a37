"""Where a job's take goes, and what its worker is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.job import Job
from mova_studio.library.provenance import read_take, read_take_id
from mova_studio.library.shot import Shot
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take


def made_before(job: Job, store: TakeStore) -> Take | None:
    """The job's take, if its worker had finished the file when something died."""
    path = _named(job, store)
    try:
        return read_take(path) if path is not None and read_take_id(path) == job.job_id else None
    except InputError:
        return None


def place_of(job: Job, shot: Shot, store: TakeStore) -> Path:
    """Where the take is to lie: the place that was chosen before, if it is still free, or a new one."""
    path = _named(job, store)
    if path is None or path.exists() or not path.parent.is_dir():
        return store.new_path(shot, job.seed)
    return path


def errand(job: Job, shot: Shot, path: Path, limits: dict[str, Any], runs: Path, save_every: float) -> dict[str, Any]:
    """The command that has a worker make the take.

    Args:
        path: where it is to lie.
        limits: what its plan may use.
        runs: folder of the saved runs.
        save_every: seconds between two saves.
    """
    return {
        "run": job.job_id,
        "shot": shot.to_dict(),
        "seed": job.seed,
        "path": str(path),
        "limits": limits,
        "runs": str(runs),
        "save_every": save_every,
        "stop_step": job.stop_step,
    }


def _named(job: Job, store: TakeStore) -> Path | None:
    return None if job.path is None else store.root / job.path
