"""What the joint forward costs over its parts.

Times one joint step at a middle size (video width 512, 8 layers, 2,000 tokens) against the sum of its parts in
the same run: both towers alone and every bridge conditioner alone, interleaved, so that a drift of the machine
hits all alike. Prints and, with --out, writes JSON.

    python -m benchmarks.joint_step [--repeats 30] [--device cpu] [--out benchmarks/results/joint_step-cpu.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.record import record_result, write_result
from mova_studio.network.bridge import Bridge
from mova_studio.network.joint import joint_forward
from mova_studio.network.towers import AudioTower, Tower, build_video_tower, enter, leave

GRID = (10, 20, 40)
AUDIO_LENGTH = 200
VIDEO_DIM, AUDIO_DIM, HEAD_DIM, LAYERS, TEXT_DIM = 512, 256, 64, 8, 256


def build(device: torch.device) -> tuple:
    """Both towers and the bridge with random weights, and one input: 10 x 20 x 40 latents are 2,000 tokens."""
    torch.manual_seed(0)
    video = build_video_tower(
        in_channels=36,
        out_channels=16,
        num_attention_heads=VIDEO_DIM // HEAD_DIM,
        attention_head_dim=HEAD_DIM,
        ffn_dim=4 * VIDEO_DIM,
        num_layers=LAYERS,
        text_dim=TEXT_DIM,
    )
    audio = AudioTower(
        num_attention_heads=AUDIO_DIM // HEAD_DIM,
        attention_head_dim=HEAD_DIM,
        in_channels=128,
        out_channels=128,
        text_dim=TEXT_DIM,
        ffn_dim=4 * AUDIO_DIM,
        num_layers=LAYERS,
    )
    bridge = Bridge(LAYERS, LAYERS, VIDEO_DIM, AUDIO_DIM, head_dim=HEAD_DIM)
    inputs = (
        torch.randn(1, 36, *GRID),
        torch.randn(1, 128, AUDIO_LENGTH),
        torch.randn(1, 512, TEXT_DIM),
        torch.tensor([700.0]),
    )
    modules = [module.eval().requires_grad_(False).to(device) for module in (video, audio, bridge)]
    return (*modules, *(tensor.to(device) for tensor in inputs))


def parts_and_whole(
    video: Tower,
    audio: AudioTower,
    bridge: Bridge,
    latents: torch.Tensor,
    sound: torch.Tensor,
    text: torch.Tensor,
    timestep: torch.Tensor,
) -> dict[str, Callable[[], object]]:
    """What is timed: "joint", the two towers, and each conditioner on states of the right shape."""
    video_state = enter(video, latents, timestep, text)
    audio_state = enter(audio, sound, timestep, text)
    frames, height, width = video_state.grid
    rotary = bridge.rotary((frames, height, width), audio_state.grid[0], 24.0, latents.device)

    def tower(module: Tower, tensor: torch.Tensor) -> torch.Tensor:
        state = enter(module, tensor, timestep, text)
        for block in module.blocks:
            state.advance(block)
        return leave(module, state)

    timed: dict[str, Callable[[], object]] = {
        "joint": lambda: joint_forward(video, audio, bridge, latents, sound, text, timestep),
        "video tower": lambda: tower(video, latents),
        "audio tower": lambda: tower(audio, sound),
    }
    for name, conditioner in bridge.audio_to_video_conditioners.items():
        timed[f"a2v {name}"] = partial(conditioner, video_state.hidden, audio_state.hidden, *rotary)
    for name, conditioner in bridge.video_to_audio_conditioners.items():
        timed[f"v2a {name}"] = partial(conditioner, audio_state.hidden, video_state.hidden, *rotary[::-1])
    return timed


@torch.no_grad()
def measure(repeats: int, device: torch.device, warm_up: int = 2) -> dict[str, float]:
    """Median seconds of each part over interleaved rounds, after `warm_up` rounds that do not count."""
    timed = parts_and_whole(*build(device))
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for round_number in range(repeats + warm_up):
        for name, run in timed.items():
            begun = time.perf_counter()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if round_number >= warm_up:
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    medians = measure(options.repeats, torch.device(options.device))
    parts = sum(value for name, value in medians.items() if name != "joint")
    result = record_result(
        "joint_step",
        options.device,
        repeats=options.repeats,
        joint_seconds=medians["joint"],
        parts_seconds=parts,
        ratio=medians["joint"] / parts,
        medians=medians,
    )
    write_result(result, options.out)


if __name__ == "__main__":
    main()
