"""The planner: a pure function from machine, checkpoint and request to the fastest plan that fits.

Every candidate is timed by the same figures whatever the memory, and the fastest that fits is chosen; more
memory only ever lets more candidates in, so it never makes the plan slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from mova_studio.errors import InputError, MemoryRanOut
from mova_studio.placement.forecast import ATTENTION_SPEED, decode_seconds, loading_seconds, speeds_of, step_seconds
from mova_studio.placement.ledger import Ledger
from mova_studio.placement.machine import GIB, Machine
from mova_studio.placement.plan import Budget, Candidate, Offload, Plan, Planned, Predicted, StageMemory
from mova_studio.placement.request import Limits, Request
from mova_studio.placement.sizes import CheckpointSizes
from mova_studio.placement.workload import Workload

DRIVER_SHARE = GIB
SYSTEM_SHARE = GIB
FORMATS = {"full": ("bf16",), "balanced": ("bf16", "int8"), "fast": ("bf16", "int8", "fp8", "fp8_compute")}
ATTENTION = {"full": ("native",), "balanced": ("native", "flash", "_flash_3"), "fast": tuple(ATTENTION_SPEED)}
WEIGHTS = ("fp32", "bf16", "fp8", "fp8_compute", "int8")
TEXT_WEIGHTS = ("fp32", "bf16", "int8", "fp8", "nf4")
FP8_COMPUTE_CAPABILITY = (8, 9)
FFN_CHUNKS = (1, 2)
VAE_TILES = (1, 2, 4, 6, 9, 12, 16, 24)
DEVICES = {"nvidia": "cuda", "amd": "cuda", "apple": "mps", "intel": "xpu", "ascend": "npu"}
STREAMING_DEVICES = ("cuda", "cpu")
UNPLANNED_TEXT = {"fp8_compute": "fp8"}

Failed = Callable[[Plan, Request], bool]


@dataclass(frozen=True)
class Correction:
    """Actual over predicted times of this machine's own runs."""

    step: float = 1.0
    decode: float = 1.0


def plan(
    machine: Machine,
    sizes: CheckpointSizes,
    request: Request,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    correction: Correction | None = None,
    failed: Failed = lambda plan, request: False,
) -> Planned:
    """All candidates, fastest first, and the first that fits.

    Args:
        machine: probed or imaginary.
        sizes: of the checkpoint.
        request: what is to be made.
        limits: the person's caps, pins and leave to try anyway.
        correction: from this machine's own runs; None if there were none.
        failed: whether a plan ran out of memory here before, with no less free than now.
    """
    return Planner(machine, sizes, request, limits, correction, failed).plan()


class Planner:
    """One planning; see `plan`.

    Args:
        ceilings: what ran out in this very run, by stage: a plan must be predicted to need less there.
    """

    def __init__(
        self,
        machine: Machine,
        sizes: CheckpointSizes,
        request: Request,
        limits: Limits,
        correction: Correction | None = None,
        failed: Failed = lambda plan, request: False,
        ceilings: Mapping[str, StageMemory] | None = None,
    ) -> None:
        self.machine, self.sizes, self.request, self.limits = machine, sizes, request, limits
        self.correction, self.failed, self.ceilings = correction, failed, ceilings or {}
        self.work = Workload.of(sizes, request)
        self.speeds = speeds_of(machine)
        self.device = "cpu" if machine.gpu is None else DEVICES[machine.gpu.vendor]
        self.budget = self._budget()
        self._check_pins()

    def plan(self) -> Planned:
        candidates = [self._best(list(family)) for family in self._families()]
        considered = sorted(candidates, key=self._order)
        fitting = [candidate for candidate in considered if candidate.fits]
        least = min(considered, key=self._shortage)
        notes = [note for note in (self.speeds.note,) if note]
        chosen = fitting[0] if fitting else None
        untried = [candidate for candidate in considered if not self._above_ceilings(candidate.predicted)]
        if chosen is None and self.limits.try_anyway and untried:
            chosen = min(untried, key=self._shortage)
            notes.append(f"Trying anyway: {chosen.why_not}")
        notes += self._disk_notes(chosen)
        return Planned(chosen, tuple(considered), self.budget, tuple(notes), least)

    def _disk_notes(self, chosen: Candidate | None) -> list[str]:
        """Whether quantized weights can be kept on disk. A plan without room for them runs, from a slower start."""
        if chosen is None:
            return []
        kept = sum(
            size.bytes(chosen.plan.weights[name]) - size.outside_bytes(chosen.plan.weights[name])
            for name, size in self.sizes.components.items()
            if chosen.plan.weights[name] not in ("fp32", "bf16")
        )
        if kept <= self.budget.disk:
            return []
        return [
            f"The quantized weights take {kept / GIB:.1f} GiB on disk and {self.budget.disk / GIB:.1f} GiB are free: "
            "what finds no room is made anew at every start."
        ]

    def _budget(self) -> Budget:
        gpu = self.machine.gpu
        vram = 0.0 if gpu is None else min(gpu.free_vram, self.limits.vram) - DRIVER_SHARE
        ram = min(self.machine.free_ram, self.limits.ram) - SYSTEM_SHARE
        return Budget(max(0, int(vram)), max(0, int(ram)), max(0, self.machine.free_disk))

    def _families(self) -> Iterator[Iterator[Plan]]:
        """Plans that differ only in what is tuned to the budget, together."""
        pins = self.limits.pins
        offloads: tuple[Offload, ...] = ("none", "component", "group")
        streams = self.device in STREAMING_DEVICES and not pins.get("compile")
        if not streams or (self.device == "cpu" and "offload" not in pins):
            offloads = ("none", "component")
        for weights in self._formats():
            for offload in self._pinned("offload", offloads):
                for experts in (2, 1) if offload == "group" else (2,):
                    yield self._variants(weights, offload, experts)

    def _formats(self) -> tuple[str, ...]:
        if "weights" in self.limits.pins:
            return (self.limits.pins["weights"],)
        if self.device == "cpu":
            return ("fp32",) if self.limits.precision == "full" else ("fp32", "bf16", "int8")
        formats = FORMATS[self.limits.precision]
        if not self._has_fp8_units():
            formats = tuple(name for name in formats if name != "fp8_compute")
        return formats

    def _pinned(self, name: str, free: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.limits.pins[name],) if name in self.limits.pins else free

    def _variants(self, weights: str, offload: Offload, experts: int) -> Iterator[Plan]:
        blocks = self.sizes.num_blocks
        text = self._pinned("text_encoder", (UNPLANNED_TEXT.get(weights, weights),))[0]
        batching = (False, True) if self.request.bridged_passes > 1 else (False,)
        base = Plan(
            device=self.device,
            weights={name: self._format_of(name, weights, text) for name in self.sizes.components},
            offload=offload,
            resident_blocks=blocks,
            num_blocks=blocks,
            experts_in_ram=experts,
            attention=self._attention(),
            cache=self.request.cache,
            compile=self._pinned("compile", (False,))[0],
        )
        for chunks, batched, tiles in product(
            self._pinned("ffn_chunks", FFN_CHUNKS),
            self._pinned("batched_guidance", batching),
            self._pinned("vae_tiles", self._tile_counts()),
        ):
            yield self._filled(replace(base, ffn_chunks=chunks, batched_guidance=batched, vae_tiles=tiles))

    def _filled(self, variant: Plan) -> Plan:
        """The variant with as many resident layers as the device's memory holds, which is also what takes
        least RAM."""
        if "resident_blocks" in self.limits.pins:
            return replace(variant, resident_blocks=self.limits.pins["resident_blocks"])
        if variant.offload != "group":
            return variant
        low, high = 0, variant.num_blocks
        while low < high:
            middle = (low + high + 1) // 2
            predicted = self._predict(replace(variant, resident_blocks=middle))
            if predicted.vram <= self.budget.vram and not self._above_ceilings(predicted):
                low = middle
            else:
                high = middle - 1
        while low > 0 and self.failed(replace(variant, resident_blocks=low), self.request):
            low -= 1
        return replace(variant, resident_blocks=low)

    def _tile_counts(self) -> tuple[int, ...]:
        """Whole where that fits; else the fewest tiles that do."""
        probe = Plan(self.device, self._any_weights(), "group", 0, self.sizes.num_blocks)
        for tiles in VAE_TILES:
            stages = Ledger(self.sizes, self.request, replace(probe, vae_tiles=tiles), self.work).stages()
            budget = self.budget.ram if self.device == "cpu" else self.budget.vram
            if all((s.ram if self.device == "cpu" else s.vram) <= budget for s in (stages["frames"], stages["decode"])):
                return (tiles,)
        return (VAE_TILES[-1],)

    def _any_weights(self) -> dict[str, str]:
        return {name: self._format_of(name, "bf16", "bf16") for name in self.sizes.components}

    def _format_of(self, component: str, weights: str, text: str) -> str:
        if component == "text_encoder":
            return text
        if component == "audio_vae":
            return "fp32"
        if component == "video_vae":
            return "fp32" if weights == "fp32" or self.device == "cpu" else "bf16"
        return weights

    def _attention(self) -> str:
        """The fastest backend of this machine that the precision allows."""
        allowed = [name for name in self.machine.attention if name in ATTENTION[self.limits.precision]]
        fastest = max(("native", *allowed), key=lambda name: ATTENTION_SPEED.get(name, 1.0))
        return self._pinned("attention", (fastest,))[0]

    def _check_pins(self) -> None:
        pins, blocks = self.limits.pins, self.sizes.num_blocks
        offered: dict[str, tuple[Any, ...]] = {
            "weights": WEIGHTS,
            "text_encoder": TEXT_WEIGHTS,
            "offload": ("none", "component") + (("group",) if self.device in STREAMING_DEVICES else ()),
            "resident_blocks": tuple(range(blocks + 1)),
            "attention": self.machine.attention,
        }
        for name, allowed in offered.items():
            if name in pins and pins[name] not in allowed:
                choice = f"0 to {blocks}" if name == "resident_blocks" else ", ".join(allowed)
                raise InputError(f"The pin {name} is {pins[name]!r}, but here it can be {choice}.", field="pins")
        for name in ("vae_tiles", "ffn_chunks"):
            if pins.get(name, 1) < 1:
                raise InputError(f"The pin {name} is {pins[name]}, but must be 1 or more.", field="pins")
        if pins.get("compile") and pins.get("offload") == "group":
            raise InputError("Compiled layers cannot stream: leave out the pin compile or offload=group.", field="pins")
        if pins.get("weights") == "fp8_compute" and not self._has_fp8_units():
            raise InputError(
                "The pin weights is 'fp8_compute', which needs an NVIDIA GPU of compute capability 8.9 or more; "
                "take 'fp8'.",
                field="pins",
            )

    def _has_fp8_units(self) -> bool:
        gpu = self.machine.gpu
        return gpu is None or (gpu.vendor == "nvidia" and (gpu.capability or (0, 0)) >= FP8_COMPUTE_CAPABILITY)

    def _predict(self, plan: Plan) -> Predicted:
        ledger = Ledger(self.sizes, self.request, plan, self.work)
        step = step_seconds(self.speeds, self.sizes, self.request, plan, self.work, ledger.streamed_bytes())
        correction = self.correction or Correction()
        step *= correction.step
        decode = correction.decode * decode_seconds(self.speeds, self.sizes, self.request, plan)
        unguided = 1 - self.request.guided_share
        average = step * (self.request.guided_share + unguided / max(1, self.request.passes))
        total = average * self.request.num_inference_steps + decode
        loading = loading_seconds(self.sizes, plan)
        return Predicted(ledger.stages(), step, total, decode, loading, learned=self.correction is not None)

    def _best(self, variants: list[Plan]) -> Candidate:
        """The fastest variant that fits, or the one that is least short."""
        candidates = [self._judge(plan) for plan in variants]
        fitting = [candidate for candidate in candidates if candidate.fits]
        return min(fitting, key=self._order) if fitting else min(candidates, key=self._shortage)

    def _judge(self, plan: Plan) -> Candidate:
        predicted = self._predict(plan)
        why_not = self._short(plan, predicted)
        if not why_not and self.failed(plan, self.request):
            why_not = "it ran out of memory on this machine before, with as much free as now"
        return Candidate(plan, predicted, not why_not, why_not)

    def _short(self, plan: Plan, predicted: Predicted) -> str:
        for kind, budget in (("VRAM", self.budget.vram), ("RAM", self.budget.ram)):
            peaks = {name: getattr(stage, kind.lower()) for name, stage in predicted.stages.items()}
            worst = max(peaks, key=lambda name: peaks[name])
            if peaks[worst] > budget:
                return f"{worst} needs {peaks[worst] / GIB:.1f} GiB of {kind} and {budget / GIB:.1f} GiB can be used"
        return self._above_ceilings(predicted)

    def _above_ceilings(self, predicted: Predicted) -> str:
        for name, ceiling in self.ceilings.items():
            stage = predicted.stages[name]
            if stage.vram >= ceiling.vram or stage.ram >= ceiling.ram:
                return f"{name} would need no less than what ran out in this run"
        return ""

    def _order(self, candidate: Candidate) -> tuple:
        """By time; what is equally fast, by how little it departs from the plain way."""
        closeness = ("fp32", "bf16", "int8", "fp8_compute", "fp8", "nf4")
        return (
            candidate.predicted.step_seconds,
            candidate.predicted.total_seconds,
            candidate.plan.batched_guidance,
            candidate.predicted.loading_seconds,
            closeness.index(candidate.plan.weights["video_dit"]),
            candidate.plan.ffn_chunks,
            candidate.plan.vae_tiles,
            -candidate.plan.resident_blocks,
            candidate.plan.name,
        )

    def _shortage(self, candidate: Candidate) -> tuple:
        over = max(0, candidate.predicted.vram - self.budget.vram) + max(0, candidate.predicted.ram - self.budget.ram)
        return (over, *self._order(candidate))


def require(planned: Planned, machine: Machine, request: Request) -> Candidate:
    """The chosen candidate.

    Raises:
        MemoryRanOut: none fits; with the least possible and what to change.
    """
    if planned.chosen is not None:
        return planned.chosen
    least = planned.least
    assert least is not None
    close = "" if machine.imaginary else "close other programs, "
    remedy = f"{close}raise the cap, take a smaller size or fewer frames, or choose to try anyway"
    gpu = "" if machine.gpu is None else f"{(least.predicted.vram + DRIVER_SHARE) / GIB:.1f} GiB of VRAM and "
    raise MemoryRanOut(
        f"{request.width}x{request.height} with {request.num_frames} frames needs at least {gpu}"
        f"{(least.predicted.ram + SYSTEM_SHARE) / GIB:.1f} GiB of RAM here (plan {least.plan.name}): {least.why_not}. "
        f"{remedy[0].upper()}{remedy[1:]}.",
        field="size",
    )
