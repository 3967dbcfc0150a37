"""The sampling loop: one Euler step after another, each modality on its own schedule, expert by expert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from mova_studio.diffusion.guidance import GuidancePass, Velocity, grouped
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.state import SamplingState
from mova_studio.diffusion.step_cache import KeptStep, Policy, StepCache, policy_of
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
        reused: the residuals of an earlier step stood for the layers; False for a computed step.
    """

    index: int
    timestep: float
    expert: Expert
    x0_latents: torch.Tensor
    x0_audio_latents: torch.Tensor
    reused: bool


def sample(
    state: SamplingState,
    scheduler: FlowMatchPairScheduler,
    boundary_ratio: float,
    predict_velocity: Predict,
    on_layer: Callable[[int], None] | None = None,
    batched_guidance: bool = False,
    policy: Policy | None = None,
) -> Iterator[StepResult]:
    """Advance `state` step by step to its end, yielding after each one.

    Whenever this yields, `state` is whole: it can be saved, changed, or left and taken up again to the same
    bits. An exception out of `on_layer` leaves it at the last whole step.

    Args:
        boundary_ratio: once a video timestep lies under boundary_ratio * 1000, the low-noise expert runs.
        predict_velocity: `MovaPipeline.predict_velocity`.
        on_layer: passed on to it.
        batched_guidance: run the passes of a step that have the same bridge setting as one batch.
        policy: which steps the cache reuses; None takes the one of `settings.step_cache`.
    """
    settings = state.settings
    scheduler.set_timesteps(settings.num_inference_steps, settings.video_shift, settings.audio_shift)
    high_steps = scheduler.expert_steps(boundary_ratio)
    guidance = settings.guidance
    policy = policy_of(settings.step_cache) if policy is None else policy
    computed = {0, high_steps, settings.num_inference_steps - 1, settings.num_inference_steps}
    # Where an adapter comes or goes the network is another one, as where the experts change.
    computed |= {step for use in state.adapters for step in use.changes(settings.num_inference_steps)}
    while not state.done:
        index = state.step
        expert: Expert = "high" if index < high_steps else "low"
        timesteps = scheduler.timesteps[index].to(state.latents.device)
        passes = guidance.passes_at(index, settings.num_inference_steps)
        groups = grouped(passes, batched_guidance)
        cache = None
        if policy is not None and not {index, index + 1} <= computed:
            state.kept = state.kept or KeptStep()
            cache = StepCache(policy, state.kept, index, [_name(group) for group in groups], len(state.latents))
        run = _group_runner(state, timesteps, expert, predict_velocity, on_layer, cache)
        velocities = {part: each for group in groups for part, each in zip(group, run(group), strict=True)}
        velocity, audio_velocity = guidance.combine(velocities.__getitem__, passes)
        (sigma, audio_sigma), (next_sigma, next_audio_sigma) = scheduler.sigmas[index : index + 2]
        video = scheduler.step(velocity, state.latents, sigma, next_sigma)
        audio = scheduler.step(audio_velocity, state.audio_latents, audio_sigma, next_audio_sigma)
        state.latents, state.audio_latents = video.prev_sample, audio.prev_sample
        reused = cache is not None and cache.commit()
        state.step += 1
        state.reused_steps += reused
        if state.step in computed:
            # A step that finds nothing kept is computed; the other expert's residuals would be wrong besides.
            state.kept = None
        yield StepResult(
            index,
            float(scheduler.timesteps[index, 0]),
            expert,
            video.pred_original_sample,
            audio.pred_original_sample,
            reused,
        )


def _name(group: tuple[GuidancePass, ...]) -> str:
    return "+".join(part.name for part in group)


def _group_runner(
    state: SamplingState,
    timesteps: torch.Tensor,
    expert: Expert,
    predict_velocity: Predict,
    on_layer: Callable[[int], None] | None,
    cache: StepCache | None,
) -> Callable[[tuple[GuidancePass, ...]], list[Velocity]]:
    video_latents = torch.cat([state.latents, state.condition], dim=1)

    def run(group: tuple[GuidancePass, ...]) -> list[Velocity]:
        times, scale = len(group), 1.0 if group[0].bridge else 0.0
        timestep, audio_timestep = (value.expand(times * len(state.latents)) for value in timesteps)
        video, audio = predict_velocity(
            torch.cat([video_latents] * times),
            torch.cat([state.audio_latents] * times),
            torch.cat([_embeds(state, part) for part in group]),
            timestep,
            audio_timestep,
            state.settings.frame_rate,
            expert,
            a2v_scale=scale,
            v2a_scale=scale,
            on_layer=on_layer,
            cache=None if cache is None else cache.of(_name(group)),
        )
        return list(zip(video.chunk(times), audio.chunk(times), strict=True))

    return run


def _embeds(state: SamplingState, part: GuidancePass) -> torch.Tensor:
    embeds = state.prompt_embeds if part.positive else state.negative_prompt_embeds
    if embeds is None:
        raise InputError("The saved run lacks the text that its guidance scales need; start it again.")
    return embeds
