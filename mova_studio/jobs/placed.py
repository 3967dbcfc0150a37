"""A run's plan: chosen before it, changed when memory runs out, recorded after it."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import Any

import torch

from mova_studio.errors import MemoryRanOut
from mova_studio.jobs.planning import gpu_name, request_of
from mova_studio.jobs.run import Run
from mova_studio.placement.machine import GIB
from mova_studio.placement.plan import Candidate, Planned
from mova_studio.placement.planner import DRIVER_SHARE, SYSTEM_SHARE, require
from mova_studio.placement.request import Limits

# After a shortage the next plan must do with so much of what the failed one was given.
SHRINK = 0.92


class Placed:
    """The plan in force for one run.

    Args:
        run: the run at hand.
        limits: what the person allows.
    """

    def __init__(self, run: Run, limits: Limits) -> None:
        self.run, self.limits = run, limits
        self.request = request_of(run.shot)
        self._tried: set[str] = set()
        self._planned: Planned | None = None
        self._chosen: Candidate | None = None
        self._changes: list[str] = []

    @property
    def chosen(self) -> Candidate:
        """The candidate in force."""
        assert self._chosen is not None, "choose() comes first"
        return self._chosen

    def choose(self) -> None:
        """Plan by what is free now.

        Raises:
            MemoryRanOut: no plan fits; with the least possible and what to change.
        """
        engine = self.run.engine
        self._planned = engine.plan(self.run.shot.model, self.request, self.limits, frozenset(self._tried))
        self._chosen = require(self._planned, engine.machine, self.request)
        for note in self._planned.notes:
            self.run.note(note)
        self.run.report({"kind": "plan", "plan": self._chosen.to_dict()})

    def place(self) -> None:
        """Make the plan the engine's."""
        engine = self.run.engine
        engine.place(self.run.shot.model, self.chosen.plan, self.run.note)
        engine.while_reading(self.run.check_cancelled)

    def fall_back(self, ran_out: str) -> None:
        """`ran_out` ("VRAM", ...) under the plan in force: remember it, and choose the next that fits.

        Raises:
            MemoryRanOut: there is none.
        """
        engine, failed, planned = self.run.engine, self.chosen.plan, self._planned
        assert planned is not None
        engine.planning.remember_failure(engine.machine, engine.identity, failed, self.request, planned)
        self._tried.add(failed.name)
        self._shrink(ran_out, planned)
        engine.unload()
        where = f"at step {self.run.step} of {self.run.shot.num_inference_steps}"
        try:
            self.choose()
        except MemoryRanOut as error:
            raise MemoryRanOut(f"{ran_out} ran out {where} with the plan {failed.name}. {error.message}") from error
        change = (
            f"{ran_out} ran out {where} with the plan {failed.name}; it goes on from there with {self.chosen.plan.name}"
        )
        self._changes.append(change)
        self.run.note(change)

    def _shrink(self, ran_out: str, planned: Planned) -> None:
        if ran_out in ("VRAM", "shared GPU memory"):
            self.limits = replace(self.limits, vram_gb=(planned.budget.vram * SHRINK + DRIVER_SHARE) / GIB)
        else:
            self.limits = replace(self.limits, ram_gb=(planned.budget.ram * SHRINK + SYSTEM_SHARE) / GIB)

    def check_spill(self) -> None:
        """On Windows the driver moves what does not fit into RAM, at a crawl, where others run out.

        Raises:
            MemoryRanOut: this process reserved more than was free on the card.
        """
        machine = self.run.engine.machine
        if platform.system() != "Windows" or machine.gpu is None or not torch.cuda.is_initialized():
            return
        reserved = torch.cuda.memory_reserved()
        if reserved > machine.gpu.free_vram:
            raise MemoryRanOut(
                f"Shared GPU memory: {reserved / GIB:.1f} GiB are reserved and {machine.gpu.free_vram / GIB:.1f} GiB "
                "of VRAM were free; the rest went into RAM, which is slow."
            )

    def learn(self, step_seconds: float) -> None:
        """A computed step took so long under the plan in force."""
        self.run.engine.planning.learn(self.run.engine.machine, self.run.engine.identity, self.chosen, step_seconds)

    def record(self) -> dict[str, Any]:
        """The plan for the take's record: what was predicted and what it really took."""
        return self.chosen.plan.to_dict() | {
            "device_name": gpu_name(self.run.engine.machine),
            "torch": torch.__version__,
            "predicted": self.chosen.predicted.to_dict(),
            "actual": self.run.memory,
            "changes": list(self._changes),
        }
