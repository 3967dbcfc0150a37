"""The bridge: cross-attention between the towers, both ways, before the blocks (paper section 3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin, AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from mova_studio.network.pieces import by_heads, by_tokens
from mova_studio.network.rotary import RotaryTable, aligned_video_positions, bridge_rotary, rotate_halves

INTERACTION_STRATEGIES = ("full", "shallow_focus", "distributed", "progressive", "custom")


def interaction_layers(strategy: str, num_layers: int) -> tuple[int, ...]:
    """The layers in front of which the bridge acts; `num_layers` is the shorter tower's depth.

    Raises:
        ValueError: the strategy is unknown.
    """
    if strategy == "full":
        return tuple(range(num_layers))
    if strategy == "shallow_focus":
        return tuple(range(min(10, num_layers // 3)))
    if strategy == "distributed":
        return tuple(range(0, num_layers, 3))
    if strategy == "progressive":
        return (*range(min(8, num_layers)), *range(8, num_layers, 3))
    if strategy == "custom":
        return tuple(layer for layer in (0, 2, 4, 6, 8, 12, 16, 20) if layer < num_layers)
    raise ValueError(f"interaction strategy {strategy!r} is not one of {', '.join(INTERACTION_STRATEGIES)}")


class BridgeAttnProcessor:
    """Plain attention through diffusers' dispatcher, so that attention backends reach the bridge too."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: BridgeAttention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        query_rotary: RotaryTable | None,
        key_rotary: RotaryTable | None,
    ) -> torch.Tensor:
        query = by_tokens(attn.norm_q, attn.q(hidden_states)).unflatten(2, (attn.heads, -1))
        key = by_tokens(attn.norm_k, attn.k(encoder_hidden_states)).unflatten(2, (attn.heads, -1))
        value = attn.v(encoder_hidden_states).unflatten(2, (attn.heads, -1))
        if query_rotary is not None and key_rotary is not None:
            query = by_heads(partial(rotate_halves, table=query_rotary), query)
            key = by_heads(partial(rotate_halves, table=key_rotary), key)
        attended = dispatch_attention_fn(query, key, value, backend=self._attention_backend)
        return attn.o(attended.flatten(2, 3).type_as(hidden_states))


class BridgeAttention(nn.Module, AttentionModuleMixin):
    """Attention from tokens of width `dim` to tokens of width `cross_dim`; q and k are RMS-normalised
    over the whole width, before the heads are split."""

    processor: BridgeAttnProcessor
    set_processor: Callable[[BridgeAttnProcessor], None]

    _default_processor_cls = BridgeAttnProcessor
    _available_processors = (BridgeAttnProcessor,)

    def __init__(self, dim: int, cross_dim: int, head_dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.heads = dim // head_dim
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(cross_dim, dim)
        self.v = nn.Linear(cross_dim, dim)
        self.o = nn.Linear(dim, dim)
        self.norm_q = nn.RMSNorm(dim, eps=eps)
        self.norm_k = nn.RMSNorm(dim, eps=eps)
        self.set_processor(BridgeAttnProcessor())

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        query_rotary: RotaryTable | None = None,
        key_rotary: RotaryTable | None = None,
    ) -> torch.Tensor:
        return self.processor(self, hidden_states, encoder_hidden_states, query_rotary, key_rotary)


class Conditioner(nn.Module):
    """What one tower hears from the other in front of one layer. Only the source is normalised."""

    def __init__(self, dim: int, cross_dim: int, head_dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.y_norm = nn.LayerNorm(cross_dim, eps=eps)
        self.inner = BridgeAttention(dim, cross_dim, head_dim, eps)

    def forward(
        self,
        hidden_states: torch.Tensor,
        source: torch.Tensor,
        query_rotary: RotaryTable | None = None,
        key_rotary: RotaryTable | None = None,
    ) -> torch.Tensor:
        """`hidden_states` [B, L, dim], `source` [B, S, cross_dim] -> the residual to add, [B, L, dim]."""
        return self.inner(hidden_states, self.y_norm(source), query_rotary, key_rotary)


class Bridge(ModelMixin, ConfigMixin, PeftAdapterMixin, AttentionMixin):
    """All conditioners of both directions, and the clock that they share.

    Args:
        visual_layers, audio_layers: depths of the towers (40, 30 in the release).
        visual_hidden_dim, audio_hidden_dim: widths of the towers (5120, 1536).
        audio_fps: audio latents per second (50).
        head_dim: channels of a head (128).
        interaction_strategy: where the bridge acts, see `interaction_layers` ("full").
        apply_cross_rope: turn queries and keys by Aligned RoPE (on).
        apply_first_frame_bias_in_rope: see `aligned_video_positions` (off).
        trainable_condition_scale: own a learned scale, used where a call gives none (off).
    """

    _skip_layerwise_casting_patterns = ("norm",)
    _no_split_modules = ("Conditioner",)
    _repeated_blocks = ("Conditioner",)

    @register_to_config
    def __init__(
        self,
        visual_layers: int = 40,
        audio_layers: int = 30,
        visual_hidden_dim: int = 5120,
        audio_hidden_dim: int = 1536,
        audio_fps: float = 50.0,
        head_dim: int = 128,
        interaction_strategy: str = "full",
        apply_cross_rope: bool = True,
        apply_first_frame_bias_in_rope: bool = False,
        trainable_condition_scale: bool = False,
    ) -> None:
        super().__init__()
        layers = interaction_layers(interaction_strategy, min(visual_layers, audio_layers))
        self.audio_to_video_conditioners = nn.ModuleDict(
            {str(layer): Conditioner(visual_hidden_dim, audio_hidden_dim, head_dim) for layer in layers}
        )
        self.video_to_audio_conditioners = nn.ModuleDict(
            {str(layer): Conditioner(audio_hidden_dim, visual_hidden_dim, head_dim) for layer in layers}
        )
        if trainable_condition_scale:
            self.condition_scale = nn.Parameter(torch.ones(1))

    def rotary(
        self, video_grid: tuple[int, int, int], audio_length: int, frame_rate: float, device: torch.device
    ) -> tuple[RotaryTable, RotaryTable] | tuple[None, None]:
        """Tables for the video tokens [1, t*h*w, head_dim] and the audio tokens [1, audio_length, head_dim].

        All h*w tokens of a latent frame share its position in time.
        """
        if not self.config.apply_cross_rope:
            return None, None
        frames, height, width = video_grid
        positions = aligned_video_positions(
            frames, frame_rate, self.config.audio_fps, self.config.apply_first_frame_bias_in_rope
        )
        video = bridge_rotary(positions.repeat_interleave(height * width), self.config.head_dim, device)
        audio = bridge_rotary(torch.arange(audio_length), self.config.head_dim, device)
        return video, audio

    def forward(
        self,
        layer: int,
        video: torch.Tensor,
        audio: torch.Tensor,
        rotary: tuple[RotaryTable, RotaryTable] | tuple[None, None] = (None, None),
        a2v_scale: float | None = None,
        v2a_scale: float | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Couple the towers in front of `layer`; both directions read the same incoming states.

        Args:
            layer: index of the blocks that follow.
            video: [B, Lv, Dv] tokens.
            audio: [B, La, Da] tokens.
            rotary: what `rotary` returned.
            a2v_scale, v2a_scale: strength of each direction; 0 leaves its tower bit for bit alone and
                costs nothing. None takes the learned scale, or 1 where there is none.

        Returns:
            The new video and audio tokens. At a layer without conditioners, the ones that came.
        """
        name = str(layer)
        if name not in self.audio_to_video_conditioners:
            return video, audio
        learned = getattr(self, "condition_scale", 1.0)
        a2v_scale = learned if a2v_scale is None else a2v_scale
        v2a_scale = learned if v2a_scale is None else v2a_scale
        on_video, on_audio = rotary
        new_video, new_audio = video, audio
        if isinstance(a2v_scale, torch.Tensor) or a2v_scale != 0:
            heard = self.audio_to_video_conditioners[name](video, audio, on_video, on_audio)
            new_video = video + a2v_scale * heard
        if isinstance(v2a_scale, torch.Tensor) or v2a_scale != 0:
            seen = self.video_to_audio_conditioners[name](audio, video, on_audio, on_video)
            new_audio = audio + v2a_scale * seen
        return new_video, new_audio
