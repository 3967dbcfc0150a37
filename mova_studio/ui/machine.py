"""What the page says of the machine, read without the network's libraries."""

from __future__ import annotations

import os
from functools import cache

from mova_studio.ui.catalogue import say


@cache
def gpu_name() -> str | None:
    """Name and memory of the first NVIDIA GPU by its driver, or None."""
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            name = pynvml.nvmlDeviceGetName(handle)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total / 2**30
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # noqa: BLE001 - no library, no driver, no GPU: all the same to the page
        return None
    text = name.decode() if isinstance(name, bytes) else name
    return f"{text.removeprefix('NVIDIA ').removeprefix('GeForce ')} {memory:.0f} GB"


def machine_words(language: str) -> str:
    """ "RTX 4090 24 GB", or "CPU, 8 cores"."""
    return gpu_name() or say(language, "header.cpu", cores=os.cpu_count() or 1)
