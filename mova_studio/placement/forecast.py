"""How long a step takes under a plan, from the card's figures; a machine's own runs correct it."""

from __future__ import annotations

from dataclasses import dataclass

from mova_studio.placement.cards import card_of, cpu_rates, short_name
from mova_studio.placement.machine import Machine
from mova_studio.placement.plan import Plan
from mova_studio.placement.request import Request
from mova_studio.placement.sizes import CheckpointSizes
from mova_studio.placement.workload import Workload

# States of the video tower that are read or written per layer outside matrix products and attention.
STATES_MOVED_PER_LAYER = 40
# Bytes moved per quantized weight to bring it back to the compute dtype.
BYTES_TO_DEQUANTIZE = 7
FP8_QUANTIZING = 1.06
ATTENTION_SPEED = {"native": 1.0, "flash": 1.0, "_flash_3": 1.2, "sage": 1.5}
STREAMING_OVERHEAD = 1.01
CHUNKING_OVERHEAD = 1.005
CPU_BF16_SLOWDOWN = 7.0
# What a processor spends on calling a layer's operations, however small they are; a GPU is called ahead of time. It
# counts for every pass: batching passes for its sake would change a take's last bits for milliseconds.
CPU_SECONDS_PER_LAYER = 2e-3
PAGE_CACHE_RATE = 4e9
DISK_RATE = 1.5e9
# Of the released VAE, 96 channels wide at full size.
DECODE_FLOPS_PER_PIXEL = 3.5e6
VAE_WIDTH = 96
DECODE_EFFICIENCY = 0.3
TILING_OVERHEAD = 1.3


@dataclass(frozen=True)
class Speeds:
    """What a device does in a second.

    Attributes:
        matmul, matmul_fp8, attention: operations; `matmul_fp8` is None where there is no such unit.
        bandwidth: bytes of its own memory.
        link: bytes from RAM to it.
        peak: operations by its data sheet.
        note: what the person should know of these figures; "" if the card is known.
    """

    matmul: float
    matmul_fp8: float | None
    attention: float
    bandwidth: float
    link: float
    peak: float
    note: str = ""


def speeds_of(machine: Machine) -> Speeds:
    """From the table of cards; an unknown one counts as the slowest known of its capability."""
    if machine.gpu is None or machine.gpu.vendor != "nvidia":
        rates = cpu_rates(machine.cores)
        flops = rates.gflops * 1e9
        note = "" if machine.gpu is None else f"No figures are known for {machine.gpu.name}; times are a processor's."
        return Speeds(flops, None, flops, rates.bandwidth_gbs * 1e9, rates.bandwidth_gbs * 1e9, flops, note)
    card, known = card_of(machine.gpu.name, machine.gpu.capability, machine.gpu.total_vram)
    peak = card.bf16_tflops * 1e12
    fp8 = None if card.fp8_tflops is None else card.fp8_tflops * 1e12 * card.matmul_efficiency
    return Speeds(
        matmul=peak * card.matmul_efficiency,
        matmul_fp8=fp8,
        attention=peak * card.attention_efficiency,
        bandwidth=card.bandwidth_gbs * 1e9,
        link=min(machine.gpu.link_bytes_per_second or card.link_gbs * 1e9, card.link_gbs * 1e9),
        peak=peak,
        note=""
        if known
        else f"{machine.gpu.name} is not in the table of cards; times are those of {short_name(card)}, "
        "the slowest known one of its capability.",
    )


def step_seconds(
    speeds: Speeds, sizes: CheckpointSizes, request: Request, plan: Plan, work: Workload, streamed_bytes: int
) -> float:
    """Seconds of one denoising step, all guidance passes.

    Args:
        streamed_bytes: that come from RAM for one forward of the network.
    """
    forwards = [(request.bridged_passes, True)] if plan.batched_guidance else [(1, True)] * request.bridged_passes
    forwards += [(1, False)] * request.plain_passes
    seconds = 0.0
    for passes, bridged in forwards:
        if passes:
            busy = passes * request.batch_size * _compute(speeds, plan, work, bridged)
            busy += passes * _dequantizing(speeds, sizes, plan)
            if plan.device == "cpu":
                busy += CPU_SECONDS_PER_LAYER * work.video_layers * passes
            seconds += max(busy, streamed_bytes / speeds.link)
    if plan.offload == "group":
        seconds *= STREAMING_OVERHEAD
    return seconds * (CHUNKING_OVERHEAD if plan.ffn_chunks > 1 else 1.0)


def _compute(speeds: Speeds, plan: Plan, work: Workload, bridged: bool) -> float:
    weights = plan.weights["video_dit"]
    if weights == "fp8_compute" and speeds.matmul_fp8 is not None:
        matmul = FP8_QUANTIZING * work.matmul_flops(bridged) / speeds.matmul_fp8
    else:
        matmul = work.matmul_flops(bridged) / speeds.matmul
    attention = work.attention_flops(bridged) / (speeds.attention * ATTENTION_SPEED.get(plan.attention, 1.0))
    moved = STATES_MOVED_PER_LAYER * work.video_layers * work.state_bytes(plan.compute_bytes) / speeds.bandwidth
    if plan.device == "cpu" and plan.compute_bytes == 2:
        matmul, attention = matmul * CPU_BF16_SLOWDOWN, attention * CPU_BF16_SLOWDOWN
    return matmul + attention + moved


def _dequantizing(speeds: Speeds, sizes: CheckpointSizes, plan: Plan) -> float:
    if plan.weights["video_dit"] not in ("int8", "fp8"):
        return 0.0
    linear = sum(sizes.components[name].linear for name in ("video_dit", "audio_dit", "dual_tower_bridge"))
    return linear * BYTES_TO_DEQUANTIZE / speeds.bandwidth


def decode_seconds(speeds: Speeds, sizes: CheckpointSizes, request: Request, plan: Plan) -> float:
    """Seconds of decoding the picture; the sound is little beside it."""
    pixels = request.width * request.height * request.num_frames * request.batch_size
    width = sizes.configs["video_vae"].get("base_dim", VAE_WIDTH) / VAE_WIDTH
    seconds = pixels * DECODE_FLOPS_PER_PIXEL * width**2 / (speeds.peak * DECODE_EFFICIENCY)
    return seconds * (TILING_OVERHEAD if plan.vae_tiles > 1 else 1.0)


def loading_seconds(sizes: CheckpointSizes, plan: Plan) -> float:
    """Seconds per take of bringing weights to where they are needed."""
    if plan.offload == "none":
        return 0.0
    text = sizes.components["text_encoder"].bytes(plan.weights["text_encoder"])
    experts = 2 * sizes.components["video_dit"].bytes(plan.weights["video_dit"])
    if plan.offload == "group" and plan.experts_in_ram == 2:
        resident = plan.resident_blocks / max(plan.num_blocks, 1)
        return (text + experts * resident) / PAGE_CACHE_RATE
    rate = PAGE_CACHE_RATE if plan.offload == "component" else DISK_RATE
    return text / PAGE_CACHE_RATE + experts / rate
