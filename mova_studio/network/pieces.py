"""Work on a long sequence a piece at a time, to the same bits: what is done to each token or head by itself
need not be done to all of them at once, and its float32 temporaries then stay small."""

from __future__ import annotations

from collections.abc import Callable

import torch

TOKENS_AT_ONCE = 4096
HEADS_AT_ONCE = 4


def by_tokens(work: Callable[..., torch.Tensor], *states: torch.Tensor, at_once: int = TOKENS_AT_ONCE) -> torch.Tensor:
    """`work(*states)` for states [B, L, ...], `at_once` tokens at a time; `work` must treat tokens alone."""
    return _piecewise(work, 1, at_once, *states)


def by_heads(work: Callable[..., torch.Tensor], *states: torch.Tensor) -> torch.Tensor:
    """`work(*states)` for states [B, L, heads, head_dim], a few heads at a time."""
    return _piecewise(work, 2, HEADS_AT_ONCE, *states)


def _piecewise(work: Callable[..., torch.Tensor], axis: int, at_once: int, *states: torch.Tensor) -> torch.Tensor:
    """Gradients keep every temporary alive anyway, so training takes the short way."""
    length = states[0].shape[axis]
    if length <= at_once or torch.is_grad_enabled():
        return work(*states)
    whole: torch.Tensor | None = None
    for start in range(0, length, at_once):
        size = min(at_once, length - start)
        piece = work(*(state.narrow(axis, start, size) for state in states))
        if whole is None:
            whole = piece.new_empty((*piece.shape[:axis], length, *piece.shape[axis + 1 :]))
        whole.narrow(axis, start, size).copy_(piece)
        del piece
    assert whole is not None
    return whole
