"""Where a component's weights come from, layer by layer, in the format that a plan asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property, partial

import torch
from torch import nn

from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import TensorEntry, match_entries, read_tensors
from mova_studio.placement.formats import NATIVE, QUANTIZED, QuantizedLinear, TensorDict, quantize_linear
from mova_studio.placement.plan import Plan
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.sizes import LAYERED, is_quantizable

Reader = Callable[[dict[str, TensorEntry], torch.dtype | None], Iterable[tuple[str, torch.Tensor]]]


class WeightSource:
    """One component of a checkpoint, read in parts.

    Nothing is kept: what is read twice is mapped twice, and the operating system's page cache makes that cheap
    while there is room.

    Args:
        name: of the component.
        module: of the component, on the meta device; its matrices are replaced if `weights` is a quantized format.
        entries: what there is to read, by the module's names.
        read: reads some of them in a dtype (None: as stored), as `network.weights.read_tensors`.
        weights: format of the layers' matrices.
        dtype: of everything else; float32 parts stay so.
        cache: of quantized layers; None keeps none.
        device: on which to quantize.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        entries: dict[str, TensorEntry],
        read: Reader,
        weights: str,
        dtype: torch.dtype,
        cache: QuantizedCache | None,
        device: torch.device,
    ) -> None:
        self.name, self.weights, self.dtype = name, weights, NATIVE.get(weights, dtype)
        self.module, self._entries, self._read = module, entries, read
        self._cache, self._device = cache, device
        self._component = COMPONENTS[name]
        self._quantized: set[str] = set()
        if weights in QUANTIZED:
            self._replace_linears()
            if cache is not None:
                cache.expect(self._missing_bytes(cache))
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
        tensors = dict(self._read(native, self.dtype))
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

    def _missing_bytes(self, cache: QuantizedCache) -> int:
        layout = QUANTIZED[self.weights].layout
        return sum(
            math.prod(shape) * dtype.itemsize
            for layer, entries in self.layers.items()
            if layer and not cache.file(self.name, self.weights, layer).is_file()
            for name, entry in entries.items()
            if name in self._quantized
            for shape, dtype in layout(*entry.shape).values()
        )

    def _read_quantized(self, layer: str) -> TensorDict:
        wanted = {name: entry for name, entry in self.layers[layer].items() if name in self._quantized}
        expected = {kept for name in wanted for kept in _kept_names(name)}
        cached = None if self._cache is None else self._cache.load(self.name, self.weights, layer)
        if cached is not None and set(cached) == expected:
            return cached
        made: TensorDict = {}
        for name, weight in self._read(wanted, None):
            for kept, tensor in quantize_linear(weight.to(self._device), self.weights).items():
                made[name.removesuffix("weight") + kept] = tensor.cpu().contiguous()
        if self._cache is not None:
            self._cache.save(self.name, self.weights, layer, made)
        return made

    def _set_dtypes(self) -> None:
        """The empty parameters get the dtypes that their contents will have."""
        for name, parameter in self.module.named_parameters():
            if parameter.is_floating_point() and not name.endswith((".packed", ".scale")):
                kind = torch.float32 if self._component.in_float32(name) else self.dtype
                parameter.data = parameter.data.to(kind)


def sources_of(checkpoint: Checkpoint, plan: Plan, cache: QuantizedCache) -> dict[str, WeightSource]:
    """Every component of a checkpoint in the formats of a plan; only headers are read.

    Raises:
        CheckpointError: a component is wrong, truncated or absent.
    """
    dtype = torch.float32 if plan.compute_bytes == 4 else torch.bfloat16
    sources = {}
    for name, component in COMPONENTS.items():
        module = checkpoint.empty(name)
        entries = match_entries(module, component, checkpoint.folder / name)
        read = partial(read_tensors, component)
        device = torch.device(plan.device)
        sources[name] = WeightSource(name, module, entries, read, plan.weights[name], dtype, cache, device)
    return sources


def _kept_names(weight: str) -> set[str]:
    stem = weight.removesuffix("weight")
    return {f"{stem}packed", f"{stem}scale"}
