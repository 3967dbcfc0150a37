"""Everything a take in the making is made of. Saved after any step, it goes on to the same bits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from mova_studio.adapter_use import AdapterUse
from mova_studio.diffusion.guidance import DualGuidance, check_interval
from mova_studio.diffusion.step_cache import KeptStep, policy_of
from mova_studio.errors import InputError
from mova_studio.network.weights import save_tensors

_TENSORS = ("latents", "audio_latents", "condition", "prompt_embeds", "negative_prompt_embeds")
_KEPT = "kept."
_FORMAT = "mova_studio.sampling_state.3"
# 1 had neither a step cache nor a guidance interval and 2 no adapters, which the defaults of all three say.
_READABLE = ("mova_studio.sampling_state.1", "mova_studio.sampling_state.2", _FORMAT)


@dataclass(frozen=True)
class SamplingSettings:
    """The numbers of a run: arguments and defaults of `MovaPipeline.__call__`, which explains them.

    Raises:
        InputError: the step cache has no such level, or the guidance interval is not one.
    """

    height: int = 352
    width: int = 640
    num_frames: int = 193
    frame_rate: float = 24.0
    num_inference_steps: int = 50
    guidance_scale: float = 5.0
    bridge_guidance_scale: float = 1.0
    video_shift: float = 5.0
    audio_shift: float = 5.0
    step_cache: str = "off"
    guidance_start: float = 0.0
    guidance_stop: float = 1.0

    def __post_init__(self) -> None:
        policy_of(self.step_cache)
        check_interval(self.guidance_start, self.guidance_stop)

    @property
    def guidance(self) -> DualGuidance:
        """Which passes run at which step."""
        return DualGuidance(self.guidance_scale, self.bridge_guidance_scale, self.guidance_start, self.guidance_stop)


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
        kept: what the step cache holds; None where the next step is computed in any case.
        reused_steps: steps done without computing them.
        adapters: that the run was begun with, and goes on with.
    """

    settings: SamplingSettings
    step: int
    latents: torch.Tensor
    audio_latents: torch.Tensor
    condition: torch.Tensor
    prompt_embeds: torch.Tensor | None
    negative_prompt_embeds: torch.Tensor | None
    kept: KeptStep | None = None
    reused_steps: int = 0
    adapters: tuple[AdapterUse, ...] = ()

    @property
    def done(self) -> bool:
        return self.step >= self.settings.num_inference_steps

    def replace(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take the latents and text embeddings out of `tensors`, by name, in place of the run's own.

        Another text ends what the step cache kept, which reads no text and would go on with the old one's.
        """
        for name in ("latents", "audio_latents", "prompt_embeds", "negative_prompt_embeds"):
            if name in tensors and tensors[name] is not getattr(self, name):
                setattr(self, name, tensors[name])
                if name.endswith("prompt_embeds"):
                    self.kept = None

    def to(self, device: torch.device | str) -> None:
        """Move all tensors to `device`."""
        for name in _TENSORS:
            tensor = getattr(self, name)
            setattr(self, name, None if tensor is None else tensor.to(device))
        if self.kept is not None:
            moved = {name: tensor.to(device) for name, tensor in self.kept.tensors().items()}
            self.kept = KeptStep.read(moved, self.kept.numbers())

    def save(self, path: Path) -> None:
        """Write the state as safetensors, beside `path` and renamed in.

        Raises:
            OutputError: the folder is missing or read-only, or the disk is full.
        """
        tensors = {name: getattr(self, name) for name in _TENSORS}
        if self.kept is not None:
            tensors |= {_KEPT + name: tensor for name, tensor in self.kept.tensors().items()}
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items() if tensor is not None}
        metadata = {
            "format": _FORMAT,
            "step": str(self.step),
            "reused_steps": str(self.reused_steps),
            "kept": json.dumps(None if self.kept is None else self.kept.numbers()),
            "settings": json.dumps(dataclasses.asdict(self.settings)),
            "adapters": json.dumps([use.to_dict() for use in self.adapters]),
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
                if metadata.get("format") not in _READABLE:
                    raise InputError(f"{path} is not a saved run of this version ({metadata.get('format')!r}).")
                present = set(opened.keys())
                tensors: dict[str, Any] = {
                    name: opened.get_tensor(name) if name in present else None for name in _TENSORS
                }
                cached = {name[len(_KEPT) :]: opened.get_tensor(name) for name in present if name.startswith(_KEPT)}
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be read as a saved run: {error}.") from error
        settings = SamplingSettings(**json.loads(metadata["settings"]))
        numbers = json.loads(metadata.get("kept", "null"))
        return cls(
            settings=settings,
            step=int(metadata["step"]),
            kept=None if numbers is None else KeptStep.read(cached, numbers),
            reused_steps=int(metadata.get("reused_steps", "0")),
            adapters=tuple(AdapterUse(**use) for use in json.loads(metadata.get("adapters", "[]"))),
            **tensors,
        )
