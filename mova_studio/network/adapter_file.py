"""Reading adapters (LoRA, Hu et al. 2021: y = Wx + b + alpha/r * B(Ax)) into one form, and writing that form.

What a file says of its rank is not believed: MOVA's trainers write a constant there, or the name of a class. The
rank is A's own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from mova_studio.errors import InputError
from mova_studio.network.adapter_keys import BRIDGE, EITHER_EXPERT, KeyMeaning, read_key
from mova_studio.network.adapter_source import RawAdapter, read_raw
from mova_studio.network.layout import tower_name_to_disk, tower_name_to_module
from mova_studio.network.weights import save_tensors

FORMAT = "mova-studio-adapter"


@dataclass(frozen=True, eq=False)
class LowRank:
    """What one linear layer gains: alpha / r * B(Ax).

    Attributes:
        down: A [r, in].
        up: B [out, r].
        alpha: numerator of the scale.
    """

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    @property
    def scale(self) -> float:
        """alpha / r."""
        return self.alpha / self.rank

    @property
    def shape(self) -> tuple[int, int]:
        """[out, in] of the layer that it belongs to."""
        return self.up.shape[0], self.down.shape[1]


@dataclass(frozen=True)
class Adapter:
    """An adapter as it is used. Two with the same numbers are equal.

    Attributes:
        source: the file's name, for messages.
        layers: by component, or "video" for either expert, and by the path of a linear layer in our modules.
        digest: hexadecimal, equal for equal numbers in whichever format they came.
    """

    source: str = field(compare=False)
    layers: Mapping[str, Mapping[str, LowRank]] = field(compare=False)
    digest: str

    def of(self, component: str) -> Mapping[str, LowRank]:
        """The layers of a component by their paths; an expert that the file does not name has those of either."""
        if component in self.layers:
            return self.layers[component]
        return self.layers.get(EITHER_EXPERT, {}) if component.startswith("video_dit") else {}

    @property
    def ranks(self) -> tuple[int, ...]:
        """All ranks that occur, ascending."""
        return tuple(sorted({layer.rank for layers in self.layers.values() for layer in layers.values()}))

    def numbers(self, component: str) -> int:
        """How many numbers a component's matrices have."""
        return sum(layer.down.numel() + layer.up.numel() for layer in self.of(component).values())


def read_adapter(path: Path) -> Adapter:
    """An adapter from a safetensors or .pt file, or from the folder that a trainer wrote.

    Raises:
        InputError: the file is truncated, holds more than tensors and numbers, belongs to another model, or has
            something in it that is not finite; it names the file and the key, and the shape expected and found.
    """
    raw = read_raw(path)
    parts = _parts(raw)
    ranks = {tensors["down"].shape[0] for tensors in parts.values()}
    alpha = raw.alpha if raw.alpha is not None and (raw.rank is None or raw.rank in ranks) else None
    layers: dict[str, dict[str, LowRank]] = {}
    for (component, name), tensors in parts.items():
        down, up = tensors["down"], tensors["up"]
        layers.setdefault(component, {})[_module_path(component, name)] = LowRank(
            down, up, float(tensors["alpha"]) if "alpha" in tensors else _alpha(raw, alpha, down.shape[0])
        )
    return Adapter(raw.source, layers, _digest(layers))


def write_adapter(adapter: Adapter, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write `adapter` as safetensors under the published names, beside `path` and renamed in.

    Args:
        metadata: what else the header is to say.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    tensors: dict[str, torch.Tensor] = {}
    for component, layers in adapter.layers.items():
        for name, layer in layers.items():
            stem = f"{component}.{published_path(component, name)}"
            tensors[f"{stem}.lora_A.weight"] = layer.down.contiguous()
            tensors[f"{stem}.lora_B.weight"] = layer.up.contiguous()
            tensors[f"{stem}.alpha"] = torch.tensor(layer.alpha, dtype=torch.float64)
    save_tensors(tensors, path, {"format": FORMAT, "digest": adapter.digest, **(metadata or {})})


def published_path(component: str, path: str) -> str:
    """The published name of the linear layer at `path` of our module."""
    return path if component == BRIDGE else tower_name_to_disk(f"{path}.weight").removesuffix(".weight")


def _module_path(component: str, published: str) -> str:
    return published if component == BRIDGE else tower_name_to_module(f"{published}.weight").removesuffix(".weight")


def _alpha(raw: RawAdapter, stored: float | None, rank: int) -> float:
    if stored is None:
        return float(rank)
    return stored * math.sqrt(rank) if raw.rank_stabilised else stored


def _parts(raw: RawAdapter) -> dict[tuple[str, str], dict[str, torch.Tensor]]:
    """The tensors of each layer, checked against each other."""
    if not raw.tensors:
        raise InputError(f"{raw.source} holds no tensors: whatever wrote it saved an empty adapter.", field="adapters")
    meanings = {key: read_key(key) for key in raw.tensors}
    names_second = any(meaning is not None and meaning.component == "video_dit_2" for meaning in meanings.values())
    parts: dict[tuple[str, str], dict[str, torch.Tensor]] = {}
    keys: dict[tuple[str, str, str], str] = {}
    for key, meaning in meanings.items():
        if meaning is None:
            raise InputError(_unknown(raw.source, key, raw.tensors[key]), field="adapters")
        component = "video_dit" if meaning.component == EITHER_EXPERT and names_second else meaning.component
        place = (component, meaning.path, meaning.part)
        if place in keys:
            raise InputError(
                f"{raw.source}: {keys[place]} and {key} are both for {component}.{meaning.path}; "
                "a file may hold one adapter.",
                field="adapters",
            )
        keys[place] = key
        _check_tensor(raw.source, key, meaning, raw.tensors[key])
        parts.setdefault((component, meaning.path), {})[meaning.part] = raw.tensors[key]
    for (component, path), tensors in parts.items():
        _check_pair(raw.source, f"{component}.{path}", tensors)
    return parts


def _unknown(source: str, key: str, tensor: torch.Tensor) -> str:
    return (
        f"{source}: {key} {list(tensor.shape)} belongs to no layer of MOVA's network; expected is a name such as "
        "video_dit.blocks.0.self_attn.q.lora_A.weight. It is for another model, or of a kind other than LoRA."
    )


def _check_tensor(source: str, key: str, meaning: KeyMeaning, tensor: torch.Tensor) -> None:
    expected = {"down": "[rank, in]", "up": "[out, rank]", "alpha": "one number"}[meaning.part]
    fits = tensor.numel() == 1 if meaning.part == "alpha" else tensor.dim() == 2 and tensor.numel() > 0
    if not fits or not tensor.is_floating_point():
        raise InputError(
            f"{source}: {key} should be {expected}, but is {list(tensor.shape)} of {tensor.dtype}; "
            "it cannot be applied to a linear layer.",
            field="adapters",
        )
    if not torch.isfinite(tensor.float()).all():
        raise InputError(
            f"{source}: {key} {list(tensor.shape)} holds numbers that are not finite; its training broke. "
            "Use an earlier save of it.",
            field="adapters",
        )


def _check_pair(source: str, layer: str, tensors: Mapping[str, torch.Tensor]) -> None:
    for part, name in (("down", "lora_A"), ("up", "lora_B")):
        if part not in tensors:
            raise InputError(f"{source}: {layer} has no {name}; the file is incomplete.", field="adapters")
    rank, found = tensors["down"].shape[0], tensors["up"].shape
    if found[1] != rank:
        raise InputError(
            f"{source}: {layer}.lora_B should be [{found[0]}, {rank}], because its lora_A is "
            f"{list(tensors['down'].shape)}, but is {list(found)}.",
            field="adapters",
        )


def _digest(layers: Mapping[str, Mapping[str, LowRank]]) -> str:
    digest = hashlib.sha256()
    for component, name, layer in _sorted(layers):
        digest.update(f"{component}.{name} {layer.alpha!r}".encode())
        for tensor in (layer.down, layer.up):
            digest.update(f"{tensor.dtype} {list(tensor.shape)}".encode())
            digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _sorted(layers: Mapping[str, Mapping[str, LowRank]]) -> Iterable[tuple[str, str, LowRank]]:
    return (
        (component, name, layers[component][name]) for component in sorted(layers) for name in sorted(layers[component])
    )
