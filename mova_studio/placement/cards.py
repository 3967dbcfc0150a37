"""Which card a name means, and how fast to think a machine without one."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from mova_studio.placement.card_table import CARDS, Capability, Card

__all__ = ["CARDS", "Capability", "Card", "CpuRates", "card_of", "close_names", "cpu_rates", "short_name"]

GIB = 2**30
# Words of drivers and shops that tell no two cards apart.
_SILENT = re.compile(
    "nvidia|geforce|rtx|quadro|tesla|gpu|generation|edition|workstation|blackwell|tensor|core|graphics|card|"
    "desktop|grace|hopper|superchip|lhr|hbm|ac|lc"
)
_SAME = {"mobile": "laptop", "s": "super"}
_SLICE = re.compile(r"\bmig (\d+)g\.(\d+)gb\S*")
_MEMORY = re.compile(r"(?<![a-z0-9.])(\d{1,3}) ?g(?:i?b)?(?![a-z0-9.])", re.IGNORECASE)
_MEMORY_KIND = re.compile(r"\bhbm\d\w*")
_FORM = re.compile(r"\b(sxm|pcie|nvl)\d*\b", re.IGNORECASE)
_WORD = re.compile(r"rtx|\d{4}|[a-z]+\d+[a-z]*|[a-z]+|\d+")


@dataclass(frozen=True)
class _Reading:
    """A name taken apart: the words of the model, its form ("sxm", "pcie", "nvl") and its memory in GB."""

    model: frozenset[str]
    form: str | None
    memory: int | None


def _read(name: str) -> _Reading:
    text = _MEMORY_KIND.sub(" ", _SLICE.sub(" ", name.lower()))
    memory = _MEMORY.search(text)
    text = _MEMORY.sub(" ", text)
    form = _FORM.search(text)
    words = _WORD.findall(_FORM.sub(" ", text))
    return _Reading(
        model=frozenset(_SAME.get(word, word) for word in words if not _SILENT.fullmatch(word)),
        form=form[1] if form else None,
        memory=int(memory[1]) if memory else None,
    )


_READINGS = tuple((card, _read(card.name)) for card in CARDS)


def card_of(name: str, capability: Capability | None, total_vram: int | None = None) -> tuple[Card, bool]:
    """The card that a driver or a person calls `name`, and whether it is a known one.

    All words of the model must agree, so that neither a laptop nor a "Ti" is taken for the card beside it.
    Of models with one name, form and memory choose. A MIG slice is its card with as much less of
    everything. An unknown card is the slowest known one of its capability; if there is none, of the nearest
    lower capability, and else of all.

    Args:
        name: such as "NVIDIA GeForce RTX 4090", "rtx 4090" or "NVIDIA A100-SXM4-40GB MIG 1g.5gb".
        capability: asked only where the name is unknown; None if there is no such thing.
        total_vram: bytes, to tell models apart that differ in memory.
    """
    sliced = _SLICE.search(name.lower())
    card = _known(_read(name), None if sliced else total_vram)
    if card is None:
        return _slowest(capability), False
    return (_slice(card, int(sliced[1]), int(sliced[2])) if sliced else card), True


def _known(reading: _Reading, total_vram: int | None) -> Card | None:
    same = [(card, own) for card, own in _READINGS if own.model == reading.model and reading.model]
    formed = [card for card, own in same if reading.form and own.form == reading.form]
    plain = [card for card, own in same if own.form is None]
    cards = formed or plain or ([] if reading.form else [card for card, _ in same])
    if not cards:
        return None
    if total_vram:
        return min(cards, key=lambda card: abs(card.vram_gb * GIB - total_vram))
    wanted = reading.memory
    if wanted is not None:
        # "GH200 480GB" tells the memory of its processor: no card is near it, and the first is meant.
        near = [card for card in cards if abs(card.vram_gb - wanted) <= 0.15 * wanted]
        cards = sorted(near, key=lambda card: abs(card.vram_gb - wanted)) or cards
    return cards[0]


def _slowest(capability: Capability | None) -> Card:
    lower = [card.capability for card in CARDS if capability and card.capability <= capability]
    cards = [card for card in CARDS if card.capability == max(lower)] if lower else CARDS
    return min(cards, key=lambda card: (card.bf16_tflops * card.matmul_efficiency, card.bandwidth_gbs))


def _slice(card: Card, sevenths: int, vram_gb: int) -> Card:
    """`vram_gb` of `card`, with that share of its bandwidth, and at most `sevenths` / 7 of its rates."""
    share = min(1.0, vram_gb / card.vram_gb)
    rate = min(share, sevenths / 7)
    return replace(
        card,
        vram_gb=float(vram_gb),
        bf16_tflops=card.bf16_tflops * rate,
        fp8_tflops=card.fp8_tflops and card.fp8_tflops * rate,
        int8_tops=card.int8_tops and card.int8_tops * rate,
        bandwidth_gbs=card.bandwidth_gbs * share,
    )


def short_name(card: Card) -> str:
    """As a person would say it: "RTX 4090" for "NVIDIA GeForce RTX 4090"."""
    return card.name.removeprefix("NVIDIA ").removeprefix("GeForce ").removesuffix(" Generation")


def close_names(name: str, count: int = 3) -> list[str]:
    """Names of known cards that `name` may have meant, the likeliest first, without form and memory."""
    bare = (" ".join(re.sub("[-_]", " ", _MEMORY.sub("", _FORM.sub("", short_name(card)))).split()) for card in CARDS)
    known = {known.lower(): known for known in bare}
    wanted = " ".join(word for word in name.lower().split() if word not in ("nvidia", "geforce"))
    return [known[match] for match in difflib.get_close_matches(wanted, known, n=count, cutoff=0.5)]


@dataclass(frozen=True)
class CpuRates:
    """Rough rates of a processor: 1e9 float32 operations and 1e9 bytes a second."""

    gflops: float
    bandwidth_gbs: float


def cpu_rates(cores: int) -> CpuRates:
    """What `cores` cores do where there is no GPU.

    Measured on two cores of a 2023 server processor: 98 and 199 GFLOP/s with one and two in a
    [1024, 1536] x [1536, 1536] float32 product, 37 and 39 GB/s in a copy. Three fifths of that are taken,
    for many desktops have narrower vectors and slower memory.
    """
    return CpuRates(gflops=60.0 * max(1, cores), bandwidth_gbs=22.0)
