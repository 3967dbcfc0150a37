"""What it costs to scout seeds and finish the best, beside making them all.

Both ways go through the real queue and its worker, with previews and saving as they are in the app, in one run:
a warm-up take first, then the scouts, then their finishing, then all seeds in full. The ratio is that of the worker's
processor seconds, which other programs on the machine change little; the seconds by the clock stand beside it.

    python -m benchmarks.scouting [--seeds 8] [--finish 2] [--out benchmarks/results/scouting-cpu.json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

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


def spent() -> dict[str, float]:
    """Seconds so far, by the clock and of the worker's processors."""
    (worker,) = psutil.Process().children()
    times = worker.cpu_times()
    return {"clock": time.perf_counter(), "processor": times.user + times.system}


def run(studio: Studio, shot: Shot, seeds: Axis, finish: int) -> dict[str, dict[str, float]]:
    """Seconds of the scouts, of finishing some, and of all in full."""
    wait(studio, [studio.submit(shot, 0)], JobState.DONE)
    begun = spent()
    scout = studio.scouts.add(shot, [seeds], share=SHARE)
    jobs = [job.job_id for job in studio.scouts.jobs(scout.scout_id)]
    wait(studio, jobs, JobState.PAUSED)
    scouted = spent()
    for job in jobs[:finish]:
        studio.resume(job)
    wait(studio, jobs[:finish], JobState.DONE)
    finished = spent()
    wait(studio, [studio.submit(shot, seed) for seed in seeds.values], JobState.DONE)
    marks = {"scouting": (begun, scouted), "finishing": (scouted, finished), "all in full": (finished, spent())}
    return {name: {of: round(after[of] - before[of], 2) for of in before} for name, (before, after) in marks.items()}


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
    used = {name: each["processor"] for name, each in seconds.items()}
    ratio = (used["scouting"] + used["finishing"]) / used["all in full"]
    shape = {"seeds": options.seeds, "finish": options.finish, "share": SHARE, "steps": options.steps}
    write_result(
        record_result("scouting", "cpu", **shape, seconds=seconds, ratio=round(ratio, 4), limit=LIMIT), options.out
    )


if __name__ == "__main__":
    main()
