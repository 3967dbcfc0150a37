"""What a run asks of the machine, and what the person allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from mova_studio.errors import InputError
from mova_studio.placement.machine import GIB

Precision = Literal["full", "balanced", "fast"]
PRECISIONS: tuple[Precision, ...] = ("full", "balanced", "fast")


@dataclass(frozen=True)
class Request:
    """The numbers of a run that decide what it costs.

    Attributes:
        width, height: pixels.
        num_frames: of the video.
        frame_rate: frames a second; with `num_frames` it gives the sound's length.
        num_inference_steps: denoising steps.
        bridged_passes: guidance passes of a step that hear the bridge; these can run as one batch.
        plain_passes: guidance passes without the bridge.
        batch_size: takes made at once.
        cache: level of the step cache.
        guided_share: of the steps, those inside the guidance interval; the others run one pass.
        adapter_numbers: of the adapters' matrices that are on the device at once.
    """

    width: int = 640
    height: int = 352
    num_frames: int = 193
    frame_rate: float = 24.0
    num_inference_steps: int = 50
    bridged_passes: int = 2
    plain_passes: int = 0
    batch_size: int = 1
    cache: str = "off"
    guided_share: float = 1.0
    adapter_numbers: int = 0

    @property
    def passes(self) -> int:
        return self.bridged_passes + self.plain_passes

    @property
    def seconds(self) -> float:
        return self.num_frames / self.frame_rate

    @property
    def latent_frames(self) -> int:
        return (self.num_frames - 1) // 4 + 1


PINS: Mapping[str, tuple[type, str]] = MappingProxyType(
    {
        "weights": (str, "fp32, bf16, fp8, fp8_compute or int8"),
        "text_encoder": (str, "fp32, bf16, int8, fp8 or nf4"),
        "offload": (str, "none, component or group"),
        "resident_blocks": (int, "0 to the number of layers"),
        "attention": (str, "native, or one that works here"),
        "vae_tiles": (int, "1 or more"),
        "ffn_chunks": (int, "1 or more"),
        "batched_guidance": (bool, "true or false"),
        "compile": (bool, "true or false"),
    }
)


@dataclass(frozen=True)
class Limits:
    """What the person allows.

    Attributes:
        vram_gb, ram_gb: caps in GiB on all that the run may hold; None is what is free.
        precision: "full" keeps every weight as trained (bfloat16), "balanced" adds 8-bit integers, which move
            the velocity about as much as computing in bfloat16 does (benchmarks/format_error.py), and flash
            attention; "fast" adds 8-bit floats and 8-bit attention.
        pins: choices that the person made, by the names of `PINS`; the planner chooses the rest.
        try_anyway: take the plan that needs least when none fits.

    Raises:
        InputError: a value is out of range, a pin unknown or of the wrong kind.
    """

    vram_gb: float | None = None
    ram_gb: float | None = None
    precision: Precision = "balanced"
    pins: Mapping[str, Any] = field(default_factory=dict)
    try_anyway: bool = False

    def __post_init__(self) -> None:
        for name in ("vram_gb", "ram_gb"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"The cap {name} is {value}, but must be 0 or more GiB.", field=name)
        if self.precision not in PRECISIONS:
            raise InputError(
                f"The precision is {self.precision!r}, but must be one of {', '.join(PRECISIONS)}.", field="precision"
            )
        for name, value in self.pins.items():
            if name not in PINS:
                raise InputError(f"{name!r} cannot be pinned; these can: {', '.join(PINS)}.", field="pins")
            kind, allowed = PINS[name]
            if type(value) is not kind:
                raise InputError(f"The pin {name} is {value!r}, but must be {allowed}.", field="pins")

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` is the inverse."""
        return asdict(self) | {"pins": dict(self.pins)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Limits:
        """Limits that `to_dict` wrote.

        Raises:
            InputError: they are damaged.
        """
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InputError(f"The limits {values!r} cannot be read: {error}.", field="limits") from error

    @property
    def vram(self) -> float:
        """Bytes; infinite without a cap."""
        return math.inf if self.vram_gb is None else self.vram_gb * GIB

    @property
    def ram(self) -> float:
        """Bytes; infinite without a cap."""
        return math.inf if self.ram_gb is None else self.ram_gb * GIB
