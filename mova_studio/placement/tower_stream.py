"""The joint forward's weights under group offload: some layers stay on the device, the others stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from mova_studio.placement.ledger import streamed_blocks
from mova_studio.placement.places import Places
from mova_studio.placement.plan import Plan
from mova_studio.placement.slab import Layout, Slab
from mova_studio.placement.source import WeightSource
from mova_studio.placement.streaming import LayerStream, Part

EXPERTS = ("video_dit", "video_dit_2")
NETWORK = ("audio_dit", "dual_tower_bridge")


class TowerStream:
    """One expert at a time with the audio tower and the bridge.

    Biases, norms and all else that is small stays on the device; the matrices of streamed layers lie in slabs,
    those of the audio tower and the bridge for good, those of the experts as `plan.experts_in_ram` says.

    Args:
        sources, places: by component.
        plan: with `offload` "group".
        device: where layers compute.
        on_read: called before each layer is read; may raise.
    """

    def __init__(
        self,
        sources: Mapping[str, WeightSource],
        places: Mapping[str, Places],
        plan: Plan,
        device: torch.device,
        on_read: Callable[[], None],
    ) -> None:
        self._sources, self._places, self._plan = sources, places, plan
        self._device, self._on_read = device, on_read
        self._streamed = streamed_blocks(plan.num_blocks, plan.resident_blocks)
        self._slabs: dict[tuple[str, str], Slab] = {}
        self._filled: set[tuple[str, str]] = set()
        self._stream: LayerStream | None = None
        self._expert: str | None = None
        self._resting: str | None = None

    def use(self, expert: str) -> None:
        """Make `expert` the one that computes."""
        if expert == self._expert:
            return
        if self._expert is None:
            for name in NETWORK:
                self._load(name)
        leaving = self._expert or self._resting
        if leaving is not None and leaving != expert:
            self._put_away(leaving)
        self._load(expert)
        self._expert = expert
        self._stream = LayerStream({index: self._parts(index, expert) for index in self._streamed}, self._device)

    def arrive(self, layer: int) -> None:
        """Layer `layer` is about to compute."""
        if self._stream is not None:
            self._stream.arrive(layer)

    def rest(self) -> None:
        """Everything off the device; what lies in RAM stays there for the next take."""
        self._stop()
        for name in (*EXPERTS, *NETWORK):
            if name in self._sources:
                self._empty(name)
        self._resting, self._expert = self._expert or self._resting, None

    def close(self) -> None:
        """Everything off the device, and the pinned memory given back."""
        self.rest()
        for slab in self._slabs.values():
            slab.release()
        self._slabs, self._filled, self._resting = {}, set(), None

    def _load(self, name: str) -> None:
        source, places = self._sources[name], self._places[name]
        for layer in source.layers:
            self._on_read()
            streams = self._streams(layer)
            tensors = source.read(layer, matrices=not (streams and (name, layer) in self._filled))
            bulk = source.matrices(layer) if streams else frozenset()
            places.put({key: tensor.to(self._device) for key, tensor in tensors.items() if key not in bulk})
            if bulk and (name, layer) not in self._filled:
                self._fill(name, layer, {key: tensors[key] for key in sorted(bulk)})

    def _fill(self, name: str, layer: str, matrices: dict[str, torch.Tensor]) -> None:
        if (name, layer) not in self._slabs:
            self._slabs[name, layer] = Slab(Layout(matrices), pinned=self._device.type == "cuda")
        self._slabs[name, layer].fill(matrices)
        self._filled.add((name, layer))

    def _put_away(self, expert: str) -> None:
        """`expert` leaves the device. With one expert in RAM the other takes over its slabs: locking pages
        anew would take longer than filling them."""
        self._stop()
        self._empty(expert)
        if self._plan.experts_in_ram == 1:
            other = next(name for name in EXPERTS if name != expert)
            for layer in [layer for name, layer in self._slabs if name == expert]:
                self._slabs[other, layer] = self._slabs.pop((expert, layer))
                self._filled.discard((expert, layer))

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _empty(self, name: str) -> None:
        for layer in self._sources[name].layers:
            self._places[name].empty(self._sources[name].names(layer))

    def _streams(self, layer: str) -> bool:
        return bool(layer) and int(layer.rpartition(".")[2]) in self._streamed

    def _parts(self, index: int, expert: str) -> list[Part]:
        return [
            Part(slab, self._places[name])
            for (name, layer), slab in self._slabs.items()
            if name in (*NETWORK, expert) and int(layer.rpartition(".")[2]) == index
        ]
