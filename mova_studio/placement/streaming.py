"""Layers that come from RAM while others compute.

Two buffers on the device take turns: while one layer computes in the first, the next is copied into the second on
a stream of its own. The host waits for neither; events keep copies behind the last use of a buffer and
computation behind its copy. diffusers' group offload cannot do this here: it learns the order of a module's
layers by following that module's own forward, and the joint forward walks through three modules' layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mova_studio.placement.places import Places
from mova_studio.placement.slab import Slab

BUFFERS = 2


@dataclass(frozen=True)
class Part:
    """A module's share of one layer: its matrices in RAM, and where they belong."""

    slab: Slab
    places: Places


class LayerStream:
    """Brings layers onto the device in the order in which they are used, over and over.

    Args:
        layers: by index, the parts of each layer that streams; absent ones are on the device already.
        device: where they compute.
    """

    def __init__(self, layers: dict[int, Sequence[Part]], device: torch.device) -> None:
        self._layers, self._device = layers, device
        self._order = sorted(layers)
        size = max((sum(part.slab.layout.nbytes for part in parts) for parts in layers.values()), default=0)
        count = min(BUFFERS, len(layers))
        self._buffers = [torch.empty(size, dtype=torch.uint8, device=device) for _ in range(count)]
        self._holds: list[int | None] = [None] * count
        self._copied: list[torch.cuda.Event | None] = [None] * count
        self._copying = torch.cuda.Stream(device) if device.type == "cuda" else None

    @property
    def buffer_bytes(self) -> int:
        return sum(buffer.numel() for buffer in self._buffers)

    def arrive(self, layer: int) -> None:
        """Layer `layer` is about to compute: make it ready, and start to bring what follows it.

        All work queued so far belongs to layers before it, so a buffer that holds one of them may be written
        once that work is done.
        """
        if not self._buffers:
            return
        wanted = self._next(layer)
        spare = [buffer for buffer, held in enumerate(self._holds) if held not in wanted]
        for coming in wanted:
            if coming not in self._holds:
                self._copy(coming, spare.pop())
        if layer in self._layers:
            self._bind(layer)

    def _next(self, layer: int) -> list[int]:
        """The streamed layers that come next, this one included, as many as there are buffers."""
        start = next((place for place, index in enumerate(self._order) if index >= layer), 0)
        return [self._order[(start + ahead) % len(self._order)] for ahead in range(len(self._buffers))]

    def _copy(self, layer: int, buffer: int) -> None:
        self._holds[buffer] = None
        memory, offset = self._buffers[buffer], 0
        if self._copying is not None:
            self._copying.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._copying):
            for part in self._layers[layer]:
                size = part.slab.layout.nbytes
                memory[offset : offset + size].copy_(part.slab.memory, non_blocking=True)
                offset += size
        if self._copying is not None:
            self._copied[buffer] = self._copying.record_event()
        self._holds[buffer] = layer

    def _bind(self, layer: int) -> None:
        buffer = self._holds.index(layer)
        copied = self._copied[buffer]
        if copied is not None:
            torch.cuda.current_stream(self._device).wait_event(copied)
        memory, offset = self._buffers[buffer], 0
        for part in self._layers[layer]:
            part.places.put(part.slab.layout.views(memory[offset:]))
            offset += part.slab.layout.nbytes

    def close(self) -> None:
        """Wait for copies under way and give the buffers back."""
        if self._copying is not None:
            self._copying.synchronize()
            torch.cuda.current_stream(self._device).synchronize()
        self._buffers, self._holds, self._copied = [], [], []
