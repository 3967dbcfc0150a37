"""One loop for everything that is fitted: resumable to the bit, logged, with a learning rate that ends at zero."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mova_studio.atomic import replacing

Loss = Callable[[int], tuple[torch.Tensor, dict[str, float]]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: in all.
        learning_rate: highest, after the warm-up.
        warmup: steps over which it rises from 0; then it falls along a cosine.
        clip_norm: longest gradient.
        weight_decay: of AdamW.
        final_rate: share of the learning rate that is left at the end.
    """

    steps: int
    learning_rate: float
    warmup: int = 100
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    final_rate: float = 0.0

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        share = (step - self.warmup) / max(self.steps - self.warmup, 1)
        left = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
        return self.learning_rate * (self.final_rate + (1 - self.final_rate) * left)


class Fit:
    """A model on its way, and the folder from which it goes on.

    Args:
        model: all of whose trainable parameters are fitted.
        folder: gets state.safetensors (weights, AdamW's moments, the step) and log.jsonl.
        schedule: see `Schedule`.
    """

    def __init__(self, model: nn.Module, folder: Path, schedule: Schedule) -> None:
        self.model, self.folder, self.schedule = model, folder, schedule
        self.parameters = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=schedule.learning_rate, betas=(0.9, 0.95), weight_decay=schedule.weight_decay
        )
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.safetensors").is_file():
            self._restore()

    def run(
        self,
        loss_of: Loss,
        *,
        validate: Callable[[], dict[str, float]],
        validate_every: int,
        save_seconds: float = 300.0,
        log_every: int = 50,
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Fit to the end of the schedule; whether it was reached.

        Args:
            loss_of: the loss of a step and what else is to be logged; all its randomness follows from the step.
            validate: figures on what is held out.
            stop: asked at every step; the state is saved first.
        """
        saved = time.monotonic()
        while self.step < self.schedule.steps:
            if stop():
                self.save()
                return False
            for group in self.optimizer.param_groups:
                group["lr"] = self.schedule.rate(self.step)
            begun = time.monotonic()
            loss, figures = loss_of(self.step)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(list(self.parameters.values()), self.schedule.clip_norm)
            self.optimizer.step()
            self.step += 1
            if self.step % log_every == 0:
                self._log({"loss": loss.item(), "norm": norm.item(), "seconds": time.monotonic() - begun, **figures})
            if self.step % validate_every == 0 or self.step == self.schedule.steps:
                self.model.eval()
                with torch.no_grad():
                    self._log(validate())
                self.model.train()
            if time.monotonic() - saved > save_seconds or self.step == self.schedule.steps:
                self.save()
                saved = time.monotonic()
        return True

    def save(self) -> None:
        """Everything that the next step depends on, in one file that is whole or not there."""
        tensors = {f"model.{name}": each for name, each in self.model.state_dict().items()}
        for name, parameter in self.parameters.items():
            for moment, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"adamw.{moment}.{name}"] = value
        tensors = {name: each.detach().clone().contiguous() for name, each in tensors.items()}
        with replacing(self.folder / "state.safetensors") as beside:
            save_file(tensors, str(beside), metadata={"step": str(self.step)})

    def _restore(self) -> None:
        from safetensors import safe_open

        path = str(self.folder / "state.safetensors")
        tensors = load_file(path)
        with safe_open(path, "pt") as stored:
            self.step = int((stored.metadata() or {})["step"])
        weights = {name.removeprefix("model."): each for name, each in tensors.items() if name.startswith("model.")}
        self.model.load_state_dict(weights)
        for name, parameter in self.parameters.items():
            moments = ("step", "exp_avg", "exp_avg_sq")
            found = {
                moment: tensors[f"adamw.{moment}.{name}"] for moment in moments if f"adamw.{moment}.{name}" in tensors
            }
            if found:
                self.optimizer.state[parameter] = found

    def _log(self, figures: dict[str, float]) -> None:
        line = {"step": self.step, **{name: round(float(value), 6) for name, value in figures.items()}}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
