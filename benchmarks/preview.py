"""What a preview costs beside a step.

Times, interleaved in one run, the preview of an x0 estimate at MOVA's own 360p size (latents 16 x 49 x 44 x 80: linear
map, upscale, encode) and a joint step of the middle size of `joint_step`, and gives the preview's share of a step of
exactly one second and of that step.

    python -m benchmarks.preview [--repeats 20] [--out benchmarks/results/preview-cpu.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from benchmarks.joint_step import build, parts_and_whole
from benchmarks.record import record_result, write_result
from mova_studio.diffusion.preview import LatentPreview
from mova_studio.media.preview import encode_preview

LATENTS = (16, 49, 44, 80)


@torch.no_grad()
def measure(repeats: int) -> dict[str, float]:
    """Median seconds of a preview and of a joint step, after one round of warm-up."""
    torch.manual_seed(0)
    preview = LatentPreview(torch.randn(3, 16) / 4, torch.zeros(3))
    latents = torch.randn(LATENTS)
    joint = parts_and_whole(*build(torch.device("cpu")))["joint"]
    seconds: dict[str, list[float]] = {"preview": [], "joint": []}
    timed = {"preview": lambda: encode_preview(preview.frames(latents).numpy(), 6.1), "joint": joint}
    for round_number in range(repeats + 1):
        for name, run in timed.items():
            begun = time.perf_counter()
            run()
            if round_number > 0:
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="What a preview costs beside a step.")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    medians = measure(options.repeats)
    result = record_result(
        "preview",
        "cpu",
        repeats=options.repeats,
        latents=list(LATENTS),
        preview_seconds=medians["preview"],
        joint_seconds=medians["joint"],
        share_of_one_second=medians["preview"],
        share_of_joint_step=medians["preview"] / medians["joint"],
    )
    write_result(result, options.out)


if __name__ == "__main__":
    main()
