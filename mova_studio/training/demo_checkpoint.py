"""The demo checkpoint before its network learns: trained VAEs and text encoder, latents brought to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import nn
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import save_checkpoint
from mova_studio.network.towers import AudioTower, build_video_tower
from mova_studio.training.video_vae import as_video
from mova_studio.training.world.clips import World

SEED = 20260208
BOUNDARY_RATIO = 0.9
LAYERS, HEAD_DIM, VIDEO_HEADS, AUDIO_HEADS, FFN_DIM, FREQ_DIM = 5, 48, 4, 3, 320, 64
SCHEDULER = {
    "num_train_timesteps": 1000,
    "shift": 5.0,
    "sigma_max": 1.0,
    "sigma_min": 0.0,
    "extra_one_step": True,
    "num_inference_steps": 100,
}


def begin(
    folder: Path,
    video_vae: AutoencoderKLWan,
    audio_vae: AutoencoderDAC,
    text_encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Write the checkpoint that the network's training begins with, its network drawn from a fixed seed.

    Raises:
        OutputError: the folder cannot be written.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = _network(text_encoder.config.d_model, audio_vae.config.latent_dim)
    components = {"text_encoder": text_encoder, "video_vae": video_vae, "audio_vae": audio_vae} | network
    save_checkpoint(folder, components, tokenizer, SCHEDULER, BOUNDARY_RATIO, untrained=True)


def _network(text_dim: int, audio_channels: int) -> dict[str, nn.Module]:
    shared: dict[str, Any] = {
        "attention_head_dim": HEAD_DIM,
        "ffn_dim": FFN_DIM,
        "num_layers": LAYERS,
        "text_dim": text_dim,
        "freq_dim": FREQ_DIM,
    }
    video = shared | {"in_channels": 36, "out_channels": 16, "num_attention_heads": VIDEO_HEADS}
    expert = build_video_tower(**video)
    # Both experts begin as one: the low-noise one of Wan 2.2 grew out of the other's training too.
    other = build_video_tower(**video)
    other.load_state_dict(expert.state_dict())
    audio = AudioTower(
        in_channels=audio_channels, out_channels=audio_channels, num_attention_heads=AUDIO_HEADS, **shared
    )
    bridge = Bridge(
        visual_layers=LAYERS,
        audio_layers=LAYERS,
        visual_hidden_dim=VIDEO_HEADS * HEAD_DIM,
        audio_hidden_dim=AUDIO_HEADS * HEAD_DIM,
        head_dim=HEAD_DIM,
    )
    return {"video_dit": expert, "video_dit_2": other, "audio_dit": audio, "dual_tower_bridge": bridge}


@torch.no_grad()
def level_video(vae: AutoencoderKLWan, world: World, numbers: Sequence[int]) -> None:
    """Have the VAE's configuration say the mean and deviation of each channel of its latents, over clips of the world;
    the pipeline and the trainers divide by them."""
    latents = [vae.encode(as_video(world.frames(number)[None])).latent_dist.mode()[0].flatten(1) for number in numbers]
    mean, deviation = _moments(torch.cat(latents, dim=1))
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=deviation.tolist())


@torch.no_grad()
def level_audio(vae: AutoencoderDAC, world: World, numbers: Sequence[int]) -> None:
    """Have each channel of the latents come out with mean 0 and deviation 1, over clips of the world.

    Nothing else changes: what the encoder's last convolution takes away, the decoder's first one adds again. The
    network reads latents of sound as they are, so that their scale belongs into the VAE.
    """
    heard = []
    for number in numbers:
        sound = torch.from_numpy(np.asarray(world.clip(number).audio))[None, None]
        heard.append(vae.encode(vae.pad(sound)).mean[0])
    mean, deviation = _moments(torch.cat(heard, dim=1))
    channels = mean.numel()
    out: Any = vae.quant_conv
    back: Any = vae.post_quant_conv
    back.bias += back.weight[..., 0] @ mean
    back.weight *= deviation[None, :, None]
    out.bias[:channels] = (out.bias[:channels] - mean) / deviation
    out.weight[:channels] /= deviation[:, None, None]
    out.bias[channels:] -= 2 * deviation.log()


def _moments(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each row; a channel that says nothing keeps its scale."""
    deviation = values.std(dim=1)
    return values.mean(dim=1), torch.where(deviation > 1e-4, deviation, torch.ones_like(deviation))
