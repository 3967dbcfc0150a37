"""What a step cache keeps of a joint forward: the residual of both token streams, from `enter` to `leave`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import torch

from mova_studio.network.towers import Stream, Tower

TokenPair: TypeAlias = tuple[torch.Tensor, torch.Tensor]
PROBE_TOKENS = 256


class ResidualCache(Protocol):
    """What `joint_forward` asks of a cache, once a pass."""

    def reuse(self, probe: Callable[[], TokenPair]) -> TokenPair | None:
        """Residuals to add in place of running the layers, or None to run them.

        Args:
            probe: gives `first_block_input` of the video and the audio tower for this pass.

        Returns:
            Residuals of the video tokens [B, Lv, Dv] and the audio tokens [B, La, Da] in the streams' dtype.
        """

    def keep(self, residuals: TokenPair) -> None:
        """Residuals of a pass that ran, as `reuse` gives them back later. The tensors are the cache's own."""


def first_block_input(tower: Tower, stream: Stream) -> torch.Tensor:
    """The time-modulated input of the tower's first block, on at most 256 tokens evenly strided: float32
    [B, n, D], norm1(hidden) * (1 + scale) + shift.

    It depends on latents and timestep and not on the text, so that all guidance passes of a step share it.
    """
    block: Any = tower.blocks[0]
    hidden = stream.hidden[:, :: _stride(stream.hidden.shape[1])].float()
    # Neither the block nor its norm is called: a call would set an offloaded block's weights in motion.
    table = block.scale_shift_table.to(stream.time_mod.device)
    shift, scale = (table + stream.time_mod.float())[:, :2].chunk(2, dim=1)
    return torch.nn.functional.layer_norm(hidden, hidden.shape[-1:], eps=block.norm1.eps) * (1 + scale) + shift


def cache_bytes(
    video_tokens: int,
    audio_tokens: int,
    video_dim: int,
    audio_dim: int,
    passes: int = 2,
    batch: int = 1,
    dtype: torch.dtype = torch.bfloat16,
) -> int:
    """Bytes that a step cache holds between two steps.

    Args:
        video_tokens, audio_tokens: Lv = t * h * w patches (43,120 at 640x352 and 193 frames) and La latents (403).
        video_dim, audio_dim: widths of the towers (5120, 1536).
        passes: guidance passes of a step, each with residuals of its own.
        batch: takes made at once.
        dtype: of the token streams, which is that of the towers' patch embedding.
    """
    residuals = passes * (video_tokens * video_dim + audio_tokens * audio_dim) * dtype.itemsize
    probes = _probed(video_tokens) * video_dim + _probed(audio_tokens) * audio_dim
    return batch * (residuals + probes * torch.float32.itemsize)


def _stride(tokens: int) -> int:
    return -(-tokens // PROBE_TOKENS)


def _probed(tokens: int) -> int:
    return len(range(0, tokens, _stride(tokens)))
