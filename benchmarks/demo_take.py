"""How long a take of the demo checkpoint takes, stage by stage, at the demo's own defaults.

Runs `generate` as a person would, each time in a fresh process, and gives the medians of the stages that it
reports and of the whole command.

    python -m benchmarks.demo_take [--repeats 5] [--out benchmarks/results/demo_take-cpu.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.record import record_result, write_result

PROMPT = 'A red ball bounces on wood with a deep thud. "Again!"'


def run_once(folder: Path, seed: int) -> dict[str, float]:
    """Seconds of every stage and of the whole command ("command")."""
    command = [sys.executable, "-m", "mova_studio", "generate", "--prompt", PROMPT, "--seed", str(seed), "--json"]
    begun = time.perf_counter()
    done = subprocess.run([*command, "--out", str(folder / "take.mp4")], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)["seconds"] | {"command": time.perf_counter() - begun}


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a take of the demo checkpoint takes.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [run_once(Path(folder), seed) for seed in range(options.repeats)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    write_result(record_result("demo_take", "cpu", repeats=options.repeats, median_seconds=medians), options.out)


if __name__ == "__main__":
    main()
