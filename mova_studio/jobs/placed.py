"""A run's plan: chosen before it, changed when memory runs out, recorded after it."""

from __future__ import annotations

import math
import platform
from typing import Any

import torch

from mova_studio.errors import MemoryRanOut
from mova_studio.jobs.planning import gpu_name, request_of
from mova_studio.jobs.run import Run
from mova_studio.jobs.saved_run import RunFacts
from mova_studio.placement.machine import GIB
from mova_studio.placement.plan import Candidate, Planned, StageMemory
from mova_studio.placement.planner import require
from mova_studio.placement.request import Limits

# Stages that hold what another one is planned for.
STAGE_OF = {"load": "denoise", "write": "decode"}
UNLIMITED = StageMemory(vram=2**63, ram=2**63)


class Placed:
    """The plan in force for one run.

    Args:
        run: the run at hand.
        limits: what the person allows.

    Attributes:
        changes: of the plan, so far, for the take's record.
    """

    def __init__(self, run: Run, limits: Limits) -> None:
        self.run, self.limits = run, limits
        self.request = request_of(run.shot)
        self._ceilings: dict[str, StageMemory] = {}
        self._planned: Planned | None = None
        self._chosen: Candidate | None = None
        self.changes: list[str] = []

    @property
    def chosen(self) -> Candidate:
        """The candidate in force."""
        assert self._chosen is not None, "choose() comes first"
        return self._chosen

    def choose(self, before: RunFacts | None = None) -> None:
        """Plan by what is free now.

        Args:
            before: facts of a run that goes on; its plan is kept if it still fits.

        Raises:
            MemoryRanOut: no plan fits; with the least possible and what to change.
        """
        engine = self.run.engine
        self._planned = engine.plan(self.run.shot.model, self.request, self.limits, self._ceilings)
        same = None if before is None else self._as_before(before.plan)
        self._chosen = require(self._planned, engine.machine, self.request) if same is None else same
        for note in self._planned.notes:
            self.run.note(note)
        if before is not None and same is None:
            self._changed(
                f"its plan {before.plan.get('name')} no longer fits; it goes on from step {before.step} with "
                f"{self._chosen.plan.name}"
            )
        self.run.report({"kind": "plan", "plan": self._chosen.to_dict()})

    def _as_before(self, plan: dict[str, Any]) -> Candidate | None:
        assert self._planned is not None
        fitting = (candidate for candidate in self._planned.considered if candidate.fits)
        return next((candidate for candidate in fitting if candidate.plan.to_dict() == plan), None)

    def _changed(self, change: str) -> None:
        self.changes.append(change)
        self.run.note(change)

    def place(self) -> None:
        """Make the plan the engine's."""
        engine = self.run.engine
        engine.place(self.run.shot.model, self.chosen.plan, self.run.note)
        engine.while_reading(self.run.check_stop)
        engine.cap_vram(math.inf if self.limits.try_anyway else self.limits.vram)

    def fall_back(self, ran_out: str) -> None:
        """`ran_out` ("VRAM", ...) under the plan in force: remember it, and choose the next that fits.

        Raises:
            MemoryRanOut: there is none.
        """
        engine, failed, planned = self.run.engine, self.chosen.plan, self._planned
        assert planned is not None
        engine.planning.remember_failure(
            engine.machine, engine.identity, failed, self.request, planned, of_device=self._of_device(ran_out)
        )
        self._lower_ceiling(ran_out)
        engine.unload()
        where = f"at step {self.run.step} of {self.run.shot.num_inference_steps}"
        try:
            self.choose()
        except MemoryRanOut as error:
            raise MemoryRanOut(f"{ran_out} ran out {where} with the plan {failed.name}. {error.message}") from error
        change = (
            f"{ran_out} ran out {where} with the plan {failed.name}; it goes on from there with {self.chosen.plan.name}"
        )
        self._changed(change)

    def _lower_ceiling(self, ran_out: str) -> None:
        """The next plan must be predicted to need less of what ran out, in the stage where it did."""
        stage = STAGE_OF.get(self.run.stage_now, self.run.stage_now)
        predicted = self.chosen.predicted.stages[stage]
        before = self._ceilings.get(stage, UNLIMITED)
        if self._of_device(ran_out):
            self._ceilings[stage] = StageMemory(predicted.vram, before.ram)
        else:
            self._ceilings[stage] = StageMemory(before.vram, predicted.ram)

    def _of_device(self, ran_out: str) -> bool:
        return ran_out in ("VRAM", "shared GPU memory") and self.chosen.plan.device != "cpu"

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

    def learn(self, step_seconds: float, decode_seconds: float) -> None:
        """A computed step and the decoding took so long under the plan in force; several plans in one run teach
        nothing."""
        if self.changes:
            return
        self.run.engine.planning.learn(
            self.run.engine.machine, self.run.engine.identity, self.chosen, step_seconds, decode_seconds
        )

    def record(self, reused_steps: int) -> dict[str, Any]:
        """The plan for the take's record: what was predicted and what it really took.

        Args:
            reused_steps: that the step cache answered.
        """
        return self.chosen.plan.to_dict() | {
            "device_name": gpu_name(self.run.engine.machine),
            "torch": torch.__version__,
            "predicted": self.chosen.predicted.to_dict(),
            "actual": self.run.memory,
            "changes": list(self.changes),
            "reused_steps": reused_steps,
        }
