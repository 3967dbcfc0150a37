"""Small random clips for the trainers' tests, of the untrained demo's widths."""

from __future__ import annotations

import torch

from mova_studio.training.batch import Example

TEXT_DIM, AUDIO_CHANNELS = 32, 16


def example(number: int, *, frames: int = 2, side: int = 4, tokens: int = 3) -> Example:
    """A clip of `frames` latent frames of side x side latents, and five latents of sound."""
    generator = torch.Generator().manual_seed(number)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return Example(
        normal(16, frames, side, side),
        normal(20, frames, side, side),
        normal(AUDIO_CHANNELS, 5),
        normal(tokens, TEXT_DIM),
    )
