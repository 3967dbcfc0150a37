"""What a call of the pipeline returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.utils import BaseOutput


@dataclass
class MovaPipelineOutput(BaseOutput):
    """Picture and sound of a batch of takes.

    Attributes:
        frames: by `output_type`: "pil" a list of lists of images; "np" [B, F, H, W, 3] and "pt"
            [B, F, 3, H, W] in 0..1; "latent" the normalised float32 latents [B, 16, t, h/8, w/8].
        audio: float32 waveform [B, 1, S] in -1..1, S = int(sampling_rate * num_frames / frame_rate);
            for "latent" the audio latents [B, C, L].
        sampling_rate: Hz.
    """

    frames: Any
    audio: torch.Tensor
    sampling_rate: int
