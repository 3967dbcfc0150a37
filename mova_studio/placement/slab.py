"""One layer's matrices in one piece of memory, so that a single copy brings all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from mova_studio.errors import MemoryRanOut

ALIGNMENT = 256


class Layout:
    """Where tensors lie within one piece of memory.

    Args:
        tensors: by name; only their shapes and dtypes count.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self._places: dict[str, tuple[int, int, torch.Size, torch.dtype]] = {}
        offset = 0
        for name, tensor in tensors.items():
            size = math.prod(tensor.shape) * tensor.dtype.itemsize
            self._places[name] = (offset, size, tensor.shape, tensor.dtype)
            offset += -(-size // ALIGNMENT) * ALIGNMENT
        self.nbytes = offset

    def views(self, memory: torch.Tensor) -> dict[str, torch.Tensor]:
        """The tensors as views of `memory`, uint8 [at least nbytes]."""
        return {
            name: memory[offset : offset + size].view(dtype).view(shape)
            for name, (offset, size, shape, dtype) in self._places.items()
        }


class Slab:
    """A layer's matrices in RAM, pinned where a GPU will copy from it.

    Args:
        layout: of the tensors.
        pinned: lock the pages, so that the GPU copies them by itself. Memory of exactly the layout's size is
            registered; PyTorch's own pinned allocator would round it up to a power of two.

    Raises:
        MemoryRanOut: the system locks no more pages.
    """

    def __init__(self, layout: Layout, pinned: bool) -> None:
        self.layout = layout
        self.memory = torch.empty(layout.nbytes, dtype=torch.uint8)
        self._registered = False
        if pinned and layout.nbytes:
            status = torch.cuda.cudart().cudaHostRegister(self.memory.data_ptr(), layout.nbytes, 0)
            if int(status) != 0:
                raise MemoryRanOut(
                    f"Pinned memory ran out: the system refused to lock {layout.nbytes / 2**20:.0f} MiB more "
                    f"(CUDA error {int(status)}). Close other programs or lower the RAM cap.",
                    field="model",
                )
            self._registered = True

    def fill(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Copy the tensors in."""
        for name, view in self.layout.views(self.memory).items():
            view.copy_(tensors[name])

    def release(self) -> None:
        """Unlock and give the memory back; nothing may copy from it any more."""
        if self._registered:
            torch.cuda.cudart().cudaHostUnregister(self.memory.data_ptr())
            self._registered = False
        self.memory = torch.empty(0, dtype=torch.uint8)
