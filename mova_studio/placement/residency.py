"""A plan carried out: components on the device when they are needed, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from mova_studio.placement.attention import use_attention
from mova_studio.placement.places import Places
from mova_studio.placement.plan import Plan
from mova_studio.placement.source import WeightSource
from mova_studio.placement.tower_stream import EXPERTS, NETWORK, TowerStream


class Residency:
    """The weights of one network under one plan.

    Args:
        sources: of every component that will be used, see `sources_of`.
        plan: what to keep where.

    Attributes:
        plan: the one given.
        modules: by component, to build a pipeline of; the parameters of those that are not in use are on the
            meta device.
        device: where everything computes.
        on_read: called before each layer is read from disk; may raise to give up. The component that was
            being read is then put away whole.
    """

    def __init__(self, sources: Mapping[str, WeightSource], plan: Plan) -> None:
        self.plan, self.device = plan, torch.device(plan.device)
        self.on_read: Callable[[], None] = _nothing
        self._sources = sources
        self.modules: dict[str, nn.Module] = {name: source.module for name, source in sources.items()}
        self._towers_here = tuple(name for name in (*EXPERTS, *NETWORK) if name in sources)
        self._places = {name: Places(module) for name, module in self.modules.items()}
        self._whole: set[str] = set()
        self._towers: TowerStream | None = None
        self._text_hooks: list[Any] = []
        self._stack = ExitStack()
        self._stack.enter_context(use_attention([self.modules[name] for name in self._towers_here], plan.attention))
        self.retune(plan)
        if plan.compile:
            for name in self._towers_here:
                self.modules[name].compile_repeated_blocks()  # type: ignore[operator]
        for places in self._places.values():
            places.buffers_to(self.device)

    def retune(self, plan: Plan) -> None:
        """Go on under `plan`, which has the `same_weights`."""
        if (plan.resident_blocks, plan.experts_in_ram) != (self.plan.resident_blocks, self.plan.experts_in_ram):
            self._close_towers()
        self.plan = plan
        for name in self._towers_here:
            if name != "dual_tower_bridge":
                for block in self.modules[name].blocks:  # type: ignore[union-attr]
                    block.ffn_chunks = plan.ffn_chunks

    def same_weights(self, plan: Plan) -> bool:
        """Whether `retune` is enough to go on under `plan`."""
        return all(
            getattr(self.plan, name) == getattr(plan, name)
            for name in ("device", "weights", "offload", "attention", "compile")
        )

    @contextmanager
    def use(self, *names: str) -> Iterator[None]:
        """The named components can compute inside the block, and go on to until others need their place."""
        if self.plan.offload != "none":
            self._make_room(names)
        streamed: tuple[str, ...] = ()
        if self.plan.offload == "group":
            expert = next((name for name in names if name in EXPERTS), None)
            if expert is not None:
                streamed = (expert, *NETWORK)
                self._stream_towers(expert)
            elif "text_encoder" in names:
                streamed = ("text_encoder",)
                self._stream_text()
        for name in names:
            if name not in streamed:
                self._bring(name)
        yield

    def arrive(self, layer: int) -> None:
        """The joint forward is about to run layer `layer`."""
        if self._towers is not None:
            self._towers.arrive(layer)

    def close(self) -> None:
        """Everything off the device, and pinned memory given back."""
        self._make_room(())
        self._close_towers()
        self._stack.close()

    def _bring(self, name: str) -> None:
        if name in self._whole:
            return
        self._whole.add(name)
        try:
            for layer in self._sources[name].layers:
                self.on_read()
                self._put(name, layer)
        except BaseException:
            self._drop(name)
            raise

    def _put(self, name: str, layer: str, *_: Any) -> None:
        tensors = self._sources[name].read(layer)
        self._places[name].put({key: tensor.to(self.device) for key, tensor in tensors.items()})

    def _empty(self, name: str, layer: str, *_: Any) -> None:
        self._places[name].empty(self._sources[name].names(layer))

    def _drop(self, name: str) -> None:
        self._whole.discard(name)
        for layer in self._sources[name].layers:
            self._empty(name, layer)

    def _make_room(self, keep: tuple[str, ...]) -> None:
        leaving = self._whole - set(keep)
        for name in leaving:
            self._drop(name)
        if self._towers is not None and not set(keep) & set(EXPERTS):
            self._towers.rest()
        if self._text_hooks and "text_encoder" not in keep:
            for hook in self._text_hooks:
                hook.remove()
            self._text_hooks = []
            self._drop("text_encoder")
            leaving.add("text_encoder")
        if leaving and self.device.type == "cuda":
            # Segments cut for what left seldom fit what comes, and would be held beside it.
            torch.cuda.empty_cache()

    def _stream_towers(self, expert: str) -> None:
        if self._towers is None:
            self._towers = TowerStream(self._sources, self._places, self.plan, self.device, lambda: self.on_read())
        try:
            self._towers.use(expert)
        except BaseException:
            self._close_towers()
            raise

    def _close_towers(self) -> None:
        if self._towers is not None:
            self._towers.close()
            self._towers = None

    def _stream_text(self) -> None:
        """The text encoder runs once a prompt, so that its layers come straight from disk, one at a time."""
        if self._text_hooks:
            return
        self._put("text_encoder", "")
        for layer in self._sources["text_encoder"].layers:
            if layer:
                block = self.modules["text_encoder"].get_submodule(layer)
                self._text_hooks += [
                    block.register_forward_pre_hook(partial(self._arrive_text, layer)),
                    block.register_forward_hook(partial(self._empty, "text_encoder", layer)),
                ]

    def _arrive_text(self, layer: str, *_: Any) -> None:
        self.on_read()
        self._put("text_encoder", layer)


def _nothing() -> None:
    """The default of `Residency.on_read`."""
