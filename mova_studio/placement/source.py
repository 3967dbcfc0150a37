"""Where a component's weights come from, layer by layer, in the format that a plan asks for."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import nn

from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import TensorEntry, match_entries, read_tensors
from mova_studio.placement.formats import NATIVE, QUANTIZED, QuantizedLinear, TensorDict, quantize_linear
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.sizes import LAYERED, is_quantizable


class WeightSource:
    """One component of a checkpoint, read in parts.

    Nothing is kept: what is read twice is mapped twice, and the operating system's page cache makes that cheap
    while there is room.

    Args:
        checkpoint: where it lies.
        name: of the component.
        weights: format of its layers' matrices.
        dtype: of everything else; float32 parts stay so.
        cache: of quantized layers.
        device: on which to quantize.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        name: str,
        weights: str,
        dtype: torch.dtype,
        cache: QuantizedCache,
        device: torch.device,
    ) -> None:
        self.name, self.weights, self.dtype = name, weights, NATIVE.get(weights, dtype)
        self._cache, self._device = cache, device
        self._component = COMPONENTS[name]
        self.module = checkpoint.empty(name)
        self._entries = match_entries(self.module, self._component, checkpoint.folder / name)
        self._quantized: set[str] = set()
        if weights in QUANTIZED:
            self._replace_linears()
            self._cache.expect(self._missing_bytes())
        self.module.eval().requires_grad_(False)
        self._set_dtypes()

    @cached_property
    def layers(self) -> dict[str, dict[str, TensorEntry]]:
        """Entries by layer ("blocks.0"); "" holds what lies outside layers."""
        found: dict[str, dict[str, TensorEntry]] = {"": {}}
        for name, entry in self._entries.items():
            match = LAYERED.match(name)
            found.setdefault(match[1] if match else "", {})[name] = entry
        return found

    def read(self, layer: str, *, matrices: bool = True) -> TensorDict:
        """The tensors of a layer, or with "" those outside layers, by their names in `module`, on the CPU.

        Args:
            matrices: False leaves out what `matrices` names.
        """
        bulk = frozenset() if matrices else self.matrices(layer)
        entries = self.layers[layer]
        native = {name: entry for name, entry in entries.items() if name not in self._quantized and name not in bulk}
        tensors = dict(read_tensors(self._component, native, self.dtype))
        if matrices and any(name in self._quantized for name in entries):
            tensors |= self._read_quantized(layer)
        return tensors

    def names(self, layer: str) -> frozenset[str]:
        """Names of all tensors in `read(layer)`."""
        plain = frozenset(name for name in self.layers[layer] if name not in self._quantized)
        return plain | self.matrices(layer)

    def matrices(self, layer: str) -> frozenset[str]:
        """Names in `read(layer)` that make up the layer's bulk: the ones that a plan may stream."""
        names: set[str] = set()
        for name, entry in self.layers[layer].items() if layer else ():
            if name in self._quantized:
                names |= _kept_names(name)
            elif is_quantizable(name, entry.shape) and not self._component.in_float32(name):
                names.add(name)
        return frozenset(names)

    def _replace_linears(self) -> None:
        for name, entry in self._entries.items():
            if LAYERED.match(name) is None or not is_quantizable(name, entry.shape):
                continue
            path, _, _ = name.rpartition(".")
            parent_path, _, leaf = path.rpartition(".")
            parent = self.module.get_submodule(parent_path)
            linear = getattr(parent, leaf)
            if not isinstance(linear, nn.Linear):
                continue
            self._quantized.add(name)
            quantized = QuantizedLinear(
                linear.in_features, linear.out_features, linear.bias is not None, self.weights, self.dtype
            )
            setattr(parent, leaf, quantized)

    def _missing_bytes(self) -> int:
        return sum(
            torch.Size(entry.shape).numel()
            for layer, entries in self.layers.items()
            if layer and not self._cache.file(self.name, self.weights, layer).is_file()
            for name, entry in entries.items()
            if name in self._quantized
        )

    def _read_quantized(self, layer: str) -> TensorDict:
        wanted = {name: entry for name, entry in self.layers[layer].items() if name in self._quantized}
        expected = {kept for name in wanted for kept in _kept_names(name)}
        cached = self._cache.load(self.name, self.weights, layer)
        if cached is not None and set(cached) == expected:
            return cached
        made: TensorDict = {}
        for name, weight in read_tensors(self._component, wanted, None):
            for kept, tensor in quantize_linear(weight.to(self._device), self.weights).items():
                made[name.removesuffix("weight") + kept] = tensor.cpu().contiguous()
        self._cache.save(self.name, self.weights, layer, made)
        return made

    def _set_dtypes(self) -> None:
        """The empty parameters get the dtypes that their contents will have."""
        for name, parameter in self.module.named_parameters():
            if parameter.is_floating_point() and not name.endswith((".packed", ".scale")):
                kind = torch.float32 if self._component.in_float32(name) else self.dtype
                parameter.data = parameter.data.to(kind)


def _kept_names(weight: str) -> set[str]:
    stem = weight.removesuffix("weight")
    return {f"{stem}packed", f"{stem}scale"}
