"""Planning a run: the machine as it is, the checkpoint as it lies on disk, and what was learned here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.errors import CheckpointError
from mova_studio.jobs.adapters import device_numbers
from mova_studio.jobs.estimate import History
from mova_studio.library.shot import Shot
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.hub import PUBLISHED
from mova_studio.network.locate import locate
from mova_studio.placement.failures import Failures
from mova_studio.placement.machine import Machine
from mova_studio.placement.plan import Candidate, Plan, Planned, StageMemory
from mova_studio.placement.planner import Correction, Planner
from mova_studio.placement.published import published_sizes
from mova_studio.placement.request import Limits, Request
from mova_studio.placement.sizes import CheckpointSizes, read_sizes
from mova_studio.settings import cache_dir


def sizes_of(model: str) -> CheckpointSizes:
    """Sizes of "demo", a folder or a hub id: from its headers, or a published one's from the table.

    Raises:
        CheckpointError: it is damaged, or neither here nor known.
    """
    try:
        folder = locate(model)
    except CheckpointError:
        if model not in PUBLISHED:
            raise
        return published_sizes()
    return _sizes_in(folder, (folder / "model_index.json").stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _sizes_in(folder: Path, _changed: int) -> CheckpointSizes:
    return read_sizes(Checkpoint(folder))


def request_of(shot: Shot, batch_size: int = 1) -> Request:
    """What a shot asks of the machine. Passes are counted where guidance is at work."""
    passes = DualGuidance(shot.guidance_scale, shot.bridge_guidance_scale).passes
    return Request(
        width=shot.width,
        height=shot.height,
        num_frames=shot.num_frames,
        frame_rate=shot.frame_rate,
        num_inference_steps=shot.num_inference_steps,
        bridged_passes=sum(part.bridge for part in passes),
        plain_passes=sum(not part.bridge for part in passes),
        batch_size=batch_size,
        cache=shot.step_cache,
        guided_share=shot.guidance_stop - shot.guidance_start,
        adapter_numbers=device_numbers(shot.adapters),
    )


@dataclass(frozen=True)
class Planning:
    """Plans runs of one machine.

    Attributes:
        history, failures: what was learned on this machine.
    """

    history: History
    failures: Failures

    @classmethod
    def here(cls) -> Planning:
        """With what this machine's cache folder remembers."""
        return cls(History(cache_dir() / "run_times.json"), Failures(cache_dir() / "out_of_memory.json"))

    def plan(
        self,
        machine: Machine,
        sizes: CheckpointSizes,
        request: Request,
        limits: Limits,
        ceilings: Mapping[str, StageMemory] | None = None,
    ) -> Planned:
        """Candidates for `request`, judged by this machine's own runs unless it is an imaginary one."""
        gpu = gpu_name(machine)
        correction = None if machine.imaginary else self._correction(sizes.identity, gpu)
        planner = Planner(machine, sizes, request, limits, correction, ceilings=ceilings)
        if not machine.imaginary:
            planner.failed = lambda plan, asked: self.failures.known(gpu, sizes.identity, plan, asked, planner.budget)
        return planner.plan()

    def learn(
        self, machine: Machine, identity: str, chosen: Candidate, step_seconds: float, decode_seconds: float
    ) -> None:
        """A computed step and the decoding of `chosen` took so long here."""
        gpu, predicted = gpu_name(machine), chosen.predicted
        known = (self._correction(identity, gpu) if predicted.learned else None) or Correction()
        for name, actual, expected in (
            ("step", step_seconds, predicted.step_seconds / known.step),
            ("decode", decode_seconds, predicted.decode_seconds / known.decode),
        ):
            if actual > 0 and expected > 0:
                self.history.learn(identity, f"{name} on {gpu}", actual / expected, 1.0)

    def _correction(self, identity: str, gpu: str) -> Correction | None:
        step, decode = (self.history.seconds(identity, f"{name} on {gpu}", 1.0) for name in ("step", "decode"))
        return None if step is None else Correction(step, decode or 1.0)

    def remember_failure(
        self, machine: Machine, identity: str, plan: Plan, request: Request, planned: Planned, *, of_device: bool
    ) -> None:
        """`plan` ran out of the device's memory, or of RAM."""
        self.failures.remember(gpu_name(machine), identity, plan, request, planned.budget, of_device=of_device)


def gpu_name(machine: Machine) -> str:
    """Name of the device, "cpu" without one."""
    return "cpu" if machine.gpu is None else machine.gpu.name


def plan_shot(shot: Shot, limits: Limits, machine: Machine) -> tuple[CheckpointSizes, Planned]:
    """Plans for a shot on a machine, real or imaginary, without loading anything.

    Raises:
        CheckpointError: the checkpoint is damaged, or neither here nor known.
        InputError: a pin is impossible there.
    """
    sizes = sizes_of(shot.model)
    return sizes, Planning.here().plan(machine, sizes, request_of(shot), limits)


def plan_report(machine: Machine, sizes: CheckpointSizes, planned: Planned) -> dict[str, Any]:
    """Everything about a planning, for JSON."""
    return {
        "machine": machine.to_dict(),
        "checkpoint": {"identity": sizes.identity, "on_disk": sizes.on_disk},
        "budget": planned.budget.to_dict(),
        "chosen": None if planned.chosen is None else planned.chosen.to_dict(),
        "considered": [candidate.to_dict() for candidate in planned.considered],
        "notes": [*machine.warnings, *planned.notes],
    }
