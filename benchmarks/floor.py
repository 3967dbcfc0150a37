"""The least that one pass can take: its matrix products and attention calls alone, timed bare."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch

from mova_studio.placement.workload import TEXT_TOKENS, Workload

Product = tuple[int, int, int]


def products(work: Workload) -> dict[Product, int]:
    """(rows, in, out) of every linear layer of one pass, with how often it occurs."""
    video, audio = (work.video_tokens, work.video_dim), (work.audio_tokens, work.audio_dim)
    found: dict[Product, int] = {}

    def add(rows: int, into: int, out: int, times: int) -> None:
        found[rows, into, out] = found.get((rows, into, out), 0) + times

    for (tokens, dim), inner, layers in (
        (video, work.video_ffn, work.video_layers),
        (audio, work.audio_ffn, work.audio_layers),
    ):
        add(tokens, dim, dim, 6 * layers)
        add(TEXT_TOKENS, dim, dim, 2 * layers)
        add(tokens, dim, inner, layers)
        add(tokens, inner, dim, layers)
    for (tokens, dim), (source, source_dim) in ((video, audio), (audio, video)):
        add(tokens, dim, dim, 2 * work.bridged_layers)
        add(source, source_dim, dim, 2 * work.bridged_layers)
    return found


def attentions(work: Workload) -> dict[tuple[int, int, int], int]:
    """(queries, keys, width) of every attention call of one pass, with how often it occurs."""
    return {
        (work.video_tokens, work.video_tokens, work.video_dim): work.video_layers,
        (work.video_tokens, TEXT_TOKENS, work.video_dim): work.video_layers,
        (work.audio_tokens, work.audio_tokens, work.audio_dim): work.audio_layers,
        (work.audio_tokens, TEXT_TOKENS, work.audio_dim): work.audio_layers,
        (work.video_tokens, work.audio_tokens, work.video_dim): work.bridged_layers,
        (work.audio_tokens, work.video_tokens, work.audio_dim): work.bridged_layers,
    }


@torch.no_grad()
def floor_seconds(work: Workload, device: torch.device, dtype: torch.dtype, repeats: int = 3) -> dict[str, float]:
    """Seconds of one pass's matrix products and attention calls, on random numbers."""
    matmul = sum(
        times * _time(partial(_product, *shape, device, dtype), repeats) for shape, times in products(work).items()
    )
    attention = sum(
        times * _time(partial(_attention, *shape, work.head_dim, device, dtype), repeats)
        for shape, times in attentions(work).items()
    )
    return {"matmul": matmul, "attention": attention, "total": matmul + attention}


def _product(rows: int, into: int, out: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    states, weight = (torch.randn(*shape, device=device, dtype=dtype) for shape in ((rows, into), (out, into)))
    bias = torch.randn(out, device=device, dtype=dtype)
    return lambda: torch.nn.functional.linear(states, weight, bias)


def _attention(
    queries: int, keys: int, width: int, head_dim: int, device: torch.device, dtype: torch.dtype
) -> Callable[[], object]:
    heads = max(1, width // head_dim)
    query = torch.randn(1, heads, queries, head_dim, device=device, dtype=dtype)
    key, value = (torch.randn(1, heads, keys, head_dim, device=device, dtype=dtype) for _ in range(2))
    return lambda: torch.nn.functional.scaled_dot_product_attention(query, key, value)


def _time(prepare: Callable[[], Callable[[], object]], repeats: int) -> float:
    """Median seconds of a call after one that does not count."""
    run, seconds = prepare(), []
    for number in range(repeats + 1):
        begun = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if number:
            seconds.append(time.perf_counter() - begun)
    return sorted(seconds)[len(seconds) // 2]
