"""The three rotary position embeddings of MOVA (paper section 3, "Aligned RoPE").

Both towers turn neighbouring channels (2m, 2m + 1) as complex numbers: the video tower over (t, h, w)
patch indices, the audio tower over the latent index. The bridge turns the first half of a head against
the second half, at positions on one common clock, the audio latents' own, so that a sound and the
picture it belongs to meet at the same angle.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed

MAX_AUDIO_POSITIONS = 16384
VIDEO_TEMPORAL_STRIDE = 4


class RotaryTable(NamedTuple):
    """Cosines and sines in float32, shaped to broadcast over the states that they turn."""

    cos: torch.Tensor
    sin: torch.Tensor


def audio_rotary(length: int, head_dim: int, device: torch.device) -> RotaryTable:
    """The audio tower's table, [1, length, 1, head_dim], for latents 0..length-1.

    Raises:
        ValueError: `length` is above 16384 latents (327 s).
    """
    if length > MAX_AUDIO_POSITIONS:
        raise ValueError(f"{length} audio latents are longer than the {MAX_AUDIO_POSITIONS} positions of the tower")
    cos, sin = get_1d_rotary_pos_embed(
        head_dim, length, use_real=True, repeat_interleave_real=True, freqs_dtype=torch.float64
    )
    return RotaryTable(cos[None, :, None].to(device), sin[None, :, None].to(device))


def aligned_video_positions(
    num_frames: int, frame_rate: float, audio_fps: float, first_frame_bias: bool = False
) -> torch.Tensor:
    """Where each latent frame lies on the audio latents' clock, float32 [num_frames].

    Latent frame f stands for frames 4f-3..4f of the video, so it lies at f * audio_fps / (frame_rate / 4):
    8.333 audio latents per latent frame at 24 fps. With `first_frame_bias`, frame 0, which stands for a
    single frame, counts as one and not as four.
    """
    frames = torch.arange(num_frames, dtype=torch.float32)
    if first_frame_bias:
        seconds = 1.0 / frame_rate + (frames - 1.0) * (VIDEO_TEMPORAL_STRIDE / frame_rate)
        return torch.where(frames == 0, torch.zeros_like(frames), audio_fps * seconds)
    return frames * (audio_fps / (frame_rate / VIDEO_TEMPORAL_STRIDE))


def bridge_inverse_frequencies(head_dim: int) -> torch.Tensor:
    """10000^(-2m / head_dim) for m = 0..head_dim/2-1, float32 whatever the model's dtype is."""
    return 1.0 / (10000.0 ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim))


def bridge_rotary(positions: torch.Tensor, head_dim: int, device: torch.device) -> RotaryTable:
    """The bridge's table for `positions` [L], [1, L, head_dim]: both halves of a head share an angle."""
    angles = torch.outer(positions.float(), bridge_inverse_frequencies(head_dim)).to(device)
    angles = torch.cat([angles, angles], dim=-1)[None]
    return RotaryTable(angles.cos(), angles.sin())


def rotate_halves(states: torch.Tensor, table: RotaryTable) -> torch.Tensor:
    """Turn `states` [B, L, heads, head_dim] by the bridge's table, in the states' own dtype."""
    cos = table.cos.to(states.dtype).unsqueeze(2)
    sin = table.sin.to(states.dtype).unsqueeze(2)
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat([-second, first], dim=-1) * sin


def rotate_pairs(states: torch.Tensor, table: RotaryTable) -> torch.Tensor:
    """Turn neighbouring channels of `states` [B, L, heads, head_dim] by a tower's table, in the table's
    float32; the result has the states' dtype."""
    cosines, sines = table
    cos, sin = cosines[..., 0::2], sines[..., 1::2]
    first, second = states.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.empty_like(states)
    turned[..., 0::2] = first * cos - second * sin
    turned[..., 1::2] = first * sin + second * cos
    return turned
