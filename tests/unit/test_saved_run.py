"""When a run is saved, what it costs, and that a plan which no longer fits is written into the take."""

from __future__ import annotations

import random
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from mova_studio.jobs.allowance import Allowance
from mova_studio.jobs.saved_run import MAX_SHARE, RunFacts, SavedRun, Saver, discard_all_but
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot
from mova_studio.media.provenance import read_provenance

SHOT = Shot(prompt="rain", width=64, height=48, num_frames=13, num_inference_steps=10)
FACTS = RunFacts(3, "shot", 7, "weights", {"name": "fp32 none"}, {"text": 1.5}, ("cropped",), ("changed",))


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    steps=st.lists(st.floats(0.01, 60.0), min_size=1, max_size=200),
    costs=st.lists(st.floats(0.0001, 5.0), min_size=1, max_size=20),
    every=st.floats(0.1, 60.0),
)
def test_saving_stays_within_its_share_but_for_one_save(tmp_path_factory, steps, costs, every):
    clock, chance, saved = Clock(), random.Random(1), []
    saver = Saver(SavedRun(tmp_path_factory.mktemp("runs"), "job"), every, clock)

    def save(_path) -> None:
        cost = chance.choice(costs)
        clock.now += cost
        saved.append(cost)

    last = clock.now
    for seconds in steps:
        clock.now += seconds
        if saver.due:
            assert clock.now - last >= every - 1e-9
            assert saver.save(FACTS, save)
            last = clock.now
    # What the next save costs is only known afterwards: one that is dearer than the last may go over.
    assert sum(saved) - max(saved, default=0) <= MAX_SHARE * (clock.now - 100.0) + max(costs)
    if len(set(costs)) == 1:
        assert sum(saved[1:]) <= MAX_SHARE * (clock.now - 100.0)


def test_zero_saves_after_every_step_whatever_it_costs(tmp_path):
    clock = Clock()
    saver = Saver(SavedRun(tmp_path, "job"), 0, clock)
    for _ in range(3):
        assert saver.due
        saver.save(FACTS, lambda path: setattr(clock, "now", clock.now + 60))


def test_an_allowance_always_grants_the_first_time():
    clock = Clock()
    allowance = Allowance(0.5, clock)
    assert allowance.left
    with allowance.spending():
        clock.now += 1
    assert not allowance.left
    clock.now += 2.5
    assert not allowance.left
    clock.now += 0.5
    assert allowance.left


def test_what_is_kept_is_the_last_whole_save(tmp_path):
    saved = SavedRun(tmp_path / "runs", "job")
    assert saved.read() is None
    saved.write(FACTS, lambda path: path.write_bytes(b"three") and None)
    later = RunFacts(**(vars(FACTS) | {"step": 4}))
    saved.write(later, lambda path: path.write_bytes(b"four") and None)
    facts, state = SavedRun(tmp_path / "runs", "job").read()
    assert facts == later and state.read_bytes() == b"four"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["job.4.safetensors", "job.json"]
    saved.discard()
    assert list((tmp_path / "runs").iterdir()) == []


def test_only_the_runs_of_other_jobs_are_forgotten(tmp_path):
    for job in ("kept", "gone"):
        SavedRun(tmp_path, job).write(FACTS, lambda path: path.write_bytes(b"x") and None)
    (tmp_path / ".gone.3.1234abcd.safetensors").write_bytes(b"half")
    discard_all_but(tmp_path, {"kept"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.3.safetensors", "kept.json"]


def test_a_plan_that_no_longer_fits_is_written_into_the_take(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    studio = Studio(tmp_path / "library", save_every=0)
    tick, deadline = threading.Event(), time.monotonic() + 120

    def until(ready) -> None:
        while not ready(studio.snapshot(job)):
            assert time.monotonic() < deadline
            tick.wait(0.02)

    try:
        studio.set_limits({"pins": {"offload": "group", "resident_blocks": 1}})
        job = studio.submit(SHOT, 7)
        until(lambda seen: seen.saved_step >= 3)
        studio.pause(job)
        until(lambda seen: seen.state is JobState.PAUSED)
        assert studio.snapshot(job).plan["name"] == "fp32 group 1/4"
        studio.set_limits({"pins": {"offload": "none"}})
        studio.resume(job)
        until(lambda seen: seen.state.ended)
        record = read_provenance(studio.snapshot(job).take.path).record["plan"]
        assert record["name"] == "fp32 none"
        assert ["fp32 group 1/4 no longer fits" in change for change in record["changes"]] == [True]
        assert any("no longer fits" in note for note in studio.snapshot(job).take.notes)
    finally:
        studio.close()
