"""After every denoising step: progress, a preview with its sound, and now and then the run on disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mova_studio.atomic import replacing
from mova_studio.diffusion.sound import decode_sound
from mova_studio.diffusion.state import SamplingState
from mova_studio.jobs.allowance import Allowance
from mova_studio.jobs.placed import Placed
from mova_studio.jobs.run import Run
from mova_studio.jobs.saved_run import Saver
from mova_studio.media.preview import encode_preview

SOUND_SHARE = 0.02  # of a run's time for hearing its previews
OFFERED = ("x0_latents", "x0_audio_latents")


class Steps:
    """The callback of `MovaPipeline.denoise`.

    Args:
        run, placed: the run at hand and its plan.
        state: of the run.
        saver: None keeps nothing.
        keep: saves the run now.
    """

    def __init__(
        self, run: Run, placed: Placed, state: SamplingState, saver: Saver | None, keep: Callable[[], None]
    ) -> None:
        self.run, self.placed, self.state, self.saver, self.keep = run, placed, state, saver, keep
        self._begun, self._reused = time.monotonic(), state.reused_steps
        self._sound = Allowance(SOUND_SHARE)

    def __call__(self, pipeline: Any, index: int, _timestep: float, tensors: dict[str, torch.Tensor]) -> None:
        run, state = self.run, self.state
        run.step = index + 1
        self.placed.check_spill()
        run.estimate.step_done(time.monotonic() - self._begun, reused=state.reused_steps > self._reused)
        self._reused = state.reused_steps
        high = pipeline.scheduler.expert_steps(pipeline.config.boundary_ratio)
        run.progress("denoise", "high" if index < high else "low")
        run.report({"kind": "preview", "step": run.step, "mp4": self._preview(tensors)})
        self._save()
        self._begun = time.monotonic()

    def _preview(self, tensors: dict[str, torch.Tensor]) -> bytes:
        run = self.run
        frames = run.engine.preview.frames(tensors["x0_latents"][0]).numpy()
        rate = run.shot.frame_rate * len(frames) / run.shot.num_frames
        stops = run.step == run.stop_step
        # A scout is heard when it stops. Under other plans the audio VAE would have to change places with the towers.
        audible = run.stop_step is None and self.placed.chosen.plan.offload == "none" and self._sound.left
        if not (stops or audible):
            return encode_preview(frames, rate)
        with self._sound.spending():
            mp4 = encode_preview(frames, rate, self._heard(tensors), self._sample_rate)
        if stops and self.saver is not None:
            # Before the state, so that a run that is found at its stop has its preview.
            path = self.saver.saved.preview
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as beside:
                beside.write_bytes(mp4)
        return mp4

    @property
    def _sample_rate(self) -> int:
        return int(self.run.engine.pipeline.audio_vae.config.sample_rate)

    @torch.no_grad()
    def _heard(self, tensors: dict[str, torch.Tensor]) -> np.ndarray:
        pipeline = self.run.engine.pipeline
        sound = decode_sound(pipeline.audio_vae, pipeline.residency, tensors["x0_audio_latents"], self.state.settings)
        return sound[0].cpu().numpy()

    def _save(self) -> None:
        if self.saver is None:
            return
        # At the end of denoising all of the work is in the state, and decoding is where memory runs out.
        last = self.state.done and self.saver.affordable
        if last or self.saver.due or self.run.step == self.run.stop_step:
            self.keep()
