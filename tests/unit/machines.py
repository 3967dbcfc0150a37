"""Machines and requests for planner tests."""

from __future__ import annotations

from hypothesis import strategies as st

from mova_studio.placement.cards import CARDS
from mova_studio.placement.machine import GIB, Gpu, Machine
from mova_studio.placement.request import Request


def machine(
    vram_gb: float | None, ram_gb: float = 64, name: str = "NVIDIA GeForce RTX 4090", capability=(8, 9), **more
) -> Machine:
    """A machine with everything free; `vram_gb` None has no GPU."""
    vram = None if vram_gb is None else int(vram_gb * GIB)
    gpu = None if vram is None else Gpu(name, "nvidia", vram, vram, capability)
    ram = int(ram_gb * GIB)
    return Machine(gpu, ram, ram, 500 * GIB, **({"cores": 16} | more))


gigabytes = st.floats(0, 2048, allow_nan=False)
cards = st.sampled_from(CARDS)
names = st.one_of(cards.map(lambda card: card.name), st.text(max_size=20))
capabilities = st.one_of(st.none(), st.tuples(st.integers(0, 13), st.integers(0, 9)))


@st.composite
def gpus(draw) -> Gpu:
    total = int(draw(gigabytes) * GIB)
    return Gpu(
        name=draw(names),
        vendor=draw(st.sampled_from(["nvidia", "amd", "apple", "ascend", "intel"])),
        total_vram=total,
        free_vram=int(total * draw(st.floats(0, 1))),
        capability=draw(capabilities),
        link_bytes_per_second=draw(st.one_of(st.none(), st.floats(1e9, 128e9))),
        shares_ram=draw(st.booleans()),
    )


@st.composite
def machines(draw) -> Machine:
    total = int(draw(gigabytes) * GIB)
    return Machine(
        gpu=draw(st.one_of(st.none(), gpus())),
        total_ram=total,
        free_ram=int(total * draw(st.floats(0, 1))),
        free_disk=int(draw(gigabytes) * GIB),
        cores=draw(st.integers(1, 256)),
        attention=draw(st.sampled_from([("native",), ("native", "sage"), ("native", "flash", "_flash_3")])),
    )


@st.composite
def requests(draw) -> Request:
    return Request(
        width=16 * draw(st.integers(1, 120)),
        height=16 * draw(st.integers(1, 120)),
        num_frames=4 * draw(st.integers(0, 60)) + 1,
        num_inference_steps=draw(st.integers(1, 100)),
        bridged_passes=draw(st.integers(1, 2)),
        plain_passes=draw(st.integers(0, 1)),
        batch_size=draw(st.integers(1, 3)),
        cache=draw(st.sampled_from(["off", "fast"])),
    )
