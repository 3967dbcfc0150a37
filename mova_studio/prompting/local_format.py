"""In how many bits a language model is loaded: as many as what is free allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mova_studio.errors import MemoryRanOut
from mova_studio.network.weights import TensorEntry
from mova_studio.placement.machine import GIB
from mova_studio.placement.sizes import FORMAT_BITS

# Processors are slow at bfloat16; bitsandbytes has kernels for CUDA and, in 4 bits, for processors.
FORMATS = {"cuda": ("bf16", "int8", "nf4"), "cpu": ("fp32", "bf16", "int8", "nf4")}
OTHERS = ("bf16", "int8")
STORED = "stored"
WORKING_BYTES = GIB // 2
WORKING_SHARE = 0.1  # of the weights: what has been read so far, and sums on the way
_KEPT = ("embed", "lm_head", "norm")
_SAID = {"fp32": "32 bits", "bf16": "16 bits", "int8": "8 bits", "nf4": "4 bits", STORED: "its own format"}


@dataclass(frozen=True)
class ModelSize:
    """Elements of a model.

    Attributes:
        linear: of matrices inside layers, which can be kept in 8 or 4 bits.
        rest: all others.
        on_disk: bytes as they are stored.
    """

    linear: int
    rest: int
    on_disk: int

    @classmethod
    def of(cls, entries: Mapping[str, TensorEntry]) -> ModelSize:
        """Count the tensors of safetensors headers."""
        linear = rest = 0
        for name, entry in entries.items():
            count = 1
            for side in entry.shape:
                count *= side
            if len(entry.shape) == 2 and name.endswith(".weight") and not any(part in name for part in _KEPT):
                linear += count
            else:
                rest += count
        return cls(linear, rest, sum(entry.nbytes for entry in entries.values()))

    def needs(self, weights: str, device: str) -> int:
        """Bytes that it takes to run in a format, "stored" being that on disk."""
        if weights == STORED:
            held = float(self.on_disk)
        else:
            native = 4 if device == "cpu" and weights != "bf16" else 2
            held = self.linear * FORMAT_BITS[weights] / 8 + self.rest * native
        return int(held * (1 + WORKING_SHARE)) + WORKING_BYTES


@dataclass(frozen=True)
class Chosen:
    """A format: "fp32", "bf16", "int8", "nf4" or "stored", and why it is this one."""

    weights: str
    why: str


def choose_format(size: ModelSize, free: int, device: str, *, quantized: bool = False) -> Chosen:
    """The format with the most bits that fits.

    Args:
        free: bytes that the model may take on the device.
        device: "cuda", "cpu", "mps" or another of torch.
        quantized: the stored weights have few bits already and stay as they are.

    Raises:
        MemoryRanOut: none fits.
    """
    formats = (STORED,) if quantized else FORMATS.get(device, OTHERS)
    passed: list[str] = []
    for weights in formats:
        needed = size.needs(weights, device)
        if needed <= free:
            why = f"Loaded in {_SAID[weights]}, which takes {_gib(needed)} of the {_gib(free)} that are free"
            return Chosen(weights, f"{why}; {passed[-1]}." if passed else f"{why}.")
        passed.append(f"{_SAID[weights]} would take {_gib(needed)}")
    least = formats[-1]
    raise MemoryRanOut(
        f"The model needs {_gib(size.needs(least, device))} even in {_SAID[least]} and {_gib(free)} are free. "
        "Close other programs, or choose a smaller model or a server.",
        field="backend",
    )


def _gib(count: int) -> str:
    return f"{max(0, count) / GIB:.1f} GiB"
