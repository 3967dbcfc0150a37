"""What the page sees of a training run: one immutable picture of it, taken whenever it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mova_studio.jobs.training_folder import ENCODE, TRAIN, Asked, Encoding, TrainingFolder
from mova_studio.jobs.training_log import Point, TrainingLog


class Stage(str, Enum):
    """Where a run stands."""

    WAITING = "waiting"
    ENCODING = "encoding"
    TRAINING = "training"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"

    @property
    def at_work(self) -> bool:
        return self in (Stage.WAITING, Stage.ENCODING, Stage.TRAINING)


@dataclass(frozen=True)
class TrainingSnapshot:
    """A run at one moment.

    Attributes:
        run_id, folder, asked: which one it is.
        stage: where it stands.
        stopping: it was asked to stop.
        step: the last one that was done, of `asked.steps`.
        saved_step: the one that it goes on from.
        encoding: how far its clips are encoded, while they are; None before the first.
        skipped: clips that could not be encoded, and `reason` of the first.
        pace: seconds of a step; None before the first.
        curve: losses over the steps.
        samples: films that were made on the way, the newest step's first.
        trained: the adapter or checkpoint, once there is one.
        error: why it failed.
    """

    run_id: str
    folder: Path
    asked: Asked
    stage: Stage
    stopping: bool = False
    step: int = 0
    saved_step: int = 0
    encoding: Encoding | None = None
    skipped: int = 0
    reason: str = ""
    pace: float | None = None
    curve: tuple[Point, ...] = ()
    samples: tuple[Path, ...] = ()
    trained: Path | None = None
    error: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Of the training; None before the first step."""
        return None if self.pace is None else (self.asked.steps - self.step) * self.pace


def picture(
    folder: TrainingFolder, log: TrainingLog, at_work: str | None, *, stopping: bool = False, error: str = ""
) -> TrainingSnapshot:
    """A run as its folder shows it.

    Args:
        at_work: the phase of its process; "" for one that waits to begin, None where nothing is under way.
        error: what kept a process from starting.

    Raises:
        InputError: there is no such run.
    """
    asked, saved = folder.asked(), folder.saved_step()
    log.read()
    trained = folder.trained()
    if at_work is not None:
        stage, error = {ENCODE: Stage.ENCODING, TRAIN: Stage.TRAINING}.get(at_work, Stage.WAITING), ""
    elif saved >= asked.steps and trained is not None:
        stage, error = Stage.DONE, ""
    else:
        error = error or folder.fault()
        stage = Stage.FAILED if error else Stage.STOPPED
    skipped = folder.answer(ENCODE).get("skipped", [])
    return TrainingSnapshot(
        run_id=folder.run_id,
        folder=folder.path,
        asked=asked,
        stage=stage,
        stopping=stopping,
        step=saved if stage.at_work and not folder.logged_now() else log.step,
        saved_step=saved,
        encoding=folder.encoding() if stage is Stage.ENCODING else None,
        skipped=len(skipped),
        reason=f"{skipped[0]['name']}: {skipped[0]['reason']}" if skipped else "",
        pace=log.pace,
        curve=log.curve(),
        samples=tuple(folder.samples()),
        trained=trained,
        error=error,
    )
