"""The page as it is built: light to import, and without anything of this machine in it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import gradio as gr
import gradio.blocks
import pytest

from mova_studio.errors import InputError
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take
from mova_studio.ui.access import Access, Account
from mova_studio.ui.advice import Advisor
from mova_studio.ui.create import draw_create
from mova_studio.ui.desk import Desk, PageState
from mova_studio.ui.form_events import FormEvents
from mova_studio.ui.header import Header
from mova_studio.ui.page import build_page
from mova_studio.ui.painter import Painter
from mova_studio.ui.run_events import RunEvents
from mova_studio.ui.served import ServedTakes, cached_file
from mova_studio.ui.train_view import TrainView
from mova_studio.ui.wording import Wording

PROJECT = Path(__file__).parents[2]
OWNER_ONLY = {
    "adapter_import",
    "adapter_remove",
    "use_model",
    "download_model",
    "make_frame",
    "models",
    "plan",
    "verify_model",
}
QUEUE = {f"queue_{verb}" for verb in ("add", "list", "cancel", "pause", "resume", "front", "move")}
QUEUE |= {"scout", "scout_list"}
OWNER_ONLY |= {"delete_take", "restore_take", "star_take", "tag_take"}
TIMELINE = {"timeline_list", "timeline_get"}
OWNER_ONLY |= {f"timeline_{verb}" for verb in ("new", "add", "do", "upload", "rename", "delete", "restore")}
OWNER_ONLY |= {"timeline_render", "timeline_cancel"}
OWNER_ONLY |= {f"training_{verb}" for verb in ("list", "start", "stop", "resume")}


@pytest.fixture
def idle_studio(tmp_path, monkeypatch):
    """A studio whose worker is never started."""
    monkeypatch.setattr("mova_studio.jobs.dispatcher.WorkerProcess", lambda *_: _NoWorker())
    studio = Studio(tmp_path / "library", "/home/anna/private/MOVA-360p")
    yield studio
    studio.close()


class _NoWorker:
    def send(self, command) -> None:
        pass

    def close(self) -> None:
        pass

    def kill(self) -> None:
        pass


def test_building_the_page_touches_neither_torch_nor_weights(tmp_path):
    code = (
        "import sys, app\n"
        "from pathlib import Path\n"
        "from mova_studio.jobs.studio import Studio\n"
        "from mova_studio.ui.access import Access\n"
        "from mova_studio.ui.page import build_page\n"
        f"build_page(Studio(Path({str(tmp_path / 'library')!r})), Access())\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'safetensors'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_no_folder_of_this_machine_is_in_the_page(idle_studio):
    blocks = build_page(idle_studio, Access(Account("anna", "x"), Account("bob", "y")))
    config = json.dumps(blocks.get_config_file(), default=str)
    assert "/home/anna" not in config and str(idle_studio.root) not in config
    assert "MOVA-360p" in config


def test_only_the_named_functions_are_public(idle_studio):
    blocks = build_page(idle_studio, Access())
    public = {function.api_name for function in blocks.fns.values() if function.api_visibility == "public"}
    assert (
        public
        == {"adapters", "generate", "enhance", "takes", "vote", "presets", "restore"} | QUEUE | TIMELINE | OWNER_ONLY
    )
    info = blocks.get_api_info()["named_endpoints"]
    assert set(info) == {f"/{name}" for name in public}
    assert all(endpoint["description"] for endpoint in info.values())


def test_a_training_runs_cost_is_told_in_the_order_in_which_it_was_asked(idle_studio):
    blocks = build_page(idle_studio, Access())
    own, names = TrainView.__module__, {"look", "choose", "tell"}
    every = [listener for listener in blocks.fns.values() if getattr(listener.fn, "__module__", "") == own]
    listeners = [listener for listener in every if listener.name in names]
    assert len(listeners) == 3
    assert len({listener.concurrency_id for listener in listeners}) == 1
    assert {listener.concurrency_limit for listener in listeners} == {1}


def test_an_event_has_one_listener_at_most_that_looks_once_more(idle_studio):
    """The page repeats the whole event for such a listener, so that two of one event can call each other on and on."""
    config = build_page(idle_studio, Access()).get_config_file()
    looks = [
        tuple(target)
        for listener in config["dependencies"]
        if listener["trigger_mode"] == "always_last"
        for target in listener["targets"]
    ]
    assert looks and len(looks) == len(set(looks))


def test_a_call_tells_one_place_of_its_progress_and_what_is_seen_is_found_first(idle_studio):
    config = build_page(idle_studio, Access()).get_config_file()
    told = {tuple(listener["show_progress_on"] or ()) for listener in config["dependencies"]}
    assert len(told) == 1 and len(told.pop()) == 1
    kinds = {component["id"]: component["type"] for component in config["components"]}

    def in_order(node):
        yield kinds.get(node["id"])
        for child in node.get("children", ()):
            yield from in_order(child)

    order = list(in_order(config["layout"]))
    seen = len(order) - order[::-1].index("tabitem")
    assert "api" in order and "api" not in order[:seen]


def test_a_page_gets_back_only_its_own_users_jobs(idle_studio):
    desk = Desk(idle_studio)
    shot = Shot(prompt="A bell rings.", width=96, height=64, num_frames=13)
    first, second = desk.submit(shot, 1, "anna"), desk.submit(shot, None, "bob")
    ids = [first.job_id, second.job_id, "unknown", ""]
    assert desk.known(ids, "anna") == [first.job_id]
    assert desk.known(ids, "bob") == [second.job_id]
    assert desk.known(ids, "") == []
    page = PageState(jobs=[second.job_id, "unknown"])
    assert [job.seed for job in desk.look(page).line] == [second.seed]
    with pytest.raises(InputError):
        desk.submit(shot, 2**63, "anna")


def test_served_take_goes_with_its_file(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    take = tmp_path / "library" / "take 1.mp4"
    take.parent.mkdir()
    take.write_bytes(b"not really a film")
    served = ServedTakes()
    first = served.serve(take)
    assert served.serve(take) == first and first.path.read_bytes() == take.read_bytes()
    assert first.url.startswith("gradio_api/file=") and " " not in first.url
    assert set(first.peaks) == {0.0}
    served.withdraw(take)
    assert not first.path.exists() and take.exists()
    take.unlink()
    with pytest.raises(InputError, match="has gone"):
        served.serve(take)
    assert cached_file(b"x", "a.png") == cached_file(b"x", "a.png")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--auth", "anna"], "--auth must be user:password"),
        (["--host", "0.0.0.0", "--auth", "anna:short"], "at least 8"),
        (["--host", "203.0.113.9"], "--host 203.0.113.9 cannot be used"),
    ],
)
def test_wrong_flags_get_a_sentence_and_an_exit_code(flags, said):
    done = subprocess.run(
        [sys.executable, "app.py", *flags], cwd=PROJECT, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode in (2, 4) and said in done.stderr and "Traceback" not in done.stderr


class _FailedStudio:
    """A studio whose only job failed because of a field."""

    model = "demo"
    limits: ClassVar[dict] = {}
    last_run = None
    reserved = False

    def __init__(self, root: Path, field: str | None) -> None:
        self.root, self.read_only, self.trouble = root, "", ""
        self.queue = SimpleNamespace(held=False, some=lambda ids: {"id": self.job}, counts=dict)
        error = {"kind": "InputError", "message": f"{root}/x is wrong.", "field": field, "exit_code": 2}
        self.job = JobSnapshot(
            job_id="id", state=JobState.FAILED, shot=Shot(prompt="A bell rings."), seed=7, error=error
        )

    def submit(self, shot, seed, **_more):
        return "id"

    def snapshot(self, job_id):
        return self.job

    def snapshots(self, job_ids):
        return [self.job for _ in job_ids]

    def takes(self, limit=24):
        return []

    def worker_memory(self):
        return 0


@pytest.mark.parametrize(("field", "place"), [("num_frames", "length"), ("video_shift", "advanced"), (None, None)])
def test_a_job_that_fails_later_complains_beside_its_field(tmp_path, field, place):
    studio = _FailedStudio(tmp_path / "library", field)
    desk, words, header, page = Desk(studio), Wording(), Header(), PageState(jobs=["id"])
    with gr.Blocks():
        header.draw(words, "demo")
        painter = Painter(desk, ServedTakes(), draw_create(words, preset_for("demo"), header))
        events = RunEvents(
            desk, painter, FormEvents(studio, painter.view.form, header, Advisor(studio)), gr.State(), gr.Textbox()
        )
    desk.submit(Shot(prompt="A bell rings."), 7, "")
    updates = asyncio.run(events.tick(page))
    said = "library/x is wrong."
    assert said in updates[painter.view.stage] and str(tmp_path) not in str(updates.values())
    form = painter.view.form
    assert {name for name, component in form.places.items() if component in updates} == ({place} if place else set())
    if place:
        assert said in updates[form.places[place]]["value"]
    assert (form.advanced in updates) == (place == "advanced")
    assert events.painter.view.stage not in asyncio.run(events.tick(page)), "nothing is sent twice"


def test_a_job_that_is_over_is_in_no_line_that_was_read_before(tmp_path):
    studio = _FailedStudio(tmp_path / "library", None)
    desk, page = Desk(studio), PageState(jobs=["id"], owner=True)
    desk.submit(Shot(prompt="A bell rings."), 7, "")
    studio.line = lambda limit: [dataclasses.replace(studio.job, state=JobState.RUNNING)]
    sight = desk.look(page)
    assert [job.job_id for job in sight.ended] == ["id"] and sight.line == ()
    others = desk.look(PageState(owner=True))
    assert [job.job_id for job in others.line] == ["id"]


def test_only_what_differs_leaves_and_all_of_it_is_remembered():
    page = PageState()
    with gr.Blocks():
        box, button = gr.HTML(), gr.Button()
    first = {box: ("a", gr.update(value="a", visible=True)), button: (True, gr.update(visible=True))}
    page.said(page.only_changed(first))
    changed = page.only_changed({box: ("b", gr.update(value="b", visible=True)), button: (True, gr.update())})
    assert changed == {box: {"__type__": "update", "value": "b"}}
    page.said(changed)
    assert page.recent == {box: gr.update(value="b", visible=True), button: gr.update(visible=True)}
    named = page.only_changed({box: ("value", gr.update(value="value"))})
    assert (
        PageState().only_changed({box: ("value", gr.update(value="value"))}) == named == {box: gr.update(value="value")}
    )


def _watched(studio: _FailedStudio) -> tuple[Painter, RunEvents]:
    desk, words, header = Desk(studio), Wording(), Header()
    with gr.Blocks():
        header.draw(words, "demo")
        painter = Painter(desk, ServedTakes(), draw_create(words, preset_for("demo"), header))
        form_events = FormEvents(studio, painter.view.form, header, Advisor(studio))
        return painter, RunEvents(desk, painter, form_events, gr.State(), gr.Textbox())


def test_an_answer_that_was_lost_is_said_again_once(tmp_path):
    painter, events = _watched(_FailedStudio(tmp_path / "library", None))
    page = PageState(jobs=["id"])
    lost = asyncio.run(events.tick(page))
    assert {painter.view.stage, painter.view.form.generate, painter.view.form.cancel} <= set(lost)
    told = {component: dict(update) if isinstance(update, dict) else update for component, update in lost.items()}
    for component, update in lost.items():
        if isinstance(update, dict):
            gradio.blocks.postprocess_update_dict(component, update)
    again = asyncio.run(events.beat(page))
    assert {component: again[component] for component in told} == told
    assert painter.view.stage not in asyncio.run(events.beat(page)), "and then the page is left alone"


def test_what_leaves_late_was_painted_late(tmp_path, monkeypatch):
    studio = _FailedStudio(tmp_path / "library", None)
    painter, events = _watched(studio)
    page = PageState(jobs=["id"])
    may_go = asyncio.Event()

    async def slow_cost(page, *, planned):
        await may_go.wait()
        return "about 5 s"

    async def late():
        monkeypatch.setattr(events.form_events, "cost_line", slow_cost)
        beat = asyncio.create_task(events.beat(page))
        await asyncio.sleep(0)
        studio.job = JobSnapshot(job_id="id", state=JobState.RUNNING, shot=studio.job.shot, seed=7)
        newer = await painter.paint(page)
        may_go.set()
        return newer, await beat

    assert painter.view.strip in asyncio.run(painter.paint(page))
    newer, answer = asyncio.run(late())
    assert {painter.view.stage, painter.view.form.cancel} <= set(newer)
    assert answer[events.form.cost] == "about 5 s"
    for component, update in newer.items():
        shown = answer[component]
        assert shown == ({**shown, **update} if isinstance(update, dict) else update)


@pytest.mark.parametrize(("before", "plays"), [(JobState.WAITING, True), (JobState.RUNNING, True), (None, False)])
def test_a_take_plays_for_the_page_that_waited_for_it_however_quick_it_was(tmp_path, monkeypatch, before, plays):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    studio = _FailedStudio(tmp_path / "library", None)
    desk, words, header, page = Desk(studio), Wording(), Header(), PageState(jobs=["id"])
    with gr.Blocks():
        header.draw(words, "demo")
        painter = Painter(desk, ServedTakes(), draw_create(words, preset_for("demo"), header))
    file = tmp_path / "library" / "take.mp4"
    file.parent.mkdir()
    file.write_bytes(b"a film")
    shot = studio.job.shot
    if before is not None:
        studio.job = JobSnapshot(job_id="id", state=before, shot=shot, seed=7)
        asyncio.run(painter.paint(page))
    take = Take(file, shot, 7, 96, 64, 13, 24.0, 0.54, -16.0, -1.2, {"denoise": 0.1}, "0", True, "0", "2026-02-08")
    studio.job = JobSnapshot(job_id="id", state=JobState.DONE, shot=shot, seed=7, take=take)
    assert (" autoplay" in asyncio.run(painter.paint(page))[painter.view.stage]) == plays
