"""What exact tiles of the video VAE cost in time and save in memory.

Decodes and encodes random frames with the demo's video VAE, whole by diffusers' own call, whole by ours, and in tiles,
interleaved, so that a drift of the machine hits all alike. Peak bytes are those of live tensors, without the result;
what tiles collect for the middle block is in them, which beside a GPU lies in RAM. diffusers' own tiling runs on the
same input for its difference from the whole.

    python -m benchmarks.vae_tiling [--repeats 3] [--out benchmarks/results/vae_tiling-cpu.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan

from benchmarks.live_bytes import LiveBytes
from benchmarks.record import record_result, write_result
from mova_studio.diffusion.tiling import decode, encode
from mova_studio.network.tiles import Tiling

SIZES = ((160, 96), (320, 192))
COUNTS = (2, 4)
FRAMES = 9


def build() -> AutoencoderKLWan:
    """The demo's video VAE, its last layer scaled to a picture that is neither grey nor clipped."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan(base_dim=8, num_res_blocks=1).eval().requires_grad_(False)
    last = vae.decoder.conv_out
    last.weight *= 0.3 / vae.decode(torch.randn(1, 16, 4, 8, 8)).sample.std()
    return vae


def _peak(run: Callable[[], torch.Tensor]) -> int:
    with LiveBytes() as live:
        result = run()
    return live.peak - result.untyped_storage().nbytes()


def measure(width: int, height: int, frames: int, repeats: int, counts: tuple[int, ...] = COUNTS) -> dict[str, Any]:
    """Median seconds, peak bytes and the largest difference from diffusers' plain call, for every way."""
    vae = build()
    latents = torch.randn(1, 16, (frames - 1) // 4 + 1, height // 8, width // 8)
    video = torch.rand(1, 3, frames, height, width) * 2 - 1
    ways: dict[str, dict[str, Callable[[], torch.Tensor]]] = {
        "decode": {"diffusers": lambda: vae.decode(latents).sample},
        "encode": {"diffusers": lambda: vae.encode(video).latent_dist.parameters},
    }

    def frames_of(start: int, stop: int) -> torch.Tensor:
        return video[:, :, start:stop]

    for count in (1, *counts):
        tiling = None if count == 1 else Tiling(count=count)
        ways["decode"][str(count)] = partial(decode, vae, latents, tiling)
        ways["encode"][str(count)] = partial(encode, vae, frames_of, frames, tiling)
    figures: dict[str, Any] = {}
    for direction, runs in ways.items():
        whole = runs["diffusers"]()
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(repeats):
            for name, run in runs.items():
                begun = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - begun)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        peaks = {name: _peak(run) for name, run in runs.items()}
        figures[direction] = {
            name: {
                "seconds": medians[name],
                "time_ratio": medians[name] / medians["1"],
                "peak_bytes": peaks[name],
                "peak_ratio": peaks[name] / peaks["1"],
                "max_difference": float((run() - whole).abs().max()),
            }
            for name, run in runs.items()
        }
    figures["diffusers_tiling_max_difference"] = _blended(vae, latents, video)
    return figures


def _blended(vae: AutoencoderKLWan, latents: torch.Tensor, video: torch.Tensor) -> dict[str, float]:
    """How far diffusers' own tiling is from the whole, with tiles of half the height."""
    whole, moments = vae.decode(latents).sample, vae.encode(video).latent_dist.parameters
    tile = video.shape[-2] // 2
    stride = tile * 3 // 4 // 8 * 8
    vae.enable_tiling(tile, tile, stride, stride)
    tiled, tiled_moments = vae.decode(latents).sample, vae.encode(video).latent_dist.parameters
    return {"decode": float((tiled - whole).abs().max()), "encode": float((tiled_moments - moments).abs().max())}


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sizes = {f"{width}x{height}": measure(width, height, FRAMES, options.repeats) for width, height in SIZES}
    write_result(
        record_result("vae_tiling", "cpu", repeats=options.repeats, frames=FRAMES, tiles=COUNTS, sizes=sizes),
        options.out,
    )


if __name__ == "__main__":
    main()
