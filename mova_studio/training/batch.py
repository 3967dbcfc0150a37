"""What the network is trained on: clips as latents, alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mova_studio.errors import InputError

PROMPT_TOKENS = 512  # of the prompt embeddings that the network sees; zeros behind the last token


@dataclass(frozen=True)
class Example:
    """A clip, encoded (paper section 4; what MODEL.md calls the data item).

    Attributes:
        video_latents: float32 [16, t, h, w], the normalised mode of the video VAE's posterior.
        condition: float32 [20, t, h, w]: 4 mask channels and 16 of the encoded first frame.
        audio_latents: float32 [C, L], the mean of the audio VAE's posterior, not normalised.
        prompt_embeds: float32 [n, text_dim], n <= 512: the text encoder's states of the caption's own tokens.
    """

    video_latents: torch.Tensor
    condition: torch.Tensor
    audio_latents: torch.Tensor
    prompt_embeds: torch.Tensor


@dataclass(frozen=True)
class Batch:
    """Clips of one size, ready for the network.

    Attributes:
        video_latents: [B, 16, t, h, w].
        condition: [B, 20, t, h, w].
        audio_latents: [B, C, L].
        prompt_embeds: [B, 512, text_dim], zeros behind each caption's last token.
    """

    video_latents: torch.Tensor
    condition: torch.Tensor
    audio_latents: torch.Tensor
    prompt_embeds: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same on `device`."""
        return Batch(
            self.video_latents.to(device),
            self.condition.to(device),
            self.audio_latents.to(device),
            self.prompt_embeds.to(device),
        )


def collate(examples: Sequence[Example]) -> Batch:
    """A batch of examples of one size.

    Raises:
        InputError: the clips differ in size or length.
    """
    first = examples[0]
    for example in examples:
        for name in ("video_latents", "condition", "audio_latents"):
            wanted, found = getattr(first, name).shape, getattr(example, name).shape
            if wanted != found:
                raise InputError(
                    f"A batch has clips of one size, but {name} is {tuple(found)} in one and {tuple(wanted)} in "
                    "another. Sort the clips into buckets by size.",
                    field=name,
                )
    prompts = torch.zeros(len(examples), PROMPT_TOKENS, first.prompt_embeds.shape[1])
    for place, example in enumerate(examples):
        prompts[place, : len(example.prompt_embeds)] = example.prompt_embeds
    return Batch(
        torch.stack([example.video_latents for example in examples]),
        torch.stack([example.condition for example in examples]),
        torch.stack([example.audio_latents for example in examples]),
        prompts,
    )
