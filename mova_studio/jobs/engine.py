"""The loaded checkpoint, kept between jobs. Only the worker process and the command line have one."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import psutil
import torch

from mova_studio.adapter_use import AdapterUse
from mova_studio.diffusion import MovaPipeline
from mova_studio.diffusion.preview import LatentPreview
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.jobs.adapters import shelf
from mova_studio.jobs.condition_cache import ConditionCache
from mova_studio.jobs.planning import Planning, sizes_of
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.locate import locate
from mova_studio.network.tiles import Tiling
from mova_studio.placement.machine import Machine
from mova_studio.placement.plan import Plan, Planned, StageMemory
from mova_studio.placement.planner import DRIVER_SHARE
from mova_studio.placement.probe import chosen_device, probe_machine
from mova_studio.placement.prompt_cache import PromptCache
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.request import Limits, Request
from mova_studio.placement.residency import Residency
from mova_studio.placement.source import sources_of
from mova_studio.settings import cache_dir


class Engine:
    """One checkpoint under one plan at a time.

    Attributes:
        planning: how plans are made, and what was learned here.
        machine: as it was when the last plan was made.
        conditions: encoded frames of the latest shots.
        checkpoint, identity, pipeline, preview: of the placed checkpoint; see `place`.
    """

    def __init__(self) -> None:
        self.planning = Planning.here()
        self._choose_device()
        self.machine = self._probe()
        self.conditions = ConditionCache()
        self._model: str | None = None
        self._residency: Residency | None = None

    def plan(
        self, model: str, request: Request, limits: Limits, ceilings: Mapping[str, StageMemory] | None = None
    ) -> Planned:
        """Plans for a run, by what is free now; what this process holds itself counts as free.

        Args:
            ceilings: what ran out in this very run, by stage; see `Planner`.

        Raises:
            CheckpointError: the checkpoint is damaged or not on disk.
            InputError: a pin is impossible here.
        """
        locate(model)
        self.machine = self._probe()
        return self.planning.plan(self.machine, sizes_of(model), request, limits, ceilings)

    def place(self, model: str, plan: Plan, notify: Callable[[str], None]) -> None:
        """Make `plan` the one in force; weights are read when they are first used.

        Args:
            model: "demo", a folder or a hub id on disk.
            notify: told a sentence about quantized weights that are made anew or cannot be kept.

        Raises:
            CheckpointError: it is wrong, truncated, mixed or not on disk.
        """
        residency = self._residency
        if residency is None or model != self._model or not residency.same_weights(plan):
            self.unload()
            residency = self._load(model, plan, notify)
        residency.retune(plan)
        self.pipeline.batched_guidance = plan.batched_guidance
        self.pipeline.tiling = Tiling(count=plan.vae_tiles) if plan.vae_tiles > 1 else None
        self.prompts = PromptCache(cache_dir() / "prompts", self.identity, plan.weights["text_encoder"])

    def _load(self, model: str, plan: Plan, notify: Callable[[str], None]) -> Residency:
        checkpoint = Checkpoint(locate(model))
        checkpoint.check_fit()
        identity = checkpoint.identity()
        cache = QuantizedCache(cache_dir() / "quantized", identity, notify)
        residency = Residency(sources_of(checkpoint, plan, cache), plan)
        self.pipeline = MovaPipeline(
            tokenizer=checkpoint.tokenizer(),
            scheduler=FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
            boundary_ratio=checkpoint.boundary_ratio,
            **cast("dict[str, Any]", residency.modules),
        )
        self.pipeline.set_progress_bar_config(disable=True)
        self.pipeline.residency = residency
        self.checkpoint, self.identity = checkpoint, identity
        self._residency = residency
        with residency.use("video_vae"):
            self.preview = LatentPreview.fit(self.pipeline.video_vae)
        self._model = model
        return residency

    @property
    def device(self) -> torch.device:
        """Where the placed checkpoint computes."""
        return torch.device("cpu") if self._residency is None else self._residency.device

    def cap_vram(self, num_bytes: float) -> None:
        """Hold no more of the device's memory than this, the driver's share included; infinite for no cap."""
        if torch.cuda.is_available():
            total = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, max(0.0, num_bytes - DRIVER_SHARE) / total))

    def while_reading(self, check: Callable[[], None]) -> None:
        """Call `check` before each layer is read from disk; it may raise to give up."""
        if self._residency is not None:
            self._residency.on_read = check

    def adapt(self, uses: Sequence[AdapterUse]) -> None:
        """Have these adapters on the placed network, and no others.

        Raises:
            InputError: one is not installed, was changed, or was made for another checkpoint.
        """
        pipeline, wanted = self.pipeline, {use.digest for use in uses}
        pipeline.set_adapters([])
        pipeline.delete_adapters([digest for digest in pipeline.loaded_adapters if digest not in wanted])
        for use in uses:
            if use.digest not in pipeline.loaded_adapters:
                pipeline.load_lora_weights(shelf().load(use), use.digest)
        pipeline.use_adapters([replace(use, name=use.digest) for use in uses])

    def embed(self, prompt: str) -> torch.Tensor:
        """Embeddings [1, 512, text_dim] of a prompt, from disk if these words were seen before."""
        known = self.prompts.load(prompt)
        if known is not None:
            return known.to(self.device)
        made = self.pipeline.encode_prompt(prompt)
        self.prompts.save(prompt, made)
        return made

    def unload(self) -> None:
        """Give all memory back."""
        self._model = None
        if self._residency is not None:
            self._residency.close()
            self._residency = None
            del self.pipeline
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _choose_device(self) -> None:
        if not torch.cuda.is_initialized():
            chosen = chosen_device()
            if chosen is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = chosen

    def _probe(self) -> Machine:
        machine = probe_machine(cache_dir(), use_torch=True)
        own = psutil.Process().memory_info().rss
        machine = replace(machine, free_ram=min(machine.total_ram, machine.free_ram + own))
        if machine.gpu is not None and torch.cuda.is_initialized():
            free = machine.gpu.free_vram + torch.cuda.memory_reserved()
            machine = replace(machine, gpu=replace(machine.gpu, free_vram=min(machine.gpu.total_vram, free)))
        return machine
