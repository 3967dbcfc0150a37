"""The two kinds of tower. A video expert is diffusers' own Wan transformer with the layers of `block.py`; the
audio tower is built of the same layers over a one-dimensional sequence, so that the joint forward treats both
alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from diffusers import WanTransformer3DModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.normalization import FP32LayerNorm
from diffusers.models.transformers.transformer_wan import WanTimeTextImageEmbedding
from torch import nn

from mova_studio.network.block import TowerBlock, use_tower_blocks
from mova_studio.network.pieces import by_tokens
from mova_studio.network.rotary import RotaryTable, audio_rotary


class SinusoidalTimesteps(nn.Module):
    """Sinusoid of a timestep on the 0..1000 scale: cosines, then sines, of t * 10000^(-k/half).

    Angles are computed in float64: at t = 900 a float32 product is already wrong in the fifth decimal.

    Args:
        num_channels: width of the embedding, even.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.num_channels = num_channels

    def forward(self, timesteps: torch.Tensor) -> torch.Tensor:
        """`timesteps` [B] -> float32 [B, num_channels]."""
        half = self.num_channels // 2
        # Apple's GPUs have no float64; a handful of numbers can be computed beside them.
        device = torch.device("cpu") if timesteps.device.type == "mps" else timesteps.device
        exponent = torch.arange(half, dtype=torch.float64, device=device) / -half
        angles = torch.outer(timesteps.to(device).double(), torch.pow(10000.0, exponent))
        return torch.cat([angles.cos(), angles.sin()], dim=-1).float().to(timesteps.device)


def build_video_tower(**config: object) -> WanTransformer3DModel:
    """A video expert: diffusers' Wan transformer, with the float64 sinusoid of the published network."""
    tower = WanTransformer3DModel(**config)
    tower.condition_embedder.timesteps_proj = SinusoidalTimesteps(tower.config.freq_dim)
    use_tower_blocks(tower)
    return tower


class AudioTower(ModelMixin, ConfigMixin, PeftAdapterMixin, AttentionMixin):
    """The audio tower: Wan blocks over audio latents, one token per latent.

    Args:
        num_attention_heads: heads of self- and cross-attention (12 in the release).
        attention_head_dim: channels of a head (128).
        in_channels, out_channels: channels of the audio VAE's latents (128).
        text_dim: width of the text encoder (4096).
        freq_dim: width of the time sinusoid (256).
        ffn_dim: inner width of the feed-forward layer (8960).
        num_layers: blocks (30).
        patch_size: latents per token, (1,).
        eps: of every normalisation (1e-6).
    """

    _supports_gradient_checkpointing = False
    _skip_layerwise_casting_patterns = ("patch_embedding", "condition_embedder", "norm")
    _no_split_modules = ("TowerBlock",)
    _keep_in_fp32_modules = ("time_embedder", "scale_shift_table", "norm1", "norm2", "norm3")
    _repeated_blocks = ("TowerBlock",)

    @register_to_config
    def __init__(
        self,
        num_attention_heads: int = 12,
        attention_head_dim: int = 128,
        in_channels: int = 128,
        out_channels: int = 128,
        text_dim: int = 4096,
        freq_dim: int = 256,
        ffn_dim: int = 8960,
        num_layers: int = 30,
        patch_size: tuple[int, ...] = (1,),
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        dim = num_attention_heads * attention_head_dim
        self.patch_embedding = nn.Conv1d(in_channels, dim, kernel_size=patch_size[0], stride=patch_size[0])
        self.condition_embedder = WanTimeTextImageEmbedding(
            dim=dim, time_freq_dim=freq_dim, time_proj_dim=dim * 6, text_embed_dim=text_dim
        )
        self.condition_embedder.timesteps_proj = SinusoidalTimesteps(freq_dim)
        self.blocks = nn.ModuleList(TowerBlock(dim, ffn_dim, num_attention_heads, eps) for _ in range(num_layers))
        self.norm_out = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.proj_out = nn.Linear(dim, out_channels * math.prod(patch_size))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, dim) / dim**0.5)

    def rope(self, latents: torch.Tensor) -> RotaryTable:
        """Rotary table for `latents` [B, C, L]: [1, L / patch, 1, head_dim]."""
        length = latents.shape[-1] // self.config.patch_size[0]
        return audio_rotary(length, self.config.attention_head_dim, latents.device)

    def forward(self, latents: torch.Tensor, timestep: torch.Tensor, prompt_embeds: torch.Tensor) -> torch.Tensor:
        """The tower alone, without picture: `latents` [B, C, L], `timestep` [B], `prompt_embeds`
        [B, 512, text_dim] -> velocity [B, C, L]."""
        stream = enter(self, latents, timestep, prompt_embeds)
        for block in self.blocks:
            stream.advance(block)
        return leave(self, stream)


Tower: TypeAlias = WanTransformer3DModel | AudioTower


@dataclass
class Stream:
    """One tower's tokens on their way through the joint forward.

    Attributes:
        hidden: [B, L, D] tokens.
        context: [B, 512, D] text states in the tower's width.
        temb: [B, D] time embedding, for the head.
        time_mod: [B, 6, D] modulation, for the blocks.
        rotary: cosines and sines of the tower's own positions.
        grid: tokens along each axis, (t, h, w) or (length,).
    """

    hidden: torch.Tensor
    context: torch.Tensor
    temb: torch.Tensor
    time_mod: torch.Tensor
    rotary: RotaryTable
    grid: tuple[int, ...]

    def advance(self, block: nn.Module) -> None:
        self.hidden = block(self.hidden, self.context, self.time_mod, self.rotary)


def enter(tower: Tower, latents: torch.Tensor, timestep: torch.Tensor, prompt_embeds: torch.Tensor) -> Stream:
    """Patchify `latents` [B, C, *axes] and embed time [B] and text [B, 512, text_dim] for `tower`."""
    dtype = tower.patch_embedding.weight.dtype
    latents = latents.to(dtype)
    patches = tower.patch_embedding(latents)
    temb, time_mod, context, _ = tower.condition_embedder(timestep, prompt_embeds.to(dtype))
    return Stream(
        hidden=patches.flatten(2).transpose(1, 2).contiguous(),
        context=context,
        temb=temb,
        time_mod=time_mod.unflatten(1, (6, -1)),
        rotary=RotaryTable(*tower.rope(latents)),
        grid=tuple(patches.shape[2:]),
    )


def leave(tower: Tower, stream: Stream) -> torch.Tensor:
    """The head and unpatchify: tokens -> velocity [B, C, *axes] in float32."""
    shift, scale = (tower.scale_shift_table + stream.temb.unsqueeze(1)).chunk(2, dim=1)

    def head(hidden: torch.Tensor) -> torch.Tensor:
        return tower.proj_out((tower.norm_out(hidden.float()) * (1 + scale) + shift).type_as(hidden))

    return unpatchify(by_tokens(head, stream.hidden), stream.grid, tower.config.patch_size).float()


def unpatchify(tokens: torch.Tensor, grid: tuple[int, ...], patch_size: tuple[int, ...]) -> torch.Tensor:
    """[B, prod(grid), prod(patch) * C], channel fastest -> [B, C, grid * patch]."""
    axes = len(grid)
    patches = tokens.unflatten(1, grid).unflatten(-1, (*patch_size, -1))
    order = [0, 2 * axes + 1] + [
        axis for pair in zip(range(1, axes + 1), range(axes + 1, 2 * axes + 1), strict=True) for axis in pair
    ]
    patches = patches.permute(order)
    return patches.reshape(*patches.shape[:2], *(g * p for g, p in zip(grid, patch_size, strict=True)))
