"""kill -9 of the worker and of the app, at random moments: every job finishes, to the same bits, none twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from mova_studio.jobs.queue import MAX_DEATHS, JobQueue
from mova_studio.jobs.saved_run import SavedRun
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.media.probe import decode_audio, decode_frames

PROJECT = Path(__file__).parents[2]
SHOT = Shot(prompt="rain on a tin roof", width=64, height=48, num_frames=13, num_inference_steps=12)
SEEDS = (11, 12)
KILLS = int(os.environ.get("MOVA_KILLS", "3"))
DEADLINE_SECONDS = 300


def open_queue(library: Path) -> tuple[Database, JobQueue, TakeStore]:
    database = Database(library)
    shots = ShotStore(database)
    return database, JobQueue(database, shots), TakeStore(database, library, shots)


def run_queue(library: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "mova_studio", "queue", "run", "--until-empty", "--save-every", "0"]
    return subprocess.Popen([*command, "--library", str(library)], cwd=PROJECT, stdout=subprocess.DEVNULL)


def content(path: Path) -> tuple[np.ndarray, np.ndarray]:
    return decode_frames(path), decode_audio(path)[0]


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_something(app: subprocess.Popen, chance: random.Random) -> bool:
    """Kill the worker, or the app with it or without; returns whether the app died."""
    workers = psutil.Process(app.pid).children()
    victim = chance.choice(["worker", "app", "both"]) if workers else "app"
    for worker in workers:
        if victim != "app":
            worker.kill()
    if victim != "worker":
        app.kill()
        app.wait()
        # A worker whose parent is gone must not go on beside the next one.
        tick, deadline = threading.Event(), time.monotonic() + 20
        while any(map(lives, workers)):
            assert time.monotonic() < deadline
            tick.wait(0.02)
    return victim != "worker"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    library = tmp_path_factory.mktemp("undisturbed")
    database, queue, store = open_queue(library)
    jobs = [queue.add(SHOT, seed) for seed in SEEDS]
    assert run_queue(library).wait(timeout=DEADLINE_SECONDS) == 0
    made = {job.seed: content(store.get(job.job_id).take.path) for job in jobs}
    database.close()
    return made


def test_every_job_survives_kills_at_random_moments(tmp_path, undisturbed):
    chance = random.Random(KILLS)
    database, queue, store = open_queue(tmp_path)
    jobs = [queue.add(SHOT, seed) for seed in SEEDS]
    app, kills, tick = run_queue(tmp_path), 0, threading.Event()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while app.poll() is None:
        assert time.monotonic() < deadline
        before = sum(job.saved_step for job in queue.all())
        # From before anything is loaded to well into the decoding.
        until = time.monotonic() + chance.uniform(0.0, 12.0)
        while app.poll() is None and time.monotonic() < until:
            tick.wait(0.02)
            if chance.random() < 0.3 and sum(job.saved_step for job in queue.all()) > before + chance.randrange(1, 6):
                break
        if kills < KILLS and app.poll() is None:
            kills += 1
            if kill_something(app, chance):
                app = run_queue(tmp_path)
    assert app.returncode == 0
    assert [queue.get(job.job_id).state for job in jobs] == [JobState.DONE, JobState.DONE]
    assert store.page().total == len(list(tmp_path.glob("*/*.mp4"))) == len(jobs)
    for job in jobs:
        pictures, sound = content(store.get(job.job_id).take.path)
        assert np.array_equal(pictures, undisturbed[job.seed][0])
        assert np.array_equal(sound, undisturbed[job.seed][1])
    assert list((tmp_path / ".runs").glob("*")) == []
    database.close()


def test_a_job_that_kills_its_worker_three_times_is_failed_and_the_queue_goes_on(tmp_path):
    studio = Studio(tmp_path)
    try:
        deadly, innocent = studio.submit(SHOT, 1), studio.submit(SHOT, 2)
        killed: set[int] = set()
        deadline, tick = time.monotonic() + DEADLINE_SECONDS, threading.Event()
        while not studio.snapshot(deadly).state.ended:
            assert time.monotonic() < deadline
            worker = studio._dispatcher._worker
            live = studio._dispatcher.live(deadly)
            begun = studio.snapshot(deadly).state is JobState.RUNNING and live.plan is not None
            if begun and worker is not None and worker.pid not in killed:
                killed.add(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)
            tick.wait(0.01)
        failed = studio.snapshot(deadly)
        assert failed.state is JobState.FAILED and len(killed) == MAX_DEATHS
        assert "3 times" in failed.error["message"] and "retry" in failed.error["message"]
        while not studio.snapshot(innocent).state.ended:
            assert time.monotonic() < deadline
            tick.wait(0.05)
        assert studio.snapshot(innocent).state is JobState.DONE
        studio.resume(deadly)
        while not studio.snapshot(deadly).state.ended:
            assert time.monotonic() < deadline
            tick.wait(0.05)
        assert studio.snapshot(deadly).state is JobState.DONE
    finally:
        studio.close()


def test_a_take_that_was_written_just_before_a_kill_is_not_made_twice(tmp_path, undisturbed):
    """The worker had renamed the file in, and nobody lived to write that down."""
    database, queue, store = open_queue(tmp_path)
    job = queue.add(SHOT, SEEDS[0])
    assert run_queue(tmp_path).wait(timeout=DEADLINE_SECONDS) == 0
    path = store.get(job.job_id).take.path
    with database.writing() as connection:
        connection.execute("DELETE FROM takes")
        connection.execute("UPDATE jobs SET state = 'running', ended = NULL")
    written = path.stat().st_mtime_ns
    assert run_queue(tmp_path).wait(timeout=DEADLINE_SECONDS) == 0
    assert queue.get(job.job_id).state is JobState.DONE
    assert store.get(job.job_id).take.path == path and path.stat().st_mtime_ns == written
    database.close()


def paused_after_a_save(library: Path) -> str:
    """A job that has at least three of its steps on disk, in a library that nobody has open."""
    studio = Studio(library, save_every=0)
    tick = threading.Event()
    job = studio.submit(SHOT, SEEDS[0])
    while studio.snapshot(job).saved_step < 3:
        tick.wait(0.02)
    studio.pause(job)
    while studio.snapshot(job).state is not JobState.PAUSED:
        tick.wait(0.02)
    studio.close()
    return job


def test_a_save_that_nobody_lived_to_write_down_is_gone_on_from_and_said(tmp_path, undisturbed):
    job = paused_after_a_save(tmp_path)
    database = Database(tmp_path)
    with database.writing() as connection:
        connection.execute("UPDATE jobs SET step = 0, saved_step = 0")
    database.close()
    studio, tick, begun = Studio(tmp_path), threading.Event(), set()
    studio.resume(job)
    while not studio.snapshot(job).state.ended:
        begun.add(studio.snapshot(job).begun_step)
        tick.wait(0.02)
    snapshot = studio.snapshot(job)
    studio.close()
    assert max(begun) >= 3
    assert np.array_equal(decode_frames(snapshot.take.path), undisturbed[SEEDS[0]][0])


@pytest.mark.parametrize("damage", ["truncated", "gone", "facts", "other seed"])
def test_a_damaged_save_starts_the_run_over(tmp_path, undisturbed, damage):
    job, tick = paused_after_a_save(tmp_path), threading.Event()
    saved = SavedRun(tmp_path / ".runs", job)
    _facts, state = saved.read()
    if damage == "truncated":
        state.write_bytes(state.read_bytes()[:2000])
    elif damage == "gone":
        state.unlink()
    elif damage == "facts":
        saved._facts.write_text("{")
    else:
        saved._facts.write_text(json.dumps(json.loads(saved._facts.read_text()) | {"seed": 99}))
    studio = Studio(tmp_path)
    studio.resume(job)
    while not studio.snapshot(job).state.ended:
        tick.wait(0.05)
    snapshot = studio.snapshot(job)
    assert snapshot.begun_step == 0
    studio.close()
    assert snapshot.state is JobState.DONE
    assert np.array_equal(decode_frames(snapshot.take.path), undisturbed[SEEDS[0]][0])
    if damage != "facts":
        assert any("starts over" in note for note in snapshot.take.notes)
        assert not any(str(tmp_path) in note for note in snapshot.take.notes), "a take that is shared names no folder"
