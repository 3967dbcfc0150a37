"""One run: its stages timed and measured, its progress reported, stopped between any two layers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.errors import Cancelled, StudioError
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.estimate import Estimate
from mova_studio.library.shot import Shot
from mova_studio.placement.machine import GIB
from mova_studio.placement.peaks import PeakMeter
from mova_studio.placement.plan import StageMemory

Report = Callable[[dict[str, Any]], None]


class Paused(StudioError):
    """The run was asked to stop for now."""

    def __init__(self, message: str = "Paused.", *, field: str | None = None) -> None:
        super().__init__(message, field=field)


class Run:
    """One run: stages timed, progress reported, stopped between any two layers.

    Args:
        engine: loaded or not; the run loads the shot's model.
        shot, seed: what to make.
        report: called with {"kind": "progress" | "preview" | "note", ...} events; must not block.
        cancelled: asked often; True ends the run with `Cancelled`.
        pausing: asked often; True ends the run with `Paused`.
        stop_step: where the run ends with `Paused` by itself; None runs to the end.
    """

    def __init__(
        self,
        engine: Engine,
        shot: Shot,
        seed: int,
        report: Report,
        cancelled: Callable[[], bool] = lambda: False,
        pausing: Callable[[], bool] = lambda: False,
        stop_step: int | None = None,
    ) -> None:
        self.engine, self.shot, self.seed, self.report = engine, shot, seed, report
        self.cancelled, self.pausing, self.stop_step = cancelled, pausing, stop_step
        self.seconds: dict[str, float] = {}
        self.memory: dict[str, dict[str, float]] = {}
        self.notes: list[str] = []
        self.step = 0
        self.stage_now = "load"
        self.started = self._stage_began = time.monotonic()
        passes = len(DualGuidance(shot.guidance_scale, shot.bridge_guidance_scale).passes)
        megapixel_frames = shot.width * shot.height * shot.num_frames / 1e6
        steps = shot.num_inference_steps if stop_step is None else stop_step
        self.estimate = Estimate(engine.planning.history, megapixel_frames, steps, passes, decodes=stop_step is None)

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

    def check_stop(self, *_: Any) -> None:
        """Raises:
        Cancelled, Paused: the person asked for it.
        """
        if self.cancelled():
            raise Cancelled
        if self.pausing():
            raise Paused

    @property
    def seconds_so_far(self) -> dict[str, float]:
        """Per stage, with what the present one has taken."""
        now = self.seconds.get(self.stage_now, 0.0) + time.monotonic() - self._stage_began
        return self.seconds | {self.stage_now: round(now, 3)}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and measure its peak memory; one that is taken up again adds to what it took before."""
        self.stage_now = name
        self.check_stop()
        self.progress(name)
        meter = PeakMeter(self.engine.device)
        meter.start()
        self._stage_began = time.monotonic()
        yield
        self.seconds = self.seconds_so_far
        self._measured(name, meter.read())
        self.estimate.stage_done(name, self.seconds[name])

    def _measured(self, stage: str, peak: StageMemory) -> None:
        before = self.memory.get(stage, {"vram_gb": 0.0, "ram_gb": 0.0})
        actual = {"vram_gb": round(peak.vram / GIB, 3), "ram_gb": round(peak.ram / GIB, 3)}
        self.memory[stage] = {name: max(actual[name], before[name]) for name in actual}
        self.report({"kind": "memory", "stage": stage} | self.memory[stage])
