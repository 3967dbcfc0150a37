"""Steps that are not computed: the residuals of the last computed step stand for the layers of both towers.

What the layers add to the tokens changes little from one step to the next in the middle of a run. TeaCache (Liu
et al. 2024, "Timestep Embedding Tells: It's Time to Cache for Video Diffusion Model") found that the change
of the first block's modulated input foretells that of the output; FirstBlockCache (ParaAttention), MagCache
(Ma et al. 2025) and EasyCache (Zhou et al. 2025) differ in the sign they read. TeaCache's is the one that is
known before any layer has run and is the same for all guidance passes, so a step needs one decision, and a
reused one no weights. Its per-model polynomial needs a trained checkpoint to be fitted on and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch

from mova_studio.errors import InputError
from mova_studio.network.residual import TokenPair


@dataclass(frozen=True)
class AdaptivePolicy:
    """Reuse while the input has changed little since the last computed step.

    Args:
        threshold: the sum of the steps' relative L1 changes must stay under it.
        max_reuses: reused steps in a row, at most.
    """

    threshold: float
    max_reuses: int

    def reuses(self, index: int, drift: float, in_a_row: int) -> bool:
        """Whether step `index` is reused, `drift` being the sum including its own change and `in_a_row` the
        reused steps just before it."""
        return drift < self.threshold and in_a_row < self.max_reuses


@dataclass(frozen=True)
class FixedPattern:
    """Reuse at these steps, by index from 0; for measuring and for tests."""

    steps: frozenset[int]

    def reuses(self, index: int, drift: float, in_a_row: int) -> bool:
        """As in `AdaptivePolicy`."""
        return index in self.steps


Policy: TypeAlias = AdaptivePolicy | FixedPattern

# Provisional: to be calibrated on a trained checkpoint, whose quality alone can tell how far to go.
LEVELS: dict[str, Policy | None] = {
    "off": None,
    "light": AdaptivePolicy(threshold=0.05, max_reuses=1),
    "balanced": AdaptivePolicy(threshold=0.10, max_reuses=2),
    "fast": AdaptivePolicy(threshold=0.20, max_reuses=4),
}


def policy_of(level: str) -> Policy | None:
    """The policy of a level; None is "off".

    Raises:
        InputError: there is no such level.
    """
    if level not in LEVELS:
        raise InputError(f"step_cache is {level!r}, but must be one of {', '.join(LEVELS)}.", field="step_cache")
    return LEVELS[level]


@dataclass
class KeptStep:
    """What one step leaves to the next; without it a run would not go on to the same bits.

    Attributes:
        residuals: of the last computed step, by the names of the guidance passes that ran together.
        probe: `first_block_input` of both towers at the step before, one row a take; None before the first.
        drift: sum of the relative changes of the probe since the last computed step.
        in_a_row: reused steps since then.
    """

    residuals: dict[str, TokenPair] = field(default_factory=dict)
    probe: TokenPair | None = None
    drift: float = 0.0
    in_a_row: int = 0

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors by name, to be written; `read` takes them back."""
        pairs = {f"residual.{name}": pair for name, pair in self.residuals.items()}
        if self.probe is not None:
            pairs["probe"] = self.probe
        return {
            f"{name}.{kind}": tensor
            for name, pair in pairs.items()
            for kind, tensor in zip(("video", "audio"), pair, strict=True)
        }

    def numbers(self) -> dict[str, Any]:
        """What is no tensor, ready for JSON."""
        return {"drift": self.drift, "in_a_row": self.in_a_row}

    @classmethod
    def read(cls, tensors: Mapping[str, torch.Tensor], numbers: Mapping[str, Any]) -> KeptStep:
        """The inverse of `tensors` and `numbers`."""
        pairs = {
            name.removesuffix(".video"): (tensor, tensors[name.removesuffix("video") + "audio"])
            for name, tensor in tensors.items()
            if name.endswith(".video")
        }
        probe = pairs.pop("probe", None)
        residuals = {name.removeprefix("residual."): pair for name, pair in pairs.items()}
        return cls(residuals, probe, **numbers)


class StepCache:
    """The cache during one step: one decision, shared by its passes, made at the first of them.

    `kept` changes in `commit` alone, save that a computed step drops the old residuals at once, so that no two
    sets lie in memory; a step that is abandoned and begun anew comes to the same decision.

    Args:
        policy: when to reuse.
        kept: from the step before; an empty one is never reused.
        index: of the step.
        names: of all the passes, or groups of passes, of this step.
        takes: rows of a pass, B.
    """

    def __init__(self, policy: Policy, kept: KeptStep, index: int, names: Sequence[str], takes: int) -> None:
        self.policy, self.kept, self.index, self.names, self.takes = policy, kept, index, tuple(names), takes
        self._reused: bool | None = None
        self._probe: TokenPair | None = None
        self._drift = 0.0
        self._fresh: dict[str, TokenPair] = {}

    def of(self, name: str) -> PassCache:
        """What `joint_forward` is given for one of `names`."""
        return PassCache(self, name)

    def decide(self, probe: Callable[[], TokenPair]) -> bool:
        """Whether this step is reused; `probe` is called at the first question only."""
        if self._reused is None:
            video, audio = probe()
            # A batched pass repeats the takes, and the plan may change between two steps.
            self._probe = (video[: self.takes], audio[: self.takes])
            self._drift = self.kept.drift + _change(self.kept.probe, self._probe)
            whole = all(name in self.kept.residuals for name in self.names)
            self._reused = whole and self.policy.reuses(self.index, self._drift, self.kept.in_a_row)
            if not self._reused:
                self.kept.residuals.clear()
        return self._reused

    def put(self, name: str, residuals: TokenPair) -> None:
        """Residuals of a pass that was computed."""
        self._fresh[name] = residuals

    def commit(self) -> bool:
        """The step is done: hand over to the next one. Returns whether it was reused."""
        kept, reused = self.kept, bool(self._reused)
        residuals = kept.residuals if reused else self._fresh
        kept.residuals = {name: residuals[name] for name in self.names}
        kept.probe = self._probe
        kept.drift, kept.in_a_row = (self._drift, kept.in_a_row + 1) if reused else (0.0, 0)
        return reused


@dataclass(frozen=True)
class PassCache:
    """A `ResidualCache`: one pass's part of a `StepCache`."""

    step: StepCache
    name: str

    def reuse(self, probe: Callable[[], TokenPair]) -> TokenPair | None:
        """See `ResidualCache`."""
        return self.step.kept.residuals[self.name] if self.step.decide(probe) else None

    def keep(self, residuals: TokenPair) -> None:
        """See `ResidualCache`."""
        self.step.put(self.name, residuals)


def _change(before: TokenPair | None, after: TokenPair) -> float:
    """Relative L1 change, the largest of both towers and all takes; not finite where nothing can be said."""
    if before is None:
        return math.inf
    changes = [
        (new - old).abs().mean(dim=(1, 2)) / old.abs().mean(dim=(1, 2)) for old, new in zip(before, after, strict=True)
    ]
    return float(torch.cat(changes).max())
