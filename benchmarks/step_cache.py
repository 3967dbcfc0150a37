"""What the step cache costs, and what a skipped step costs beside a computed one.

Times, alternating in one run, a step of two guidance passes computed without the cache, the same with it, and
skipped by a fixed pattern, at MOVA's depth (40 and 30 layers): on the CPU at a small width, on a GPU at the real
one. Then runs the demo checkpoint at every level and counts the reused steps; while the demo is untrained
that says nothing about quality. With --hit-rate H the share of time that such a run would take is computed.

    python -m benchmarks.step_cache [--repeats 15] [--device cpu] [--hit-rate H] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import record_result, write_result
from mova_studio.diffusion import MovaPipeline, SamplingSettings
from mova_studio.diffusion.step_cache import LEVELS, FixedPattern, KeptStep, StepCache
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import demo_checkpoint
from mova_studio.network.joint import joint_forward
from mova_studio.network.residual import cache_bytes
from mova_studio.network.towers import AudioTower, build_video_tower

PASSES = ("neg_on", "pos_on")
DEMO_STEPS = (20, 50)


@dataclass(frozen=True)
class Size:
    """A network and an input: widths, depths, and the grid of latents (t, h, w) with 2 x 2 patches."""

    video_dim: int
    audio_dim: int
    head_dim: int
    video_layers: int
    audio_layers: int
    video_ffn_dim: int
    audio_ffn_dim: int
    text_dim: int
    grid: tuple[int, int, int]
    audio_length: int
    dtype: str

    @property
    def video_tokens(self) -> int:
        frames, height, width = self.grid
        return frames * (height // 2) * (width // 2)


SMALL = Size(256, 128, 64, 40, 30, 1024, 512, 256, (6, 20, 40), 200, "float32")
REAL = Size(5120, 1536, 128, 40, 30, 13824, 8960, 4096, (49, 44, 80), 403, "bfloat16")


def build(size: Size, device: torch.device) -> tuple[tuple, tuple]:
    """Video tower, audio tower and bridge with random weights, made on the device; and the inputs of a pass."""
    torch.manual_seed(0)
    dtype, default = getattr(torch, size.dtype), torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            modules = (
                build_video_tower(
                    in_channels=36,
                    out_channels=16,
                    num_attention_heads=size.video_dim // size.head_dim,
                    attention_head_dim=size.head_dim,
                    ffn_dim=size.video_ffn_dim,
                    num_layers=size.video_layers,
                    text_dim=size.text_dim,
                ),
                AudioTower(
                    num_attention_heads=size.audio_dim // size.head_dim,
                    attention_head_dim=size.head_dim,
                    text_dim=size.text_dim,
                    ffn_dim=size.audio_ffn_dim,
                    num_layers=size.audio_layers,
                ),
                Bridge(size.video_layers, size.audio_layers, size.video_dim, size.audio_dim, head_dim=size.head_dim),
            )
    finally:
        torch.set_default_dtype(default)
    inputs = (
        torch.randn(1, 36, *size.grid),
        torch.randn(1, 128, size.audio_length),
        torch.randn(1, 512, size.text_dim),
        torch.tensor([700.0]),
    )
    ready = tuple(module.eval().requires_grad_(False).to(device) for module in modules)
    return ready, tuple(tensor.to(device) for tensor in inputs)


@torch.no_grad()
def measure(size: Size, repeats: int, device: torch.device, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each round for a step "off" (no cache), "computed" (cache on) and "skipped", alternating.

    On the CPU they are processor seconds of this process, which other programs on the machine do not stretch;
    one thread, because threads that wait for each other count as busy.
    """
    modules, inputs = build(size, device)
    forward: Callable[..., object] = partial(joint_forward, *modules, *inputs)
    kept = KeptStep()
    clock = time.perf_counter if device.type == "cuda" else time.process_time

    def with_cache(pattern: FixedPattern) -> bool:
        step = StepCache(pattern, kept, 1, PASSES, takes=1)
        for name in PASSES:
            forward(cache=step.of(name))
        return step.commit()

    def off() -> bool:
        for _ in PASSES:
            forward()
        return False

    timed: dict[str, Callable[[], bool]] = {
        "off": off,
        "computed": lambda: with_cache(FixedPattern(frozenset())),
        "skipped": lambda: with_cache(FixedPattern(frozenset({1}))),
    }
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for round_number in range(repeats + warm_up):
        # Which of the two comparable steps comes first alternates too: a machine that drifts favours neither.
        names = list(timed) if round_number % 2 else ["computed", "off", "skipped"]
        for name in names:
            begun = clock()
            reused = timed[name]()
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken = clock() - begun
            if reused != (name == "skipped"):
                raise RuntimeError(f"the step {name!r} was {'reused' if reused else 'computed'}")
            if round_number >= warm_up:
                seconds[name].append(taken)
    return seconds


def on_the_demo(steps: int, height: int = 64, width: int = 96, num_frames: int = 17) -> dict[str, Any]:
    """Per level: steps reused out of `steps`, and the relative L2 change of the final latents against "off"."""
    pipeline = MovaPipeline.from_pretrained(demo_checkpoint(), torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    found: dict[str, Any] = {}
    for level in LEVELS:
        settings = SamplingSettings(
            height=height, width=width, num_frames=num_frames, num_inference_steps=steps, step_cache=level
        )
        state = pipeline.prepare(settings, "a bell rings", generator=torch.Generator("cpu").manual_seed(0))
        pipeline.denoise(state)
        if level == "off":
            exact = state
        found[level] = {
            "reused_steps": state.reused_steps,
            "hit_rate": state.reused_steps / steps,
            "latents_change": _relative(state.latents, exact.latents),
            "audio_latents_change": _relative(state.audio_latents, exact.audio_latents),
        }
    return found


def _relative(value: torch.Tensor, exact: torch.Tensor) -> float:
    return float((value - exact).norm() / exact.norm())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--hit-rate", type=float, help="share of reused steps, measured elsewhere, 0 to 1")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.hit_rate is not None and not 0 <= options.hit_rate <= 1:
        parser.error(f"--hit-rate is {options.hit_rate}, but must be from 0 to 1")
    size = REAL if options.device.startswith("cuda") else SMALL
    if size is SMALL:
        torch.set_num_threads(1)
    rounds = measure(size, options.repeats, torch.device(options.device))
    medians = {name: statistics.median(seconds) for name, seconds in rounds.items()}
    cost, skipped = medians["computed"] / medians["off"], medians["skipped"] / medians["off"]
    demo = {f"{steps} steps": on_the_demo(steps) for steps in DEMO_STEPS}
    trained = "" if not Checkpoint(demo_checkpoint()).untrained else "untrained: says nothing about quality; "
    result = record_result(
        "step_cache",
        options.device,
        repeats=options.repeats,
        size=asdict(size) | {"video_tokens": size.video_tokens},
        passes=len(PASSES),
        clock="wall" if size is REAL else "processor",
        step_seconds=medians,
        cache_cost=cost,
        cache_cost_paired=statistics.median(a / b for a, b in zip(rounds["computed"], rounds["off"], strict=True)),
        skipped_share=skipped,
        bytes_held=cache_bytes(
            size.video_tokens,
            size.audio_length,
            size.video_dim,
            size.audio_dim,
            len(PASSES),
            dtype=getattr(torch, size.dtype),
        ),
        demo={"about": f"demo checkpoint, {trained}levels are provisional", **demo},
    )
    if options.hit_rate is not None:
        result["combined"] = {
            "about": "computed from cache_cost, skipped_share and a hit rate given by hand; not measured",
            "hit_rate": options.hit_rate,
            "share_of_time": options.hit_rate * skipped + (1 - options.hit_rate) * cost,
        }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
