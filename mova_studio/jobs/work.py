"""Making a take, stage by stage; what is done once is not done again when the plan changes on the way."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from PIL import Image

from mova_studio.diffusion import SamplingSettings
from mova_studio.diffusion.state import SamplingState
from mova_studio.diffusion.text import MAX_TOKENS, count_tokens, lost_words
from mova_studio.jobs.placed import Placed
from mova_studio.jobs.run import Run
from mova_studio.library.shot import Shot
from mova_studio.media.preview import encode_preview

UNTRAINED_NOTE = "the demo checkpoint is untrained: picture and sound are noise on purpose"


class Work:
    """What a take is made of, so far: whatever is there already is not made again.

    Args:
        run: the run at hand.
        placed: the plan in force.
    """

    def __init__(self, run: Run, placed: Placed) -> None:
        self.run, self.placed = run, placed
        self.embeddings: tuple[torch.Tensor, torch.Tensor | None] | None = None
        self.state: SamplingState | None = None
        self.frames: np.ndarray | None = None
        self.audio: np.ndarray | None = None
        self.sampling_rate = 0

    @property
    def done(self) -> bool:
        return self.audio is not None

    @property
    def reused_steps(self) -> int:
        """Steps that the step cache answered."""
        return 0 if self.state is None else self.state.reused_steps

    def step_aside(self) -> None:
        """Take everything off the device."""
        if self.state is not None:
            self.state.to("cpu")
        if self.embeddings is not None:
            positive, negative = self.embeddings
            self.embeddings = positive.cpu(), None if negative is None else negative.cpu()

    def advance(self) -> None:
        """Do everything that is still to be done, under the plan in force."""
        run, engine = self.run, self.run.engine
        with run.stage("load"):
            self.placed.place()
            run.estimate.checkpoint = engine.identity
        if self.embeddings is None:
            with run.stage("text"):
                self._embed()
        if self.state is None:
            with run.stage("frames"):
                self._prepare()
        assert self.state is not None
        self.state.to(engine.device)
        if not self.state.done:
            with run.stage("load"):
                engine.pipeline.ready(self.state)
            with run.stage("denoise"):
                on_step = _step_reporter(run, self.placed, self.state)
                engine.pipeline.denoise(self.state, None, on_step, ("x0_latents",), on_layer=run.check_cancelled)
        with run.stage("decode"):
            output = engine.pipeline.decode(self.state, output_type="np", on_chunk=run.check_cancelled)
            self.frames = (output.frames[0] * 255).round().astype(np.uint8)
            self.sampling_rate = output.sampling_rate
            self.audio = output.audio[0].float().cpu().numpy()
        if run.estimate.computed_seconds and self.placed.request.guided_share == 1:
            self.placed.learn(run.estimate.median_step, run.seconds["decode"])

    def _embed(self) -> None:
        run, engine = self.run, self.run.engine
        if engine.checkpoint.untrained:
            run.note(UNTRAINED_NOTE)
        _note_lost_words(run)
        guidance = _settings(run.shot).guidance
        positive = engine.embed(run.shot.prompt)
        self.embeddings = positive, engine.embed(run.shot.negative_prompt) if guidance.needs_negative else None

    def _prepare(self) -> None:
        shot = self.run.shot
        assert self.embeddings is not None
        settings = _settings(shot)
        self.state = self.run.engine.pipeline.prepare(
            settings,
            image=_open(shot.first_frame),
            last_image=_open(shot.last_frame),
            generator=torch.Generator("cpu").manual_seed(self.run.seed),
            prompt_embeds=self.embeddings[0],
            negative_prompt_embeds=self.embeddings[1],
            on_chunk=self.run.check_cancelled,
        )


def _settings(shot: Shot) -> SamplingSettings:
    return SamplingSettings(**{field.name: getattr(shot, field.name) for field in fields(SamplingSettings)})


def _open(frame: bytes | None) -> Image.Image | None:
    return None if frame is None else Image.open(io.BytesIO(frame)).convert("RGB")


def _note_lost_words(run: Run) -> None:
    tokenizer = run.engine.pipeline.tokenizer
    for name, text in (("prompt", run.shot.prompt), ("negative prompt", run.shot.negative_prompt)):
        lost = lost_words(tokenizer, text)
        if lost:
            run.note(f"the {name} has {count_tokens(tokenizer, text)} tokens and {MAX_TOKENS} are read; lost: {lost!r}")


def _step_reporter(run: Run, placed: Placed, state: SamplingState) -> Callable[..., None]:
    begun, reused = time.monotonic(), state.reused_steps

    def on_step(pipeline: Any, index: int, _timestep: float, tensors: dict[str, torch.Tensor]) -> None:
        nonlocal begun, reused
        run.step = index + 1
        placed.check_spill()
        run.estimate.step_done(time.monotonic() - begun, reused=state.reused_steps > reused)
        reused = state.reused_steps
        high = pipeline.scheduler.expert_steps(pipeline.config.boundary_ratio)
        run.progress("denoise", "high" if index < high else "low")
        frames = run.engine.preview.frames(tensors["x0_latents"][0]).numpy()
        rate = run.shot.frame_rate * len(frames) / run.shot.num_frames
        run.report({"kind": "preview", "step": run.step, "mp4": encode_preview(frames, rate)})
        begun = time.monotonic()

    return on_step
