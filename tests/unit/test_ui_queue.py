"""The queue on the page: what is shown to whom, who may do what, and editing a job that waits."""

from __future__ import annotations

import re
import time

import pytest

from mova_studio.errors import AccessDenied, InputError, OutputError
from mova_studio.jobs.scouting import Axis, seeds_axis
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot
from mova_studio.ui.desk import LINE_SHOWN, Desk, PageState, Sight, in_view
from mova_studio.ui.queue_acts import act
from mova_studio.ui.queue_events import save_edit
from mova_studio.ui.queue_html import banner_html, queue_head, queue_list, queue_pill
from mova_studio.ui.reading import Order
from mova_studio.ui.sizes import Settled

SHOT = Shot(prompt="A bell rings.", width=96, height=64, num_frames=13)


@pytest.fixture
def desk(tmp_path):
    """A desk whose queue stands still."""
    studio = Studio(tmp_path / "library")
    studio.hold(True)
    yield Desk(studio)
    studio.close()


@pytest.fixture
def owner():
    return PageState(owner=True)


def order(prompt: str, seed: int | None = None) -> Order:
    settled = Settled(96.0, 96)
    shot = Shot(prompt=prompt, width=96, height=64, num_frames=13)
    return Order(shot, seed, (settled, settled), Settled(13.0, 13), ())


def seeds(sight: Sight) -> list[int]:
    return [job.seed for job in sight.line]


def add(desk: Desk, page: PageState, *numbers: int, user: str = "") -> list[str]:
    names = [desk.submit(SHOT, number, user).job_id for number in numbers]
    page.add_jobs(names)
    return names


def test_the_owner_sees_every_job_and_a_guest_only_this_pages(desk, owner):
    guest = PageState()
    add(desk, owner, 1, 2)
    mine = add(desk, guest, 3, user="bob")
    assert seeds(desk.look(owner)) == [1, 2, 3]
    assert seeds(desk.look(guest)) == [3]
    assert desk.look(guest).line[0].ahead == 2, "a guest learns how long the queue is, not what is in it"
    assert seeds(desk.look(PageState(owner=True))) == [1, 2, 3], "another tab, or after a restart"
    assert desk.known(mine, "bob") == mine and desk.known(mine, "") == []


def test_moving_among_all_or_among_ones_own(desk, owner):
    guest = PageState()
    one, two, three = add(desk, owner, 1, 2, 3)
    four, five = add(desk, guest, 4, 5, user="bob")
    act(desk, owner, "front", three)
    assert seeds(desk.look(owner)) == [3, 1, 2, 4, 5]
    act(desk, owner, "down", three)
    act(desk, owner, "up", two)
    assert seeds(desk.look(owner)) == [1, 2, 3, 4, 5]
    act(desk, owner, "move", one, f"after {three}")
    assert seeds(desk.look(owner)) == [2, 3, 1, 4, 5]
    act(desk, guest, "front", five)
    assert seeds(desk.look(owner)) == [2, 3, 1, 5, 4], "never before another's"
    act(desk, guest, "down", five)
    assert seeds(desk.look(owner)) == [2, 3, 1, 4, 5]
    act(desk, owner, "down", five)
    act(desk, owner, "move", four, f"before {two}")
    assert seeds(desk.look(owner)) == [4, 2, 3, 1, 5]


@pytest.mark.parametrize("name", ["show", "cancel", "pause", "resume", "front", "up", "move", "duplicate"])
def test_a_guest_cannot_touch_what_is_not_theirs(desk, owner, name):
    (job,) = add(desk, owner, 1)
    with pytest.raises(InputError, match="no job"):
        act(desk, PageState(), name, job, f"before {job}")
    assert desk.studio.queue.get(job).state is JobState.WAITING


def test_the_whole_queue_is_the_owners(desk, owner):
    add(desk, owner, 1, 2)
    for name in ("hold", "go", "cancel_all"):
        with pytest.raises(AccessDenied):
            act(desk, PageState(), name, "")
    act(desk, owner, "cancel_all", "")
    assert not desk.look(owner).line
    assert {job.state for job in desk.look(owner).ended} == {JobState.CANCELLED}
    assert 'data-act="hold"' not in queue_head("en", Sight(), owner=False)


def test_pause_resume_retry_duplicate(desk, owner):
    (job,) = add(desk, owner, 1)
    act(desk, owner, "pause", job)
    assert desk.look(owner).line[0].state is JobState.PAUSED
    assert in_view(owner, desk.look(owner)).job_id == job
    act(desk, owner, "resume", job)
    act(desk, owner, "cancel", job)
    act(desk, owner, "retry", job)
    assert desk.look(owner).line[0].state is JobState.WAITING
    act(desk, owner, "duplicate", job)
    assert len(desk.look(owner).line) == 2 and len(owner.jobs) == 2


def test_editing_saves_or_says_why_not(desk, owner):
    (job,) = add(desk, owner, 1)
    owner.editing = job
    save_edit(desk, owner, order("A drum."))
    seen = desk.studio.snapshot(job)
    assert seen.shot.prompt == "A drum." and seen.seed != 1 and owner.editing is None
    owner.editing = job
    desk.studio.queue.become(job, JobState.RUNNING)
    with pytest.raises(InputError, match="began while you were editing"):
        save_edit(desk, owner, order("A flute.", 5))
    assert owner.editing is None and desk.studio.snapshot(job).shot.prompt == "A drum."


def test_a_guest_cannot_save_into_anothers_job(desk, owner):
    (job,) = add(desk, owner, 1)
    with pytest.raises(InputError, match="no job"):
        save_edit(desk, PageState(editing=job), order("A drum."))


def test_a_fresh_tab_of_the_owner_shows_what_runs(desk, owner):
    (job,) = add(desk, PageState(), 1)
    desk.studio.queue.become(job, JobState.RUNNING)
    desk.changed()
    assert in_view(owner, desk.look(owner)).job_id == job
    assert in_view(PageState(), desk.look(PageState())) is None


def test_what_was_seen_stays_when_the_disk_is_gone(desk, owner, monkeypatch):
    add(desk, owner, 1)
    before = desk.look(owner)

    def gone(*_values):
        raise OutputError(f"{desk.studio.root} is gone.")

    monkeypatch.setattr(desk.studio.queue, "some", gone)
    after = desk.look(owner)
    assert after.line == before.line
    assert banner_html(after) == ("trouble", f"{desk.studio.root.name} is gone.")


def test_a_thousand_jobs_show_thirty_quickly(desk, owner):
    with desk.studio.queue._database.writing():
        for number in range(1000):
            desk.studio.queue.add(SHOT, number)
    started = time.process_time()
    sight = desk.look(owner)
    html = queue_list("en", sight, None)
    assert time.process_time() - started < 0.05
    assert len(sight.line) == LINE_SHOWN and html.count('class="m-job"') == LINE_SHOWN
    assert "and 970 more" in html and "Queue 1000" in queue_pill("en", sight)
    act(desk, owner, "more", "")
    assert len(desk.look(owner).line) == 11 * LINE_SHOWN


def test_polling_asks_little_of_the_database(desk, owner, monkeypatch):
    add(desk, owner, *range(40))
    database, asked = desk.studio.queue._database, []
    read = database.read
    monkeypatch.setattr(database, "read", lambda *values: asked.append(values[0]) or read(*values))
    desk.changed()
    desk.look(owner)
    assert len(asked) <= 5, asked


def test_tools_are_named_in_both_languages_and_fit_the_state(desk, owner):
    one, two = add(desk, owner, 1, 2)
    desk.studio.scout(SHOT, [seeds_axis(2)])
    desk.studio.queue.become(one, JobState.RUNNING)
    desk.studio.queue.become(one, JobState.FAILED, saved_step=12, step=12, steps=50)
    desk.changed()
    for language, words in (("en", "goes on at 12/50"), ("zh", "从 12/50 继续")):
        html = queue_list(language, desk.look(owner), None)
        assert words in html
        for button in re.findall(r"<button[^>]*m-tool2[^>]*>", html):
            assert re.search(r'aria-label="[^"]+" title="[^"]+"', button)
    item = html[html.index(f'data-job="{two}"') :]
    item = item[: item.index('class="m-job"')]
    assert {"pause", "edit", "duplicate", "cancel"} <= set(re.findall(r'data-act="(\w+)"', item))
    assert html.count('data-act="edit"') == 1, "cells of a grid are not edited"


def test_read_only_has_no_tools():
    sight = Sight(read_only="This library is open in another MOVA Studio.")
    assert banner_html(sight)[0] == "read_only"
    assert "data-act" not in queue_head("en", sight, owner=True)


def test_axis_values_of_scouts_are_checked(desk):
    with pytest.raises(InputError, match="once"):
        Axis("seed", (1, 1))
