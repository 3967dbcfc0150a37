"""Attention of the towers' blocks: the arithmetic of diffusers' Wan processor with a smaller peak.

Queries and keys are turned a few heads at a time, so that no full-size float32 copy of them ever exists.
"""

from __future__ import annotations

from functools import partial

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan import WanAttention

from mova_studio.network.pieces import by_heads, by_tokens
from mova_studio.network.rotary import RotaryTable, rotate_pairs


class TowerAttnProcessor:
    """Self- and cross-attention of a block, for `WanAttention.set_processor`."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: RotaryTable | None = None,
    ) -> torch.Tensor:
        """`hidden_states` [B, L, D] attend to `encoder_hidden_states` [B, S, D], or to themselves."""
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = by_tokens(attn.norm_q, attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        if rotary_emb is not None:
            query = by_heads(partial(rotate_pairs, table=rotary_emb), query)
        key = by_tokens(attn.norm_k, attn.to_k(source)).unflatten(2, (attn.heads, -1))
        if rotary_emb is not None:
            key = by_heads(partial(rotate_pairs, table=rotary_emb), key)
        value = attn.to_v(source).unflatten(2, (attn.heads, -1))
        attended = dispatch_attention_fn(query, key, value, attn_mask=attention_mask, backend=self._attention_backend)
        del query, key, value
        return attn.to_out[1](attn.to_out[0](attended.flatten(2, 3).type_as(hidden_states)))
