"""How long a run will still take, from this machine's own earlier runs and from the run itself."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from mova_studio.atomic import replacing
from mova_studio.errors import OutputError

log = logging.getLogger(__name__)
AFTER_DENOISING = ("decode", "write")


class History:
    """Seconds per unit of work, by checkpoint and stage, as last seen on this machine.

    A unit is a megapixel-frame for "decode" and "write", and a megapixel-frame and pass for "denoise".

    Args:
        file: where the rates are kept between starts; a damaged or absent one is an empty history.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rates: dict[str, float] = {}
        try:
            stored = json.loads(file.read_text("utf-8"))
            self._rates = {str(name): float(rate) for name, rate in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            log.debug("no history of run times at %s", file)

    def learn(self, checkpoint: str, stage: str, seconds: float, units: float) -> None:
        """`units` of work took `seconds`."""
        self._rates[f"{checkpoint}/{stage}"] = seconds / units

    def seconds(self, checkpoint: str, stage: str, units: float) -> float | None:
        """What `units` of work should take; None if the stage was never seen."""
        rate = self._rates.get(f"{checkpoint}/{stage}")
        return None if rate is None else rate * units

    def save(self) -> None:
        """Keep the rates on disk; a disk that refuses costs nothing but the next start's estimate."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._file) as beside:
                beside.write_text(json.dumps(self._rates, indent=1), "utf-8")
        except (OSError, OutputError) as error:
            log.warning("the history of run times was not kept: %s", error)


@dataclass
class Estimate:
    """The run at hand.

    Args:
        history: shared by the runs of one engine.
        checkpoint: identity of the weights; "" until they are loaded.
        decodes: a take is made after the steps, and not only a scout.
        megapixel_frames: width * height * num_frames / 1e6.
        steps: denoising steps of the run.
        passes: passes of the network per step.
    """

    history: History
    megapixel_frames: float
    steps: int
    passes: int
    checkpoint: str = ""
    decodes: bool = True
    step_seconds: list[float] = field(default_factory=list)
    computed_seconds: list[float] = field(default_factory=list)

    def step_done(self, seconds: float, *, reused: bool = False) -> None:
        """A denoising step took so long; one that the step cache answered teaches nothing about the others."""
        self.step_seconds.append(seconds)
        if not reused:
            self.computed_seconds.append(seconds)
            self.history.learn(self.checkpoint, "denoise", self.median_step, self.megapixel_frames * self.passes)

    def stage_done(self, stage: str, seconds: float) -> None:
        """A whole stage took so long."""
        if stage in AFTER_DENOISING:
            self.history.learn(self.checkpoint, stage, seconds, self.megapixel_frames)

    @property
    def median_step(self) -> float:
        """Seconds of the middle one of the steps computed so far."""
        return sorted(self.computed_seconds)[len(self.computed_seconds) // 2]

    def _typical_step(self) -> float:
        """Of the steps to come: reused ones come about as often as so far."""
        if len(self.step_seconds) == len(self.computed_seconds):
            return self.median_step
        return sum(self.step_seconds) / len(self.step_seconds)

    def seconds_left(self, stage: str, step: int) -> float | None:
        """Seconds until the take is written; None while there is nothing to go by.

        A stage that was never seen here is taken for as long as one step.
        """
        if self.step_seconds:
            typical: float | None = self._typical_step()
        else:
            typical = self.history.seconds(self.checkpoint, "denoise", self.megapixel_frames * self.passes)
        if typical is None:
            return None
        after = {}
        for name in AFTER_DENOISING:
            known = self.history.seconds(self.checkpoint, name, self.megapixel_frames)
            after[name] = typical if known is None else known
        if stage == "write":
            return after["write"]
        if stage == "decode":
            return after["decode"] + after["write"]
        denoising = max(0, self.steps - step) * typical
        return denoising + sum(after.values()) if self.decodes else denoising
