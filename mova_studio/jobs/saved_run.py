"""A run on disk: its state after some step, and what else the rest of the run has to know."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import OutputError
from mova_studio.jobs.allowance import Allowance

log = logging.getLogger(__name__)
FOLDER = ".runs"
SAVE_SECONDS = 5.0
MAX_SHARE = 0.01  # of a run's time for saving it

Seconds: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class RunFacts:
    """What a run that goes on has to know beside its `SamplingState`.

    Attributes:
        step: steps done in the state beside.
        shot, seed: what the run makes, by `shot_id`; a state of another one means nothing.
        checkpoint: identity of the weights; likewise.
        plan: `Plan.to_dict()` in force.
        seconds: spent per stage, so far.
        notes, changes: said so far, see `Run` and `Placed`.
    """

    step: int
    shot: str
    seed: int
    checkpoint: str
    plan: dict[str, Any]
    seconds: Seconds
    notes: tuple[str, ...]
    changes: tuple[str, ...]


class SavedRun:
    """Where one job's run is kept: a state and its facts, of which the facts are written last.

    Args:
        folder: made when something is saved.
        job_id: names the files; made by us, never by what a person typed.
    """

    def __init__(self, folder: Path, job_id: str) -> None:
        self.folder, self._job = folder, job_id
        self._facts = folder / f"{job_id}.json"
        self.preview = folder / f"{job_id}.mp4"

    def write(self, facts: RunFacts, save_state: Callable[[Path], None]) -> None:
        """Keep a run.

        Args:
            save_state: writes the state to a path, beside it and renamed in.

        Raises:
            OutputError: the folder is read-only or gone, or the disk is full. What was kept before stays.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from error
        state = self._state(facts.step)
        save_state(state)
        with replacing(self._facts) as beside:
            beside.write_text(json.dumps(asdict(facts)), "utf-8")
        self._remove(path for path in self._states() if path != state)

    def read(self) -> tuple[RunFacts, Path] | None:
        """What was kept last, and the path of its state; None where there is nothing, or nothing whole."""
        try:
            kept = json.loads(self._facts.read_text("utf-8"))
            facts = RunFacts(**kept | {"notes": tuple(kept["notes"]), "changes": tuple(kept["changes"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read: %s", self._facts, error)
            return None
        return facts, self._state(facts.step)

    def discard(self) -> None:
        """Forget the run."""
        self._remove([self._facts, self.preview, *self._states()])

    def _state(self, step: int) -> Path:
        return self.folder / f"{self._job}.{step}.safetensors"

    def _states(self) -> list[Path]:
        return list(self.folder.glob(f"{self._job}.*.safetensors"))

    @staticmethod
    def _remove(paths: Iterable[Path]) -> None:
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def discard_all_but(folder: Path, job_ids: set[str]) -> None:
    """Forget the runs of all other jobs, and what a crash left half-written."""
    for path in folder.glob("*"):
        if path.name.partition(".")[0] not in job_ids:
            with suppress(OSError):
                path.unlink()


class Saver:
    """Saves a run now and then, so seldom that all saves but the first cost less than 1 % of it.

    Args:
        saved: where.
        every: seconds between two saves, at least; 0 saves after every step, whatever it costs.
        clock: seconds that only grow.

    Attributes:
        trouble: why the last save failed; None where it did not. It stands in the take, which people share, and
            so names no folder of this machine.
    """

    trouble: str | None = None

    def __init__(
        self, saved: SavedRun, every: float = SAVE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.saved = saved
        self._every, self._clock = every, clock
        self._last = clock()
        self._allowance = Allowance(MAX_SHARE, clock)

    @property
    def spent(self) -> float:
        """Seconds that saving has taken so far."""
        return self._allowance.spent

    @property
    def affordable(self) -> bool:
        """A save would still be within its share."""
        return self._every == 0 or self._allowance.left

    @property
    def due(self) -> bool:
        """It is affordable, and the last one is long enough ago."""
        return self.affordable and self._clock() - self._last >= self._every

    def save(self, facts: RunFacts, save_state: Callable[[Path], None]) -> bool:
        """Save now; returns whether it worked. A disk that refuses ends no run: `trouble` then says why."""
        with self._allowance.spending():
            try:
                self.saved.write(facts, save_state)
                self.trouble = None
            except OutputError as error:
                self.trouble = error.message.replace(str(self.saved.folder), self.saved.folder.name)
        self._last = self._clock()
        return self.trouble is None
