"""The network at full size on one GPU: steps, memory and budgets, with random weights made on the GPU.

352x640, 193 frames, two guidance passes. Smaller cards are emulated by a limit on what this process may hold, 1 GiB
under the budget for the driver's own share; link and compute stay those of the real card. Every part is timed in
this one run, and the file is written anew after each, so that a run that is cut goes on where it was (--out).

    python -m benchmarks.full_size --out benchmarks/results/full_size-h200.json
    python -m benchmarks.full_size --size tiny     # the same program on a CPU

Parts: floor (bare matrix products and attention calls of the same shapes), resident, budget-N, budget-N-int8, fp8,
fp8-sage, compile, 720p-24, diffusers (its group offload of the towers' layers, beside our streaming).
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers.hooks import apply_group_offloading

from benchmarks.floor import floor_seconds
from benchmarks.random_network import TINY, random_sizes, random_sources
from benchmarks.record import record_result, write_result
from mova_studio.network.joint import joint_forward
from mova_studio.placement.attention import detect_attention
from mova_studio.placement.machine import GIB, Machine
from mova_studio.placement.peaks import PeakMeter
from mova_studio.placement.plan import Candidate
from mova_studio.placement.planner import DRIVER_SHARE, plan
from mova_studio.placement.probe import probe_machine
from mova_studio.placement.published import CONFIGS, published_sizes
from mova_studio.placement.request import Limits, Request
from mova_studio.placement.residency import NETWORK, Residency
from mova_studio.placement.workload import TEXT_TOKENS, Workload

EXPERT = "video_dit"
BUDGETS = (12, 16, 24, 48, 80)
# Every part runs its two passes one after the other, so that their times can be compared.
ONE_BY_ONE = {"batched_guidance": False}
REQUESTS = {"full": Request(), "tiny": Request(width=160, height=96, num_frames=17, num_inference_steps=4)}
CONFIG_SETS: dict[str, Mapping[str, Mapping[str, Any]]] = {"full": CONFIGS, "tiny": TINY}


class FullSize:
    """The parts of the benchmark.

    Args:
        size: "full", or "tiny" for a CPU.
        steps: timed steps of each part, after one that does not count.
    """

    def __init__(self, size: str, steps: int) -> None:
        self.size, self.steps = size, steps
        self.configs, self.request = CONFIG_SETS[size], REQUESTS[size]
        self.sizes = published_sizes() if size == "full" else random_sizes(TINY)
        self.machine = probe_machine(Path(), use_torch=True)
        self.device = torch.device("cuda" if self.machine.gpu else "cpu")
        self.dtype = torch.bfloat16 if self.machine.gpu else torch.float32
        self.native = "bf16" if self.machine.gpu else "fp32"

    def parts(self) -> dict[str, Callable[[], dict[str, Any]]]:
        """All parts that this machine can run, in order."""
        wide = replace(self.request, width=1280, height=720) if self.size == "full" else self.request
        pinned = {"weights": self.native}
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "floor": self.floor,
            "resident": lambda: self.measure(None, pinned | {"offload": "none"}),
        }
        for budget in BUDGETS:
            parts[f"budget-{budget}"] = partial(self.measure, budget, pinned)
        parts["budget-12-int8"] = lambda: self.measure(12, {"weights": "int8"})
        parts["streamed"] = lambda: self.measure(None, pinned | {"offload": "group", "resident_blocks": 0})
        parts["diffusers"] = self.diffusers
        parts["fp8"] = lambda: self.measure(None, {"weights": "fp8_compute", "offload": "none"})
        if any(backend.name == "sage" and backend.works for backend in detect_attention(self.device)):
            eight = {"weights": "fp8_compute", "offload": "none", "attention": "sage"}
            parts["fp8-sage"] = lambda: self.measure(None, eight)
        parts["compile"] = lambda: self.measure(None, pinned | {"offload": "none", "compile": True})
        parts["720p-24"] = lambda: self.measure(24, pinned, wide)
        return parts

    def floor(self) -> dict[str, Any]:
        """Two bare passes."""
        one = floor_seconds(Workload.of(self.sizes, self.request), self.device, self.dtype)
        return {name: self.request.passes * seconds for name, seconds in one.items()}

    def measure(self, budget: int | None, pins: dict[str, Any], request: Request | None = None) -> dict[str, Any]:
        """Steps under the plan that is chosen for `budget` GB and `pins`: seconds, peaks, and what was predicted."""
        request = request or self.request
        planned = plan(self._within(budget), self.sizes, request, Limits(pins=pins | ONE_BY_ONE, try_anyway=True))
        assert planned.chosen is not None
        self._limit(budget)
        meter = PeakMeter(self.device)
        meter.start()
        residency = Residency(
            random_sources(self.configs, (EXPERT, *NETWORK), planned.chosen.plan), planned.chosen.plan
        )
        try:
            seconds = self._time_steps(residency, request)
        finally:
            residency.close()
        return self._result(planned.chosen, budget, seconds, meter)

    def diffusers(self) -> dict[str, Any]:
        """diffusers' group offload of both towers' layers, the bridge resident; on a GPU with its streams."""
        pins = {"weights": self.native, "offload": "none"}
        chosen = plan(self.machine, self.sizes, self.request, Limits(pins=pins, try_anyway=True)).chosen
        assert chosen is not None
        host = replace(chosen.plan, device="cpu", weights=chosen.plan.weights)
        self._limit(None)
        meter = PeakMeter(self.device)
        meter.start()
        residency = Residency(random_sources(self.configs, (EXPERT, *NETWORK), host), host)
        with residency.use(EXPERT, *NETWORK):
            for name in (EXPERT, "audio_dit"):
                apply_group_offloading(
                    residency.modules[name],
                    self.device,
                    offload_type="block_level",
                    num_blocks_per_group=1,
                    use_stream=self.device.type == "cuda",
                    record_stream=self.device.type == "cuda",
                )
            residency.modules["dual_tower_bridge"].to(self.device)
            for name in (EXPERT, "audio_dit"):
                module: Any = residency.modules[name]
                for part in (module.patch_embedding, module.condition_embedder, module.proj_out, module.rope):
                    if isinstance(part, torch.nn.Module):
                        part.to(self.device)
                module.scale_shift_table.data = module.scale_shift_table.data.to(self.device)
            seconds = self._time_steps(residency, self.request)
        peak = meter.read()
        return {"step_seconds": statistics.median(seconds), "vram_gb": peak.vram / GIB, "ram_gb": peak.ram / GIB}

    def _time_steps(self, residency: Residency, request: Request) -> list[float]:
        work = Workload.of(self.sizes, request)
        generator = torch.Generator("cpu").manual_seed(0)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator).to(self.device)

        video = draw(1, 36, request.latent_frames, request.height // 8, request.width // 8)
        audio = draw(1, self.configs["audio_vae"]["latent_dim"], work.audio_tokens)
        texts = [draw(1, TEXT_TOKENS, self.configs[EXPERT]["text_dim"]) for _ in range(request.passes)]
        timestep = torch.tensor([900.0], device=self.device)
        towers: Any = [residency.modules[name] for name in (EXPERT, *NETWORK)]
        forward: Any = partial(joint_forward, *towers)
        seconds = []
        for number in range(self.steps + 1):
            begun = time.perf_counter()
            for text in texts:
                with torch.no_grad(), residency.use(EXPERT, *NETWORK):
                    velocity, _ = forward(video, audio, text, timestep, on_layer=residency.arrive)
            finite = bool(torch.isfinite(velocity).all())
            assert finite, "the random network ran out of range"
            if number:
                seconds.append(time.perf_counter() - begun)
        return seconds

    def _within(self, budget: int | None) -> Machine:
        gpu = self.machine.gpu
        if gpu is None or budget is None:
            return self.machine
        vram = min(gpu.total_vram, budget * GIB)
        return replace(self.machine, gpu=replace(gpu, total_vram=vram, free_vram=vram))

    def _limit(self, budget: int | None) -> None:
        gc.collect()
        if self.machine.gpu is None:
            return
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(self.device).total_memory
        share = 1.0 if budget is None else min(1.0, (budget * GIB - DRIVER_SHARE) / total)
        torch.cuda.set_per_process_memory_fraction(share, self.device)

    def _result(self, chosen: Candidate, budget: int | None, seconds: list[float], meter: PeakMeter) -> dict[str, Any]:
        peak = meter.read()
        predicted = chosen.predicted.stages["denoise"]
        return {
            "plan": chosen.plan.name,
            "budget_gb": budget,
            "step_seconds": statistics.median(seconds),
            "predicted_step_seconds": chosen.predicted.step_seconds,
            "vram_gb": peak.vram / GIB,
            "predicted_vram_gb": predicted.vram / GIB,
            "ram_gb": peak.ram / GIB,
            "predicted_ram_gb": predicted.ram / GIB,
        }


def ratios(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The figures that the issue names, as far as their parts are there."""
    steps = {name: part["step_seconds"] for name, part in parts.items() if "step_seconds" in part}
    steps |= {"floor": parts["floor"]["total"]} if "total" in parts.get("floor", {}) else {}
    wanted = {
        "resident over floor": ("resident", "floor"),
        "12 GB over resident": ("budget-12", "resident"),
        "streamed over resident": ("streamed", "resident"),
        "diffusers' group offload over resident": ("diffusers", "resident"),
        "fp8 over resident": ("fp8", "resident"),
        "fp8 and 8-bit attention over resident": ("fp8-sage", "resident"),
        "compiled over resident": ("compile", "resident"),
    }
    return {
        name: steps[above] / steps[below]
        for name, (above, below) in wanted.items()
        if above in steps and below in steps
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(CONFIG_SETS), default="full")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--only", action="append", metavar="PART")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    bench = FullSize(options.size, options.steps)
    if options.size == "full" and bench.machine.gpu is None:
        parser.error("no GPU is here; --size tiny runs the same program on a CPU")
    done: dict[str, Any] = {}
    if options.out is not None and options.out.is_file():
        done = json.loads(options.out.read_text("utf-8")).get("parts", {})
    for name, run in bench.parts().items():
        if (
            (options.only and name not in options.only)
            or "step_seconds" in done.get(name, {})
            or (name == "floor" and name in done)
        ):
            continue
        try:
            done[name] = run()
        except (RuntimeError, ValueError, AssertionError) as error:
            done[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
        gc.collect()
        result = record_result(
            f"full_size {options.size}", bench.device.type, steps=options.steps, parts=done, ratios=ratios(done)
        )
        if options.out is not None:
            write_result(result, options.out)
    if options.out is None:
        write_result(result, None)


if __name__ == "__main__":
    main()
