"""A machine that a person describes, to ask what a card would do before buying it."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from mova_studio.errors import InputError
from mova_studio.placement.cards import card_of, close_names, short_name
from mova_studio.placement.machine import GIB, Gpu, Machine
from mova_studio.placement.versions import slow

MOST_VRAM_GB = 2048
MOST_RAM_GB = 65536
ASSUMED_CAPABILITY = (8, 9)


def imagine_machine(
    base: Machine,
    *,
    gpu: str | None = None,
    vram_gb: float | None = None,
    ram_gb: float | None = None,
    capability: str | tuple[int, int] | None = None,
) -> Machine:
    """`base` with another GPU or another amount of RAM. All of what is imagined is free.

    GB are those on a card's box: 24 means 24 GiB.

    Args:
        base: the real machine; what is not described stays as it is there.
        gpu: a name of an NVIDIA card, such as "RTX 4090" or "A100 40GB"; "none" for a machine without GPU.
            Its memory, capability and link come from the table of cards. A name that is not in the table
            needs `vram_gb` and `capability`.
        vram_gb: memory of the GPU, 0 to 2048. Alone it describes a card without a name.
        ram_gb: RAM, 0 to 65536.
        capability: CUDA compute capability, such as "8.9" or (8, 9).

    Raises:
        InputError: with the argument's name as its field.
    """
    _within("vram_gb", "video memory", vram_gb, MOST_VRAM_GB)
    _within("ram_gb", "RAM", ram_gb, MOST_RAM_GB)
    asked = _parse_capability(capability)
    machine = replace(base, imaginary=True)
    if gpu is not None or vram_gb is not None or asked is not None:
        card, warnings = _imagine_gpu(gpu, vram_gb, asked)
        # Driver, attention packages and warnings were found with the real GPU and say nothing of this one.
        machine = replace(machine, gpu=card, driver=None, cuda=None, attention=("native",), warnings=tuple(warnings))
    if ram_gb is not None:
        machine = replace(machine, total_ram=round(ram_gb * GIB), free_ram=round(ram_gb * GIB))
    return machine


def _imagine_gpu(
    name: str | None, vram_gb: float | None, capability: tuple[int, int] | None
) -> tuple[Gpu | None, list[str]]:
    name = name and name.strip()
    if name is not None and name.lower() == "none":
        for field, value in (("vram_gb", vram_gb), ("capability", capability)):
            if value is not None:
                raise InputError(f"gpu 'none' has no {field}: leave one of the two out.", field=field)
        return None, []
    card, known = card_of(
        name or "", capability or ASSUMED_CAPABILITY, None if vram_gb is None else round(vram_gb * GIB)
    )
    warnings = []
    if not known:
        vram_gb, capability = _complete(name, vram_gb, capability)
        card, _ = card_of(name or "", capability)
        if name is None:
            warnings.append(
                f"A GPU without a name, taken for one of compute capability {_told(capability)} that is as fast as "
                f"the slowest known, {short_name(card)}: name it with gpu for a closer prediction."
            )
        else:
            warnings.append(
                f"No figures are known for {name!r}: it is predicted as the slowest known of compute capability "
                f"{_told(card.capability)}, {short_name(card)}."
            )
    vram = round((card.vram_gb if vram_gb is None else vram_gb) * GIB)
    imagined = Gpu(
        name=card.name if known else name or "NVIDIA GPU",
        vendor="nvidia",
        total_vram=vram,
        free_vram=vram,
        capability=capability or card.capability,
        link_bytes_per_second=card.link_gbs * 1e9,
    )
    expected = slow(imagined)
    return imagined, [*warnings, *([expected] if expected else [])]


def _complete(
    name: str | None, vram_gb: float | None, capability: tuple[int, int] | None
) -> tuple[float, tuple[int, int]]:
    """Memory and capability of a card that is not in the table: both for a name, memory for none."""
    if name is not None and (vram_gb is None or capability is None):
        close = close_names(name)
        meant = f"Did you mean {' or '.join(close)}? If not, give" if close else "Give"
        raise InputError(
            f"No figures are known for a GPU called {name!r}. {meant} its vram_gb and its capability as well.",
            field="gpu",
        )
    if vram_gb is None:
        raise InputError(
            f"Compute capability {_told(capability or ASSUMED_CAPABILITY)} alone describes no GPU: "
            "give its vram_gb or its name as well.",
            field="capability",
        )
    return vram_gb, capability or ASSUMED_CAPABILITY


def _within(field: str, meaning: str, value: float | None, most: int) -> None:
    if value is not None and not (math.isfinite(value) and 0 <= value <= most):
        raise InputError(f"{field} {value} is no amount of {meaning}: it is from 0 to {most}.", field=field)


def _parse_capability(capability: str | tuple[int, int] | None) -> tuple[int, int] | None:
    if capability is None:
        return None
    text = capability.strip() if isinstance(capability, str) else ".".join(str(part) for part in capability)
    found = re.fullmatch(r"([1-9]\d?)(?:\.(\d))?", text, flags=re.ASCII)
    if not found:
        raise InputError(
            f"capability {text!r} is no CUDA compute capability: it is two numbers such as 8.9.", field="capability"
        )
    return int(found[1]), int(found[2] or 0)


def _told(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"
