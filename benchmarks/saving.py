"""What saving a run on the way costs: the share of the run's time that went into it, as the app saves by default.

python -m benchmarks.saving [--steps 400] [--out benchmarks/results/saving-cpu.json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.record import record_result, write_result
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.runner import make_take
from mova_studio.jobs.saved_run import MAX_SHARE, SAVE_SECONDS, SavedRun, Saver
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot


def measure(shot: Shot, every: float, folder: Path) -> dict[str, Any]:
    """Saves made, seconds spent on them, and their share of the whole take's seconds."""
    saves: list[int] = []

    def report(event: dict[str, Any]) -> None:
        if event["kind"] == "saved":
            saves.append(event["step"])

    engine = Engine()
    saver = Saver(SavedRun(folder / "runs", "job"), every)
    begun = time.perf_counter()
    make_take(engine, shot, 1, folder / "take.mp4", report, saver=saver)
    total = time.perf_counter() - begun
    return {
        "saves": len(saves),
        "saving_seconds": round(saver.spent, 4),
        "run_seconds": round(total, 2),
        "share": round(saver.spent / total, 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What saving a run on the way costs.")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    settings = preset_for(options.model).settings() | {"num_inference_steps": options.steps}
    shot = Shot(prompt="rain on a tin roof", model=options.model, **settings)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(shot, SAVE_SECONDS, Path(folder))
    write_result(record_result("saving", "cpu", steps=options.steps, limit=MAX_SHARE, **figures), options.out)


if __name__ == "__main__":
    main()
