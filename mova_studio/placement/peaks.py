"""How much memory a stage really took."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import torch

from mova_studio.placement.plan import StageMemory

_RESET_PEAK = "5"
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMeter:
    """Peaks between `start` and `read`: VRAM as the allocator reserved it, RAM as the process held it.

    Where the system keeps no peak of RAM that can be started anew, what the process holds at `read` counts.

    Args:
        device: "cpu" measures RAM alone.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def start(self) -> None:
        """Begin anew."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        with suppress(OSError):
            _CLEAR.write_text(_RESET_PEAK, "ascii")

    def read(self) -> StageMemory:
        """Peaks since `start`, in bytes."""
        vram = torch.cuda.max_memory_reserved(self._device) if self._device.type == "cuda" else 0
        return StageMemory(vram, max(_peak_ram(), psutil.Process().memory_info().rss))


def _peak_ram() -> int:
    with suppress(OSError, ValueError, StopIteration):
        line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return 0
