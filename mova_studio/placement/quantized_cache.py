"""Quantized layers on disk, so that the second start does not quantize again.

One safetensors file a layer, named by the checkpoint's identity, component and format. A file that was cut,
altered or left by another version is made anew, with a notice; a disk that is too full costs only the cache.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from mova_studio.errors import OutputError
from mova_studio.network.weights import save_tensors
from mova_studio.placement.formats import STORED_AS, TensorDict
from mova_studio.placement.machine import GIB

log = logging.getLogger(__name__)
_FORMAT = "mova_studio.quantized.1"
SPARE_DISK = GIB


class QuantizedCache:
    """The cached layers of one checkpoint.

    Args:
        folder: of all checkpoints' caches.
        identity: of the checkpoint.
        notify: told a sentence when something had to be made anew or cannot be kept.
    """

    def __init__(self, folder: Path, identity: str, notify: Callable[[str], None]) -> None:
        self._folder, self._notify = folder / identity, notify
        self._writing, self._promised = True, 0

    def file(self, component: str, weights: str, layer: str) -> Path:
        """Where a layer lies or would lie."""
        return self._folder / f"{component}.{STORED_AS.get(weights, weights)}" / f"{layer}.safetensors"

    def expect(self, num_bytes: int) -> None:
        """So many bytes more are to be kept; if the disk has no room for all of them, nothing is."""
        self._promised += num_bytes
        folder = next(parent for parent in (self._folder, *self._folder.parents) if parent.is_dir())
        free = shutil.disk_usage(folder).free
        if self._promised + SPARE_DISK > free:
            self._stop(
                f"The quantized weights take {self._promised / GIB:.1f} GiB and the disk of {self._folder} has "
                f"{free / GIB:.1f} GiB free; they are not kept, and the next start makes them again."
            )

    def load(self, component: str, weights: str, layer: str) -> TensorDict | None:
        """A layer's tensors, memory-mapped; None if they are not there or cannot be trusted."""
        file = self.file(component, weights, layer)
        if not file.is_file():
            return None
        try:
            with safe_open(file, framework="pt") as opened:
                metadata = opened.metadata() or {}
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, OSError) as error:
            self._notify(f"The quantized weights in {file.name} could not be read ({error}); they are made anew.")
            return None
        if metadata.get("format") != _FORMAT or metadata.get("sum") != checksum(tensors):
            self._notify(f"The quantized weights in {file.name} are damaged; they are made anew.")
            return None
        return tensors

    def save(self, component: str, weights: str, layer: str, tensors: TensorDict) -> None:
        """Keep a layer's tensors. A disk that refuses ends the keeping, with one notice."""
        if not self._writing:
            return
        file = self.file(component, weights, layer)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(tensors, file, {"format": _FORMAT, "sum": checksum(tensors)})
        except (OSError, OutputError) as error:
            self._stop(f"The quantized weights could not be kept ({error}); the next start makes them again.")

    def _stop(self, reason: str) -> None:
        if self._writing:
            self._notify(reason)
        self._writing = False


def checksum(tensors: TensorDict) -> str:
    """Of all bytes, in the tensors' order by name; as fast as memory can be read."""
    total = 0
    for name in sorted(tensors):
        data = tensors[name].contiguous().view(-1).view(torch.uint8)
        whole = data.numel() // 8 * 8
        # Wraps around at 2^64, which is as good as any.
        total += int(data[:whole].view(torch.int64).sum()) + int(data[whole:].sum()) + data.numel()
    return format(total % 2**64, "016x")
