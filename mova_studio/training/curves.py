"""A run's curves: log.jsonl, a JSON line a step, and the same for TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from mova_studio.atomic import output_error, replacing


class Curves:
    """What a run wrote down, in its folder.

    Args:
        folder: of the run.
        step: steps done; lines of later ones, which a run that died had written, are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._log = folder / "log.jsonl"
        if self._log.is_file():
            kept = [line for line in self._log.read_text("utf-8").splitlines() if _step_of(line) <= step]
            with replacing(self._log) as beside:
                beside.write_text("".join(f"{line}\n" for line in kept), "utf-8")
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Write down the figures of a step.

        Raises:
            OutputError: the disk is full or gone.
        """
        try:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, **figures}) + "\n")
            for name, value in figures.items():
                self.board.add_scalar(name, value, step)
        except OSError as error:
            raise output_error(self._log, error) from error

    def close(self) -> None:
        """Bring what is still in memory to the disk, if it has room."""
        with suppress(OSError):
            self.board.close()


def _step_of(line: str) -> float:
    """A line that was cut short belongs to no step."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
