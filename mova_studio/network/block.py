"""One layer of a tower: diffusers' Wan block with everything that treats tokens alone done a piece at a time.

Beside its input, at 43,120 tokens of width 5,120 in bfloat16, diffusers' own forward holds ten states at once
(4.1 GiB), this one 7.4, and 5.2 with its feed-forward layer in two pieces. The arithmetic is the same.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from torch import nn

from mova_studio.network.attention import TowerAttnProcessor
from mova_studio.network.pieces import TOKENS_AT_ONCE, by_tokens
from mova_studio.network.rotary import RotaryTable


class TowerBlock(WanTransformerBlock):
    """A block of either tower, with the parameters of `WanTransformerBlock`.

    Attributes:
        ffn_chunks: pieces in which the feed-forward layer runs; 1 is all tokens at once. More pieces hold
            less memory; the matrix products then differ in their last bits.
    """

    def __init__(self, dim: int, ffn_dim: int, num_heads: int, eps: float = 1e-6) -> None:
        super().__init__(dim, ffn_dim, num_heads, cross_attn_norm=True, eps=eps)
        self._set_up()

    def _set_up(self) -> None:
        self.ffn_chunks = 1
        for attention in (self.attn1, self.attn2):
            attention.set_processor(TowerAttnProcessor())

    @classmethod
    def adopt(cls, block: WanTransformerBlock) -> None:
        """Make `block`, with all its parameters, one of this class."""
        block.__class__ = cls
        block._set_up()

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        temb: torch.Tensor,
        rotary_emb: RotaryTable,
    ) -> torch.Tensor:
        """Self-attention, cross-attention, feed-forward.

        Args:
            hidden_states: [B, L, D] tokens.
            encoder_hidden_states: [B, S, D] text states.
            temb: [B, 6, D]: shift, scale and gate of the attention, then of the feed-forward layer.
            rotary_emb: of the tokens' positions.

        Returns:
            [B, L, D] tokens.
        """
        shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = (self.scale_shift_table + temb.float()).chunk(6, dim=1)

        normed = by_tokens(lambda x: _modulated(self.norm1, x, shift, scale), hidden_states)
        attended = self.attn1(normed, None, None, rotary_emb)
        del normed
        hidden_states = by_tokens(lambda x, y: (x.float() + y * gate).type_as(x), hidden_states, attended)
        del attended

        normed = by_tokens(lambda x: self.norm2(x.float()).type_as(x), hidden_states)
        hidden_states = hidden_states + self.attn2(normed, encoder_hidden_states, None, None)
        del normed

        def feed_forward(x: torch.Tensor) -> torch.Tensor:
            fed = self.ffn(by_tokens(lambda piece: _modulated(self.norm3, piece, ffn_shift, ffn_scale), x))
            return by_tokens(lambda piece, y: (piece.float() + y.float() * ffn_gate).type_as(piece), x, fed)

        tokens = hidden_states.shape[1]
        return by_tokens(feed_forward, hidden_states, at_once=max(TOKENS_AT_ONCE, -(-tokens // self.ffn_chunks)))


def _modulated(norm: nn.Module, states: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (norm(states.float()) * (1 + scale) + shift).type_as(states)


def use_tower_blocks(tower: Any) -> None:
    """Make a Wan transformer's layers `TowerBlock`s. They are not drawn anew: a seed goes on to mean the same
    weights."""
    for block in tower.blocks:
        TowerBlock.adopt(block)
    tower._repeated_blocks = tower._no_split_modules = (TowerBlock.__name__,)
