"""One adapter in one shot: which, how strongly in each part of the network, and during which steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mova_studio.errors import InputError

MAX_STRENGTH = 10.0
# The parts of the network by the words for a person, and by the components of a checkpoint.
PARTS = {"high": "video_dit", "low": "video_dit_2", "audio": "audio_dit", "bridge": "dual_tower_bridge"}


@dataclass(frozen=True)
class AdapterUse:
    """One adapter in one shot. Two that do the same are equal, whatever their names.

    Attributes:
        name: what the person calls it.
        digest: of its numbers, see `network.adapter_file.Adapter`.
        high, low, audio, bridge: its strength in the high-noise and the low-noise expert, the audio tower and the
            bridge, -10 to 10; 0 leaves that part alone.
        start, stop: fractions of the steps, 0 <= start <= stop <= 1. Of N steps it is there in those from
            int(start * N) up to but not with int(stop * N).

    Raises:
        InputError: a strength or the interval is out of its range.
    """

    name: str = field(compare=False)
    digest: str
    high: float = 1.0
    low: float = 1.0
    audio: float = 1.0
    bridge: float = 1.0
    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        for part in PARTS:
            strength = getattr(self, part)
            if not (math.isfinite(strength) and abs(strength) <= MAX_STRENGTH):
                raise InputError(
                    f"The strength of adapter {self.name} in {part} is {strength:g}, but must be from "
                    f"-{MAX_STRENGTH:g} to {MAX_STRENGTH:g}.",
                    field="adapters",
                )
        if not 0 <= self.start <= self.stop <= 1:
            raise InputError(
                f"Adapter {self.name} is to be there from {self.start:g} to {self.stop:g}, but these must be fractions "
                "of the steps, 0 <= start <= stop <= 1.",
                field="adapters",
            )

    @property
    def strengths(self) -> dict[str, float]:
        """By component of a checkpoint; parts of strength 0 are left out."""
        found = {component: getattr(self, part) for part, component in PARTS.items()}
        return {component: strength for component, strength in found.items() if strength}

    def steps(self, num_inference_steps: int) -> range:
        """The steps, from 0, in which it is there."""
        return range(int(self.start * num_inference_steps), int(self.stop * num_inference_steps))

    def changes(self, num_inference_steps: int) -> frozenset[int]:
        """The steps before which it comes and goes; none if it does nothing."""
        steps = self.steps(num_inference_steps)
        return frozenset((steps.start, steps.stop)) if steps and self.strengths else frozenset()

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `AdapterUse(**values)` is the inverse."""
        return asdict(self)


def check_uses(uses: Sequence[AdapterUse]) -> None:
    """Refuse the same adapter twice in one shot.

    Raises:
        InputError: naming it.
    """
    digests = [use.digest for use in uses]
    for use in uses:
        if digests.count(use.digest) > 1:
            raise InputError(f"The adapter {use.name} is chosen twice; give it one strength.", field="adapters")
