"""One run: its stages timed and measured, its progress reported, cancelled between any two layers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.errors import Cancelled
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.estimate import Estimate
from mova_studio.library.shot import Shot
from mova_studio.placement.machine import GIB
from mova_studio.placement.peaks import PeakMeter
from mova_studio.placement.plan import StageMemory

Report = Callable[[dict[str, Any]], None]


class Run:
    """One run: stages timed, progress reported, cancelled between any two layers.

    Args:
        engine: loaded or not; the run loads the shot's model.
        shot, seed: what to make.
        report: called with {"kind": "progress" | "preview" | "note", ...} events; must not block.
        cancelled: asked often; True ends the run with `Cancelled`.
    """

    def __init__(self, engine: Engine, shot: Shot, seed: int, report: Report, cancelled: Callable[[], bool]) -> None:
        self.engine, self.shot, self.seed, self.report, self.cancelled = engine, shot, seed, report, cancelled
        self.seconds: dict[str, float] = {}
        self.memory: dict[str, dict[str, float]] = {}
        self.notes: list[str] = []
        self.step = 0
        self.stage_now = "load"
        self.started = time.monotonic()
        passes = len(DualGuidance(shot.guidance_scale, shot.bridge_guidance_scale).passes)
        megapixel_frames = shot.width * shot.height * shot.num_frames / 1e6
        self.estimate = Estimate(engine.planning.history, megapixel_frames, shot.num_inference_steps, passes)

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.report({"kind": "note", "text": text})

    def progress(self, stage: str, expert: str | None = None) -> None:
        left = self.estimate.seconds_left(stage, self.step)
        elapsed = time.monotonic() - self.started
        fraction = 0.0 if left is None else elapsed / (elapsed + left) if elapsed + left else 1.0
        self.report(
            {
                "kind": "progress",
                "stage": stage,
                "step": self.step,
                "steps": self.shot.num_inference_steps,
                "expert": expert,
                "fraction": fraction,
                "seconds_left": left,
            }
        )

    def check_cancelled(self, *_: Any) -> None:
        if self.cancelled():
            raise Cancelled

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and measure its peak memory; one that is taken up again adds to what it took before."""
        self.stage_now = name
        self.check_cancelled()
        self.progress(name)
        meter = PeakMeter(self.engine.device)
        meter.start()
        begun = time.monotonic()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - begun, 3)
        self._measured(name, meter.read())
        self.estimate.stage_done(name, self.seconds[name])

    def _measured(self, stage: str, peak: StageMemory) -> None:
        before = self.memory.get(stage, {"vram_gb": 0.0, "ram_gb": 0.0})
        actual = {"vram_gb": round(peak.vram / GIB, 3), "ram_gb": round(peak.ram / GIB, 3)}
        self.memory[stage] = {name: max(actual[name], before[name]) for name in actual}
        self.report({"kind": "memory", "stage": stage} | self.memory[stage])
