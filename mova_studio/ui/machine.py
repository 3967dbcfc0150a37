"""What the header says of the machine, read without the network's libraries."""

from __future__ import annotations

from functools import cache

from mova_studio.placement.machine import GIB, Machine
from mova_studio.placement.probe import probe_machine
from mova_studio.settings import cache_dir
from mova_studio.ui.catalogue import say


@cache
def probed_machine() -> Machine:
    """The machine as it was when the page was first drawn: for what does not change."""
    return probe_machine(cache_dir())


def machine_words(language: str, machine: Machine) -> str:
    """ "RTX 4090 24 GB", or "CPU, 8 cores"."""
    gpu = machine.gpu
    if gpu is None:
        return say(language, "header.cpu", cores=machine.cores)
    name = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ")
    return f"{name} {gpu.total_vram / GIB:.0f} GB"
