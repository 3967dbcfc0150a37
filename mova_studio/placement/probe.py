"""What this machine can give at this moment."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from mova_studio.placement.machine import Gpu, Machine
from mova_studio.placement.memory_limits import Ram, cores, ram
from mova_studio.placement.nvidia import Nvidia, read_nvidia
from mova_studio.placement.torch_devices import torch_gpu
from mova_studio.placement.versions import TorchBuild, not_compiled_for, slow, unusable


def probe_machine(cache_folder: Path, *, use_torch: bool = False, root: Path = Path("/")) -> Machine:
    """Look at the machine. No GPU is a normal case, and nothing is raised for what can't be read.

    Of several GPUs the one with the most memory is told, the first of several such; see `chosen_device` to
    run on it.

    Args:
        cache_folder: where quantized weights would be kept; it need not exist yet.
        use_torch: also ask torch, in a process that may own the GPU: other vendors' GPUs, whether torch
            has code for this one, and which attention backends run. Off, torch is not imported, CUDA is
            left alone and only NVIDIA GPUs are seen.
        root: where `proc` and `sys` lie.
    """
    memory = ram(root)
    build = TorchBuild.read()
    nvidia = read_nvidia(memory, os.environ.get("CUDA_VISIBLE_DEVICES"))
    gpu, warnings = _nvidia_gpu(nvidia, build)
    attention: tuple[str, ...] = ("native",)
    if use_torch:
        gpu, attention, more = _ask_torch(gpu, warnings, memory)
        warnings = (*warnings, *more)
    return Machine(
        gpu=gpu,
        total_ram=memory.total,
        free_ram=memory.free,
        free_disk=_free_disk(cache_folder),
        cores=cores(root),
        system=platform.system(),
        torch=build.version,
        cuda=nvidia.cuda if nvidia else None,
        driver=nvidia.driver if nvidia else None,
        attention=attention,
        warnings=warnings,
    )


def chosen_device() -> str | None:
    """The GPU (or MIG slice) that `probe_machine` tells, as CUDA_VISIBLE_DEVICES names it.

    A process that sets this before it touches CUDA has that GPU, alone, as its device 0: CUDA's own order
    is by speed, not by memory. None where NVML shows no GPU.
    """
    nvidia = read_nvidia(ram(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    chosen = nvidia.chosen if nvidia else None
    return chosen.uuid or None if chosen else None


def _nvidia_gpu(nvidia: Nvidia | None, build: TorchBuild) -> tuple[Gpu | None, tuple[str, ...]]:
    """The GPU that a run would use, and what to say of the one that is there."""
    chosen = nvidia.chosen if nvidia else None
    if nvidia is None or chosen is None:
        return None, ()
    fault = unusable(chosen.gpu, build, nvidia.driver, nvidia.cuda)
    if fault:
        return None, (fault,)
    expected = slow(chosen.gpu)
    return chosen.gpu, (expected,) if expected else ()


def _ask_torch(
    gpu: Gpu | None, known: tuple[str, ...], memory: Ram
) -> tuple[Gpu | None, tuple[str, ...], tuple[str, ...]]:
    """GPU, working attention backends, and further warnings.

    Args:
        gpu: what the driver told; its figures count where torch reaches it.
        known: the warnings so far.
        memory: RAM of this process.
    """
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken torch must not hide the rest of the machine
        return None, ("native",), (f"torch can't be imported: {error}. Install requirements.txt again.",)

    told, warning = torch_gpu(torch, memory)
    warnings = [warning] if warning else []
    if gpu is not None and (told is None or told.vendor != "nvidia"):
        warnings.append(
            f"{gpu.name} is here, but torch {torch.__version__} can't reach it: runs would not use it. Restart the "
            "machine if its driver was just updated; in a container, let CUDA's libraries in."
        )
    if told is not None and told.vendor == "nvidia":
        gpu = gpu or told
        lacking = not_compiled_for(gpu, torch.cuda.get_arch_list(), torch.__version__)
        if lacking:
            return None, ("native",), (*warnings, lacking)
        expected = slow(gpu)
        warnings += [expected] if expected and expected not in known else []
    else:
        gpu = told
    if gpu is None or gpu.vendor not in ("nvidia", "amd"):
        return gpu, ("native",), tuple(warnings)

    from mova_studio.placement.attention import detect_attention

    tried = detect_attention("cuda")
    warnings += [
        f"Attention backend {backend.name} is not used. {backend.reason}"
        for backend in tried
        if backend.installed and not backend.works
    ]
    return gpu, tuple(backend.name for backend in tried if backend.works), tuple(warnings)


def _free_disk(folder: Path) -> int:
    """Bytes free where `folder` lies or would lie; 0 if that can't be told."""
    try:
        folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() follows links and can fail on a loop
        return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free
    except (OSError, ValueError, StopIteration):
        return 0
