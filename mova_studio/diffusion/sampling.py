"""The sampling loop: one Euler step after another, each modality on its own schedule, expert by expert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from mova_studio.diffusion.guidance import DualGuidance, GuidancePass, Velocity
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.state import SamplingState
from mova_studio.errors import InputError

Expert = Literal["high", "low"]
Predict = Callable[..., Velocity]


@dataclass(frozen=True)
class StepResult:
    """One step, done.

    Attributes:
        index: of the step, from 0.
        timestep: the video's, 0..1000.
        expert: which one ran.
        x0_latents, x0_audio_latents: estimates of the clean latents, float32.
    """

    index: int
    timestep: float
    expert: Expert
    x0_latents: torch.Tensor
    x0_audio_latents: torch.Tensor


def sample(
    state: SamplingState,
    scheduler: FlowMatchPairScheduler,
    boundary_ratio: float,
    predict_velocity: Predict,
    on_layer: Callable[[int], None] | None = None,
) -> Iterator[StepResult]:
    """Advance `state` step by step to its end, yielding after each one.

    Whenever this yields, `state` is whole: it can be saved, changed, or left and taken up again to the same
    bits. An exception out of `on_layer` leaves it at the last whole step.

    Args:
        boundary_ratio: once a video timestep lies under boundary_ratio * 1000, the low-noise expert runs.
        predict_velocity: `MovaPipeline.predict_velocity`.
        on_layer: passed on to it.
    """
    settings = state.settings
    scheduler.set_timesteps(settings.num_inference_steps, settings.video_shift, settings.audio_shift)
    high_steps = scheduler.expert_steps(boundary_ratio)
    guidance = DualGuidance(settings.guidance_scale, settings.bridge_guidance_scale)
    while not state.done:
        index = state.step
        expert: Expert = "high" if index < high_steps else "low"
        timesteps = scheduler.timesteps[index].to(state.latents.device)
        velocity, audio_velocity = guidance.combine(_pass_runner(state, timesteps, expert, predict_velocity, on_layer))
        (sigma, audio_sigma), (next_sigma, next_audio_sigma) = scheduler.sigmas[index : index + 2]
        video = scheduler.step(velocity, state.latents, sigma, next_sigma)
        audio = scheduler.step(audio_velocity, state.audio_latents, audio_sigma, next_audio_sigma)
        state.latents, state.audio_latents = video.prev_sample, audio.prev_sample
        state.step += 1
        yield StepResult(
            index,
            float(scheduler.timesteps[index, 0]),
            expert,
            video.pred_original_sample,
            audio.pred_original_sample,
        )


def _pass_runner(
    state: SamplingState,
    timesteps: torch.Tensor,
    expert: Expert,
    predict_velocity: Predict,
    on_layer: Callable[[int], None] | None,
) -> Callable[[GuidancePass], Velocity]:
    video_latents = torch.cat([state.latents, state.condition], dim=1)
    timestep, audio_timestep = (value.expand(len(state.latents)) for value in timesteps)

    def run(part: GuidancePass) -> Velocity:
        embeds = state.prompt_embeds if part.positive else state.negative_prompt_embeds
        if embeds is None:
            raise InputError("The saved run lacks the text that its guidance scales need; start it again.")
        scale = 1.0 if part.bridge else 0.0
        return predict_velocity(
            video_latents,
            state.audio_latents,
            embeds,
            timestep,
            audio_timestep,
            state.settings.frame_rate,
            expert,
            a2v_scale=scale,
            v2a_scale=scale,
            on_layer=on_layer,
        )

    return run
