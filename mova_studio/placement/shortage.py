"""Recognising that memory ran out, and which kind."""

from __future__ import annotations

from typing import Literal

import torch

from mova_studio.errors import MemoryRanOut

Kind = Literal["VRAM", "RAM", "pinned memory", "shared GPU memory"]
# What CUDA, its libraries and PyTorch's CPU allocator say where they raise no class of their own.
_VRAM = ("cuda error: out of memory", "cublas_status_alloc_failed", "cudnn_status_alloc_failed", "hip out of memory")
_RAM = ("defaultcpuallocator", "not enough memory", "cannot allocate memory", "std::bad_alloc")
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError, MemoryRanOut, RuntimeError, OSError)


def what_ran_out(error: BaseException) -> Kind | None:
    """The kind of memory that `error` says ran out; None if it says something else."""
    if isinstance(error, torch.OutOfMemoryError):
        return "VRAM"
    if isinstance(error, MemoryError):
        return "RAM"
    text = str(error).lower()
    if isinstance(error, MemoryRanOut):
        kinds: tuple[Kind, ...] = ("pinned memory", "shared GPU memory")
        return next((kind for kind in kinds if text.startswith(kind.lower())), None)
    if isinstance(error, RuntimeError | OSError):
        if any(sign in text for sign in _VRAM):
            return "VRAM"
        if any(sign in text for sign in _RAM):
            return "RAM"
    return None
