"""Small random clips for the trainers' tests, of the untrained demo's widths."""

from __future__ import annotations

from pathlib import Path

import torch

from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.training.batch import Example
from mova_studio.training.clips.buckets import Bucket
from mova_studio.training.clips.cache import Row, save_clip, save_prompt, write_list
from mova_studio.training.clips.encoders import encoders_identity

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


def encoded_place(folder: Path) -> Path:
    """An untrained demo in `folder`/demo, and in `folder`/cache two clips as if it had encoded them; `folder`."""
    build_untrained(folder / "demo")
    rows = []
    for number in range(2):
        clip = example(number)
        tensors = {name: getattr(clip, name) for name in ("video_latents", "condition", "audio_latents")}
        save_clip(folder / "cache", f"c{number}", tensors, Bucket(32, 32, 5))
        save_prompt(folder / "cache", f"p{number}", clip.prompt_embeds)
        rows.append(Row(f"{number}.mp4", "a bell", Bucket(32, 32, 5), f"c{number}", f"p{number}"))
    save_prompt(folder / "cache", "empty", torch.ones(1, TEXT_DIM))
    write_list(folder / "cache", rows, encoders_identity(Checkpoint(folder / "demo")), "empty")
    return folder
