"""Versions of driver, CUDA, torch and GPU that can't work together, named before anything is loaded."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mova_studio.placement.machine import Gpu

# NVIDIA, "CUDA Compatibility", minor version compatibility: the first driver that runs a program built for
# any CUDA of that major version.
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}


@dataclass(frozen=True)
class TorchBuild:
    """What the installed torch says of itself, without importing it (which takes a second or two).

    Attributes:
        version: such as "2.13.0+cpu"; None if there is no torch.
        cuda, hip: version of CUDA or ROCm that it was built for; None if it was not.
    """

    version: str | None
    cuda: str | None = None
    hip: str | None = None

    @classmethod
    def read(cls, folder: Path | None = None) -> TorchBuild:
        """`folder`: of the package; the installed one if not given."""
        if folder is None:
            spec = importlib.util.find_spec("torch")
            if spec is None or spec.origin is None:
                return cls(None)
            folder = Path(spec.origin).parent
        try:
            text = (folder / "version.py").read_text("utf-8")
        except (OSError, ValueError):
            return cls(None)
        found = dict(re.findall(r"^(__version__|cuda|hip)\b[^=\n]*= *['\"]([^'\"]+)['\"]", text, flags=re.MULTILINE))
        return cls(found.get("__version__"), found.get("cuda"), found.get("hip"))


def unusable(gpu: Gpu, build: TorchBuild, driver: str | None, driver_cuda: str | None) -> str | None:
    """Why this torch can't use this NVIDIA GPU, with the remedy; None if nothing is known against it."""
    if build.version is None:
        return f"{gpu.name} is here, but torch is not installed: install requirements.txt."
    if build.cuda is None:
        kind = "AMD GPUs (ROCm)" if build.hip else "processors only"
        return (
            f"{gpu.name} is here, but torch {build.version} was built for {kind}: runs would not use the GPU. "
            "Install a build of torch for CUDA in its place."
        )
    wanted = _major(build.cuda)
    oldest, present = OLDEST_DRIVER.get(wanted or 0), _major(driver)
    # A compatibility package of CUDA lets an older driver serve a newer major version: it is believed.
    served = (_major(driver_cuda) or 0) >= (wanted or 0)
    if oldest and present and present < oldest and not served:
        return (
            f"torch {build.version} was built for CUDA {build.cuda}, which needs NVIDIA driver {oldest} or newer; "
            f"the driver is {driver}. Update the driver, or install a build of torch for an older CUDA."
        )
    return None


def not_compiled_for(gpu: Gpu, compiled: Sequence[str], torch_version: str) -> str | None:
    """Why a build of torch has no code that runs on this GPU; None if it has, or if that is not known.

    Code for one capability runs on later ones of the same major version, intermediate code ("compute_90")
    on all later ones.

    Args:
        compiled: what `torch.cuda.get_arch_list()` returns.
    """
    capability = gpu.capability
    if capability is None or not compiled:
        return None
    for entry in compiled:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", entry)
        if not found:
            continue
        kind, major, minor, only = found[1], int(found[2]), int(found[3]), found[4]
        same = major == capability[0] and minor <= capability[1]
        if only == "a":
            same = (major, minor) == capability
        if same or (kind == "compute" and not only and (major, minor) <= capability):
            return None
    return (
        f"torch {torch_version} has no code for {gpu.name} (compute capability {capability[0]}.{capability[1]}), only "
        f"for {', '.join(compiled)}. Install a build of torch that names it."
    )


def slow(gpu: Gpu) -> str | None:
    """What to expect of a GPU without bfloat16 matrix units; None for one that has them."""
    if gpu.capability is None or gpu.capability >= (8, 0):
        return None
    return (
        f"{gpu.name} (compute capability {gpu.capability[0]}.{gpu.capability[1]}) has no bfloat16 matrix units, which "
        "came with 8.0: it runs, slowly, and how slowly was not measured. Few steps and small sizes help."
    )


def _major(version: str | None) -> int | None:
    found = re.match(r"\d{1,6}", version or "")
    return int(found[0]) if found else None
