"""The NVIDIA GPUs that CUDA would show to this process, as their driver tells it (NVML): no torch, and no
CUDA context on any of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mova_studio.placement.cards import card_of
from mova_studio.placement.links import pcie_rate
from mova_studio.placement.machine import Gpu
from mova_studio.placement.memory_limits import Ram


@dataclass(frozen=True)
class NvidiaGpu:
    """A GPU, or a MIG slice of one, with the name by which CUDA_VISIBLE_DEVICES selects it."""

    uuid: str
    gpu: Gpu


@dataclass(frozen=True)
class Nvidia:
    """What the driver tells.

    Attributes:
        driver: its version, such as "580.65.06".
        cuda: the newest CUDA that it serves, such as "13.0"; None if it does not say.
        gpus: those that CUDA_VISIBLE_DEVICES leaves visible, in its order.
    """

    driver: str | None
    cuda: str | None
    gpus: tuple[NvidiaGpu, ...]

    @property
    def chosen(self) -> NvidiaGpu | None:
        """The one with the most memory in all; the first of several such."""
        return max(self.gpus, key=lambda found: found.gpu.total_vram, default=None)


def read_nvidia(ram: Ram, visible_devices: str | None, nvml: Any = None) -> Nvidia | None:
    """Ask the driver. Whatever goes wrong means that there is less to tell: nothing is raised.

    Args:
        ram: of this process, for GPUs that have no memory of their own.
        visible_devices: the value of CUDA_VISIBLE_DEVICES; None if it is not set.
        nvml: the `pynvml` module; imported if not given.

    Returns:
        None where there is no NVIDIA driver.
    """
    try:
        nvml = nvml or importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no library, no driver, a broken one: no NVIDIA GPU can be used
        return None
    try:
        count = _ask(nvml, "nvmlDeviceGetCount") or 0
        boards = [_board(nvml, index, ram) for index in range(count)]
        version = _ask(nvml, "nvmlSystemGetCudaDriverVersion_v2")
        return Nvidia(
            driver=_text(_ask(nvml, "nvmlSystemGetDriverVersion")),
            cuda=f"{version // 1000}.{version % 1000 // 10}" if version else None,
            gpus=tuple(visible(boards, visible_devices)),
        )
    finally:
        _ask(nvml, "nvmlShutdown")


def visible(boards: Sequence[Sequence[NvidiaGpu]], visible_devices: str | None) -> list[NvidiaGpu]:
    """The GPUs that CUDA shows, by the rules of the CUDA programming guide for CUDA_VISIBLE_DEVICES.

    Entries are indices of boards or beginnings of UUIDs, and the first one that fits nothing ends the list.
    An index of a board that is cut into MIG slices means its first slice. Indices count as `nvidia-smi`
    does, which is CUDA's order with CUDA_DEVICE_ORDER=PCI_BUS_ID or with GPUs of one kind.

    Args:
        boards: of each board the whole GPU, or its MIG slices; empty for one that can't be used.
        visible_devices: None shows every board.
    """
    if visible_devices is None:
        return [gpu for board in boards for gpu in board]
    shown: list[NvidiaGpu] = []
    for entry in visible_devices.split(","):
        entry = entry.strip()
        if entry.isascii() and entry.isdecimal():
            found = list(boards[int(entry)][:1]) if len(entry) < 6 and int(entry) < len(boards) else []
        elif re.match("GPU-|MIG-", entry):
            found = [gpu for board in boards for gpu in board if gpu.uuid.startswith(entry)]
        else:
            found = []
        if len(found) != 1:
            break
        shown += found
    return shown


def _board(nvml: Any, index: int, ram: Ram) -> list[NvidiaGpu]:
    handle = _ask(nvml, "nvmlDeviceGetHandleByIndex", index)
    if handle is None:
        return []
    capability = _ask(nvml, "nvmlDeviceGetCudaComputeCapability", handle)
    link = _link(nvml, handle, _text(_ask(nvml, "nvmlDeviceGetName", handle)), capability)
    mode = _ask(nvml, "nvmlDeviceGetMigMode", handle)
    if not mode or mode[0] != 1:
        whole = _gpu(nvml, handle, capability, link, ram)
        return [whole] if whole else []
    slices = []
    for number in range(_ask(nvml, "nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
        part = _ask(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", handle, number)
        found = _gpu(nvml, part, capability, link, ram) if part is not None else None
        if found:
            slices.append(found)
    return slices


def _gpu(nvml: Any, handle: Any, capability: tuple[int, int] | None, link: float | None, ram: Ram) -> NvidiaGpu | None:
    shares_ram = False
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        total, free = int(memory.total), int(memory.free)
    except nvml.NVMLError_NotSupported:  # GB10 and Jetson: one memory for processor and GPU
        total, free, shares_ram = ram.total, ram.free, True
    except Exception:  # noqa: BLE001 - a GPU that fell off the bus, say: not one to plan for
        return None
    gpu = Gpu(
        name=_text(_ask(nvml, "nvmlDeviceGetName", handle)) or "NVIDIA GPU",
        vendor="nvidia",
        total_vram=total,
        free_vram=min(free, total),
        capability=(int(capability[0]), int(capability[1])) if capability else None,
        link_bytes_per_second=link,
        shares_ram=shares_ram,
    )
    return NvidiaGpu(_text(_ask(nvml, "nvmlDeviceGetUUID", handle)) or "", gpu)


def _link(nvml: Any, handle: Any, name: str | None, capability: tuple[int, int] | None) -> float | None:
    """By the best generation of card and slot, since an idle card falls back to the first, and by the lanes
    in use, since a short slot tells the card's own number as its most. NVLink from a Grace processor is
    not PCIe: there the card's own figure counts."""
    generation = _ask(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", handle)
    widths = [_ask(nvml, f"nvmlDeviceGet{which}PcieLinkWidth", handle) for which in ("Max", "Curr")]
    rate = pcie_rate(generation, min((width for width in widths if width), default=None))
    card, known = card_of(name or "", capability)
    if known and card.link_gbs * 1e9 > (pcie_rate(6, 16) or 0):
        return card.link_gbs * 1e9
    return rate


def _ask(nvml: Any, question: str, *about: Any) -> Any:
    try:
        return getattr(nvml, question)(*about)
    except Exception:  # noqa: BLE001 - any question may be unknown to a driver or a virtual GPU
        return None


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
