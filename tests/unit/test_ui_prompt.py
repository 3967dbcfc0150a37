"""The Prompt lab and the line over the prompt, without a browser."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from mova_studio.jobs.enhancing import Progress
from mova_studio.jobs.studio import Studio
from mova_studio.library.origin import PromptOrigin
from mova_studio.library.presets import preset_for
from mova_studio.network.tokens import counter
from mova_studio.prompting.model import RULES, Finding
from mova_studio.prompting.workflow import Enhanced
from mova_studio.ui.access import Access, Account
from mova_studio.ui.api_prompt import PromptApi
from mova_studio.ui.catalogue import TEXTS
from mova_studio.ui.create import draw_create
from mova_studio.ui.desk import PageState
from mova_studio.ui.header import Header
from mova_studio.ui.page import build_page
from mova_studio.ui.prompt_backend import about_html, read_choice
from mova_studio.ui.prompt_batch import MAX_SHOTS, read_ideas
from mova_studio.ui.prompt_diff import ADDED, REMOVED, changes, diff_html, words_in
from mova_studio.ui.prompt_html import advice_html, history_html, progress_html, report_html
from mova_studio.ui.prompt_lab import LabView, template_choices, template_prompt
from mova_studio.ui.prompt_lab_events import LabEvents
from mova_studio.ui.prompt_line import PromptLine, origin_of
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import MAX_HISTORY, LabState, Sheet
from mova_studio.ui.reading import comes_from, read_order
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.wording import Wording

EVIL = "<img src=x onerror=alert(1)> \"'& </p>"
ACCESS = Access(Account("anna", "x"), Account("bob", "y"))
PROMPT = 'A bell rings over the harbour. A boy says, "One more." Wind in the ropes.'
COMPOSER = ("composer", "", "", "")


def request_of(name: str) -> gr.Request:
    return gr.Request(request=SimpleNamespace(), username=name)


def rewritten(text: str = PROMPT, **changes_: Any) -> Enhanced:
    values = {"original": text, "frame": None, "rewritten": f"New. {text}", "checks": (), "backend": "composer"}
    return Enhanced(**(values | changes_), attempts=1)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(tmp_path_factory.mktemp("library"), "demo")
    yield made
    made.close()


@pytest.fixture
def line(studio: Studio) -> PromptLine:
    drawn, words = PromptLine(), Wording()
    with gr.Blocks():
        drawn.draw_over(words)
        drawn.draw_under(words)
    drawn.prompt, drawn.rewriter, drawn.tokens = gr.Textbox(), Rewriter(studio, ACCESS), TokenMeter(studio)
    return drawn


async def collect(steps: Any) -> list[Any]:
    return [step async for step in steps]


def enhance(line: PromptLine, lab: LabState, prompt: str, backend: tuple = COMPOSER, user: str = "anna") -> list[Any]:
    return asyncio.run(collect(line.enhance(request_of(user), PageState(), lab, prompt, None, *backend)))


def test_enhance_leaves_the_field_alone_until_its_end_and_undo_loses_nothing(line):
    page, lab = PageState(), LabState()
    steps = enhance(line, lab, PROMPT)
    assert all(line.prompt not in step for step in steps)
    assert steps[-1][line.start]["visible"] is True and lab.running is None
    done = asyncio.run(line.settle(page, lab, PROMPT))
    new = done[line.prompt]
    assert '"One more."' in new and new != PROMPT and page.origin == PromptOrigin(PROMPT, new, "composer", None)
    edited = f"{new} My own words."
    assert asyncio.run(line.swapped(page, lab, edited))[line.prompt] == PROMPT and page.origin is None
    assert asyncio.run(line.swapped(page, lab, PROMPT))[line.prompt] == edited and page.origin is not None


def test_a_prompt_changed_meanwhile_stays_and_the_rewrite_waits(line):
    page, lab = PageState(), LabState()
    enhance(line, lab, PROMPT)
    done = asyncio.run(line.settle(page, lab, f"{PROMPT} More."))
    assert line.prompt not in done and page.origin is None
    assert "One more" in asyncio.run(line.swapped(page, lab, f"{PROMPT} More."))[line.prompt]
    assert asyncio.run(line.swapped(page, lab, "x"))[line.prompt] == f"{PROMPT} More."


def test_errors_stay_beside_the_prompt_and_settle_nothing(line):
    lab = LabState()
    assert "m-error" in enhance(line, lab, "  ")[-1][line.said]["value"]
    assert line.prompt not in asyncio.run(line.settle(PageState(), lab, "  "))
    refused = enhance(line, lab, PROMPT, ("server:ollama", "", "", ""), user="bob")[-1][line.said]["value"]
    assert "Only the owner" in refused


class Stuck:
    """A studio whose rewriting never ends by itself."""

    model = "demo"

    def enhance(self, wanted: Any) -> Any:
        self.running = SimpleNamespace(progress=Progress("rewrite", 1, "half"), cancel=lambda: self.ended.append(1))
        self.ended: list[int] = []
        return self.running


def test_a_rewriting_is_stopped_at_once_and_one_that_is_left_is_cancelled():
    stuck, lab = Stuck(), LabState()
    rewriter = Rewriter(stuck, ACCESS)
    wanted = rewriter.wanted(None, PROMPT, None, None, read_choice("en", *COMPOSER))

    async def stopped() -> float:
        loop, steps = asyncio.get_running_loop(), rewriter.follow(lab, wanted)
        assert (await anext(steps)).text == "half"
        with pytest.raises(Exception, match="already"):
            await anext(rewriter.follow(lab, wanted))
        since = loop.time()
        lab.stop()
        with pytest.raises(Exception, match="Cancelled"):
            await anext(steps)
        return loop.time() - since

    assert asyncio.run(stopped()) < 0.5
    assert stuck.ended and lab.running is None


def test_guests_have_the_composer_alone_over_the_api_too(studio):
    api = PromptApi(Rewriter(studio, ACCESS))
    told = asyncio.run(api.enhance(request_of("bob"), PROMPT))
    assert told["original"] == PROMPT and '"One more."' in told["rewritten"] and told["checks"] == []
    for backend in ("server:ollama", "local:x", "composer:x", " composer"):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(api.enhance(request_of("bob"), PROMPT, backend=backend, server_url="http://127.0.0.1:9"))
    with pytest.raises(gr.Error, match="empty"):
        asyncio.run(api.enhance(request_of("anna"), "  "))


@pytest.mark.parametrize("seed", range(20))
def test_a_diff_holds_both_texts(seed):
    draw = random.Random(seed)
    words = ["a", "bell", "雨", "“停！”", "don't", ",", "\n\n", " ", "Ring."]
    old, new = (" ".join(draw.choices(words, k=draw.randint(1, 30))) for _ in range(2))
    pieces = changes(old, new)
    squeezed = lambda text: re.sub(r"\s+", "", text)  # noqa: E731
    assert squeezed("".join(p.text for p in pieces if p.kind != ADDED)) == squeezed(old)
    assert squeezed("".join(p.text for p in pieces if p.kind != REMOVED)) == squeezed(new)


def test_a_diff_is_marked_by_more_than_colour_and_never_markup():
    html = diff_html("en", f"A red bell. {EVIL}", f"A loud bell. {EVIL} Rain.")
    assert "<img" not in html and "<ins>" in html and "<del>" in html and "[added: " in html and "[removed: " in html
    assert words_in(changes("one two", "one three four"), ADDED) == 2
    assert "Order or spacing" in diff_html("en", "one two", "one\n\ntwo")


def test_a_long_diff_is_quick():
    long = "The boy looks at the sea and says nothing at all today. " * 350
    since = time.monotonic()
    diff_html("en", long, long.replace("sea", "wide sea"))
    assert time.monotonic() - since < 20


def test_every_rule_has_its_words_in_both_languages():
    for rule in RULES:
        assert f"rule.{rule}" in TEXTS and f"why.{rule}" in TEXTS
        found = Finding(rule, EVIL, (EVIL,), warning=rule == "too_long")
        for language in ("en", "zh"):
            html = report_html(language, (found,)) + advice_html(language, (found,))
            assert "<img" not in html and TEXTS[f"rule.{rule}"][language == "zh"] in html
    assert "m-good" in report_html("en", ())


def test_history_and_progress_escape_what_people_and_models_write():
    evil = rewritten(EVIL, backend=f"local:/models/{EVIL}")
    assert "<img" not in history_html("en", [evil]) + progress_html("en", Progress("rewrite", 2, EVIL), EVIL)
    assert "try 2 of 3" in progress_html("en", Progress("rewrite", 2, ""), "x")
    half = '{"style": "grey photograph", "camera": "wide'
    assert "grey photograph · wide" in progress_html("en", Progress("describe", 1, half), "x") and "{" in half


def test_history_keeps_the_last_twenty_and_undo_keeps_edits():
    lab = LabState()
    for number in range(MAX_HISTORY + 5):
        lab.note(rewritten(f"idea {number}"))
    assert len(lab.history) == MAX_HISTORY and lab.history[-1].original == "idea 24"
    first, second = Sheet("a"), Sheet("a", rewritten="b")
    lab.keep(first)
    edited = Sheet("a", rewritten="b, changed")
    assert lab.undo(edited) == first and lab.redo(first) == edited and lab.undo(second) == first
    assert LabState().undo(first) is None and LabState().redo(first) is None


def test_leaving_the_list_of_templates_as_it_was_keeps_what_was_written(tmp_path):
    """Gradio tells of a choice whenever the list loses the focus."""
    studio, view = Studio(tmp_path / "library"), LabView()
    with gr.Blocks():
        words = Wording()
        view.draw(words)
        header = Header()
        header.draw(words, "demo")
        create = draw_create(words, preset_for("demo"), header)
    events = LabEvents(view, create.form, create.filling, Rewriter(studio, Access()), TokenMeter(studio))
    page, lab, key = PageState(), LabState(), template_choices("en")[1][1]

    def original_after(key):
        moved = asyncio.run(events.from_template(page, lab, key, "mine", "", "", "", "", ""))
        return moved.get(view.fields[0])

    first = original_after(key)
    assert first is not None and original_after(key) is None
    assert original_after("") is None and original_after(key) == first
    studio.close()


def test_ideas_are_counted_by_line_and_limited():
    ideas = read_ideas("en", "A {red|blue} car.\n\nA bell.")
    assert ideas == [(1, "A red car."), (1, "A blue car."), (3, "A bell.")]
    with pytest.raises(Exception, match=r"Line 2 .*100"):
        read_ideas("en", "a\n" + "{a|b}" * 7)
    assert len(read_ideas("en", "\n".join(["a"] * MAX_SHOTS))) == MAX_SHOTS
    with pytest.raises(Exception, match="Line 2: Wildcards"):
        read_ideas("en", "a\n" + "{" * 30 + "a|b" + "}" * 30)


def test_templates_speak_both_languages():
    for _name, key in template_choices("en")[1:]:
        assert template_prompt("en", key) != template_prompt("zh", key)
    assert "[S03]" in template_prompt("zh", "speakers") and template_prompt("en", "no such") == ""


def test_backends_say_what_leaves_the_machine_and_never_the_key(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "sk-secret-key")
    told = about_html("en", "server:gemini", "")
    assert "GEMINI_API_KEY" in told and "secret" not in told and "are sent to" in told
    assert "Nothing leaves" in about_html("en", "composer", "") and "m-error" in about_html("en", "server:ollama", "x")
    with pytest.raises(Exception, match="folder or hub id"):
        read_choice("en", "local", "", "", " ")


def test_a_shot_remembers_where_its_prompt_came_from():
    origin = origin_of(rewritten())
    assert comes_from(origin, origin.rewritten) and comes_from(origin, f"{origin.rewritten} And rain.")
    assert not comes_from(origin, PROMPT) and not comes_from(origin, "Something else, altogether.")
    preset = preset_for("demo")
    fields = preset.settings() | {"prompt": origin.rewritten, "seconds": 1, "seed": "1", "negative_prompt": ""}
    fields |= {"target_lufs": -16, "step_cache": "off", "guidance_start": 0, "guidance_stop": 1}
    assert read_order(fields, "demo", preset, "en", "num_frames", origin).shot.origin == origin
    assert read_order(fields | {"prompt": PROMPT}, "demo", preset, "en", "num_frames", origin).shot.origin is None


def test_tokens_are_counted_as_the_checkpoint_does(tmp_path):
    from transformers import AutoTokenizer

    from mova_studio.diffusion.text import count_tokens
    from mova_studio.network.demo import demo_checkpoint

    folder = demo_checkpoint()
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    for text in (PROMPT, "一名鼓手。 ＡＢＣ &amp; “x”", "<extra_id_0> a"):
        assert counter(folder)(text) == count_tokens(tokenizer, text)
    with pytest.raises(Exception, match="download it again"):
        counter(tmp_path)


def test_the_meter_counts_words_without_a_tokenizer(studio, monkeypatch):
    monkeypatch.setattr("mova_studio.ui.token_meter.token_counter", lambda model: None)
    meter = TokenMeter(studio)
    assert "3 / 250 words" in asyncio.run(meter.html("en", "A bell rings"))
    assert "4 / 400 字" in asyncio.run(meter.html("zh", "钟声响起"))
    assert "m-over" in asyncio.run(meter.html("en", "word " * 300))
    monkeypatch.setattr("mova_studio.ui.token_meter.token_counter", lambda model: len)
    assert "513 / 512 tokens" in asyncio.run(TokenMeter(studio).html("en", "x" * 513))


def test_the_page_has_the_lab_behind_the_timeline(studio):
    tabs = [block.id for block in build_page(studio, Access()).blocks.values() if isinstance(block, gr.Tab)]
    assert tabs == ["create", "scouts", "takes", "timeline", "lab", "train", "models", "system"]
