"""The demo's audio VAE: MOVA's DAC, small, fitted to the toy world by spectra of several resolutions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.training.fitting import Fit, Schedule
from mova_studio.training.world.clips import HELD_OUT, World
from mova_studio.training.world.sounds import sound_of

CONFIG = {"encoder_dim": 8, "latent_dim": 16, "decoder_dim": 192}
KL_WEIGHT = 1e-4
WINDOWS = (128, 512, 2048)
SEGMENT = 24_000  # half a second, a whole number of latents
VALIDATED = 16
_FLOOR = 1e-3


def train(
    folder: Path,
    world: World,
    schedule: Schedule,
    *,
    batch_size: int,
    validate_every: int = 500,
    stop: Callable[[], bool] = lambda: False,
) -> AutoencoderDAC:
    """Fit on half seconds of the world's sound, half of them around an onset."""
    torch.manual_seed(0)
    vae = AutoencoderDAC(**CONFIG)
    fit = Fit(vae, folder, schedule)
    fit.run(
        lambda step: _loss(vae, world, batch_size, step),
        validate=lambda: _validate(vae, world),
        validate_every=validate_every,
        stop=stop,
    )
    return vae


def _loss(vae: AutoencoderDAC, world: World, batch_size: int, step: int) -> tuple[torch.Tensor, dict[str, float]]:
    sound = _batch(world, batch_size, step)
    posterior = vae.encode(sound)
    noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(step))
    decoded = vae.decode(posterior.mean + posterior.std * noise)
    linear, logarithmic = spectral_distance(decoded, sound)
    waveform = (decoded - sound).abs().mean()
    kl = posterior.kl().mean()
    return linear + logarithmic + 5 * waveform + KL_WEIGHT * kl, {
        "log_spectral": logarithmic.item(),
        "waveform": waveform.item(),
        "kl": kl.item(),
    }


def _batch(world: World, batch_size: int, step: int) -> torch.Tensor:
    rng = np.random.default_rng((step, 4))
    pieces = []
    for place in range(batch_size):
        scene = world.scene(step * batch_size + place)
        sound = sound_of(scene, max(world.num_samples, SEGMENT))
        last = sound.size - SEGMENT
        start = int(rng.integers(last + 1))
        if place % 2 and scene.events:
            onset = round(scene.events[int(rng.integers(len(scene.events)))].time * 48_000)
            start = min(max(onset - int(rng.integers(SEGMENT)), 0), last)
        pieces.append(sound[start : start + SEGMENT])
    return torch.from_numpy(np.stack(pieces))[:, None]


def spectral_distance(decoded: torch.Tensor, sound: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Spectral convergence and mean distance of log magnitudes, over WINDOWS; sounds are [B, 1, n]."""
    linear, logarithmic = decoded.new_zeros(()), decoded.new_zeros(())
    for window in WINDOWS:
        made, wanted = _magnitudes(decoded, window), _magnitudes(sound, window)
        linear = linear + (made - wanted).norm() / wanted.norm().clamp_min(1e-3) / len(WINDOWS)
        logarithmic = logarithmic + ((made + _FLOOR).log() - (wanted + _FLOOR).log()).abs().mean() / len(WINDOWS)
    return linear, logarithmic


def _magnitudes(sound: torch.Tensor, window: int) -> torch.Tensor:
    shape = torch.hann_window(window, device=sound.device)
    spectrum = torch.stft(
        sound[:, 0], window, window // 4, window=shape, return_complex=True, normalized=True, pad_mode="constant"
    )
    return (spectrum.real.square() + spectrum.imag.square()).clamp_min(1e-12).sqrt()


def _validate(vae: AutoencoderDAC, world: World) -> dict[str, float]:
    sounds = [sound_of(world.scene(HELD_OUT + place), world.num_samples) for place in range(VALIDATED)]
    sound = vae.pad(torch.from_numpy(np.stack(sounds))[:, None])
    decoded = vae.decode(vae.encode(sound).mode())
    linear, logarithmic = spectral_distance(decoded, sound)
    return {"held_out_log_spectral": logarithmic.item(), "held_out_convergence": linear.item()}
