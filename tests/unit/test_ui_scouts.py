"""Scouting on the page: what is typed, what is shown, what a guest sees."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from mova_studio.errors import InputError
from mova_studio.jobs.scouting import Axis, seeds_axis
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot
from mova_studio.ui.advice import Advisor
from mova_studio.ui.desk import Desk, PageState
from mova_studio.ui.scout_reading import (
    GRID_SHARES,
    SHARES,
    read_axes,
    read_axis,
    read_scout_count,
    read_share,
)
from mova_studio.ui.scouts_html import Shown, scout_grid, scout_head
from mova_studio.ui.scouts_view import ScoutsView
from mova_studio.ui.served import ServedTakes

EVIL = "<img src=x onerror=alert(1)>"
SHOT = Shot(prompt=EVIL, width=96, height=64, num_frames=13, num_inference_steps=50)


@pytest.fixture
def desk(tmp_path):
    studio = Studio(tmp_path / "library")
    studio.hold(True)
    yield Desk(studio)
    studio.close()


def test_values_are_read_by_their_kind():
    assert read_axis("guidance_scale", "1, 2.5\n4", "en") == Axis("guidance_scale", (1.0, 2.5, 4.0))
    assert read_axis("seed", "9223372036854775807，1", "zh") == Axis("seed", (2**63 - 1, 1))
    assert read_axis("prompt", "Rain, soft.\n\nWind.", "en") == Axis("prompt", ("Rain, soft.", "Wind."))
    assert read_axis("step_cache", "off, fast", "en") == Axis("step_cache", ("off", "fast"))
    assert len(read_axes(("seed", "none"), ("1 ,2", "3"), "en")) == 1


@pytest.mark.parametrize(
    ("setting", "text", "said"),
    [
        ("video_shift", "1, x", "x is not a number"),
        ("num_inference_steps", "4.5", "4.5 is not a number"),
        ("seed", " , ", "No values for Seed"),
        ("audio_shift", "2, 2", "each one once"),
        ("width", "96, 128", "cannot be varied"),
    ],
)
def test_values_that_cannot_be_read_are_named(setting, text, said):
    with pytest.raises(InputError, match=said):
        read_axis(setting, text, "en")


@pytest.mark.parametrize("count", [1, 17, 2.5, None, "many"])
def test_counts_and_shares_have_limits(count):
    with pytest.raises(InputError, match="from 2 to 16"):
        read_scout_count(count, "en")
    assert read_scout_count(16, "en") == 16 and read_share(25, SHARES, "en") == 0.25
    assert read_share(100, GRID_SHARES, "en") == 1
    with pytest.raises(InputError, match="10 to 50"):
        read_share(100, SHARES, "en")


def test_cells_are_named_and_never_markup(desk):
    studio = desk.studio
    scout = studio.scout(SHOT, [Axis("prompt", (EVIL, "b")), Axis("bridge_guidance_scale", (1.0, 3.5))], 5)
    jobs = tuple(studio.snapshots([job.job_id for job in studio.scouts.jobs(scout.scout_id)]))
    for language in ("en", "zh"):
        html = scout_grid(language, Shown(scout, jobs, {}), may_act=True) + scout_head(
            language, Shown(scout, jobs, {}), may_act=True
        )
        assert "<img" not in html and "3.5" in html and html.count("m-scoutcell") == 4
        assert html.count("m-wave") == 4, "never a picture without its sound"
    assert "disabled" in scout_head("en", Shown(scout, jobs, {}), may_act=True)
    assert "data-act" not in scout_grid("en", Shown(scout, jobs, {}), may_act=False)


def act(view: ScoutsView, page: PageState, name: str, job_id: str) -> None:
    view._do(page, name, job_id)


def test_keep_drop_and_finish(desk):
    studio, page = desk.studio, PageState(owner=True)
    view = ScoutsView(desk, ServedTakes(), Advisor(desk.studio))
    scout = studio.scout(SHOT, [seeds_axis(4, 7)])
    jobs = studio.scouts.jobs(scout.scout_id)
    for job in jobs[:3]:
        studio.queue.become(job.job_id, JobState.RUNNING)
        studio.queue.become(job.job_id, JobState.PAUSED, step=13, saved_step=13)
    act(view, page, "keep", jobs[0].job_id)
    act(view, page, "keep", jobs[1].job_id)
    act(view, page, "keep", jobs[1].job_id)
    act(view, page, "drop", jobs[2].job_id)
    shown = view._shown(scout)
    assert [job.kept for job in shown.jobs] == [True, False, False, False]
    assert "scouting 4 seeds · 13 of 50 steps" in scout_head("en", shown, may_act=True)
    assert "Finish kept (1)" in scout_head("en", shown, may_act=True)
    dropped = studio.queue.get(jobs[2].job_id)
    assert dropped.state is JobState.CANCELLED and dropped.saved_step == 0
    act(view, page, "finish", scout.scout_id)
    finishing = studio.queue.get(jobs[0].job_id)
    assert finishing.state is JobState.WAITING and finishing.stop_step is None and finishing.kept
    assert studio.queue.get(jobs[1].job_id).state is JobState.PAUSED
    act(view, page, "undo", jobs[2].job_id)
    assert studio.queue.get(jobs[2].job_id).stop_step == 13


def test_a_guest_sees_and_touches_only_this_pages_scouts(desk):
    studio, view, guest = desk.studio, ScoutsView(desk, ServedTakes(), Advisor(desk.studio)), PageState()
    others = studio.scout(SHOT, [seeds_axis(2)])
    own = studio.scout(SHOT, [seeds_axis(2)], asked_by="bob")
    guest.add_jobs(job.job_id for job in studio.scouts.jobs(own.scout_id))
    assert [entry[0].scout_id for entry in view._entries(guest)] == [own.scout_id]
    assert len(view._entries(PageState(owner=True))) == 2
    job = studio.scouts.jobs(others.scout_id)[0].job_id
    for name in ("keep", "drop", "undo"):
        with pytest.raises(InputError, match="no job"):
            view._do(guest, name, job)


def test_kept_marks_outlive_the_studio(tmp_path):
    studio = Studio(tmp_path / "library")
    studio.hold(True)
    scout = studio.scout(SHOT, [seeds_axis(2)])
    job = studio.scouts.jobs(scout.scout_id)[1].job_id
    studio.queue.keep(job, True)
    studio.close()
    again = Studio(tmp_path / "library")
    try:
        assert [each.kept for each in again.scouts.jobs(scout.scout_id)] == [False, True]
    finally:
        again.close()


def test_programs_follow_the_rules_of_the_page(desk):
    import gradio as gr

    from mova_studio.ui.access import Access, Account
    from mova_studio.ui.api_queue import QueueApi

    api = QueueApi(desk, Access(Account("anna", "x"), Account("bob", "y")))
    anna, bob = SimpleNamespace(username="anna"), SimpleNamespace(username="bob")
    size = {"width": 96, "height": 64, "num_frames": 13}

    def run(call):
        return asyncio.run(call)

    one = run(api.queue_add(anna, "Rain.", size, "1"))
    two = run(api.queue_add(bob, "Wind.", size, "2", front=True))
    assert [job["seed"] for job in run(api.queue_list(anna))] == [1, 2]
    assert [job["seed"] for job in run(api.queue_list(bob))] == [2]
    with pytest.raises(gr.Error, match="no job"):
        run(api.queue_cancel(one["id"], bob))
    with pytest.raises(gr.Error, match="owner"):
        run(api.queue_front(two["id"], bob))
    assert run(api.queue_front(two["id"], anna))["ahead"] == 0
    assert run(api.queue_pause(two["id"], bob))["state"] == "paused"
    assert run(api.queue_resume(two["id"], bob))["state"] == "waiting"
    assert run(api.queue_move(two["id"], anna))["ahead"] == 1
    grid = run(api.scout(bob, "Hail.", 3, settings=size, seed="9"))
    assert grid["jobs"][0]["seed"] == 9 and len(grid["jobs"]) == 3
    assert run(api.scout_list(anna))[0]["id"] == grid["id"]
    run(api.scout(anna, "Sun.", axes=[{"setting": "guidance_scale", "values": [1.0, 5.0]}], settings=size))
    assert len(run(api.scout_list(bob))) == 1
    with pytest.raises(gr.Error, match="is no axis"):
        run(api.scout(anna, "Sun.", axes=["guidance"], settings=size))
    with pytest.raises(gr.Error, match="multiples of 16"):
        run(api.queue_add(bob, "Rain.", {"width": 97}))
