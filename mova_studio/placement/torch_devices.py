"""The GPU that torch offers: for vendors other than NVIDIA, and where the NVIDIA driver's library is absent.

Only NVIDIA was designed for and measured. The others run on what torch offers them, and a warning says so.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from mova_studio.placement.machine import Gpu
from mova_studio.placement.memory_limits import Ram

UNMEASURED = "MOVA Studio was made for NVIDIA GPUs; {name} runs on what torch offers there, unmeasured"
WARNINGS = {
    "amd": f"{UNMEASURED}: weights can stream from RAM, 8-bit matrix products and their speed are not predicted.",
    "apple": f"{UNMEASURED}: its memory is the RAM, so nothing streams, and 8-bit matrix products are not served.",
    "intel": f"{UNMEASURED}: weights don't stream from RAM, and 8-bit matrix products are not served.",
    "ascend": f"{UNMEASURED}: weights don't stream from RAM, and 8-bit matrix products are not served.",
}


def torch_gpu(torch: Any, ram: Ram) -> tuple[Gpu | None, str | None]:
    """The first kind of accelerator that answers: CUDA or ROCm, Apple's Metal, Intel's XPU, Ascend's NPU.

    Starts the vendor's run-time, as any use of the device would. Nothing is raised: a device that answers
    none of the questions is none.

    Args:
        torch: the module.
        ram: of this process.

    Returns:
        The GPU and, unless it is NVIDIA's, what is not served there.
    """
    for look in (_cuda, _apple, _intel, _ascend):
        try:
            gpu = look(torch, ram)
        except Exception:  # noqa: BLE001, S112 - half-installed run-times fail in their own ways
            continue
        if gpu is not None:
            return gpu, WARNINGS[gpu.vendor].format(name=gpu.name) if gpu.vendor in WARNINGS else None
    return None, None


def _cuda(torch: Any, ram: Ram) -> Gpu | None:
    if not torch.cuda.is_available():
        return None
    sizes = [torch.cuda.get_device_properties(index).total_memory for index in range(torch.cuda.device_count())]
    index = sizes.index(max(sizes))
    free, total = torch.cuda.mem_get_info(index)
    rocm = torch.version.hip is not None
    return Gpu(
        name=torch.cuda.get_device_name(index),
        vendor="amd" if rocm else "nvidia",
        total_vram=total,
        free_vram=free,
        capability=None if rocm else torch.cuda.get_device_capability(index),
        shares_ram=bool(getattr(torch.cuda.get_device_properties(index), "is_integrated", 0)),
    )


def _apple(torch: Any, ram: Ram) -> Gpu | None:
    if not torch.backends.mps.is_available():
        return None
    total = min(torch.mps.recommended_max_memory(), ram.total)
    free = min(total - torch.mps.driver_allocated_memory(), ram.free)
    return Gpu("Apple GPU", "apple", total, max(0, free), shares_ram=True)


def _intel(torch: Any, ram: Ram) -> Gpu | None:
    if not torch.xpu.is_available():
        return None
    properties = torch.xpu.get_device_properties(0)
    total = properties.total_memory
    try:
        free = torch.xpu.mem_get_info(0)[0]
    except RuntimeError:  # some drivers don't tell: what this process did not take counts as free
        free = total - torch.xpu.memory_reserved(0)
    return Gpu(properties.name, "intel", total, free)


def _ascend(torch: Any, ram: Ram) -> Gpu | None:
    if not hasattr(torch, "npu"):
        if importlib.util.find_spec("torch_npu") is None:
            return None
        importlib.import_module("torch_npu")  # adds torch.npu
    if not torch.npu.is_available():
        return None
    free, total = torch.npu.mem_get_info(0)
    return Gpu(torch.npu.get_device_name(0), "ascend", total, free)
