"""Grids of seeds and settings: what they queue, what they refuse, and that finishing goes on where scouting stopped."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.jobs.queue import JobQueue
from mova_studio.jobs.scouting import MAX_CELLS, Axis, Scouts, seeds_axis
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.media.probe import decode_audio, decode_frames, probe

SHOT = Shot(prompt="rain", width=64, height=48, num_frames=13, num_inference_steps=8)
DEADLINE_SECONDS = 120


@pytest.fixture
def scouts(tmp_path):
    database = Database(tmp_path)
    yield Scouts(database, JobQueue(database, ShotStore(database)))
    database.close()


def test_seeds_become_jobs_that_stop_early(scouts):
    scout = scouts.add(SHOT, [seeds_axis(5, 77)], asked_by="anna", notes=["cropped"])
    jobs = scouts.jobs(scout.scout_id)
    assert [job.seed for job in jobs] == list(scout.axes[0].values) and jobs[0].seed == 77
    assert len({job.seed for job in jobs}) == 5
    assert {(job.stop_step, job.steps, job.asked_by, job.notes) for job in jobs} == {(2, 8, "anna", ("cropped",))}
    assert scouts.get(scout.scout_id) == scout == scouts.newest()[0]


def test_two_settings_make_rows_and_columns(scouts):
    across, down = Axis("bridge_guidance_scale", (1.0, 3.5)), Axis("num_inference_steps", (4, 8, 20))
    scout = scouts.add(SHOT, [across, down], seed=3, share=0.5)
    cells = {(job.cell.x, job.cell.y): job for job in scouts.jobs(scout.scout_id)}
    assert set(cells) == {(x, y) for x in range(2) for y in range(3)}
    for (x, y), job in cells.items():
        shot = scouts._queue.shot(job)
        assert (shot.bridge_guidance_scale, shot.num_inference_steps) == (across.values[x], down.values[y])
        assert job.seed == 3 and job.stop_step == shot.num_inference_steps // 2


def test_the_whole_share_runs_to_the_end(scouts):
    scout = scouts.add(SHOT, [Axis("prompt", ("rain", "snow"))], share=1.0)
    assert [job.stop_step for job in scouts.jobs(scout.scout_id)] == [None, None]


@given(steps=st.integers(1, 100), share=st.floats(0.01, 1.0))
def test_a_scout_runs_at_least_one_step_and_at_least_its_share(tmp_path_factory, steps, share):
    database = Database(tmp_path_factory.mktemp("scouts"))
    scouts = Scouts(database, JobQueue(database, ShotStore(database)))
    shot = Shot(prompt="rain", num_inference_steps=steps)
    job = scouts.jobs(scouts.add(shot, [Axis("seed", (1,))], share=share).scout_id)[0]
    stop = steps if job.stop_step is None else job.stop_step
    assert 1 <= stop <= steps and share * steps <= stop <= math.ceil(share * steps) + 1e-9
    database.close()


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        (lambda: [], "one or two axes"),
        (lambda: [Axis("seed", (1,)), Axis("seed", (2,))], "each of another setting"),
        (lambda: [Axis("width", (64, 128))], "cannot be varied; choose from"),
        (lambda: [Axis("seed", (1, 1))], "give each one once"),
        (lambda: [Axis("seed", ())], "give each one once"),
        (lambda: [Axis("seed", tuple(range(9))), Axis("guidance_scale", tuple(range(8)))], f"at most {MAX_CELLS}"),
        (lambda: [Axis("guidance_scale", (1.0, 5000.0))], "guidance_scale is 5000"),
        (lambda: [Axis("seed", (1, -4))], "The seed is -4"),
        (lambda: [Axis("step_cache", ("off", "turbo"))], "must be one of"),
    ],
)
def test_impossible_grids_are_refused_and_queue_nothing(scouts, axes, words):
    with pytest.raises(InputError, match=words):
        scouts.add(SHOT, axes())
    assert scouts._queue.all() == [] and scouts.newest() == []


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1])
def test_impossible_shares_are_refused(scouts, share):
    with pytest.raises(InputError, match="above 0 and at most 1"):
        scouts.add(SHOT, [seeds_axis(2)], share=share)


@pytest.mark.parametrize("count", [0, MAX_CELLS + 1])
def test_impossible_numbers_of_seeds_are_refused(count):
    with pytest.raises(InputError, match=f"give 1 to {MAX_CELLS}"):
        seeds_axis(count)


def until(ready: Callable[[], bool]) -> None:
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while not ready():
        assert time.monotonic() < deadline
        tick.wait(0.02)


def test_a_finished_scout_is_the_take_of_an_uninterrupted_run(tmp_path):
    studio = Studio(tmp_path)
    try:
        scout = studio.scouts.add(SHOT, [Axis("seed", (4, 5))])
        kept, dropped = (job.job_id for job in studio.scouts.jobs(scout.scout_id))
        until(lambda: all(studio.snapshot(job).scouted for job in (kept, dropped)))
        assert studio.takes() == []
        preview = studio.scout_preview(kept)
        found = probe(preview)
        assert found.num_frames > 1 and found.sample_rate == 48000
        assert abs(found.audio_seconds - SHOT.num_frames / SHOT.frame_rate) < 0.05
        studio.cancel(dropped)
        studio.resume(kept)
        plain = studio.submit(SHOT, 4)
        until(lambda: studio.snapshot(plain).state is JobState.DONE)
        finished, plain = studio.snapshot(kept), studio.snapshot(plain)
        assert finished.state is JobState.DONE and studio.snapshot(dropped).state is JobState.CANCELLED
        assert np.array_equal(decode_frames(finished.take.path), decode_frames(plain.take.path))
        assert np.array_equal(decode_audio(finished.take.path)[0], decode_audio(plain.take.path)[0])
        assert studio.scout_preview(kept) is None
    finally:
        studio.close()
