"""Adapters to be trained (LoRA, Hu et al. 2021): low-rank additions to linear layers, by peft, and their file.

The file is safetensors. For every adapted layer it holds `<component>.<path>.lora_A.weight` [rank, in] and
`<component>.<path>.lora_B.weight` [out, rank], float32, where the component is video_dit, video_dit_2, audio_dit or
dual_tower_bridge and the path is the layer's in the published checkpoint: "video_dit.blocks.0.self_attn.q". The
layer's output gains alpha / rank * B(A x). Metadata, all texts:

    format      "mova-studio-adapter"
    rank, alpha decimal numbers
    targets     the last parts of the adapted layers' names, with commas between them
    checkpoint  `Checkpoint.identity` of what it was trained on
    step        steps of training
    recipe      the recipe as JSON
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from mova_studio.errors import InputError
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import save_tensors
from mova_studio.training.recipe import AdapterShape, Recipe

FORMAT = "mova-studio-adapter"


def published_path(component: str, path: str) -> str:
    """The published name of the layer at `path` in our module."""
    return COMPONENTS[component].to_disk(f"{path}.weight").removesuffix(".weight")


def adapted_paths(component: str, module: nn.Module, targets: list[str]) -> list[str]:
    """The paths in `module` of the linear layers whose published names end in one of `targets`, whole parts alone."""
    linears = (path for path, each in module.named_modules() if isinstance(each, nn.Linear))
    endings = tuple(f".{target}" for target in targets)
    return [path for path in linears if f".{published_path(component, path)}".endswith(endings)]


def add_adapters(modules: Mapping[str, nn.Module], shape: AdapterShape, seed: int) -> None:
    """Give the layers that `shape` names a new adapter each: A Kaiming-uniform, B zero, float32, learning.

    All else in `modules` is set not to learn.

    Raises:
        InputError: no layer has a name like that.
    """
    found = {name: adapted_paths(name, module, shape.targets) for name, module in modules.items()}
    if not any(found.values()):
        raise InputError(
            f"No layer of {', '.join(modules)} has a name that ends in {', '.join(shape.targets)}; "
            "name layers such as q, k, v, o, ffn.0 or ffn.2.",
            field="adapter.targets",
        )
    for place, (name, module) in enumerate(modules.items()):
        module.requires_grad_(False)
        if not found[name]:
            continue
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + place)
            config = LoraConfig(r=shape.rank, lora_alpha=shape.alpha, target_modules=found[name], bias="none")
            inject_adapter_in_model(config, module)
        for layer in adapted_layers(module).values():
            layer.cast_input_dtype_enabled = False
            for linear in (layer.lora_A["default"], layer.lora_B["default"]):
                _compute_as_given(linear.float())


def _compute_as_given(linear: nn.Linear) -> None:
    """Multiply in the states' dtype: peft would make a float32 copy of them for every layer, 0.8 GiB at full size."""
    linear.forward = lambda states: nn.functional.linear(states, linear.weight.to(states.dtype))  # type: ignore[method-assign, assignment]


def adapted_layers(module: nn.Module) -> dict[str, Any]:
    """peft's layers in `module`, by the paths of those that they stand in for."""
    return {path: each for path, each in module.named_modules() if isinstance(each, LoraLayer)}


def adapter_tensors(trained: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of an adapter's file, from learning parameters by their names in the network
    ("video_dit.blocks.0.attn1.to_q.lora_A.default.weight")."""
    tensors = {}
    for name, tensor in trained.items():
        component, _, path = name.partition(".")
        layer, _, matrix = path.removesuffix(".default.weight").rpartition(".")
        tensors[f"{component}.{published_path(component, layer)}.{matrix}.weight"] = tensor.contiguous()
    return tensors


def save_adapter(trained: Mapping[str, torch.Tensor], path: Path, recipe: Recipe, checkpoint: str, step: int) -> None:
    """Write an adapter's file, see the module's docstring.

    Args:
        trained: as of `adapter_tensors`.
        checkpoint: identity of what it was trained on.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    assert recipe.adapter is not None
    metadata = {
        "format": FORMAT,
        "rank": str(recipe.adapter.rank),
        "alpha": str(recipe.adapter.alpha),
        "targets": ",".join(recipe.adapter.targets),
        "checkpoint": checkpoint,
        "step": str(step),
        "recipe": recipe.model_dump_json(),
    }
    save_tensors(adapter_tensors(trained), path, metadata)
