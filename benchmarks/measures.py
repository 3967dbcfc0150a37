"""What measuring a take costs beside writing its file.

Times, in turns, `measure_streams` and `write_mp4` on a pattern that jumps at every click, at the size and length of a
360p take and of a demo take, and gives the median of both and the one as a share of the other: in processor seconds,
all threads added up, so that a busy machine gives the same.

    python -m benchmarks.measures [--repeats 5] [--out benchmarks/results/measures-cpu.json]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import record_result, write_result
from mova_studio.media.measures import measure_streams
from mova_studio.media.mp4 import write_mp4

FRAME_RATE = 24.0
SAMPLE_RATE = 48_000
SIZES = {"360p": (193, 352, 640), "demo": (49, 96, 160)}
_BEAT = 11  # frames from one click to the next


def make_take(num_frames: int, height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures uint8 [F, H, W, 3] and sound float32 [n] that move and click together."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frames = np.empty((num_frames, height, width, 3), np.uint8)
    for index in range(num_frames):
        place = 0.2 * index + 3 * (index // _BEAT)
        pattern = 128 + 50 * np.sin((x + place) / 9) * np.cos(y / 7)
        frames[index] = (pattern + random.normal(0, 3, pattern.shape))[..., None].clip(0, 255)
    sound = random.normal(0, 0.003, round(num_frames / FRAME_RATE * SAMPLE_RATE))
    for index in range(_BEAT, num_frames, _BEAT):
        begin = round(index / FRAME_RATE * SAMPLE_RATE)
        sound[begin : begin + 500] += random.normal(0, 0.2, min(500, sound.size - begin))
    return frames, sound.clip(-1, 1).astype(np.float32)


def measure(size: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """Median processor seconds of measuring and of writing, after one round of warm-up."""
    frames, sound = make_take(*size)
    seconds: dict[str, list[float]] = {"measure": [], "write": []}
    with tempfile.TemporaryDirectory() as folder:
        timed = {
            "measure": lambda: measure_streams(frames, FRAME_RATE, sound, SAMPLE_RATE),
            "write": lambda: write_mp4(Path(folder) / "take.mp4", frames, frame_rate=FRAME_RATE, audio=sound),
        }
        for round_number in range(repeats + 1):
            for name, run in timed.items():
                begun = time.process_time()
                run()
                if round_number > 0:
                    seconds[name].append(time.process_time() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="What measuring a take costs beside writing its file.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sizes = {}
    for name, size in SIZES.items():
        medians = measure(size, options.repeats)
        sizes[name] = {
            "frames_height_width": list(size),
            "measure_processor_seconds": medians["measure"],
            "write_processor_seconds": medians["write"],
            "measure_over_write": medians["measure"] / medians["write"],
        }
    write_result(record_result("measures", "cpu", repeats=options.repeats, sizes=sizes), options.out)


if __name__ == "__main__":
    main()
