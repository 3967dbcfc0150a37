"""The four components that learn as one module, so that they can be placed, spread over processes and saved as one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, cast

import torch
from diffusers import WanTransformer3DModel
from torch import nn
from torch.autograd.graph import save_on_cpu
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint as checkpoint_layer

from mova_studio.diffusion.guidance import Velocity
from mova_studio.diffusion.sampling import Expert
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.joint import joint_forward
from mova_studio.network.towers import AudioTower
from mova_studio.training.batch import Batch
from mova_studio.training.folded_text import folded_text
from mova_studio.training.lora import add_adapters
from mova_studio.training.loss import FlowMatchingLoss, flow_matching_loss
from mova_studio.training.low_resource import keep_if_room, load_quantized, put_streamed, take_quantized
from mova_studio.training.noise import Noise
from mova_studio.training.recipe import Recipe

log = logging.getLogger(__name__)
LEARNING = ("video_dit", "video_dit_2", "audio_dit", "dual_tower_bridge")


class JointNetwork(nn.Module):
    """Both experts, the audio tower and the bridge of a checkpoint, set to learn what a recipe says.

    Args:
        checkpoint: in the published layout.
        recipe: its mode, rates, adapter and dtype are looked at.
    """

    def __init__(self, checkpoint: Checkpoint, recipe: Recipe) -> None:
        super().__init__()
        self.scheduler = FlowMatchPairScheduler.from_config(checkpoint.config("scheduler"))
        self.boundary_ratio = checkpoint.boundary_ratio
        dtype: torch.dtype = getattr(torch, recipe.dtype)
        self._full = recipe.mode == "full"
        self.autocast_to = dtype if self._full and dtype != torch.float32 else None
        self._low = recipe.mode == "adapter-low-resource"
        for name in LEARNING:
            if self._low:
                self.add_module(name, load_quantized(checkpoint, name, dtype))
            else:
                self.add_module(name, checkpoint.load(name, None if self._full else dtype))
        streamed = {name: take_quantized(self.get_submodule(name)) for name in LEARNING}
        rates = recipe.learning_rates.model_dump()
        learning = {name: self.get_submodule(name) for name in LEARNING if rates[name]}
        if recipe.adapter is not None:
            add_adapters(learning, recipe.adapter, recipe.seed)
        else:
            for module in learning.values():
                module.requires_grad_(True)
        for name, layers in streamed.items():
            put_streamed(self.get_submodule(name), layers)
        if self.autocast_to is not None:
            for tower in (self.video_dit, self.video_dit_2, self.audio_dit):
                _keep_float32(tower.condition_embedder.time_embedder)  # type: ignore[union-attr, arg-type]
        self._around = partial(checkpoint_layer, use_reentrant=False) if recipe.gradient_checkpointing else None

    def layers(self) -> Iterator[nn.Module]:
        """The blocks of the towers and the conditioners of the bridge: nearly all the weights."""
        bridge: Any = self.dual_tower_bridge
        for part in (self.video_dit, self.video_dit_2, self.audio_dit):
            yield from part.blocks  # type: ignore[union-attr, misc]
        yield from bridge.audio_to_video_conditioners.values()
        yield from bridge.video_to_audio_conditioners.values()

    def learning(self) -> dict[str, nn.Parameter]:
        """What learns, by name."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def place(self, device: torch.device, mesh: DeviceMesh | None = None) -> None:
        """Bring the weights to `device`, layer by layer; must come before the network computes.

        In full training they become float32: a step of 1e-5 is lost between two numbers of bfloat16.

        Args:
            mesh: of the processes, each of which then keeps its share of every layer (FSDP). accelerate's own FSDP is
                for GPUs alone; this is the call that it makes, so that processors can be tested.
        """
        placed: set[nn.Parameter] = set()
        for module in (*self.layers(), self):
            for each in module.parameters():
                if each in placed or isinstance(each, DTensor):
                    continue
                # What learns is copied, for it may be mapped from the checkpoint's own file.
                kind = torch.float32 if self._full else each.dtype
                each.data = each.data.to(device, kind, copy=each.requires_grad)
                placed.add(each)
            if mesh is not None:
                fully_shard(module, mesh=mesh)
        if mesh is None:
            self.to(device)
            if self._low and keep_if_room(self, device):
                log.info("The 8-bit weights stay on %s.", device)
        else:
            register_fsdp_forward_method(self, "predict_velocity")

    def forward(
        self,
        batch: Batch,
        noise: Noise,
        expert: Expert,
        audio_weight: float,
        empty_prompt_embeds: torch.Tensor | None = None,
    ) -> FlowMatchingLoss:
        """The loss of `batch`, see `flow_matching_loss`."""
        device = batch.video_latents.device
        # What gradient checkpointing keeps, a state for every layer: 16 GiB at full size.
        waiting = save_on_cpu(pin_memory=device.type == "cuda") if self._low else nullcontext()
        parts = self._parts(expert)
        # Not on GPUs, whose fastest attention takes no mask; nor where a layer is computed again after the block.
        folds = device.type == "cpu" and self._around is None
        text = (
            folded_text(batch, empty_prompt_embeds, *parts[:2]) if folds else nullcontext((batch, empty_prompt_embeds))
        )
        with self._computing(device), waiting, text as (read, empty):
            return flow_matching_loss(
                *parts,
                self.scheduler,
                read,
                noise,
                audio_weight=audio_weight,
                empty_prompt_embeds=empty,
                around_layer=self._around,
            )

    @torch.no_grad()
    def predict_velocity(
        self,
        video_latents: torch.Tensor,
        audio_latents: torch.Tensor,
        prompt_embeds: torch.Tensor,
        timestep: torch.Tensor,
        audio_timestep: torch.Tensor,
        frame_rate: float,
        expert: Expert,
        **named: Any,
    ) -> Velocity:
        """One pass without gradients; arguments and result as of `joint_forward`, for `diffusion.sampling.sample`."""
        with self._computing(video_latents.device):
            return joint_forward(
                *self._parts(expert),
                video_latents,
                audio_latents,
                prompt_embeds,
                timestep,
                audio_timestep,
                frame_rate,
                **named,
            )

    def _parts(self, expert: Expert) -> tuple[WanTransformer3DModel, AudioTower, Bridge]:
        tower = self.video_dit if expert == "high" else self.video_dit_2
        return cast(Any, (tower, self.audio_dit, self.dual_tower_bridge))

    @contextmanager
    def _computing(self, device: torch.device) -> Iterator[None]:
        with ExitStack() as stack:
            if self.autocast_to is not None:
                stack.enter_context(torch.autocast(device.type, self.autocast_to))
                if device.type == "cpu":
                    # Going back through flash attention in bfloat16 takes a processor ten times as long as products.
                    stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            yield


def _keep_float32(module: nn.Module) -> None:
    """Have `module` compute in float32 under autocast, as the published network does with time."""
    forward = module.forward

    def exact(states: torch.Tensor) -> torch.Tensor:
        with torch.autocast(states.device.type, enabled=False):
            return forward(states)

    module.forward = exact
