"""Making a take, stage by stage; what is done once is not done again when the plan changes on the way."""

from __future__ import annotations

import io
import logging
from dataclasses import fields

import numpy as np
import torch
from PIL import Image

from mova_studio.diffusion import SamplingSettings
from mova_studio.diffusion.state import SamplingState
from mova_studio.diffusion.text import MAX_TOKENS, count_tokens, lost_words
from mova_studio.errors import InputError
from mova_studio.jobs.condition_cache import frames_key
from mova_studio.jobs.placed import Placed
from mova_studio.jobs.run import Paused, Run
from mova_studio.jobs.saved_run import RunFacts, Saver
from mova_studio.jobs.steps import OFFERED, Steps
from mova_studio.library.shot import Shot
from mova_studio.library.shots import shot_id

log = logging.getLogger(__name__)

UNTRAINED_NOTE = "the demo checkpoint is untrained: picture and sound are noise on purpose"


class Work:
    """What a take is made of, so far: whatever is there already is not made again.

    Args:
        run: the run at hand.
        placed: the plan in force.
        saver: where the run is kept between steps, and perhaps was; None keeps nothing.
    """

    def __init__(self, run: Run, placed: Placed, saver: Saver | None = None) -> None:
        self.run, self.placed, self.saver = run, placed, saver
        self._kept = None if saver is None else saver.saved.read()
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

    @property
    def before(self) -> RunFacts | None:
        """Facts of the run that this one goes on with, if there is one."""
        return None if self._kept is None else self._kept[0]

    def advance(self) -> None:
        """Do everything that is still to be done, under the plan in force.

        Raises:
            Paused: the person asked for it, or the run's `stop_step` is reached; the run is on disk then.
        """
        run, engine = self.run, self.run.engine
        with run.stage("load"):
            self.placed.place()
            engine.adapt(run.shot.adapters)
            run.estimate.checkpoint = engine.identity
            self._go_on()
        if self.state is None:
            if self.embeddings is None:
                with run.stage("text"):
                    self._embed()
            with run.stage("frames"):
                self._prepare()
        assert self.state is not None
        self.state.to(engine.device)
        if not self.state.done:
            self._denoise(self.state)
        with run.stage("decode"):
            output = engine.pipeline.decode(self.state, output_type="np", on_chunk=run.check_stop)
            self.frames = (output.frames[0] * 255).round().astype(np.uint8)
            self.sampling_rate = output.sampling_rate
            self.audio = output.audio[0].float().cpu().numpy()
        if run.estimate.computed_seconds and self.placed.request.guided_share == 1:
            self.placed.learn(run.estimate.median_step, run.seconds["decode"])

    def keep(self) -> None:
        """Save the run as it is; a disk that refuses is told of, once, and ends nothing."""
        if self.saver is None or self.state is None:
            return
        run, known = self.run, self.saver.trouble
        facts = RunFacts(
            step=self.state.step,
            shot=shot_id(run.shot),
            seed=run.seed,
            checkpoint=run.engine.identity,
            plan=self.placed.chosen.plan.to_dict(),
            seconds=run.seconds_so_far,
            notes=tuple(run.notes),
            changes=tuple(self.placed.changes),
        )
        if self.saver.save(facts, self.state.save):
            run.report({"kind": "saved", "step": self.state.step})
        elif known is None:
            run.note(f"the run cannot be saved on the way, so that a crash would start it over: {self.saver.trouble}")

    def _go_on(self) -> None:
        """Take up what was saved of this very run, if it is whole."""
        kept, self._kept = self._kept, None
        if kept is None or self.state is not None:
            return
        run, (facts, file) = self.run, kept
        if (facts.shot, facts.seed, facts.checkpoint) != (shot_id(run.shot), run.seed, run.engine.identity):
            self._start_over(
                f"what was saved at step {facts.step} belongs to another shot or checkpoint; the run starts over"
            )
            return
        try:
            self.state = SamplingState.load(file)
        except InputError as error:
            log.warning("%s", error.message)
            self._start_over(f"what was saved at step {facts.step} is damaged; the run starts over")
            return
        run.step = self.state.step
        said, run.notes = run.notes, []
        for text in dict.fromkeys([*facts.notes, *said]):
            run.note(text)
        run.seconds = {
            stage: round(facts.seconds.get(stage, 0.0) + run.seconds.get(stage, 0.0), 3)
            for stage in {**facts.seconds, **run.seconds}
        }
        self.placed.changes[:0] = facts.changes
        run.report({"kind": "begun", "step": self.state.step})

    def _start_over(self, why: str) -> None:
        self.run.note(why)
        self.run.report({"kind": "begun", "step": 0})

    def _denoise(self, state: SamplingState) -> None:
        run, engine = self.run, self.run.engine
        with run.stage("load"):
            engine.pipeline.ready(state)
        left = None if run.stop_step is None else max(0, run.stop_step - state.step)
        with run.stage("denoise"):
            steps = Steps(run, self.placed, state, self.saver, self.keep)
            engine.pipeline.denoise(state, left, steps, OFFERED, on_layer=run.check_stop)
        if not state.done:
            raise Paused

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
        settings, known = _settings(shot), self.run.engine.conditions
        plan = self.placed.chosen.plan
        how = (self.run.engine.identity, plan.device, plan.weights["video_vae"], plan.vae_tiles)
        key = (*how, *frames_key(shot))
        self.state = self.run.engine.pipeline.prepare(
            settings,
            image=_open(shot.first_frame),
            last_image=_open(shot.last_frame),
            generator=torch.Generator("cpu").manual_seed(self.run.seed),
            prompt_embeds=self.embeddings[0],
            negative_prompt_embeds=self.embeddings[1],
            on_chunk=self.run.check_stop,
            condition=known.get(key),
        )
        known.put(key, self.state.condition)


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
