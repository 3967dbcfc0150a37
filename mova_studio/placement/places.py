"""Putting tensors into modules by name, and taking them out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn


class Places:
    """The places of a module's parameters and buffers, found once and filled often.

    Args:
        module: whose tensors are put in and taken out.
    """

    def __init__(self, module: nn.Module) -> None:
        self._places: dict[str, tuple[dict, str]] = {}
        for path, owner in module.named_modules(remove_duplicate=False):
            for store in (owner._parameters, owner._buffers):
                for leaf, tensor in store.items():
                    if tensor is not None:
                        self._places[f"{path}.{leaf}" if path else leaf] = (store, leaf)

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Make each tensor the one of its name."""
        for name, tensor in tensors.items():
            store, leaf = self._places[name]
            is_parameter = isinstance(store[leaf], nn.Parameter)
            store[leaf] = nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor

    def empty(self, names: Iterable[str]) -> None:
        """Leave shapes and dtypes on the meta device in their place; the memory is free once nobody else has it."""
        for name in names:
            store, leaf = self._places[name]
            self.put({name: torch.empty_like(store[leaf], device="meta")})

    def buffers_to(self, device: torch.device) -> None:
        """Buffers that no file holds, such as rotary tables, go where the weights are."""
        for store, leaf in self._places.values():
            if not isinstance(store[leaf], nn.Parameter) and store[leaf].device.type != "meta":
                store[leaf] = store[leaf].to(device)
