"""Everything a take in the making is made of. Saved after any step, it goes on to the same bits."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from mova_studio.errors import InputError
from mova_studio.network.weights import save_tensors

_TENSORS = ("latents", "audio_latents", "condition", "prompt_embeds", "negative_prompt_embeds")
_FORMAT = "mova_studio.sampling_state.1"


@dataclass(frozen=True)
class SamplingSettings:
    """The numbers of a run: arguments and defaults of `MovaPipeline.__call__`, which explains them."""

    height: int = 352
    width: int = 640
    num_frames: int = 193
    frame_rate: float = 24.0
    num_inference_steps: int = 50
    guidance_scale: float = 5.0
    bridge_guidance_scale: float = 1.0
    video_shift: float = 5.0
    audio_shift: float = 5.0


@dataclass
class SamplingState:
    """A run between two steps.

    Attributes:
        settings: the run's numbers.
        step: steps already done; the next one has this index.
        latents: [B, 16, t, h, w] float32 noisy video latents.
        audio_latents: [B, C, L] float32 noisy audio latents.
        condition: [B, 20, t, h, w] float32 mask and first/last frame.
        prompt_embeds: [B, 512, text_dim]; None if no pass reads it.
        negative_prompt_embeds: [B, 512, text_dim]; None if no pass reads it.
    """

    settings: SamplingSettings
    step: int
    latents: torch.Tensor
    audio_latents: torch.Tensor
    condition: torch.Tensor
    prompt_embeds: torch.Tensor | None
    negative_prompt_embeds: torch.Tensor | None

    @property
    def done(self) -> bool:
        return self.step >= self.settings.num_inference_steps

    def save(self, path: Path) -> None:
        """Write the state as safetensors, beside `path` and renamed in.

        Raises:
            OutputError: the folder is missing or read-only, or the disk is full.
        """
        tensors = {name: getattr(self, name) for name in _TENSORS}
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items() if tensor is not None}
        metadata = {
            "format": _FORMAT,
            "step": str(self.step),
            "settings": json.dumps(dataclasses.asdict(self.settings)),
        }
        save_tensors(kept, path, metadata)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> SamplingState:
        """Read a state that `save` wrote.

        Raises:
            InputError: the file is missing, truncated or not a saved state.
        """
        try:
            with safe_open(path, framework="pt", device=str(device)) as opened:
                metadata = opened.metadata() or {}
                if metadata.get("format") != _FORMAT:
                    raise InputError(f"{path} is not a saved run of this version ({metadata.get('format')!r}).")
                present = set(opened.keys())
                tensors: dict[str, Any] = {
                    name: opened.get_tensor(name) if name in present else None for name in _TENSORS
                }
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be read as a saved run: {error}.") from error
        settings = SamplingSettings(**json.loads(metadata["settings"]))
        return cls(settings=settings, step=int(metadata["step"]), **tensors)
