"""What it costs to scout seeds and finish the best, beside making them all; and what saving a run costs.

Both ways go through the real queue and its worker, with previews and saving as they are in the app, in one run:
a warm-up take first, then the scouts, then their finishing, then all seeds in full.

    python -m benchmarks.scouting [--seeds 8] [--finish 2] [--out benchmarks/results/scouting-cpu.json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.record import record_result, write_result
from mova_studio.jobs.scouting import Axis, seeds_axis
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot

LIMIT = 0.5
SHARE = 0.25
LOOK_SECONDS = 0.02
STILL = (JobState.PAUSED, JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def wait(studio: Studio, job_ids: list[str], state: JobState) -> None:
    while any(studio.queue.get(job_id).state not in STILL for job_id in job_ids):
        time.sleep(LOOK_SECONDS)
    ended = {studio.queue.get(job_id).state for job_id in job_ids}
    if ended != {state}:
        raise SystemExit(f"jobs ended as {ended}")


def run(studio: Studio, shot: Shot, seeds: Axis, finish: int) -> dict[str, float]:
    """Seconds of the scouts, of finishing some, and of all in full."""
    wait(studio, [studio.submit(shot, 0)], JobState.DONE)
    begun = time.perf_counter()
    scout = studio.scouts.add(shot, [seeds], share=SHARE)
    jobs = [job.job_id for job in studio.scouts.jobs(scout.scout_id)]
    wait(studio, jobs, JobState.PAUSED)
    scouted = time.perf_counter()
    for job in jobs[:finish]:
        studio.resume(job)
    wait(studio, jobs[:finish], JobState.DONE)
    finished = time.perf_counter()
    wait(studio, [studio.submit(shot, seed) for seed in seeds.values], JobState.DONE)
    return {
        "scouting": scouted - begun,
        "finishing": finished - scouted,
        "all in full": time.perf_counter() - finished,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What scouting costs beside making all takes.")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--finish", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    settings = preset_for(options.model).settings() | {"num_inference_steps": options.steps}
    shot = Shot(prompt="rain on a tin roof", model=options.model, **settings)
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), options.model)
        try:
            seconds = run(studio, shot, seeds_axis(options.seeds), options.finish)
        finally:
            studio.close()
    ratio = (seconds["scouting"] + seconds["finishing"]) / seconds["all in full"]
    told = {name: round(value, 2) for name, value in seconds.items()}
    shape = {"seeds": options.seeds, "finish": options.finish, "share": SHARE, "steps": options.steps}
    write_result(
        record_result("scouting", "cpu", **shape, seconds=told, ratio=round(ratio, 4), limit=LIMIT), options.out
    )


if __name__ == "__main__":
    main()
