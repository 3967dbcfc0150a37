"""A plan: how the network is placed on a machine, and what that is predicted to cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mova_studio.placement.machine import GIB

Offload = Literal["none", "component", "group"]
STAGES = ("text", "frames", "denoise", "decode")


@dataclass(frozen=True)
class StageMemory:
    """Predicted peaks of one stage, in bytes."""

    vram: int
    ram: int


@dataclass(frozen=True)
class Predicted:
    """What a plan is predicted to cost.

    Attributes:
        stages: peaks by stage, see `STAGES`.
        step_seconds, total_seconds: of one denoising step; of all steps and decoding.
        decode_seconds: of decoding alone.
        loading_seconds: of reading weights during a take.
        learned: the step time comes from this machine's own runs, not from the card's figures.
    """

    stages: Mapping[str, StageMemory]
    step_seconds: float
    total_seconds: float
    decode_seconds: float
    loading_seconds: float
    learned: bool = False

    @property
    def vram(self) -> int:
        return max(stage.vram for stage in self.stages.values())

    @property
    def ram(self) -> int:
        return max(stage.ram for stage in self.stages.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON; memory in GiB."""
        return {
            "vram_gb": round(self.vram / GIB, 3),
            "ram_gb": round(self.ram / GIB, 3),
            "step_seconds": round(self.step_seconds, 4),
            "total_seconds": round(self.total_seconds, 2),
            "decode_seconds": round(self.decode_seconds, 3),
            "loading_seconds": round(self.loading_seconds, 2),
            "learned": self.learned,
            "stages": {
                name: {"vram_gb": round(stage.vram / GIB, 3), "ram_gb": round(stage.ram / GIB, 3)}
                for name, stage in self.stages.items()
            },
        }


@dataclass(frozen=True)
class Plan:
    """How the network is placed.

    Attributes:
        device: "cuda", "xpu", "npu", "mps" or "cpu".
        weights: format of each component's weights, see `formats.FORMATS`.
        offload: "none" keeps every component on the device; "component" brings each one for its stage, and
            one expert at a time; "group" keeps `resident_blocks` layers there and streams the others.
        resident_blocks: layers of the joint forward that stay on the device while an expert runs.
        num_blocks: layers of the joint forward.
        experts_in_ram: 2 keeps both experts' streamed layers in RAM; 1 only the one in use, and the other is
            read from disk at the switch.
        attention: backend, by diffusers' name.
        cache: level of the step cache, as the shot asks for it.
        vae_tiles: pieces in which a picture is decoded; 1 is whole.
        ffn_chunks: pieces in which a feed-forward layer runs; 1 is whole.
        batched_guidance: passes that hear the bridge run as one batch.
        compile: the repeated layers go through torch.compile.
    """

    device: str
    weights: Mapping[str, str]
    offload: Offload
    resident_blocks: int
    num_blocks: int
    experts_in_ram: int = 2
    attention: str = "native"
    cache: str = "off"
    vae_tiles: int = 1
    ffn_chunks: int = 1
    batched_guidance: bool = False
    compile: bool = False

    @property
    def compute_bytes(self) -> int:
        """Bytes of a number while computing: bfloat16 on devices; float32 on processors, which are slow at
        bfloat16, unless the weights are kept in it."""
        weights = self.weights["video_dit"]
        return 4 if weights == "fp32" or (self.device == "cpu" and weights != "bf16") else 2

    @property
    def name(self) -> str:
        """Short and unique among the candidates of one request, such as "int8 group 12/40"."""
        parts = [self.weights["video_dit"], self.offload]
        if self.offload == "group":
            parts.append(f"{self.resident_blocks}/{self.num_blocks}")
        if self.weights["text_encoder"] != self.weights["video_dit"]:
            parts.append(f"text {self.weights['text_encoder']}")
        if self.offload == "group" and self.experts_in_ram == 1:
            parts.append("one expert in RAM")
        if self.attention != "native":
            parts.append(self.attention)
        if self.vae_tiles > 1:
            parts.append(f"{self.vae_tiles} tiles")
        if self.ffn_chunks > 1:
            parts.append(f"{self.ffn_chunks} chunks")
        if self.batched_guidance:
            parts.append("batched")
        if self.compile:
            parts.append("compiled")
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """For JSON and for the take's record."""
        return {"name": self.name} | asdict(self) | {"weights": dict(self.weights)}


@dataclass(frozen=True)
class Candidate:
    """A plan that was considered.

    Attributes:
        plan, predicted: what and what it costs.
        fits: whether the budget holds it.
        why_not: what is short and by how much; "" where it fits.
    """

    plan: Plan
    predicted: Predicted
    fits: bool
    why_not: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self.plan.to_dict() | {
            "predicted": self.predicted.to_dict(),
            "fits": self.fits,
            "why_not": self.why_not,
        }


@dataclass(frozen=True)
class Budget:
    """What a run may hold, in bytes.

    Attributes:
        vram: for all that the run reserves on the device; 0 without one.
        ram: for the process.
        disk: free where the cache folder lies.
    """

    vram: int
    ram: int
    disk: int

    def to_dict(self) -> dict[str, float]:
        """For JSON; in GiB."""
        return {name: round(value / GIB, 3) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Planned:
    """The planner's answer.

    Attributes:
        chosen: the candidate to take; None if none fits and trying anyway was not allowed.
        considered: all candidates, fastest first.
        budget: what there was to spend.
        notes: what the person should know, a sentence each.
        least: the candidate that needs least, for the remedy when none fits.
    """

    chosen: Candidate | None
    considered: tuple[Candidate, ...]
    budget: Budget
    notes: tuple[str, ...] = field(default=())
    least: Candidate | None = None
