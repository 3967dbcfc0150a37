"""The towers' own block: diffusers' arithmetic, less memory."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock

from benchmarks.live_bytes import LiveBytes
from mova_studio.network.block import TowerBlock
from mova_studio.network.pieces import TOKENS_AT_ONCE, by_heads, by_tokens
from mova_studio.network.rotary import audio_rotary


def blocks(width: int = 96, heads: int = 4, inner: int = 256) -> tuple[WanTransformerBlock, TowerBlock]:
    torch.manual_seed(0)
    theirs = WanTransformerBlock(width, inner, heads, cross_attn_norm=True, eps=1e-6)
    ours = TowerBlock(width, inner, heads, 1e-6)
    ours.load_state_dict(theirs.state_dict())
    return theirs.eval(), ours.eval()


def inputs(tokens: int, batch: int = 2, width: int = 96, heads: int = 4, dtype=torch.float32) -> tuple:
    torch.manual_seed(1)
    return (
        torch.randn(batch, tokens, width, dtype=dtype),
        torch.randn(batch, 7, width, dtype=dtype),
        torch.randn(batch, 6, width),
        audio_rotary(tokens, width // heads, torch.device("cpu")),
    )


@pytest.mark.parametrize("tokens", [5, TOKENS_AT_ONCE + 3])
def test_same_bits_as_diffusers_block(tokens):
    theirs, ours = blocks()
    states = inputs(tokens, batch=1 if tokens > 5 else 2)
    with torch.no_grad():
        assert torch.equal(ours(*states), theirs(*states))


def test_the_feed_forward_layer_in_pieces():
    _, ours = blocks()
    states = inputs(2 * TOKENS_AT_ONCE + 1, batch=1)
    with torch.no_grad():
        whole = ours(*states)
        ours.ffn_chunks = 3
        assert (ours(*states) - whole).abs().max() < 1e-4


def test_gradients_flow_through_it():
    theirs, ours = blocks()
    for block in (theirs, ours):
        block(*inputs(9)).square().sum().backward()
    for ours_parameter, theirs_parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(ours_parameter.grad, theirs_parameter.grad, atol=1e-4)


def test_it_holds_less_than_diffusers_block():
    states = inputs(9_000, batch=1, dtype=torch.bfloat16)
    peaks = []
    for block in blocks():
        block.to(torch.bfloat16)
        with torch.no_grad(), LiveBytes() as live:
            block(*states)
        peaks.append(live.peak)
    assert peaks[1] < 0.8 * peaks[0]


def test_pieces_cover_every_length_once():
    for length in (1, 4, 5, 9):
        states = torch.arange(2 * length * 3).view(2, length, 3).float()
        with torch.no_grad():
            assert torch.equal(by_tokens(lambda x: 2 * x, states, at_once=4), 2 * states)
            assert torch.equal(by_heads(lambda x: x + 1, states[:, None]), states[:, None] + 1)
