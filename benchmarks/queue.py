"""How long the queue takes to answer when many jobs wait: adding one, listing all, the page's panel, moving one.

python -m benchmarks.queue [--jobs 1000] [--out benchmarks/results/queue-cpu.json]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.record import record_result, write_result
from mova_studio.cli.queue import job_answer
from mova_studio.jobs.queue import JobQueue
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore

ADD_LIMIT_MS, LIST_LIMIT_MS = 20, 300
REPEATS = 20
FRAME_BYTES = 300_000  # a first frame of 640x352, as PNG


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begun)


def summary(milliseconds: list[float], limit: float) -> dict[str, float]:
    return {
        "median_ms": round(statistics.median(milliseconds), 3),
        "worst_ms": round(max(milliseconds), 3),
        "limit_ms": limit,
    }


def measure(jobs: int, folder: Path) -> dict[str, dict[str, float]]:
    """Every figure, with all jobs in one library; every shot is another one, a tenth with a first frame."""
    database = Database(folder)
    queue = JobQueue(database, ShotStore(database))
    frames = [bytes([count]) * FRAME_BYTES for count in range(10)]

    def add(count: int) -> None:
        frame = frames[count // 10 % 10] if count % 10 == 0 else None
        queue.add(Shot(prompt=f"rain on roof number {count}", first_frame=frame), asked_by="anna")

    added = [timed(lambda count=count: add(count)) for count in range(jobs)]  # type: ignore[misc]

    def panel() -> None:
        shown = queue.line(30)
        queue.length()
        for job in shown:
            queue.shot(job)
            queue.ahead(job)

    last = queue.unfinished()[-1].job_id
    return {
        "add": summary(added, ADD_LIMIT_MS),
        "list all": summary(
            [timed(lambda: [job_answer(job) for job in queue.all()]) for _ in range(REPEATS)], LIST_LIMIT_MS
        ),
        "panel": summary([timed(panel) for _ in range(REPEATS)], LIST_LIMIT_MS),
        "to front": summary([timed(lambda: queue.to_front(last)) for _ in range(REPEATS)], ADD_LIMIT_MS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the queue takes to answer.")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.jobs, Path(folder))
    write_result(record_result("queue", "cpu", jobs=options.jobs, figures=figures), options.out)


if __name__ == "__main__":
    main()
