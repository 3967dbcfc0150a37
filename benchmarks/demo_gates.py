"""What the demo checkpoint can do, by the toy world's own judge, on prompts and first frames that it never saw.

For each arm (the preset itself, the bridge switched off, other guidance, every weight format, cache level and offload
of a plan): the share of takes with the named kind and colour, of takes with the named sound, of visible hits with a
sound of their own within 60 ms, of onsets that no hit has, all of it for each kind of thing too, and the PSNR of the
picture against the plain arm's. An arm that is in the result file already is not measured again, so that a run can be
cut.

    python -m benchmarks.demo_gates [--model demo|DIR] [--clips 200] [--arms gates|bridge|guidance|plans|NAME ...]
        [--steps N] [--out benchmarks/results/demo_gates-cpu.json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.record import record_result, write_result
from mova_studio.diffusion import MovaPipeline
from mova_studio.diffusion.guidance import Velocity
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.library.presets import preset_for
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.locate import locate
from mova_studio.placement.plan import Plan
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.residency import EXPERTS, NETWORK, Residency
from mova_studio.placement.source import sources_of
from mova_studio.training.judge.verdict import Verdict, judge
from mova_studio.training.world.clips import HELD_OUT, World

BATCH = 4
WORLD = World()


class ScaledBridge(MovaPipeline):
    """The pipeline with the bridge at another strength."""

    bridge: float = 1.0

    def predict_velocity(self, *args: Any, a2v_scale: float = 1.0, v2a_scale: float = 1.0, **named: Any) -> Velocity:
        """As of `MovaPipeline`."""
        named |= {"a2v_scale": self.bridge * a2v_scale, "v2a_scale": self.bridge * v2a_scale}
        return super().predict_velocity(*args, **named)


@dataclass(frozen=True)
class Arm:
    """A way to make the takes.

    Attributes:
        call: arguments of the pipeline beside the preset's.
        bridge: its strength; 0 is two separate towers.
        weights: format of the towers and the bridge.
        offload: of the plan; with "group" one layer stays.
        first_frame: whether the world's is given.
    """

    call: dict[str, Any] = field(default_factory=dict)
    bridge: float = 1.0
    weights: str = "fp32"
    offload: str = "none"
    first_frame: bool = True


GROUPS: dict[str, dict[str, Arm]] = {
    "gates": {"plain": Arm(), "bridge off": Arm(bridge=0.0), "text alone": Arm(first_frame=False)},
    "bridge": {f"s_B {scale:g}": Arm({"bridge_guidance_scale": scale}) for scale in (0.5, 2.0, 4.0)},
    "guidance": {f"s_T {scale:g}": Arm({"guidance_scale": scale}) for scale in (1.0, 3.0, 5.0)},
    "plans": {weights: Arm(weights=weights) for weights in ("bf16", "int8", "fp8", "fp8_compute")}
    | {f"cache {level}": Arm({"step_cache": level}) for level in ("light", "balanced", "fast")}
    | {f"offload {way}": Arm(offload=way) for way in ("component", "group")},
}
ARMS = {name: arm for group in GROUPS.values() for name, arm in group.items()}


def pipeline_of(checkpoint: Checkpoint, arm: Arm, cache: Path) -> ScaledBridge:
    """The checkpoint as the arm's plan places it on the processor."""
    formats = dict.fromkeys(COMPONENTS, "fp32") | dict.fromkeys((*EXPERTS, *NETWORK), arm.weights)
    depth = int(checkpoint.config("video_dit")["num_layers"])
    kept = 1 if arm.offload == "group" else depth
    plan = Plan("cpu", formats, arm.offload, kept, kept)  # type: ignore[arg-type]
    residency = Residency(sources_of(checkpoint, plan, QuantizedCache(cache, checkpoint.identity(), print)), plan)
    pipeline = ScaledBridge(
        tokenizer=checkpoint.tokenizer(),
        scheduler=FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
        boundary_ratio=checkpoint.boundary_ratio,
        **residency.modules,  # type: ignore[arg-type]
    )
    pipeline.residency, pipeline.bridge = residency, arm.bridge
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def tally(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """The gates of several clips together."""
    hits, onsets = sum(each.hits for each in verdicts), sum(each.onsets for each in verdicts)
    figures = {
        "clips": len(verdicts),
        "looks_right": sum(each.looks_right for each in verdicts) / len(verdicts),
        "sounds_right": sum(each.sounds_right for each in verdicts) / len(verdicts),
        "hits": hits,
        "hits_in_time": sum(each.heard_in_time for each in verdicts) / max(hits, 1),
        "onsets": onsets,
        "unmatched_onsets": sum(each.unmatched for each in verdicts) / max(onsets, 1),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def measure(
    pipeline: ScaledBridge, arm: Arm, clips: int, steps: int | None, plain: NDArray[np.uint8] | None
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The arm's figures, and its pictures uint8 [N, F, H, W, 3]."""
    settings = preset_for("demo").settings() | arm.call
    settings |= {"width": WORLD.width, "height": WORLD.height, "num_frames": WORLD.num_frames}
    if steps is not None:
        settings["num_inference_steps"] = steps
    verdicts: list[Verdict] = []
    by_kind: dict[str, list[Verdict]] = {kind: [] for kind in WORLD.kinds}
    pictures, begun = [], time.process_time()
    for start in range(0, clips, BATCH):
        numbers = [HELD_OUT + place for place in range(start, min(start + BATCH, clips))]
        asked = [WORLD.clip(number) for number in numbers]
        output = pipeline(
            [clip.caption for clip in asked],
            [Image.fromarray(clip.frames[0]) for clip in asked] if arm.first_frame else None,
            output_type="np",
            generator=[torch.Generator().manual_seed(number % HELD_OUT) for number in numbers],
            **settings,
        )
        for clip, made, sound in zip(asked, output.frames, output.audio, strict=True):
            frames = np.round(made * 255).astype(np.uint8)
            pictures.append(frames)
            verdicts.append(judge(frames, sound[0].numpy(), clip.scene))
            by_kind[clip.scene.actors[0].kind].append(verdicts[-1])
    seconds = (time.process_time() - begun) / clips
    stacked = np.stack(pictures)
    figures: dict[str, Any] = tally(verdicts) | {"processor_seconds_per_clip": round(seconds, 4)}
    figures["kinds"] = {kind: tally(each) for kind, each in by_kind.items() if each}
    if plain is not None:
        error = stacked.astype(np.float32) - plain[:clips].astype(np.float32)
        mean = np.square(error).mean(axis=(1, 2, 3, 4))
        figures["psnr"] = round(float(np.mean(10 * np.log10(255**2 / np.maximum(mean, 1e-2)))), 4)
    return figures, stacked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo", help="demo or a folder")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--arms", nargs="+", default=["gates"], metavar="ARM", help=", ".join((*GROUPS, *ARMS)))
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    wanted = [name for each in options.arms for name in GROUPS.get(each, {each: None})]
    if unknown := [name for name in wanted if name not in ARMS]:
        parser.error(f"unknown arm {unknown[0]}; there are {', '.join((*GROUPS, *ARMS))}")
    checkpoint = Checkpoint(locate(options.model))
    facts = {"model": checkpoint.identity(), "steps": options.steps or preset_for("demo").num_inference_steps}
    measured: dict[str, dict[str, Any]] = {}
    if options.out is not None and options.out.is_file():
        before = json.loads(options.out.read_text("utf-8"))
        if all(before.get(name) == value for name, value in facts.items()):
            measured = before["arms"]
    plain: NDArray[np.uint8] | None = None
    with tempfile.TemporaryDirectory() as cache:
        # The plain arm's pictures are what the others' are compared with.
        for name in dict.fromkeys(["plain", *wanted] if set(wanted) & set(GROUPS["plans"]) else wanted):
            if name in measured and name != "plain":
                continue
            pipeline = pipeline_of(checkpoint, ARMS[name], Path(cache))
            measured[name], pictures = measure(pipeline, ARMS[name], options.clips, options.steps, plain)
            pipeline.residency.close()  # type: ignore[attr-defined]
            if name == "plain":
                plain = pictures
            write_result(record_result("demo_gates", "cpu", **facts, arms=measured), options.out)


if __name__ == "__main__":
    main()
