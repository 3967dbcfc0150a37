"""MOVA's network with random weights, made where it computes: no checkpoint, no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights

from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import TensorEntry
from mova_studio.placement.plan import Plan
from mova_studio.placement.sizes import CheckpointSizes, ComponentSize
from mova_studio.placement.source import WeightSource

# Standard deviation of every weight: near that of trained ones, so that no value overflows on the way.
SPREAD = 0.02

TINY: dict[str, dict[str, Any]] = {
    "video_dit": {
        "dim": 256,
        "ffn_dim": 512,
        "num_heads": 4,
        "num_layers": 8,
        "in_dim": 36,
        "out_dim": 16,
        "patch_size": [1, 2, 2],
        "text_dim": 64,
        "freq_dim": 64,
        "eps": 1e-6,
    },
    "audio_dit": {
        "dim": 128,
        "ffn_dim": 256,
        "num_heads": 2,
        "num_layers": 6,
        "in_dim": 16,
        "out_dim": 16,
        "patch_size": [1],
        "text_dim": 64,
        "freq_dim": 64,
        "eps": 1e-6,
        "vae_type": "dac",
    },
    "dual_tower_bridge": {
        "visual_layers": 8,
        "audio_layers": 6,
        "visual_hidden_dim": 256,
        "audio_hidden_dim": 128,
        "audio_fps": 50.0,
        "head_dim": 64,
    },
    "video_vae": {"base_dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 1},
    "audio_vae": {"encoder_dim": 4, "latent_dim": 16, "decoder_dim": 64, "sample_rate": 48000, "continuous": True},
    "text_encoder": {
        "vocab_size": 512,
        "d_model": 64,
        "d_kv": 16,
        "d_ff": 128,
        "num_layers": 2,
        "num_heads": 4,
        "feed_forward_proj": "gated-gelu",
    },
}
TINY["video_dit_2"] = TINY["video_dit"]
TINY["audio_vae"] |= {"encoder_rates": [2, 3, 4, 5, 8], "decoder_rates": [8, 5, 4, 3, 2]}


def random_sources(
    configs: Mapping[str, Mapping[str, Any]], names: Iterable[str], plan: Plan, seed: int = 0
) -> dict[str, WeightSource]:
    """Sources of the components `names` that draw their tensors on the plan's device, the same ones each time."""
    dtype = torch.float32 if plan.compute_bytes == 4 else torch.bfloat16
    device = torch.device(plan.device)
    sources = {}
    for name in names:
        with init_empty_weights(include_buffers=False):
            module = COMPONENTS[name].build(dict(configs[name]))
        shapes = {key: tuple(value.shape) for key, value in module.state_dict(keep_vars=True).items()}
        shapes.pop("encoder.embed_tokens.weight", None)
        entries = {key: TensorEntry(Path(), key, shape, dtype) for key, shape in shapes.items()}
        reader = _Drawer(name, device, seed)
        sources[name] = WeightSource(name, module, entries, reader, plan.weights[name], dtype, None, device)
    return sources


class _Drawer:
    """Draws tensors instead of reading them."""

    def __init__(self, name: str, device: torch.device, seed: int) -> None:
        self._component, self._device = COMPONENTS[name], device
        self._generator = torch.Generator(device).manual_seed(seed)

    def __call__(
        self, entries: dict[str, TensorEntry], dtype: torch.dtype | None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        for name, entry in entries.items():
            kind = torch.float32 if self._component.in_float32(name) else (dtype or entry.dtype)
            tensor = torch.empty(entry.shape, dtype=kind, device=self._device)
            tensor.normal_(0.0, SPREAD, generator=self._generator)
            # Norms and snakes divide or multiply by these: around one they leave the scale of states alone.
            yield name, tensor + 1 if "norm" in name or name.endswith("alpha") else tensor


def random_sizes(configs: Mapping[str, Mapping[str, Any]]) -> CheckpointSizes:
    """Sizes for the planner."""
    components = {}
    for name in COMPONENTS:
        with init_empty_weights(include_buffers=False):
            module = COMPONENTS[name].build(dict(configs[name]))
        shapes = {key: tuple(value.shape) for key, value in module.state_dict(keep_vars=True).items()}
        shapes.pop("encoder.embed_tokens.weight", None)
        components[name] = ComponentSize.of(name, shapes.items())
    return CheckpointSizes(components, configs, identity="random", on_disk=False)
