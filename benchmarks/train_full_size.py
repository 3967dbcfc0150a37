"""Training a low-resource adapter at full size on one GPU: memory, and seconds a step.

640x352, 193 frames, the shipped recipe with one clip a step. The checkpoint has MOVA's shapes and weights of zero,
which take no room on the disk; memory and time do not depend on the values. Its 8-bit weights do take room: 32 GB in
--work, and they are made first. With --vram-gb the process may hold no more than that.

    python -m benchmarks.train_full_size --work DIR --vram-gb 18 --out benchmarks/results/train_full_size-h200.json
    python -m benchmarks.train_full_size --work DIR --size tiny     # the same program on a CPU

ram_gb is what the process held at most, with the files that are mapped into it and which the system may drop;
own_ram_gb is without them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights

from benchmarks.random_network import TINY
from benchmarks.record import record_result, write_result
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS, WEIGHTLESS
from mova_studio.placement.machine import GIB
from mova_studio.placement.peaks import PeakMeter
from mova_studio.placement.published import CONFIGS
from mova_studio.training.batch import Example
from mova_studio.training.network_trainer import NetworkTrainer, StepFigures
from mova_studio.training.recipe import check_recipe, find_recipe

CONFIG_SETS: dict[str, Mapping[str, Mapping[str, Any]]] = {"full": CONFIGS, "tiny": TINY}
# Latent frames, height and width, and latents of sound.
CLIPS = {"full": ((49, 44, 80), 403), "tiny": ((2, 4, 4), 19)}
SCHEDULER = {"num_train_timesteps": 1000, "shift": 5.0, "sigma_max": 1.0, "sigma_min": 0.0, "extra_one_step": True}
_SAMPLED_SECONDS = 0.05


def write_zeros(folder: Path, configs: Mapping[str, Mapping[str, Any]]) -> Checkpoint:
    """A checkpoint of the given shapes in bfloat16, every weight zero, as sparse files."""
    for name, component in COMPONENTS.items():
        with init_empty_weights(include_buffers=False):
            module = component.build(dict(configs[name]))
        state = module.state_dict(keep_vars=True)
        state.pop("encoder.embed_tokens.weight", None)
        shapes = {component.to_disk(key): list(value.shape) for key, value in state.items()}
        (folder / name).mkdir(parents=True, exist_ok=True)
        _write_sparse(folder / name / f"{component.weights}.safetensors", shapes)
        _write_json(folder / name / "config.json", dict(configs[name]))
    (folder / "scheduler").mkdir(exist_ok=True)
    _write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    classes = {name: list(component.disk_class) for name, component in COMPONENTS.items()}
    classes |= {name: list(pair) for name, pair in WEIGHTLESS.items()}
    _write_json(folder / "model_index.json", {"_class_name": "MOVA", "boundary_ratio": 0.9, **classes})
    return Checkpoint(folder)


def _write_sparse(path: Path, shapes: Mapping[str, list[int]]) -> None:
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + torch.Size(shape).numel() * torch.bfloat16.itemsize
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content), "utf-8")


class OwnMemory:
    """The most RAM that this process held in a `with` block beside mapped files, in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> OwnMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            with suppress(OSError):
                lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
                held = sum(int(lines[name].split()[0]) for name in ("RssAnon", "RssShmem") if name in lines)
                self.most = max(self.most, held * 1024)
            if self._over.wait(_SAMPLED_SECONDS):
                return


def measure(size: str, work: Path, steps: int) -> dict[str, Any]:
    """Steps of both experts in turn, the first two of which do not count as time."""
    os.environ["MOVA_STUDIO_CACHE"] = str(work / "cache")
    configs = CONFIG_SETS[size]
    checkpoint = write_zeros(work / "zeros", configs)
    change: dict[str, Any] = {"steps": steps + 2, "accumulation": 1, "text_dropout": 0.0, "sample_every": 0}
    if not torch.cuda.is_available():
        change["dtype"] = "float32"
    recipe = check_recipe(find_recipe("adapter-low-resource").model_dump() | change)
    grid, length = CLIPS[size]
    clip = Example(
        torch.randn(16, *grid),
        torch.randn(20, *grid),
        torch.randn(configs["audio_vae"]["latent_dim"], length),
        torch.randn(120, configs["video_dit"]["text_dim"]),
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    figures: list[StepFigures] = []
    meter = PeakMeter(device)
    trainer = NetworkTrainer(checkpoint, recipe, [clip], work / f"run-{os.getpid()}")
    meter.start()
    with OwnMemory() as own:
        trainer.run(on_step=figures.append)
    peak = meter.read()
    return {
        "step_seconds": statistics.median(each.seconds for each in figures[2:]),
        "vram_gb": peak.vram / GIB,
        "ram_gb": peak.ram / GIB,
        "own_ram_gb": own.most / GIB,
        "loss": figures[-1].loss,
        "tokens": grid[0] * grid[1] * grid[2] // 4,
        "adapter_numbers": sum(each.numel() for each in trainer.learning.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for weights and the run")
    parser.add_argument("--size", choices=tuple(CONFIG_SETS), default="full")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--vram-gb", type=float)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.vram_gb is not None and torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, options.vram_gb * GIB / total))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    figures = measure(options.size, options.work, options.steps)
    write_result(
        record_result("train_full_size", device, size=options.size, vram_limit_gb=options.vram_gb, **figures),
        options.out,
    )


if __name__ == "__main__":
    main()
