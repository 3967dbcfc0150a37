"""First and last frames: cropped to the shape of the take, encoded, and laid beside the noisy latents."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKLWan
from diffusers.video_processor import VideoProcessor
from PIL import Image

from mova_studio.framing import crop_and_resize

MASK_CHANNELS = 4


def frame_tensor(image: Image.Image, height: int, width: int, processor: VideoProcessor) -> torch.Tensor:
    """A picture as [1, 3, height, width] in -1..1, centre-cropped to the aspect."""
    return processor.preprocess(crop_and_resize(image.convert("RGB"), height, width), height=height, width=width)


def latent_statistics(vae: AutoencoderKLWan, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of the video VAE's latents, float32 [1, z, 1, 1, 1] each."""
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean, dtype=torch.float32, device=device)
    std = torch.tensor(vae.config.latents_std, dtype=torch.float32, device=device)
    return mean.view(shape), std.view(shape)


def encode_video(vae: AutoencoderKLWan, video: torch.Tensor) -> torch.Tensor:
    """[B, 3, F, H, W] in -1..1 -> normalised latents (the posterior's mode), float32 [B, z, t, h, w]."""
    mean, std = latent_statistics(vae, video.device)
    mode = vae.encode(video.to(vae.dtype)).latent_dist.mode().float()
    return (mode - mean) * (1.0 / std)


def decode_video(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """Normalised latents [B, z, t, h, w] -> video [B, 3, F, H, W] in -1..1."""
    mean, std = latent_statistics(vae, latents.device)
    return vae.decode((latents * std + mean).to(vae.dtype), return_dict=False)[0]


def image_condition(
    vae: AutoencoderKLWan, first: torch.Tensor, last: torch.Tensor | None, num_frames: int
) -> torch.Tensor:
    """The 20 channels that tell the network its frames: 4 of mask, then 16 of latents.

    The encoded video is the first frame, mid-grey, and the last frame if there is one. The mask is 1 where
    a latent frame is given: all of the first; of the last only its fourth channel, since the other three
    frames folded into that latent are free.

    Args:
        first, last: [B, 3, H, W] in -1..1.
        num_frames: frames of the take, 4n + 1.

    Returns:
        float32 [B, 20, (num_frames - 1) / 4 + 1, H / 8, W / 8].
    """
    batch, channels, height, width = first.shape
    video = first.new_zeros(batch, channels, num_frames, height, width)
    video[:, :, 0] = first
    if last is not None:
        video[:, :, -1] = last
    latents = encode_video(vae, video)
    mask = latents.new_zeros(batch, MASK_CHANNELS, *latents.shape[2:])
    mask[:, :, 0] = 1
    if last is not None:
        mask[:, -1, -1] = 1
    return torch.cat([mask, latents], dim=1)
