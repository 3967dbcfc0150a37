"""The demo's video VAE: Wan's own architecture, small, fitted to the toy world; single frames first, then clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from safetensors.torch import load_file

from mova_studio.training.fitting import Fit, Schedule
from mova_studio.training.world.clips import HELD_OUT, World

CONFIG = {"base_dim": 16, "z_dim": 16, "num_res_blocks": 1}
KL_WEIGHT = 3e-6
MOVING_WEIGHT = 6.0
_MOVED = 0.08  # of a range of 2
VALIDATED = 8


def train(
    folder: Path,
    world: World,
    schedule: Schedule,
    *,
    num_frames: int,
    batch_size: int,
    start_from: Path | None = None,
    validate_every: int = 500,
    stop: Callable[[], bool] = lambda: False,
) -> AutoencoderKLWan:
    """Fit on stretches of `num_frames` frames of the world.

    Args:
        start_from: state.safetensors of the stage of single frames; it is inflated, see `inflate`.
    """
    torch.manual_seed(0)
    vae = AutoencoderKLWan(**CONFIG)
    if start_from is not None and not (folder / "state.safetensors").is_file():
        weights = load_file(str(start_from))
        vae.load_state_dict({name[6:]: each for name, each in weights.items() if name.startswith("model.")})
        inflate(vae)
    fit = Fit(vae, folder, schedule)
    fit.run(
        lambda step: _loss(vae, world, num_frames, batch_size, step),
        validate=lambda: _validate(vae, world),
        validate_every=validate_every,
        stop=stop,
    )
    return vae


def inflate(vae: AutoencoderKLWan) -> None:
    """Make of a VAE that knows single frames one that repeats them: what only clips can teach starts neutral.

    A single frame meets zeros at every earlier tap of a causal convolution, so those taps are still random; they
    begin at 0, and the convolutions that halve and double the frames begin as the identity of their last frame
    (Wan: Open and Advanced Large-Scale Video Generative Models, section 4.1).
    """
    with torch.no_grad():
        for name, module in vae.named_modules():
            if not isinstance(module, WanCausalConv3d) or module.kernel_size[0] == 1:
                continue
            if name.endswith("time_conv"):
                channels = module.in_channels
                module.weight.zero_()
                module.weight[:, :, -1, 0, 0] = torch.eye(channels).repeat(module.out_channels // channels, 1)
                assert module.bias is not None
                module.bias.zero_()
            else:
                module.weight[:, :, :-1] = 0


def _loss(
    vae: AutoencoderKLWan, world: World, num_frames: int, batch_size: int, step: int
) -> tuple[torch.Tensor, dict[str, float]]:
    video = _batch(world, num_frames, batch_size, step)
    posterior = vae.encode(video).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(step))
    decoded = vae.decode(posterior.mean + posterior.std * noise).sample
    error = decoded - video
    weight = where_moving(video)
    # Mean absolute error keeps edges, the squared one keeps the PSNR.
    rebuilt = (weight * (error.abs() + 2 * error.square())).mean() / weight.mean()
    kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()
    return rebuilt + KL_WEIGHT * kl * 100, {"psnr": psnr(error).item(), "kl": kl.item()}


def _batch(world: World, num_frames: int, batch_size: int, step: int) -> torch.Tensor:
    rng = np.random.default_rng((step, 3))
    pieces = []
    for place in range(batch_size):
        number = step * batch_size + place
        start = int(rng.integers(world.num_frames - num_frames + 1))
        pieces.append(world.frames(number)[start : start + num_frames])
    return as_video(np.stack(pieces))


def where_moving(video: torch.Tensor) -> torch.Tensor:
    """What an error counts at each place of clips [B, 3, F, H, W], [B, 1, 1, H, W]: more where anything ever moves.

    Most of a picture stands still and is learnt at once; what tells a hit is a few pixels that are somewhere else.
    """
    moved = (video - video.median(dim=2, keepdim=True).values).abs().amax(dim=(1, 2), keepdim=True) > _MOVED
    return 1 + (MOVING_WEIGHT - 1) * moved.float()


def as_video(frames: np.ndarray) -> torch.Tensor:
    """uint8 [B, F, H, W, 3] as float32 [B, 3, F, H, W], -1 to 1."""
    return torch.from_numpy(frames).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def psnr(error: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB of an error on the scale -1 to 1."""
    return -10 * torch.log10((error / 2).square().mean().clamp_min(1e-12))


def _validate(vae: AutoencoderKLWan, world: World) -> dict[str, float]:
    figures, moving = [], []
    for place in range(VALIDATED):
        video = as_video(world.frames(HELD_OUT + place)[None])
        error = vae.decode(vae.encode(video).latent_dist.mode()).sample.clamp(-1, 1) - video
        figures.append(psnr(error).item())
        moving.append(psnr(error[(where_moving(video) > 1).expand_as(error)]).item())
    return {
        "held_out_psnr": float(np.mean(figures)),
        "worst_psnr": min(figures),
        "moving_psnr": float(np.mean(moving)),
    }
