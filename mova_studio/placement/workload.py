"""How much work one pass of the joint forward is: tokens, operations, and bytes that it holds meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from mova_studio.network.bridge import interaction_layers
from mova_studio.network.residual import cache_bytes
from mova_studio.placement.request import Request
from mova_studio.placement.sizes import CheckpointSizes

VAE_STRIDE = 8
TEXT_TOKENS = 512


@dataclass(frozen=True)
class Workload:
    """Sizes of one pass for one take.

    Attributes:
        video_tokens, audio_tokens: lengths of the towers' sequences (43,120 and 403 at 640x352, 193 frames).
        video_dim, video_ffn, video_layers, head_dim: of the video tower.
        audio_dim, audio_ffn, audio_layers: of the audio tower.
        bridged_layers: layers in front of which the bridge acts.
    """

    video_tokens: int
    audio_tokens: int
    video_dim: int
    video_ffn: int
    video_layers: int
    head_dim: int
    audio_dim: int
    audio_ffn: int
    audio_layers: int
    bridged_layers: int

    @classmethod
    def of(cls, sizes: CheckpointSizes, request: Request) -> Workload:
        """What `request` means for the checkpoint."""
        video, audio, bridge = (sizes.configs[name] for name in ("video_dit", "audio_dit", "dual_tower_bridge"))
        vae = sizes.configs["audio_vae"]
        patch = math.prod(video["patch_size"][1:])
        samples = int(vae["sample_rate"] * request.seconds)
        hop = math.prod(vae["encoder_rates"])
        pixels = (request.height // VAE_STRIDE) * (request.width // VAE_STRIDE)
        layers = min(video["num_layers"], audio["num_layers"])
        return cls(
            video_tokens=request.latent_frames * pixels // patch,
            audio_tokens=max(1, -(-samples // hop)),
            video_dim=video["dim"],
            video_ffn=video["ffn_dim"],
            video_layers=video["num_layers"],
            head_dim=video["dim"] // video["num_heads"],
            audio_dim=audio["dim"],
            audio_ffn=audio["ffn_dim"],
            audio_layers=audio["num_layers"],
            bridged_layers=len(interaction_layers(bridge.get("interaction_strategy", "full"), layers)),
        )

    def matmul_flops(self, bridged: bool = True) -> float:
        """Operations of all layers' matrix products in one pass; two for a multiplication and its sum."""
        total = _tower_matmuls(self.video_tokens, self.video_dim, self.video_ffn, self.video_layers)
        total += _tower_matmuls(self.audio_tokens, self.audio_dim, self.audio_ffn, self.audio_layers)
        if bridged:
            total += self.bridged_layers * (
                _conditioner_matmuls(self.video_tokens, self.video_dim, self.audio_tokens, self.audio_dim)
                + _conditioner_matmuls(self.audio_tokens, self.audio_dim, self.video_tokens, self.video_dim)
            )
        return total

    def attention_flops(self, bridged: bool = True) -> float:
        """Operations of all attention calls in one pass."""
        total = 0.0
        for tokens, dim, layers in (
            (self.video_tokens, self.video_dim, self.video_layers),
            (self.audio_tokens, self.audio_dim, self.audio_layers),
        ):
            total += layers * 4.0 * tokens * (tokens + TEXT_TOKENS) * dim
        if bridged:
            pairs = self.video_tokens * self.audio_tokens
            total += self.bridged_layers * 4.0 * pairs * (self.video_dim + self.audio_dim)
        return total

    def state_bytes(self, element: int) -> int:
        """One state of the video tower: all tokens, full width."""
        return self.video_tokens * self.video_dim * element

    def activation_bytes(self, element: int, ffn_chunks: int, samples: int = 1) -> int:
        """Peak bytes of one pass beside the weights; tests count it op by op.

        Two moments compete: self-attention (the layer's input, its normalised form, query, key and value, one
        product) and the feed-forward layer (input and output, and per piece the normalised tokens and twice
        the inner width).
        """
        state = self.state_bytes(element)
        inner = 1 + 2 * self.video_ffn / self.video_dim
        ffn = (3 if ffn_chunks > 1 else 2) + inner / ffn_chunks
        tables = 4 * self.video_tokens * self.head_dim * 4
        latents = self.video_tokens * 4 * 4 * (36 + 16 + 20 + 4 * 16)
        return samples * int(max(6.05, ffn) * state + latents) + tables

    def cache_bytes(self, passes: int, batch_size: int, element: int) -> int:
        """What the step cache holds between steps."""
        return cache_bytes(
            self.video_tokens,
            self.audio_tokens,
            self.video_dim,
            self.audio_dim,
            passes,
            batch_size,
            torch.bfloat16 if element == 2 else torch.float32,
        )


def _tower_matmuls(tokens: int, dim: int, ffn: int, layers: int) -> float:
    own = 6 * dim * dim + 2 * dim * ffn
    return layers * 2.0 * (tokens * own + TEXT_TOKENS * 2 * dim * dim)


def _conditioner_matmuls(tokens: int, dim: int, source_tokens: int, source_dim: int) -> float:
    return 2.0 * (tokens * 2 * dim * dim + source_tokens * 2 * dim * source_dim)
