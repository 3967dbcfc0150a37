"""First and last frames: cropped to the shape of the take, encoded, and laid beside the noisy latents."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.video_processor import VideoProcessor
from PIL import Image

from mova_studio.diffusion import tiling as pieces
from mova_studio.framing import crop_and_resize
from mova_studio.network.tiles import Tiling

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


def encode_video(
    vae: AutoencoderKLWan,
    video: torch.Tensor,
    tiling: Tiling | None = None,
    on_chunk: pieces.OnChunk | None = None,
) -> torch.Tensor:
    """[B, 3, F, H, W] in -1..1, on any device -> normalised latents, see `image_condition` for the rest.

    Returns:
        the posterior's mode, float32 [B, z, t, h, w], on the VAE's device.
    """
    return _encode(vae, lambda start, stop: video[:, :, start:stop], video.shape[2], tiling, on_chunk)


def _encode(
    vae: AutoencoderKLWan,
    source: pieces.FrameSource,
    num_frames: int,
    tiling: Tiling | None,
    on_chunk: pieces.OnChunk | None,
) -> torch.Tensor:
    moments = pieces.encode(vae, source, num_frames, tiling, on_chunk)
    mean, std = latent_statistics(vae, moments.device)
    mode = DiagonalGaussianDistribution(moments).mode().float()
    return (mode - mean) * (1.0 / std)


def decode_video(
    vae: AutoencoderKLWan,
    latents: torch.Tensor,
    tiling: Tiling | None = None,
    on_chunk: pieces.OnChunk | None = None,
) -> torch.Tensor:
    """Normalised latents [B, z, t, h, w] -> video [B, 3, F, H, W] in -1..1, in the VAE's dtype, on the CPU.

    Args:
        tiling: None decodes the whole picture at once; tiles need less memory and give the same but for rounding.
        on_chunk: called as (done, total) before every piece of work; may raise to stop.

    Raises:
        CheckpointError: the VAE is not built as Wan 2.1's.
    """
    mean, std = latent_statistics(vae, latents.device)
    return pieces.decode(vae, (latents * std + mean).to(vae.dtype), tiling, on_chunk)


def image_condition(
    vae: AutoencoderKLWan,
    first: torch.Tensor,
    last: torch.Tensor | None,
    num_frames: int,
    tiling: Tiling | None = None,
    on_chunk: pieces.OnChunk | None = None,
) -> torch.Tensor:
    """The 20 channels that tell the network its frames: 4 of mask, then 16 of latents.

    The encoded video is the first frame, mid-grey, and the last frame if there is one. The mask is 1 where
    a latent frame is given: all of the first; of the last only its fourth channel, since the other three
    frames folded into that latent are free.

    Args:
        first, last: [B, 3, H, W] in -1..1.
        num_frames: frames of the take, 4n + 1.
        tiling: None encodes the whole picture at once; tiles need less memory and give the same but for rounding.
        on_chunk: called as (done, total) before every piece of work; may raise to stop.

    Returns:
        float32 [B, 20, (num_frames - 1) / 4 + 1, H / 8, W / 8], on the VAE's device.

    Raises:
        CheckpointError: the VAE is not built as Wan 2.1's.
        InputError: with tiling, a height or width that is no multiple of 8.
    """
    batch, channels, height, width = first.shape

    def source(start: int, stop: int) -> torch.Tensor:
        # Made when due: at 720x1280 and 193 frames the whole video would be 2.1 GB, nearly all of it grey.
        frames = first.new_zeros(batch, channels, stop - start, height, width)
        if start == 0:
            frames[:, :, 0] = first
        if last is not None and stop == num_frames:
            frames[:, :, -1] = last
        return frames

    latents = _encode(vae, source, num_frames, tiling, on_chunk)
    mask = latents.new_zeros(batch, MASK_CHANNELS, *latents.shape[2:])
    mask[:, :, 0] = 1
    if last is not None:
        mask[:, -1, -1] = 1
    return torch.cat([mask, latents], dim=1)
