"""From frames and noise to the state before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from mova_studio.diffusion import inputs
from mova_studio.diffusion.conditioning import frame_tensor, image_condition
from mova_studio.diffusion.state import SamplingSettings, SamplingState
from mova_studio.diffusion.tiling import OnChunk

if TYPE_CHECKING:
    from mova_studio.diffusion.pipeline import MovaPipeline


def starting_state(
    pipeline: MovaPipeline,
    settings: SamplingSettings,
    frames: tuple[Any, Any],
    generator: inputs.Generators,
    noise: tuple[torch.Tensor | None, torch.Tensor | None],
    embeds: tuple[torch.Tensor | None, torch.Tensor | None],
    batch: int,
    on_chunk: OnChunk | None,
    condition: torch.Tensor | None,
) -> SamplingState:
    """The state that `MovaPipeline.prepare` returns, once the texts are embedded.

    Args:
        frames: first and last frame, as given; None is a white first frame, or a free last one.
        noise: video and audio latents to start from; None is drawn from `generator`.
        embeds: of the prompt and of the negative prompt.
        batch: takes.
        on_chunk, condition: as in `MovaPipeline.prepare`.
    """
    sample_rate, hop_length = pipeline.audio_vae.config.sample_rate, pipeline.audio_vae.hop_length
    device, (first, last) = pipeline.residency.device, frames
    if condition is None:
        with pipeline.residency.use("video_vae"):
            condition = image_condition(
                pipeline.video_vae,
                _pictures(pipeline, first, batch, settings, "first_frame"),
                None if last is None else _pictures(pipeline, last, batch, settings, "last_frame"),
                settings.num_frames,
                pipeline.tiling,
                on_chunk,
            )
    shape = (batch, pipeline.video_vae.config.z_dim, *condition.shape[2:])
    audio_length = inputs.num_audio_latents(settings, sample_rate, hop_length)
    audio_shape = (batch, pipeline.audio_vae.config.latent_dim, audio_length)
    latents, audio_latents = inputs.starting_noise(*noise, shape, audio_shape, generator)
    positive, negative = (None if tensor is None else tensor.to(device) for tensor in embeds)
    return SamplingState(
        settings=settings,
        step=0,
        latents=latents.to(device).float(),
        audio_latents=audio_latents.to(device).float(),
        condition=condition.to(device).float(),
        prompt_embeds=positive if settings.guidance.needs_positive else None,
        negative_prompt_embeds=negative if settings.guidance.needs_negative else None,
        adapters=pipeline.adapters,
    )


def _pictures(
    pipeline: MovaPipeline,
    image: inputs.Frame | Sequence[inputs.Frame] | None,
    batch: int,
    settings: SamplingSettings,
    name: str,
) -> torch.Tensor:
    """[batch, 3, H, W] in -1..1; without an image, white, as the paper does for text alone."""
    if image is None:
        image = Image.new("RGB", (settings.width, settings.height), "white")
    pictures = inputs.frame_list(image, batch, name)
    tensors = [frame_tensor(each, settings.height, settings.width, pipeline.video_processor) for each in pictures]
    return torch.cat(tensors).to(pipeline.residency.device)
