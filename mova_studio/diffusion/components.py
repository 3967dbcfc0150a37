"""A checkpoint's components as one object: loaded, saved, brought to where they compute, run for one pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKLWan, DiffusionPipeline, WanTransformer3DModel
from diffusers.video_processor import VideoProcessor
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.diffusion.adapters import AdapterMixin
from mova_studio.diffusion.guidance import Velocity
from mova_studio.diffusion.loading import load_components
from mova_studio.diffusion.residency import InPlace, Residency
from mova_studio.diffusion.sampling import Expert
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.text import encode_prompts
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import save_checkpoint
from mova_studio.network.joint import joint_forward
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.residual import ResidualCache
from mova_studio.network.towers import AudioTower

Loaded = TypeVar("Loaded", bound="MovaComponents")


class MovaComponents(AdapterMixin, DiffusionPipeline):
    """What a checkpoint of MOVA holds.

    Args:
        video_dit, video_dit_2: the high-noise and the low-noise expert.
        audio_dit, dual_tower_bridge: shared by both experts.
        video_vae, audio_vae, text_encoder, tokenizer, scheduler: as in the published checkpoint.
        boundary_ratio: share of the timesteps under which the low-noise expert takes over.

    Attributes:
        residency: brings components to where they compute; by default each stays where it is.
    """

    def __init__(
        self,
        video_vae: AutoencoderKLWan,
        audio_vae: AutoencoderDAC,
        text_encoder: UMT5EncoderModel,
        tokenizer: PreTrainedTokenizerBase,
        scheduler: FlowMatchPairScheduler,
        video_dit: WanTransformer3DModel,
        video_dit_2: WanTransformer3DModel,
        audio_dit: AudioTower,
        dual_tower_bridge: Bridge,
        boundary_ratio: float = 0.9,
    ) -> None:
        super().__init__()
        self.register_modules(
            video_vae=video_vae,
            audio_vae=audio_vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            scheduler=scheduler,
            video_dit=video_dit,
            video_dit_2=video_dit_2,
            audio_dit=audio_dit,
            dual_tower_bridge=dual_tower_bridge,
        )
        self.register_to_config(boundary_ratio=boundary_ratio)
        self.video_processor = VideoProcessor(vae_scale_factor=video_vae.config.scale_factor_spatial)
        self.residency: Residency = InPlace(self)

    @classmethod
    def from_pretrained(
        cls: type[Loaded],
        pretrained_model_name_or_path: str | Path,
        torch_dtype: torch.dtype | None = None,
        local_files_only: bool = False,
    ) -> Loaded:
        """Load a checkpoint in the published layout, component by component, memory-mapped.

        Args:
            pretrained_model_name_or_path: a folder; a hub id, which is downloaded if it is not on disk; or
                "demo".
            torch_dtype: of the weights; None keeps the stored one. The audio VAE, and the towers' time
                embedding, modulation and norms, stay float32 in any case.
            local_files_only: never download.

        Raises:
            CheckpointError: the checkpoint is wrong, truncated, mixed or absent.
        """
        return cls(**load_components(str(pretrained_model_name_or_path), torch_dtype, local_files_only))

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Write the checkpoint back in the published layout, tensor for tensor as loaded.

        Args:
            save_directory: made if it does not exist.
            kwargs: `max_shard_bytes`, `untrained`, see `save_checkpoint`.
        """
        components = {name: getattr(self, name) for name in COMPONENTS}
        scheduler = {name: value for name, value in self.scheduler.config.items() if not name.startswith("_")}
        save_checkpoint(
            Path(save_directory), components, self.tokenizer, scheduler, self.config.boundary_ratio, **kwargs
        )

    @torch.no_grad()
    def encode_prompt(self, prompt: str | list[str]) -> torch.Tensor:
        """Prompt embeddings [B, 512, text_dim], zeros behind each prompt's last token."""
        prompts = [prompt] if isinstance(prompt, str) else prompt
        with self.residency.use("text_encoder"):
            return encode_prompts(self.text_encoder, self.tokenizer, prompts, self.residency.device)

    @torch.no_grad()
    def predict_velocity(
        self,
        video_latents: torch.Tensor,
        audio_latents: torch.Tensor,
        prompt_embeds: torch.Tensor,
        timestep: torch.Tensor,
        audio_timestep: torch.Tensor | None = None,
        frame_rate: float = 24.0,
        expert: Expert = "high",
        a2v_scale: float = 1.0,
        v2a_scale: float = 1.0,
        on_layer: Callable[[int], None] | None = None,
        cache: ResidualCache | None = None,
    ) -> Velocity:
        """One pass of one expert with the audio tower; arguments and result as in `joint_forward`.

        Args:
            expert: "high" (video_dit) or "low" (video_dit_2).
        """

        def arrive(layer: int) -> None:
            if on_layer is not None:
                on_layer(layer)
            self.residency.arrive(layer)

        tower, *shared = self._tower_names(expert)
        with self.residency.use(tower, *shared):
            self._adapted.bring((tower, *shared), self.residency.device)
            return joint_forward(
                getattr(self, tower),
                self.audio_dit,
                self.dual_tower_bridge,
                video_latents,
                audio_latents,
                prompt_embeds,
                timestep,
                audio_timestep,
                frame_rate,
                a2v_scale,
                v2a_scale,
                arrive,
                cache,
            )

    @staticmethod
    def _tower_names(expert: Expert) -> tuple[str, str, str]:
        return "video_dit" if expert == "high" else "video_dit_2", "audio_dit", "dual_tower_bridge"
