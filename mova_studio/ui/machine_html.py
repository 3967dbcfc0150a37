"""The machine as the System view tells it."""

from __future__ import annotations

from html import escape

from mova_studio.placement.attention import NATIVE
from mova_studio.placement.machine import GIB, Machine
from mova_studio.ui.catalogue import say
from mova_studio.ui.plan_words import gb
from mova_studio.ui.translated import translate


def machine_facts(language: str, machine: Machine) -> list[tuple[str, str]]:
    """(name, value) of everything that is known; what does not exist here is left out."""
    gpu = machine.gpu
    facts = [("machine.gpu", say(language, "machine.gpu.none") if gpu is None else gpu.name)]
    if gpu is not None:
        facts.append(("memory.vram", _memory(language, gpu.free_vram, gpu.total_vram)))
        if gpu.capability is not None:
            facts.append(("machine.capability", f"{gpu.capability[0]}.{gpu.capability[1]}"))
    facts += [
        ("memory.ram", _memory(language, machine.free_ram, machine.total_ram)),
        ("machine.disk", f"{gb(machine.free_disk / GIB)} GB"),
        ("machine.cores", str(machine.cores)),
    ]
    for key, value in (("machine.driver", machine.driver), ("machine.cuda", machine.cuda)):
        if value is not None:
            facts.append((key, value))
    facts += [
        ("machine.torch", machine.torch or say(language, "machine.torch.none")),
        ("machine.attention", _attention(language, machine)),
    ]
    return [(say(language, key), value) for key, value in facts]


def machine_html(language: str, machine: Machine, held: int) -> str:
    """The facts, and every warning as a sentence.

    Args:
        held: bytes of RAM that the loaded model holds; 0 if nothing is loaded.
    """
    facts = machine_facts(language, machine)
    if held:
        facts.append((say(language, "machine.loaded"), f"{gb(held / GIB)} GB"))
    pairs = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    warnings = "".join(
        f'<p class="m-note" role="status">{escape(translate(language, text))}</p>' for text in machine.warnings
    )
    return f'<dl class="m-facts-list">{pairs}</dl>{warnings}'


def _memory(language: str, free: int, total: int) -> str:
    return say(language, "machine.memory", free=gb(free / GIB), total=gb(total / GIB))


def _attention(language: str, machine: Machine) -> str:
    others = [name.lstrip("_") for name in machine.attention if name != NATIVE]
    return "; ".join([say(language, "machine.native"), *others])
