"""A picture of the latents at every step, by a linear map fitted to whatever VAE is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKLWan

from mova_studio.diffusion.conditioning import latent_statistics

_PATCH = 8
_GRID = 8
_CLIPS = 6


@dataclass(frozen=True)
class LatentPreview:
    """rgb = weight @ latent + bias, at the latents' own resolution.

    Attributes:
        weight: [3, z] float32.
        bias: [3] float32.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    @classmethod
    @torch.no_grad()
    def fit(cls, vae: AutoencoderKLWan) -> LatentPreview:
        """Least squares from the latents of a few synthetic clips to their colours.

        The clips are 64x64 fields of random colours, from flat to blocky, still for five frames; they are
        drawn from a generator of their own, so that fitting never disturbs a run's noise.
        """
        generator = torch.Generator("cpu").manual_seed(0)
        side = _GRID * _PATCH
        clips = []
        for index in range(_CLIPS):
            cells = 2 ** (index % 4)
            colours = torch.rand(1, 3, cells, cells, generator=generator) * 2 - 1
            mode = "bilinear" if index % 2 else "nearest"
            clips.append(torch.nn.functional.interpolate(colours, size=(side, side), mode=mode))
        video = torch.cat(clips).unsqueeze(2).expand(-1, -1, 5, -1, -1).to(vae.device)
        mean, std = latent_statistics(vae, video.device)
        latents = ((vae.encode(video.to(vae.dtype)).latent_dist.mode() - mean) / std).float().cpu()
        target = torch.nn.functional.avg_pool2d(torch.cat(clips), _PATCH)
        target = target.unsqueeze(2).expand(-1, -1, latents.shape[2], -1, -1)
        rows = latents.movedim(1, -1).reshape(-1, latents.shape[1]).double()
        rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.float64)], dim=1)
        colours = target.movedim(1, -1).reshape(-1, 3).double()
        ridge = 1e-3 * torch.eye(rows.shape[1], dtype=torch.float64)
        solution = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ colours).float()
        return cls(weight=solution[:-1].T.contiguous(), bias=solution[-1].contiguous())

    def frames(self, latents: torch.Tensor) -> torch.Tensor:
        """[z, t, h, w] latents (an x0 estimate) -> uint8 frames [t, h, w, 3] on the CPU."""
        weight, bias = self.weight.to(latents), self.bias.to(latents)
        rgb = torch.einsum("cz,zthw->thwc", weight, latents) + bias
        return ((rgb + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu()
