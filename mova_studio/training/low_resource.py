"""Weights that do not learn, in 8 bits, and on the device only while they multiply.

The towers' and the bridge's matrices are int8 with a scale a row (`placement/formats.py`), mapped from the quantized
cache: what the system's memory has no room for is read again. Each product brings its matrix to the device and lets it
go; so does the way back, which needs it once more for the gradient of what went in. Nothing of it is kept between, and
with gradient checkpointing the layers' inputs wait in RAM.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import nn

from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import match_entries, read_tensors
from mova_studio.placement.formats import QUANTIZED, QuantizedLinear, TensorDict
from mova_studio.placement.places import Places
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.source import WeightSource
from mova_studio.settings import cache_dir

log = logging.getLogger(__name__)
WEIGHTS = "int8"
# Of the device's free memory that the matrices may take to stay there; the rest is for what the layers compute.
RESIDENT_SHARE = 0.4


class StreamedLinear(nn.Module):
    """A linear layer whose matrix lies elsewhere until it multiplies. No gradient reaches the matrix.

    Args:
        layer: with its tensors.
    """

    def __init__(self, layer: QuantizedLinear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.bias = layer.bias
        # Not parameters, which would go to the device with the module.
        self._kept: TensorDict = {"packed": layer.packed.data, "scale": layer.scale.data}

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in self._kept.values())

    def stay_on(self, device: torch.device) -> None:
        """Keep the matrix on `device`."""
        self._kept = {name: each.to(device) for name, each in self._kept.items()}

    def brought(self, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        """The matrix [out_features, in_features] on `device`."""
        here = {name: each.to(device) for name, each in self._kept.items()}
        return QUANTIZED[WEIGHTS].dequantize(here, (self.out_features, self.in_features), dtype)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`states` [..., in_features] -> [..., out_features]."""
        product: torch.Tensor = _Product.apply(states, self)
        return product if self.bias is None else product + self.bias


class _Product(torch.autograd.Function):
    """states times a `StreamedLinear`'s matrix, which is brought again for the way back."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, layer: StreamedLinear) -> torch.Tensor:
        ctx.layer = layer
        return nn.functional.linear(states, layer.brought(states.device, states.dtype))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient @ ctx.layer.brought(gradient.device, gradient.dtype), None


def load_quantized(checkpoint: Checkpoint, name: str, dtype: torch.dtype) -> nn.Module:
    """A component with `QuantizedLinear`s, mapped from the cache, and all else in `dtype`, on the CPU. What the cache
    lacks is quantized on the accelerator, if there is one.

    Raises:
        CheckpointError: it is wrong, truncated or absent.
    """
    module, component = checkpoint.empty(name), COMPONENTS[name]
    entries = match_entries(module, component, checkpoint.folder / name)
    cache = QuantizedCache(cache_dir() / "quantized", checkpoint.identity(), log.warning)
    device = torch.accelerator.current_accelerator() or torch.device("cpu")
    source = WeightSource(name, module, entries, partial(read_tensors, component), WEIGHTS, dtype, cache, device)
    places = Places(module)
    for layer in source.layers:
        places.put(source.read(layer))
    return module


def take_quantized(module: nn.Module) -> dict[str, StreamedLinear]:
    """Put an empty linear layer in the place of each quantized one, for peft, which knows no others.

    Returns:
        what to give to `put_streamed` once the adapters are there, by path.
    """
    taken = {path: StreamedLinear(each) for path, each in module.named_modules() if isinstance(each, QuantizedLinear)}
    for path, layer in taken.items():
        module.set_submodule(path, _stand_in(layer))
    return taken


def put_streamed(module: nn.Module, layers: Mapping[str, StreamedLinear]) -> None:
    """Put the streamed layers where the empty ones were, below the adapters that came over them."""
    for path, layer in layers.items():
        here = module.get_submodule(path)
        if isinstance(here, LoraLayer):
            here.base_layer = layer
        else:
            module.set_submodule(path, layer)


def keep_if_room(module: nn.Module, device: torch.device) -> bool:
    """Leave all matrices on `device` if it is a GPU with room for them; whether it was so."""
    if device.type != "cuda":
        return False
    free, total = torch.cuda.mem_get_info(device)
    # A limit on what this process may hold counts, not only what the card has.
    free = min(free, int(torch.cuda.get_per_process_memory_fraction(device) * total))
    if sum(layer.nbytes for layer in _streamed(module)) > RESIDENT_SHARE * free:
        return False
    for layer in _streamed(module):
        layer.stay_on(device)
    return True


def _streamed(module: nn.Module) -> Iterator[StreamedLinear]:
    return (each for each in module.modules() if isinstance(each, StreamedLinear))


def _stand_in(layer: StreamedLinear) -> nn.Linear:
    """A linear layer of the same shape that takes no memory."""
    empty = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
    empty.weight = nn.Parameter(torch.zeros(1, 1).expand(layer.out_features, layer.in_features), requires_grad=False)
    return empty
