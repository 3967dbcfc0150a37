"""Training runs of a library: through real processes, which are stopped, killed and gone on with."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from clip_films import write_film
from training_examples import encoded_place

from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.training_order import TrainingOrder, look_at_clips
from mova_studio.jobs.training_process import RECORD
from mova_studio.jobs.training_snapshot import Stage, TrainingSnapshot
from mova_studio.library.shot import Shot

QUICK = Shot(prompt="rain", width=48, height=32, num_frames=9, num_inference_steps=2)
DEADLINE_SECONDS = 300
ENDLESS = 100_000


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return encoded_place(tmp_path_factory.mktemp("train"))


@pytest.fixture
def studio(place, tmp_path):
    opened = Studio(tmp_path / "library", str(place / "demo"))
    yield opened
    opened.close()


def order(place: Path, **change) -> TrainingOrder:
    asked = {"clips": str(place / "cache"), "recipe": "adapter", "rank": 2, "sample_every": 0, "steps": 3}
    return TrainingOrder(**asked | change)


def until(studio: Studio, run_id: str, ready: Callable[[TrainingSnapshot], bool]) -> TrainingSnapshot:
    """Look as the page does, until `ready`."""
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while not ready(snapshot := studio.trainings.snapshot(run_id)):
        assert time.monotonic() < deadline, snapshot
        tick.wait(0.05)
    return snapshot


def over(snapshot: TrainingSnapshot) -> bool:
    return not snapshot.stage.at_work


def process_of(snapshot: TrainingSnapshot) -> psutil.Process:
    return psutil.Process(json.loads((snapshot.folder / RECORD).read_text("utf-8"))["pid"])


def test_stopped_killed_and_gone_on_with_while_takes_wait(studio, place):
    trainings = studio.trainings
    run_id = trainings.start(order(place, name="  a  bell ", steps=ENDLESS, sample_every=2), studio.model)
    job = studio.submit(QUICK)
    running = until(studio, run_id, lambda seen: seen.step >= 2 and bool(seen.samples))
    assert (running.stage, running.asked.name, running.asked.steps) == (Stage.TRAINING, "a bell", ENDLESS)
    assert running.seconds_left > 0
    assert running.curve[-1].video_loss > 0 and running.curve[-1].audio_loss > 0
    assert studio.reserved and studio.snapshot(job).state is JobState.WAITING
    with pytest.raises(InputError, match="under way already"):
        trainings.start(order(place), studio.model)
    with pytest.raises(InputError, match="stop it first"):
        trainings.remove(run_id)

    trainings.stop(run_id)
    stopped = until(studio, run_id, over)
    assert (stopped.stage, stopped.error) == (Stage.STOPPED, "")
    assert stopped.step == stopped.saved_step > 0
    assert stopped.trained == stopped.folder / "adapter.safetensors"
    assert trainings.wait(DEADLINE_SECONDS) and not studio.reserved
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while studio.snapshot(job).state is not JobState.DONE:
        assert time.monotonic() < deadline
        tick.wait(0.05)

    trainings.resume(run_id)
    again = until(studio, run_id, lambda seen: seen.step > stopped.saved_step)
    assert studio.worker_memory() == 0
    process_of(again).kill()
    killed = until(studio, run_id, over)
    assert killed.stage is Stage.FAILED and "memory ran out" in killed.error
    assert killed.saved_step == stopped.saved_step
    assert trainings.wait(DEADLINE_SECONDS)

    trainings.remove(run_id)
    assert trainings.all() == [] and not killed.folder.exists()


def test_an_app_that_dies_leaves_a_run_that_the_next_one_watches_and_saves(place, tmp_path):
    died, model = Studio(tmp_path / "library", str(place / "demo")), str(place / "demo")
    run_id = died.trainings.start(order(place, steps=ENDLESS), model)
    left = until(died, run_id, lambda seen: seen.step >= 1)
    # What an app that died leaves: its run in a process of its own, and the library free for another one.
    died._lock.release()
    other = Studio(tmp_path / "library", model)
    assert other.reserved
    seen = until(other, run_id, lambda seen: seen.step > left.step)
    assert seen.stage is Stage.TRAINING
    process = process_of(seen)
    other.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    died.trainings.wait(DEADLINE_SECONDS)
    died.close()
    later = Studio(tmp_path / "library", model)
    try:
        stopped = later.trainings.snapshot(run_id)
        assert (stopped.stage, stopped.error) == (Stage.STOPPED, "") and stopped.saved_step >= seen.step
        assert not later.reserved
    finally:
        later.close()


def test_raw_clips_are_encoded_first_and_once(studio, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    sound = np.random.default_rng(1).normal(0, 0.1, (1, 24_000)).astype(np.float32)
    for name in ("a", "b"):
        write_film(films / f"{name}.mkv", [number / 24 for number in range(12)], sound, size=(32, 32))
    (films / "a.txt").write_text("a bell rings", "utf-8")
    found = look_at_clips(str(films))
    assert (found.raw, found.skipped, found.encoded) == (1, 1, False) and found.reason.startswith("b.mkv")
    asked = order(films.parent, clips=str(films), kinds="32x32x9", steps=1)
    first = studio.trainings.start(asked, studio.model)
    done = until(studio, first, over)
    assert (done.stage, done.step, done.skipped, done.error) == (Stage.DONE, 1, 1, "")
    with pytest.raises(InputError, match="last step"):
        studio.trainings.wait(DEADLINE_SECONDS)
        studio.trainings.resume(first)
    latents = Path(done.asked.latents)
    assert look_at_clips(str(latents)).kinds == {"32x32x9": 1}
    made = [file.stat().st_mtime_ns for file in latents.glob("clips/*")]
    second = studio.trainings.start(asked, studio.model)
    until(studio, second, lambda seen: seen.stage is Stage.TRAINING)
    studio.trainings.stop(second, at_once=True)
    assert [file.stat().st_mtime_ns for file in latents.glob("clips/*")] == made
    studio.trainings.wait(DEADLINE_SECONDS)
    studio.trainings.remove(second)
    assert latents.is_dir(), "the other run needs it"
    studio.trainings.remove(first)
    assert not latents.exists()


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"clips": " "}, "clips", "No folder of clips"),
        ({"clips": "films"}, "clips", "not a whole path"),
        ({"clips": "/nowhere/at/all"}, "clips", "give the folder that holds the clips"),
        ({"recipe": "adapters"}, "recipe", "no recipe 'adapters'"),
        ({"recipe": "/etc/a.json"}, "recipe", "no shipped recipe"),
        ({"steps": 0}, "recipe", "steps is 0"),
        ({"rank": 5000}, "recipe", "rank is 5000"),
        ({"learning_rate": -1.0}, "recipe", "-1"),
    ],
)
def test_what_cannot_be_begun(studio, place, change, field, told):
    with pytest.raises(InputError, match=told) as caught:
        studio.trainings.start(order(place, **change), studio.model)
    assert caught.value.field == field
    assert studio.trainings.all() == [] and not studio.reserved


def test_clips_that_cannot_be_used(place, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no clip"):
        look_at_clips(str(tmp_path / "empty"))
    (tmp_path / "films").mkdir()
    write_film(tmp_path / "films" / "a.mkv", [0.0, 0.04], None)
    with pytest.raises(InputError, match=r"None of the 1 clips .* a\.mkv"):
        look_at_clips(str(tmp_path / "films"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "clips.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"clips\.json is damaged"):
        look_at_clips(str(tmp_path / "cache"))


def test_numbers_of_a_recipe():
    recipe = TrainingOrder("", "adapter", steps=40, rank=4, batch_size=2, learning_rate=3e-4).to_recipe()
    assert (recipe.steps, recipe.batch_size, recipe.sample_every) == (40, 2, 40)
    assert (recipe.adapter.rank, recipe.adapter.alpha) == (4, 4)
    full = TrainingOrder("", "phase-1", learning_rate=1e-4, rank=4, sample_every=0).to_recipe()
    assert full.adapter is None and full.sample_every == 0
    assert (full.learning_rates.audio_dit, full.learning_rates.dual_tower_bridge) == pytest.approx((1e-4, 2e-4))


def test_a_run_that_cannot_go_on_says_why(studio, place, tmp_path):
    """The clips' folder goes away, and the process ends with a sentence."""
    clips = shutil.copytree(place / "cache", tmp_path / "gone")
    run_id = studio.trainings.start(order(place, clips=str(clips)), studio.model)
    shutil.rmtree(clips)
    failed = until(studio, run_id, over)
    assert failed.stage is Stage.FAILED and "gone" in failed.error
    studio.trainings.wait(DEADLINE_SECONDS)
    assert not studio.reserved


def test_a_file_in_the_runs_place(studio, place):
    (studio.root / "trainings").write_text("", "utf-8")
    with pytest.raises(OutputError, match="a file, not a folder"):
        studio.trainings.start(order(place), studio.model)
    assert not studio.reserved
