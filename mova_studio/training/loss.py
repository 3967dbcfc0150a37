"""Flow matching on the joint forward: how far the velocities are from noise - data."""

from __future__ import annotations

from typing import NamedTuple

import torch
from diffusers import WanTransformer3DModel
from torch.nn.functional import mse_loss

from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.network.bridge import Bridge
from mova_studio.network.joint import AroundLayer, joint_forward
from mova_studio.network.towers import AudioTower
from mova_studio.training.batch import Batch
from mova_studio.training.noise import Noise


class FlowMatchingLoss(NamedTuple):
    """Mean squared errors, 0-dim float32: `total` is video + audio_weight * audio, with a gradient."""

    total: torch.Tensor
    video: torch.Tensor
    audio: torch.Tensor


def flow_matching_loss(
    video_tower: WanTransformer3DModel,
    audio_tower: AudioTower,
    bridge: Bridge,
    scheduler: FlowMatchPairScheduler,
    batch: Batch,
    noise: Noise,
    *,
    audio_weight: float = 0.2,
    empty_prompt_embeds: torch.Tensor | None = None,
    frame_rate: float = 24.0,
    around_layer: AroundLayer | None = None,
) -> FlowMatchingLoss:
    """The loss of one batch.

    Args:
        video_tower: the expert for `noise.timestep`.
        noise: of `draw_noise`, on the batch's device.
        audio_weight: of the sound's error (paper section 4.2: 0.2; the released step: 1).
        empty_prompt_embeds: [512, text_dim] or [1, 512, text_dim], stands for the prompts that `noise` leaves out.
        frame_rate: frames per second, for Aligned RoPE.
        around_layer: as of `joint_forward`.

    Raises:
        ValueError: `noise` leaves prompts out, and there are no embeddings of the empty one.
    """
    prompt_embeds = batch.prompt_embeds
    if noise.without_text is not None and bool(noise.without_text.any()):
        if empty_prompt_embeds is None:
            raise ValueError("the noise leaves prompts out, but empty_prompt_embeds is None")
        prompt_embeds = torch.where(
            noise.without_text[:, None, None], empty_prompt_embeds.to(prompt_embeds), prompt_embeds
        )
    noisy = scheduler.add_noise(batch.video_latents, noise.video, noise.timestep)
    noisy_audio = scheduler.add_noise(batch.audio_latents, noise.audio, noise.audio_timestep)
    video, audio = joint_forward(
        video_tower,
        audio_tower,
        bridge,
        torch.cat([noisy, batch.condition], dim=1),
        noisy_audio,
        prompt_embeds,
        noise.timestep,
        noise.audio_timestep,
        frame_rate,
        around_layer=around_layer,
    )
    video_loss = mse_loss(video, noise.video - batch.video_latents)
    audio_loss = mse_loss(audio, noise.audio - batch.audio_latents)
    return FlowMatchingLoss(video_loss + audio_weight * audio_loss, video_loss.detach(), audio_loss.detach())
