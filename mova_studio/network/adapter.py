"""Adapters on a network: y = Wx + b + strength * alpha/r * B(Ax), added behind each linear layer and gone without a
trace when taken off. Nothing is merged into W, so that weights may be quantized, mapped or streamed as they like."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from mova_studio.errors import InputError
from mova_studio.network.adapter_file import Adapter, LowRank, published_path
from mova_studio.network.adapter_shelf import misfit_words


@dataclass(frozen=True)
class Weighted:
    """An adapter with its strength in each component; one that is not named has none."""

    adapter: Adapter
    strengths: Mapping[str, float]


def linear_shapes(module: nn.Module) -> dict[str, tuple[int, int]]:
    """[out, in] of every linear layer of `module`, in whatever format its weight is kept, by its path."""
    return {
        path: (layer.out_features, layer.in_features)
        for path, layer in module.named_modules()
        if isinstance(getattr(layer, "in_features", None), int)
        and isinstance(getattr(layer, "out_features", None), int)
    }


def check_fit(adapter: Adapter, modules: Mapping[str, nn.Module]) -> None:
    """Refuse an adapter that was not made for these components.

    Args:
        modules: by component; one that is absent is not looked at. On the meta device will do.

    Raises:
        InputError: naming the file and the first layer at fault, with the shape expected and found.
    """
    for component, module in modules.items():
        known = linear_shapes(module)
        for path, layer in adapter.of(component).items():
            if known.get(path) == layer.shape:
                continue
            name = f"{component}.{published_path(component, path)}"
            words = misfit_words(adapter.source, name, known.get(path), tuple(layer.down.shape), tuple(layer.up.shape))
            raise InputError(words, field="adapters")


class Adapted:
    """The adapters that are on a network.

    Args:
        modules: by component.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = modules
        self._on: tuple[Weighted, ...] = ()
        self._additions: dict[str, list[_Addition]] = {}
        self._handles: list[RemovableHandle] = []

    def put(self, adapters: Sequence[Weighted]) -> None:
        """Make these the adapters that are on, in place of those before; none leaves the network as it was."""
        adapters = tuple(adapters)
        if adapters == self._on:
            return
        for handle in self._handles:
            handle.remove()
        self._on, self._additions, self._handles = adapters, {}, []
        for component, module in self._modules.items():
            terms: dict[str, list[tuple[LowRank, float]]] = {}
            for weighted in adapters:
                strength = weighted.strengths.get(component, 0.0)
                for path, layer in weighted.adapter.of(component).items() if strength else ():
                    terms.setdefault(path, []).append((layer, strength * layer.scale))
            self._additions[component] = [_Addition(module.get_submodule(path), each) for path, each in terms.items()]
            self._handles += [
                addition.linear.register_forward_hook(addition) for addition in self._additions[component]
            ]
        if any(_is_compiled(module) for module in self._modules.values()):
            # Compiled code has the hooks built in and is not told of new ones.
            torch.compiler.reset()

    def bring(self, components: Collection[str], device: torch.device) -> None:
        """Have the matrices for these components on `device`, and those for no others."""
        for component, additions in self._additions.items():
            for addition in additions:
                if component in components:
                    addition.bring(device)
                else:
                    addition.rest()


class _Addition:
    """A forward hook: what one linear layer gains.

    Args:
        linear: the layer.
        terms: low-rank pairs, each with its strength times its scale; added in this order.
    """

    def __init__(self, linear: nn.Module, terms: Sequence[tuple[LowRank, float]]) -> None:
        self.linear, self._terms = linear, terms
        self._here: list[tuple[torch.Tensor, torch.Tensor, float]] = []
        self._device: torch.device | None = None

    def bring(self, device: torch.device) -> None:
        if device == self._device:
            return
        # A quantized layer has the dtype of its states where a plain one has that of its weight.
        dtype = self.linear.weight.dtype if isinstance(self.linear, nn.Linear) else self.linear.dtype
        assert isinstance(dtype, torch.dtype)
        self._here = [
            (layer.down.to(device, dtype), layer.up.to(device, dtype), weight) for layer, weight in self._terms
        ]
        self._device = device

    def rest(self) -> None:
        self._here, self._device = [], None

    def __call__(self, _linear: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        """Into `output` [..., out] itself: at full size a copy of it would be 1.2 GB."""
        states, rows = inputs[0].flatten(0, -2), output.view(-1, output.shape[-1])
        for down, up, weight in self._here:
            rows.addmm_(states @ down.t(), up.t(), alpha=weight)


def _is_compiled(module: nn.Module) -> bool:
    return any(getattr(part, "_compiled_call_impl", None) is not None for part in module.modules())
