"""The text's empty rows computed once: the same numbers at half the work where captions are short.

Both towers read 512 rows of text, and behind a short caption's last token they are all zero. Equal rows have equal
keys and values, so that one of them with the logarithm of their number on its attention logits stands for all:
exp(log n + x) is n exp(x). At the demo's sizes the 512 rows are otherwise most of the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from mova_studio.network.attention import TowerAttnProcessor
from mova_studio.training.batch import PROMPT_TOKENS, Batch


class FoldedTextProcessor(TowerAttnProcessor):
    """Cross-attention to text of which the last row stands for many.

    Args:
        rows: of the text, the standing one included.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: Any = None,
    ) -> torch.Tensor:
        many = torch.zeros(1, 1, 1, self._rows, dtype=hidden_states.dtype, device=hidden_states.device)
        many[..., -1] = math.log(PROMPT_TOKENS - self._rows + 1)
        return super().__call__(attn, hidden_states, encoder_hidden_states, many, rotary_emb)


@contextmanager
def folded_text(
    batch: Batch, empty_prompt_embeds: torch.Tensor | None, *towers: nn.Module
) -> Iterator[tuple[Batch, torch.Tensor | None]]:
    """The batch and the empty prompt with as few rows as hold their tokens, for `towers` inside the block.

    Args:
        batch: with prompt_embeds [B, 512, text_dim].
        empty_prompt_embeds: [512, text_dim], if there are any.
        towers: that read the text.
    """
    used = batch.prompt_embeds.abs().amax(dim=(0, 2))
    if empty_prompt_embeds is not None:
        used = used + empty_prompt_embeds.abs().amax(dim=1)
    rows = min(int(used.nonzero().max()) + 2, PROMPT_TOKENS) if bool(used.any()) else 1
    empty = None if empty_prompt_embeds is None else empty_prompt_embeds[:rows]
    attentions = [block.attn2 for tower in towers for block in tower.blocks]  # type: ignore[union-attr]
    before = [attention.processor for attention in attentions]
    for attention in attentions:
        attention.set_processor(FoldedTextProcessor(rows))
    try:
        yield replace(batch, prompt_embeds=batch.prompt_embeds[:, :rows]), empty
    finally:
        for attention, processor in zip(attentions, before, strict=True):
            attention.set_processor(processor)
