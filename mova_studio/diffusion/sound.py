"""Audio latents to a waveform."""

from __future__ import annotations

import torch

from mova_studio.diffusion import inputs
from mova_studio.diffusion.residency import Residency
from mova_studio.diffusion.state import SamplingSettings
from mova_studio.network.audio_vae import AutoencoderDAC


def decode_sound(
    audio_vae: AutoencoderDAC, residency: Residency, audio_latents: torch.Tensor, settings: SamplingSettings
) -> torch.Tensor:
    """The sound of a take or of an x0 estimate, cut to the picture's length.

    Args:
        audio_latents: [B, C, L].
        settings: of the run.

    Returns:
        float32 [B, channels, n] at `audio_vae.config.sample_rate` Hz.
    """
    with residency.use("audio_vae"):
        waveform = audio_vae.decode(audio_latents.to(audio_vae.dtype)).float()
    return waveform[..., : inputs.num_audio_samples(settings, audio_vae.config.sample_rate)]
