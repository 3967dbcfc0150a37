"""Plans as the page asks for them: without waiting where one was just made, and never on the page's own thread."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from mova_studio.errors import MemoryRanOut, StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot, snap_num_frames, snap_side
from mova_studio.placement.attention import PACKAGES
from mova_studio.placement.machine import GIB, Machine
from mova_studio.placement.probe import probe_machine
from mova_studio.settings import cache_dir

FRESH_SECONDS = 10.0
_REMEMBERED = 32


@dataclass(frozen=True)
class Advice:
    """The answer to one question.

    Attributes:
        report: `plan_report` of it.
        shortage: what is missing and the remedy where no plan fits, else "".
    """

    report: dict[str, Any]
    shortage: str = ""

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The plan that would be taken; None if none fits."""
        return self.report["chosen"]


def shot_of(settings: Mapping[str, Any], model: str) -> Shot:
    """A shot with the page's settings, moved to what can be made; what is absent is the checkpoint's own.

    Raises:
        InputError: a value is out of its range.
    """
    known = {name: value for name, value in settings.items() if value is not None}
    values = preset_for(model).settings() | known
    values["width"], values["height"] = snap_side(values["width"]), snap_side(values["height"])
    values["num_frames"] = snap_num_frames(values["num_frames"])
    values["num_inference_steps"] = round(values["num_inference_steps"])
    return Shot(prompt="a plan", model=model, **values)


class Advisor:
    """Plans for one studio. Its methods take a moment, the first one seconds: call them in a thread.

    Attributes:
        ready: the planner has been imported, so that an answer takes milliseconds.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ready = False
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, Advice]] = OrderedDict()

    def machine(self) -> Machine:
        """The machine now. What the worker holds counts as free: the next plan may use it."""
        machine = probe_machine(cache_dir())
        held = self.studio.worker_memory()
        machine = replace(machine, free_ram=min(machine.total_ram, machine.free_ram + held))
        gpu = machine.gpu
        if gpu is None:
            return machine
        free = min(gpu.total_vram, gpu.free_vram + (self._held_vram() if held else 0))
        installed = [
            package.backend
            for package in PACKAGES
            if find_spec(package.module) is not None and (gpu.capability or (0, 0)) >= package.first
        ]
        return replace(machine, gpu=replace(gpu, free_vram=free), attention=("native", *installed))

    def advise(self, shot: Shot, limits: Mapping[str, Any] | None = None, machine: Machine | None = None) -> Advice:
        """The plan for `shot`.

        Args:
            limits: as `Studio.limits`, which count if None.
            machine: an imagined one; None is this one.

        Raises:
            CheckpointError: the checkpoint is damaged or neither here nor known.
            InputError: a pin is impossible.
        """
        allowed = self.studio.limits if limits is None else dict(limits)
        key = (shot, json.dumps(allowed, sort_keys=True), machine)
        with self._lock:
            made, known = self._kept.get(key, (0.0, None))
        if known is not None and time.monotonic() - made < FRESH_SECONDS:
            return known
        advice = _advise(shot, allowed, self.machine() if machine is None else machine)
        with self._lock:
            self.ready = True
            self._kept[key] = (time.monotonic(), advice)
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        return advice

    def advise_quietly(self, settings: Mapping[str, Any]) -> Advice | None:
        """The plan for the page's settings, or None where there is something wrong with them."""
        try:
            return self.advise(shot_of(settings, self.studio.model))
        except StudioError:
            return None

    def forget(self) -> None:
        """Plan anew from now on: what is free, or allowed, has changed."""
        with self._lock:
            self._kept.clear()

    def _held_vram(self) -> int:
        run = self.studio.last_run
        stages = list(run.memory.values()) if run is not None else []
        return int(stages[-1]["vram_gb"] * GIB) if stages else 0


def _advise(shot: Shot, limits: dict[str, Any], machine: Machine) -> Advice:
    from mova_studio.jobs.planning import plan_report, plan_shot, request_of
    from mova_studio.placement.planner import require
    from mova_studio.placement.request import Limits

    sizes, planned = plan_shot(shot, Limits.from_dict(limits), machine)
    try:
        require(planned, machine, request_of(shot))
    except MemoryRanOut as error:
        return Advice(plan_report(machine, sizes, planned), error.message)
    return Advice(plan_report(machine, sizes, planned))
