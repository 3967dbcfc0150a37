"""How long a run will still take, from this machine's own earlier runs and from the run itself."""

from __future__ import annotations

from dataclasses import dataclass, field

AFTER_DENOISING = ("decode", "write")


@dataclass
class History:
    """Seconds per unit of work, by stage, as last seen on this machine.

    A unit is a megapixel-frame for "decode" and "write", and a megapixel-frame and pass for "denoise".
    """

    rates: dict[str, float] = field(default_factory=dict)

    def learn(self, stage: str, seconds: float, units: float) -> None:
        if units > 0:
            self.rates[stage] = seconds / units

    def seconds(self, stage: str, units: float) -> float | None:
        rate = self.rates.get(stage)
        return None if rate is None else rate * units


@dataclass
class Estimate:
    """The run at hand.

    Args:
        history: shared by the runs of one worker.
        megapixel_frames: width * height * num_frames / 1e6.
        steps: denoising steps of the run.
        passes: passes of the network per step.
    """

    history: History
    megapixel_frames: float
    steps: int
    passes: int
    step_seconds: list[float] = field(default_factory=list)

    def step_done(self, seconds: float) -> None:
        """A denoising step took so long."""
        self.step_seconds.append(seconds)
        self.history.learn("denoise", self.typical_step or seconds, self.megapixel_frames * self.passes)

    @property
    def typical_step(self) -> float | None:
        """Median of the run's own steps; before the first, what the last run would suggest."""
        if self.step_seconds:
            return sorted(self.step_seconds)[len(self.step_seconds) // 2]
        return self.history.seconds("denoise", self.megapixel_frames * self.passes)

    def seconds_left(self, stage: str, step: int) -> float | None:
        """Seconds until the take is written; None while there is nothing to go by."""
        after = [self.history.seconds(name, self.megapixel_frames) or 0.0 for name in AFTER_DENOISING]
        if stage == "write":
            return after[1]
        if stage == "decode":
            return sum(after)
        if self.typical_step is None:
            return None
        return (self.steps - step) * self.typical_step + sum(after)
