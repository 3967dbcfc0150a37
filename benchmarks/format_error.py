"""How far each weight format moves the velocity: relative error against float32 weights, picture and sound.

Measured with one pass of each expert at several timesteps on fixed random latents, everything but the towers' and
the bridge's matrices in float32. The parity checkpoint's weights are harsher than trained ones; the demo's are
untrained: neither says how a take looks.

    python -m benchmarks.format_error [--model demo|DIR ...] [--out benchmarks/results/format_error-cpu.json]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from benchmarks.record import record_result, write_result
from mova_studio.diffusion import MovaPipeline
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.locate import locate
from mova_studio.placement.plan import Plan
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.residency import EXPERTS, NETWORK, Residency
from mova_studio.placement.source import sources_of

FORMATS = ("bf16", "int8", "fp8", "fp8_compute")
TIMESTEPS = (("high", 980.0), ("high", 920.0), ("low", 700.0), ("low", 300.0))
GRID, AUDIO_LENGTH = (3, 8, 12), 17


@torch.no_grad()
def velocities(checkpoint: Checkpoint, weights: str, cache: Path) -> list[torch.Tensor]:
    """Video and audio velocities at every one of `TIMESTEPS`, one after the other."""
    formats = dict.fromkeys(COMPONENTS, "fp32") | dict.fromkeys((*EXPERTS, *NETWORK), weights)
    depth = int(checkpoint.config("video_dit")["num_layers"])
    plan = Plan("cpu", formats, "none", depth, depth)
    residency = Residency(sources_of(checkpoint, plan, QuantizedCache(cache, checkpoint.identity(), print)), plan)
    pipeline = MovaPipeline(
        tokenizer=checkpoint.tokenizer(),
        scheduler=FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
        boundary_ratio=checkpoint.boundary_ratio,
        **residency.modules,  # type: ignore[arg-type]
    )
    pipeline.residency = residency
    embeds = pipeline.encode_prompt("A red ball bounces on wood with a deep thud.").float()
    generator = torch.Generator().manual_seed(0)
    channels = checkpoint.config("audio_vae")["latent_dim"]
    video = torch.randn(1, 36, *GRID, generator=generator)
    audio = torch.randn(1, channels, AUDIO_LENGTH, generator=generator)
    found: list[torch.Tensor] = []
    for expert, timestep in TIMESTEPS:
        found += pipeline.predict_velocity(video, audio, embeds, torch.tensor([timestep]), expert=expert)  # type: ignore[arg-type]
    residency.close()
    return found


def errors(checkpoint: Checkpoint) -> dict[str, dict[str, float]]:
    """By format: the largest relative error (norm of the difference over the norm) of picture and of sound."""
    with tempfile.TemporaryDirectory() as cache:
        exact = velocities(checkpoint, "fp32", Path(cache))
        table = {}
        for weights in FORMATS:
            found = velocities(checkpoint, weights, Path(cache))
            relative = [float((a - b).norm() / b.norm()) for a, b in zip(found, exact, strict=True)]
            table[weights] = {"video": max(relative[::2]), "audio": max(relative[1::2])}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", help="demo or a folder; may be repeated")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tables = {}
    for model in options.model or ["demo"]:
        checkpoint = Checkpoint(locate(model))
        name = model if model == "demo" else checkpoint.folder.name
        tables[name] = {"identity": checkpoint.identity(), "untrained": checkpoint.untrained} | errors(checkpoint)
    write_result(record_result("format_error", "cpu", relative_error=tables), options.out)


if __name__ == "__main__":
    main()
