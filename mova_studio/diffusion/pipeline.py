"""`MovaPipeline`: text and frames in, picture and sound out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers import AutoencoderKLWan, DiffusionPipeline, WanTransformer3DModel
from diffusers.utils import BaseOutput
from diffusers.video_processor import VideoProcessor
from PIL import Image
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.diffusion.conditioning import decode_video, frame_tensor, image_condition
from mova_studio.diffusion.guidance import DualGuidance, GuidancePass
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.state import SamplingSettings, SamplingState
from mova_studio.diffusion.text import encode_prompts
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import Checkpoint, save_checkpoint
from mova_studio.network.hub import fetch
from mova_studio.network.joint import joint_forward
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.rotary import MAX_AUDIO_POSITIONS
from mova_studio.network.towers import AudioTower

Expert = Literal["high", "low"]
Images = Image.Image | np.ndarray | torch.Tensor | list[Image.Image] | None
StepCallback = Callable[["MovaPipeline", int, float, dict[str, Any]], dict[str, Any] | None]


@dataclass
class MovaPipelineOutput(BaseOutput):
    """What a call returns.

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
