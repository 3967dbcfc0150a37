"""What a machine can give: the facts that a plan is made of. Real ones come from `probe_machine`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Vendor = Literal["nvidia", "amd", "apple", "ascend", "intel"]
GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """One accelerator.

    Attributes:
        name: as its driver tells it, such as "NVIDIA GeForce RTX 4090".
        vendor: who made it.
        total_vram, free_vram: bytes of its memory, and those that no program holds now.
        capability: CUDA compute capability, such as (8, 9); None where there is no such thing.
        link_bytes_per_second: from RAM to it, as its PCIe generation and width allow; None if unknown.
        shares_ram: its memory is the machine's RAM (Apple, integrated graphics).
    """

    name: str
    vendor: Vendor
    total_vram: int
    free_vram: int
    capability: tuple[int, int] | None = None
    link_bytes_per_second: float | None = None
    shares_ram: bool = False


@dataclass(frozen=True)
class Machine:
    """One machine at one moment.

    Attributes:
        gpu: the accelerator that a run would use; None is a normal case, also where there is one that the
            installed torch can't use (a warning then says so).
        total_ram, free_ram: bytes, the limits of a container respected.
        free_disk: bytes free where the cache folder lies.
        cores: processor cores that this process may use.
        system: "Linux", "Windows" or "Darwin".
        torch: version of the installed torch; None without one.
        driver, cuda: version of the NVIDIA driver, and of the newest CUDA that it serves; None without one.
        attention: attention backends that import and run here, PyTorch's own ("native") first.
        warnings: what was found that will not work as it is, a sentence each with its remedy.
        imaginary: described by a person, not probed.
    """

    gpu: Gpu | None
    total_ram: int
    free_ram: int
    free_disk: int
    cores: int = 1
    system: str = "Linux"
    torch: str | None = None
    cuda: str | None = None
    driver: str | None = None
    attention: tuple[str, ...] = ("native",)
    warnings: tuple[str, ...] = ()
    imaginary: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; memory in bytes."""
        return asdict(self)
