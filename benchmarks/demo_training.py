"""How the demo's training went, stage by stage, from the logs in its folder.

    python -m benchmarks.demo_training RUN [--out benchmarks/results/demo_training-cpu.json]

Keeps of each stage the steps, the median seconds of one, what was measured on held-out clips at its end, and every loss
as the mean of each of at most 25 equal parts of the run.
"""

from __future__ import annotations

import argparse
import json
import statistics
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.record import record_result, write_result
from mova_studio.training.demo_stages import STAGES

POINTS = 25
_NO_LOSS = {"step", "seconds"}


def summary(log: Path) -> dict[str, Any]:
    """What a stage's log tells.

    Args:
        log: a JSON object per line; those without "seconds" tell of held-out clips.
    """
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    steps = [line for line in lines if "seconds" in line]
    last = int(steps[-1]["step"])
    part = -(-last // POINTS)
    curve = []
    for _, each in groupby(steps, key=lambda line: (line["step"] - 1) // part):
        rows = list(each)
        losses = {name: statistics.fmean(row[name] for row in rows) for name in rows[0] if name not in _NO_LOSS}
        curve.append({"step": rows[-1]["step"]} | {name: round(value, 4) for name, value in losses.items()})
    seconds = statistics.median(line["seconds"] for line in steps)
    told = {"steps": last, "median_seconds": round(seconds, 3), "minutes": round(seconds * last / 60, 1)}
    held_out = [line for line in lines if "seconds" not in line]
    return told | ({"held_out": held_out[-1]} if held_out else {}) | {"curve": curve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder of `train demo --out`")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    logs = {stage: options.run / stage / "log.jsonl" for stage in STAGES}
    stages = {stage: summary(log) for stage, log in logs.items() if log.is_file()}
    write_result(record_result("demo_training", "cpu", stages=stages), options.out)


if __name__ == "__main__":
    main()
