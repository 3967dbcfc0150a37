"""`python -m mova_studio queue ...`: the page's queue without the page, on the same library."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.cli.generate import add_shot_options, shot_of_options
from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.job import Job
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.saved_run import SAVE_SECONDS
from mova_studio.jobs.states import JobState
from mova_studio.library.database import Database
from mova_studio.library.lock import LibraryLock
from mova_studio.library.shots import ShotStore

Answer = dict[str, Any]
LOOK_SECONDS = 0.2
_VERBS = {
    "cancel": "end a job; what it saved is kept for three days",
    "pause": "let a job wait; a running one saves itself first",
    "resume": "let a paused, failed or cancelled job go on from its last saved step",
    "front": "let a job run next",
}


def add_queue_commands(commands: Any, add: Callable) -> None:
    """`queue add | run | list | scout | cancel | pause | resume | front`."""
    queue = commands.add_parser("queue", help="jobs of a library: add, run, list, change")
    verbs = queue.add_subparsers(title="commands", required=True, metavar="COMMAND")
    parser = add(verbs, "add", "queue a take; whoever runs the library's queue makes it", _add, _tell_added)
    _library(parser)
    add_shot_options(parser)
    parser.add_argument("--front", action="store_true", help="before all that wait")
    parser = add(verbs, "scout", "queue several seeds, each for its first steps", _scout, _tell_scouted)
    _library(parser)
    add_shot_options(parser)
    parser.add_argument("--count", type=int, default=8, metavar="N", help="seeds (8)")
    parser.add_argument("--share", type=float, default=0.25, metavar="X", help="of the steps (0.25)")
    parser = add(verbs, "run", "run the queue here", _run, _tell_run)
    _library(parser)
    parser.add_argument("--until-empty", action="store_true", help="end when nothing waits any more")
    parser.add_argument(
        "--save-every",
        type=float,
        default=SAVE_SECONDS,
        metavar="SECONDS",
        help=f"between two saves of a run ({SAVE_SECONDS:g}); 0 saves after every step",
    )
    parser.set_defaults(verdict=lambda answer: 1 if answer["failed"] else 0)
    parser = add(verbs, "list", "all jobs, those that have not ended first", _list, _tell_list)
    _library(parser)
    for verb, help_text in _VERBS.items():
        parser = add(verbs, verb, help_text, _change, _tell_changed)
        parser.set_defaults(verb=verb)
        _library(parser)
        parser.add_argument("job", metavar="JOB")


def _library(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--library", type=Path, default=Path("library"), metavar="DIR", help="(library)")


def job_answer(job: Job) -> Answer:
    """A job for JSON."""
    return {
        "job": job.job_id,
        "state": job.state.value,
        "step": job.step,
        "steps": job.steps,
        "saved_step": job.saved_step,
        "take": job.job_id if job.state is JobState.DONE else None,
        "seed": job.seed,
        "stop_step": job.stop_step,
        "error": None if job.error is None else job.error["message"],
        "created": job.created,
    }


def _open(root: Path, *, writable: bool) -> tuple[Database, JobQueue]:
    database = Database(root.expanduser().resolve(), writable=writable)
    return database, JobQueue(database, ShotStore(database))


def _add(options: argparse.Namespace) -> Answer:
    shot, seed, notes = shot_of_options(options)
    database, queue = _open(options.library, writable=True)
    job = queue.add(shot, seed, notes=notes, front=options.front)
    database.close()
    return job_answer(job)


def _tell_added(answer: Answer) -> str:
    return f"job {answer['job']} waits, seed {answer['seed']}"


def _scout(options: argparse.Namespace) -> Answer:
    from mova_studio.jobs.scouting import Scouts, seeds_axis

    shot, seed, notes = shot_of_options(options)
    database, queue = _open(options.library, writable=True)
    scouts = Scouts(database, queue)
    scout = scouts.add(shot, [seeds_axis(options.count, seed)], share=options.share, notes=notes)
    jobs = [job_answer(job) for job in scouts.jobs(scout.scout_id)]
    database.close()
    return {"scout": scout.scout_id, "jobs": jobs}


def _tell_scouted(answer: Answer) -> str:
    lines = [f"  job {job['job']}, seed {job['seed']}, to step {job['stop_step']}" for job in answer["jobs"]]
    return "\n".join([f"scout {answer['scout']}; finish a seed with: queue resume JOB", *lines])


def _run(options: argparse.Namespace) -> Answer:
    """Run jobs until nothing waits, or until stopped; a running job then goes on at the next start."""
    from mova_studio.jobs.studio import Studio

    if options.save_every < 0:
        raise InputError(f"--save-every is {options.save_every:g}, but must be 0 or more.", field="save_every")
    studio = Studio(options.library, save_every=options.save_every)
    if studio.read_only:
        studio.close()
        raise OutputError(studio.read_only, field="library")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    mine: set[str] = {job.job_id for job in studio.queue.unfinished()}
    told = ""
    try:
        while not stop.is_set():
            jobs = studio.queue.unfinished()
            mine |= {job.job_id for job in jobs}
            moving = [job for job in jobs if job.state is not JobState.PAUSED]
            if options.until_empty and not moving:
                break
            told = _tell_trouble(studio.trouble, told)
            stop.wait(LOOK_SECONDS)
        ended = studio.queue.some(sorted(mine))
    finally:
        studio.close()
    states = [job.state for job in ended.values()]
    return {state.value: states.count(state) for state in JobState if state is not JobState.RUNNING}


def _tell_trouble(trouble: str, told: str) -> str:
    if trouble and trouble != told:
        print(trouble, file=sys.stderr)
    return trouble


def _tell_run(answer: Answer) -> str:
    return ", ".join(f"{count} {state}" for state, count in answer.items() if count) or "nothing to do"


def _list(options: argparse.Namespace) -> list[Answer]:
    database, queue = _open(options.library, writable=False)
    jobs = [job_answer(job) for job in queue.all()]
    if LibraryLock(database.root).abandoned():
        # Whoever ran them has died; the next run goes on with them.
        jobs = [job | {"state": "waiting"} if job["state"] == "running" else job for job in jobs]
    database.close()
    return jobs


def _tell_list(answer: list[Answer]) -> str:
    lines = [f"{job['job']}  {job['state']:<9}  {job['step']}/{job['steps']}  seed {job['seed']}" for job in answer]
    return "\n".join(lines) or "no jobs"


def _change(options: argparse.Namespace) -> Answer:
    database, queue = _open(options.library, writable=True)
    lock = LibraryLock(database.root)
    try:
        alone = lock.acquire()
        verb, job = options.verb, queue.get(options.job)
        if verb == "resume":
            queue.again(job.job_id)
        elif verb == "front":
            queue.to_front(job.job_id)
        elif job.state is JobState.RUNNING and not alone:
            queue.wish(job.job_id, verb)
        elif not (verb == "cancel" and job.state.ended):
            queue.become(job.job_id, JobState.CANCELLED if verb == "cancel" else JobState.PAUSED)
        return job_answer(queue.get(job.job_id))
    finally:
        lock.release()
        database.close()


def _tell_changed(answer: Answer) -> str:
    return f"job {answer['job']} is {answer['state']}"
