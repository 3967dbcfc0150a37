"""The demo's video VAE: Wan's own architecture, small, fitted to the toy world; single frames first, then clips, then
what moves in them from near, then whole clips again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
_MOVED = 0.08  # of a range of 2
VALIDATED = 8


@dataclass(frozen=True)
class Pieces:
    """What of the world's clips a step looks at.

    Attributes:
        num_frames, batch_size: stretches of a step, and their length.
        crop: side in pixels of the square around one of the actors that is looked at; None for whole pictures.
        moving_weight: what errors count where anything moves, see `where_moving`.
        decoder_only: the latents stay what they are.
    """

    num_frames: int
    batch_size: int
    crop: int | None = None
    moving_weight: float = 1.0
    decoder_only: bool = False


def train(
    folder: Path,
    world: World,
    schedule: Schedule,
    pieces: Pieces,
    *,
    start_from: Path | None = None,
    inflated: bool = False,
    validate_every: int = 500,
    stop: Callable[[], bool] = lambda: False,
) -> AutoencoderKLWan:
    """Fit on pieces of the world's clips.

    Args:
        start_from: state.safetensors of the stage before; one that knows single frames alone is inflated, see
            `inflate`.
        inflated: `start_from` knows clips.
    """
    torch.manual_seed(0)
    vae = AutoencoderKLWan(**CONFIG)
    if start_from is not None and not (folder / "state.safetensors").is_file():
        weights = load_file(str(start_from))
        vae.load_state_dict({name[6:]: each for name, each in weights.items() if name.startswith("model.")})
        if not inflated:
            inflate(vae)
    if pieces.decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    fit = Fit(vae, folder, schedule)
    fit.run(
        lambda step: _loss(vae, world, pieces, step),
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


def _loss(vae: AutoencoderKLWan, world: World, pieces: Pieces, step: int) -> tuple[torch.Tensor, dict[str, float]]:
    video = _batch(world, pieces, step)
    with torch.set_grad_enabled(not pieces.decoder_only):
        posterior = vae.encode(video).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(step))
    decoded = vae.decode(posterior.mean + posterior.std * noise).sample
    error = decoded - video
    weight = 1 + (pieces.moving_weight - 1) * where_moving(video)
    # Mean absolute error keeps edges, the squared one keeps the PSNR.
    rebuilt = (weight * (error.abs() + 2 * error.square())).mean() / weight.mean()
    kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()
    return rebuilt + KL_WEIGHT * kl * 100, {"psnr": psnr(error).item(), "kl": kl.item()}


def _batch(world: World, pieces: Pieces, step: int) -> torch.Tensor:
    rng = np.random.default_rng((step, 3 if pieces.crop is None else 6))
    numbers = range(step * pieces.batch_size, (step + 1) * pieces.batch_size)
    return as_video(np.stack([_piece(world, pieces, number, rng) for number in numbers]))


def _piece(world: World, pieces: Pieces, number: int, rng: np.random.Generator) -> np.ndarray:
    """A stretch of a clip, uint8 [F, H, W, 3]."""
    latest = world.num_frames - pieces.num_frames + 1
    if pieces.crop is None:
        start = int(rng.integers(latest))
        return world.frames(number)[start : start + pieces.num_frames]
    actors = world.scene(number).actors
    actor = actors[int(rng.integers(len(actors)))]
    start = int(rng.integers(latest))
    side, aside = pieces.crop, pieces.crop // 2 - 2
    wanted = actor.x * world.width - side / 2 + rng.integers(-aside, aside + 1)
    left, top = int(np.clip(wanted, 0, world.width - side)), int(rng.integers(world.height - side + 1))
    return world.frames(number)[start : start + pieces.num_frames, top : top + side, left : left + side]


def where_moving(video: torch.Tensor) -> torch.Tensor:
    """1.0 where anything ever moves in clips [B, 3, F, H, W], else 0.0; [B, 1, 1, H, W].

    Most of a picture stands still and is learnt at once; what tells a hit is a few pixels that are somewhere else.
    """
    moved = (video - video.median(dim=2, keepdim=True).values).abs().amax(dim=(1, 2), keepdim=True) > _MOVED
    return moved.float()


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
        moving.append(psnr(error[where_moving(video).bool().expand_as(error)]).item())
    return {
        "held_out_psnr": float(np.mean(figures)),
        "worst_psnr": min(figures),
        "moving_psnr": float(np.nanmean(moving)),  # where nothing moves there is none
    }
