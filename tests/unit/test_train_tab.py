"""The Train view without a browser: who may use it, its words and charts, the log as it grows, the cost."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.training_folder import Asked, TrainingFolder
from mova_studio.jobs.training_log import Point, TrainingLog
from mova_studio.jobs.training_order import FoundClips, TrainingOrder, check_kinds, look_at_clips
from mova_studio.jobs.training_process import RECORD
from mova_studio.jobs.training_snapshot import Stage, TrainingSnapshot, picture
from mova_studio.network.locate import locate
from mova_studio.training.recipe import shipped_recipes
from mova_studio.ui.access import Access, Account
from mova_studio.ui.adapters_data import InstalledAdapters
from mova_studio.ui.adapters_view import AdaptersView
from mova_studio.ui.api_train import TrainApi
from mova_studio.ui.desk import PageState, Sight
from mova_studio.ui.queue_html import queue_head
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.train_cost import cost_words
from mova_studio.ui.train_curves import curves_html, smoothed
from mova_studio.ui.train_form import RECIPES, numbers_of, read, usual_kinds
from mova_studio.ui.train_html import list_html, run_html
from mova_studio.ui.train_view import TrainView
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording

ASKED = Asked("<b>bell</b>", "demo", "/clips", (), "/clips", "adapter", "adapter", 200, 4, "2026-11-21T10:00:00+00:00")
RUN = TrainingSnapshot("20261121-100000-ab12", Path("/runs/a"), ASKED, Stage.TRAINING, step=50, pace=2.0)
VALUES = ("/clips", "", "adapter", 200, 1, 50, 1e-4, 16, "bell")


@pytest.fixture
def studio(tmp_path):
    opened = Studio(tmp_path / "library")
    yield opened
    opened.close()


def run_folder(path: Path, **change) -> TrainingFolder:
    return TrainingFolder.make(path, replace(ASKED, **change), "{}")


def test_guests_are_refused_everywhere(studio):
    access = Access(Account("anna", "owner-password"), Account("bob", "guest-password"))
    adapters = AdaptersView(InstalledAdapters(studio), access)
    view, api = TrainView(studio, access, ServedTakes(), adapters), TrainApi(studio, access)
    guest, page = gr.Request(username="bob"), PageState(owner=True)

    async def answer(call):
        if hasattr(call, "__aiter__"):
            return [part async for part in call]
        return await call

    for name in ("show", "look", "choose", "tell", "start"):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(answer(getattr(view, name)(guest, page, *VALUES)))
    for name, values in (("tick", ()), ("click", (None,)), ("install", ("bell",))):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(answer(getattr(view, name)(page, *values, guest)))
    with gr.Blocks() as blocks:
        api.register()
    for listener in blocks.fns.values():
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(listener.fn("x", guest))


def test_every_shipped_recipe_has_words_and_numbers():
    assert set(RECIPES) == set(shipped_recipes())
    for recipe in RECIPES:
        order = TrainingOrder("", recipe).to_recipe()
        known = numbers_of(recipe)
        assert (order.steps, order.batch_size, order.accumulation) == (
            known["steps"],
            known["batch_size"],
            known["accumulation"],
        )
        assert (order.adapter.rank if order.adapter else None) == known["rank"]


def test_what_stands_in_the_fields():
    order = read(VALUES, "en")
    assert (order.steps, order.rank, order.learning_rate, order.name) == (200, 16, 1e-4, "bell")
    assert read((*VALUES[:2], "phase-1", *VALUES[3:]), "en").rank is None
    for place, wrong, told in (
        (3, None, "Steps is empty"),
        (4, 1.5, "Batch size is 1.5"),
        (6, "much", "Learning rate"),
    ):
        values = list(VALUES)
        values[place] = wrong
        with pytest.raises(InputError, match=told):
            read(tuple(values), "en")
    assert usual_kinds("OpenMOSS-Team/MOVA-360p") == "640x352x193 352x640x193"
    assert check_kinds(usual_kinds("demo"))


def test_a_run_in_words():
    html = run_html("en", RUN)
    assert "&lt;b&gt;bell&lt;/b&gt;" in html and "<b>bell" not in html
    assert "step 50 of 200" in html and "5 min 0 s left" in html and 'aria-valuenow="25"' in html
    assert 'data-act="stop"' in html and "resume" not in html
    assert 'data-act="end"' in run_html("en", replace(RUN, stopping=True))
    stopped = run_html("zh", replace(RUN, stage=Stage.STOPPED, saved_step=40))
    assert "可从第 40 步继续" in stopped and 'data-act="resume"' in stopped and 'data-act="remove"' in stopped
    done = replace(RUN, stage=Stage.DONE, asked=replace(ASKED, mode="full"), trained=Path("/runs/a/checkpoint"))
    assert 'data-copy="/runs/a/checkpoint"' in run_html("en", done) and "resume" not in run_html("en", done)
    assert list_html("en", [RUN], None) == ""
    assert list_html("en", [RUN, replace(RUN, run_id="b")], "b").count('aria-pressed="true"') == 1


def test_the_queue_says_why_takes_wait():
    for language, words in (("en", "A training run has the machine"), ("zh", "训练正在使用本机")):
        assert words in queue_head(language, Sight(reserved=True), owner=False)
        assert words not in queue_head(language, Sight(), owner=True)


losses = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(losses)
def test_charts_stay_in_their_frame(values):
    curve = [Point(step, value, value / 2) for step, value in enumerate(values, start=1)]
    html = curves_html("en", curve)
    for path in re.findall(r' d="M([^"]*)"', html):
        for place in path.replace("h0", "").split("L"):
            x, y = map(float, place.split())
            assert 0 <= x <= 600 and -0.1 <= y <= 100.1
    assert all(min(values) <= mean * (1 + 1e-9) and mean <= max(values) * (1 + 1e-9) for mean in smoothed(values))
    assert curves_html("en", []) == ""


def line(step: int) -> str:
    return json.dumps({"step": step, "video_loss": step / 10, "audio_loss": 1.0, "seconds": 2.0}) + "\n"


def test_a_log_is_read_as_it_grows(tmp_path):
    file = tmp_path / "log.jsonl"
    log = TrainingLog(file)
    assert (log.read().step, log.pace, log.curve()) == (0, None, ())
    file.write_text(line(1) + line(2)[:10], "utf-8")
    assert (log.read().step, log.pace) == (1, 2.0)
    with file.open("a", encoding="utf-8") as more:
        more.write(line(2)[10:] + "rubbish\n" + line(3))
    assert log.read().step == 3
    assert [point.step for point in log.curve()] == [1, 2, 3]
    # A run that goes on writes it anew, beside it and renamed in.
    anew = tmp_path / "anew"
    anew.write_text("".join(map(line, range(1, 1001))), "utf-8")
    anew.replace(file)
    curve = log.read().curve()
    assert log.step == 1000 and len(curve) <= 240 and curve[-1].step == 1000
    assert curve[0] == Point(5, pytest.approx(0.3), 1.0)


def test_how_far_clips_are_encoded(tmp_path):
    folder, told = run_folder(tmp_path / "run"), []

    def tell(kind: str, done: int, seconds: float | None, total: int = 40) -> str:
        told.append(json.dumps({"event": kind, "name": "片段 " * 9, "done": done, "total": total, "seconds": seconds}))
        (folder.path / "encode.txt").write_text("\n".join(told) + '\n{"event": "cl', "utf-8")
        return run_html("en", replace(RUN, stage=Stage.ENCODING, encoding=folder.encoding()))

    assert "loading the encoders" in run_html("en", replace(RUN, stage=Stage.ENCODING, encoding=folder.encoding()))
    words = tell("caption", 1, None, total=2)
    assert "Encoding captions: 1 of 2" in words and 'aria-valuenow="50"' in words and "left" not in words
    assert "3 s left" in tell("caption", 1, 3.0, total=2)
    kept = [tell("clip", done, None) for done in range(1, 4)]
    assert "Encoding clips: 3 of 40" in kept[-1] and "left" not in kept[-1], "a caption's time is no clip's"
    told.append("rubbish\n" + json.dumps({"event": "skipped", "name": "a", "reason": "b"}))
    made = [tell("clip", 4 + done, seconds) for done, seconds in enumerate((2.0, 50.0, 2.0))]
    assert "Encoding clips: 6 of 40" in made[-1] and "1 min 8 s left" in made[-1]
    assert "1 min 8 s left" not in "".join(made[:-1])


def test_how_a_process_ended(tmp_path):
    folder = run_folder(tmp_path / "run")

    def seen(answer: str, record: dict | None = None, said: str = "") -> TrainingSnapshot:
        (folder.path / "train.json").write_text(answer, "utf-8")
        (folder.path / "train.txt").write_text(said, "utf-8")
        (folder.path / RECORD).write_text(json.dumps({"phase": "train"} | (record or {})), "utf-8")
        return picture(folder, TrainingLog(folder.path / "log.jsonl"), None)

    assert seen(" " * 100, {"code": -9}).error.startswith("The system ended the process")
    assert seen("", {"code": -9, "asked": True}).stage is Stage.STOPPED
    assert seen("").stage is Stage.STOPPED, "an app that died knows no code"
    crashed = seen("", {"code": 1}, "Traceback\nImportError: no torch\n\n")
    assert crashed.error == "The process ended with exit code 1: ImportError: no torch"
    told = seen('{"error": {"message": "The disk is full.", "exit_code": 4}}' + " " * 99, {"code": 4})
    assert (told.stage, told.error) == (Stage.FAILED, "The disk is full.")
    assert seen('{"error": {"message": "Cancelled.", "exit_code": 130}}', {"code": 130}).stage is Stage.STOPPED
    assert folder.phases() == ["train"]
    (folder.path / "state.json").write_text('{"step": 200}', "utf-8")
    (folder.path / "adapter.safetensors").write_bytes(b"")
    done = seen('{"done": true, "step": 200}', {"code": 0})
    assert done.stage is Stage.DONE and folder.phases() == []
    assert "--resume" in folder.arguments("train")
    for damage in ("", "[]", '{"format": 2}', '{"format": 1, "name": "x"}'):
        (folder.path / "asked.json").write_text(damage, "utf-8")
        with pytest.raises(InputError):
            folder.asked()


def test_leaving_the_list_of_recipes_as_it_was_keeps_what_was_typed(studio):
    """Gradio tells of a choice whenever the list loses the focus."""
    access = Access()
    view = TrainView(studio, access, ServedTakes(), AdaptersView(InstalledAdapters(studio), access))
    with gr.Blocks():
        view.draw(Wording())
    page, whole = PageState(owner=True), (*VALUES[:2], "phase-1", *VALUES[3:])

    def steps_after(values):
        return asyncio.run(view.choose(gr.Request(username=None), page, *values)).get(view.form.steps)

    assert steps_after(VALUES) is None
    assert steps_after(whole) == numbers_of("phase-1")["steps"]
    assert steps_after(whole) is None
    assert steps_after(VALUES) == numbers_of("adapter")["steps"]


def test_the_cost_before_the_click(tmp_path):
    found = FoundClips(Path("/clips"), {"32x32x5": 20})
    unknown = cost_words("en", "demo", VALUES, found, [], tmp_path)
    assert "200 steps of 4 clips; each of the 20 clips is seen 40 times" in unknown and "first steps" in unknown
    judged = cost_words("en", "demo", VALUES, found, [RUN], tmp_path)
    assert "about 6 min 40 s, judged by &lt;b&gt;bell" in judged
    locate("demo")
    full = cost_words("en", "demo", (*VALUES[:2], "phase-1", *VALUES[3:]), None, [RUN], tmp_path)
    assert "of disk needed" in full and "judged" not in full
    assert cost_words("en", "demo", (*VALUES[:3], None, *VALUES[4:]), found, [], tmp_path) == ""


def test_sentences_in_chinese(tmp_path):
    sentences = [
        "A training run is under way already; stop it or let it finish.",
        "The system ended the process, most likely because memory ran out.",
        "The disk of /a has 3 MB left and a training run needs at least 50 MB. Free some space.",
    ]
    (tmp_path / "empty").mkdir()
    for place in ("", "a/b", "/nowhere", str(tmp_path / "empty")):
        with pytest.raises(InputError) as caught:
            look_at_clips(place)
        sentences.append(caught.value.message)
    for kinds in ("", "small", "33x32x5", "32x32x6"):
        with pytest.raises(InputError) as caught:
            check_kinds(kinds)
        sentences.append(caught.value.message)
    for sentence in sentences:
        assert re.search(r"[\u4e00-\u9fff]", translate("zh", sentence)), sentence
        assert translate("en", sentence) == sentence
