"""What the Prompt lab does with servers: keys, first frames, stopping. Without a browser, against a real server."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from memory_keyring import keyring_of, memory_keyring
from openai_server import ChatServer, Reply, picture_reply, serve
from PIL import Image

from mova_studio.jobs.studio import Studio
from mova_studio.library.origin import FrameOrigin
from mova_studio.library.presets import preset_for
from mova_studio.prompting.model import LANGUAGE
from mova_studio.ui.access import Access, Account
from mova_studio.ui.api_prompt import PromptApi
from mova_studio.ui.desk import MadeFrame, PageState, digest_of
from mova_studio.ui.prompt_backend import BackendChoice, about_html
from mova_studio.ui.prompt_frame import FrameMaker
from mova_studio.ui.prompt_judge import LabJudge
from mova_studio.ui.prompt_key import ABSENT, KEYRING, KeyField, key_source, server_of
from mova_studio.ui.prompt_lab import LabView
from mova_studio.ui.prompt_line import PromptLine
from mova_studio.ui.prompt_room import PromptRoom
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.reading import read_order
from mova_studio.ui.served import cached_file
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.wording import Wording

ACCESS = Access(Account("anna", "x"), Account("bob", "y"))
KEY = "sk-pagesecret-0123456789abcdef"
PROMPT = 'A bell rings over the harbour. A boy says, "One more." Wind in the ropes.'


def request_of(name: str) -> gr.Request:
    return gr.Request(request=SimpleNamespace(), username=name)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(tmp_path_factory.mktemp("library"), "demo")
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serve(ChatServer()) as state:
        yield state


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> KeyField:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    field = KeyField()
    with gr.Blocks():
        field.draw(Wording())
    return field


def backend(server: ChatServer) -> tuple[str, str, str, str]:
    return ("server:mine", server.url, "tiny", "")


def owner() -> PageState:
    return PageState(owner=True)


def keep(field: KeyField, key: str, kind: str = "server:gemini", url: str = "") -> dict[Any, Any]:
    return asyncio.run(field.kept(owner(), kind, url, key, request_of("anna")))


def test_a_key_goes_into_the_keyring_and_never_comes_back(keys):
    with memory_keyring() as kept:
        shown = keep(keys, f" {KEY} ")
        assert kept == {("mova_studio", "gemini"): KEY}
        assert (
            shown[keys.key]["value"] == "" and shown[keys.forget]["visible"] and "keyring" in shown[keys.said]["value"]
        )
        told = about_html("en", "server:gemini", "")
        assert "Key: from this machine" in told and "Key: from" not in about_html("en", "server:openai", "")
        assert KEY not in repr(shown) + told
        shown = asyncio.run(keys.forgotten(owner(), "server:gemini", "", request_of("anna")))
        assert (
            kept == {} and shown[keys.forget]["visible"] is False and "out of the keyring" in shown[keys.said]["value"]
        )
        assert "needs a key" in about_html("en", "server:gemini", "")


def test_keys_that_cannot_be_kept_are_refused_without_being_said(keys):
    with memory_keyring() as kept:
        for typed, words in (("", "Type the key"), (f"{KEY} more", "copy it again"), (f"{KEY}é", "copy it again")):
            shown = keep(keys, typed)
            assert words in shown[keys.said]["value"] and shown[keys.key]["value"] == ""
            assert KEY not in repr(shown) and kept == {}
        for kind, url in (("composer", ""), ("local", ""), ("server:ollama", ""), ("server:mine", "")):
            assert "choose a server first" in keep(keys, KEY, kind, url)[keys.said]["value"] and kept == {}
        assert "is not an address of" in keep(keys, KEY, "server:openai", "http://x.example/v1")[keys.said]["value"]
        assert kept == {}
    with keyring_of(NoKeyring()):
        shown = keep(keys, KEY)
    assert "no keyring that works" in shown[keys.said]["value"] and KEY not in repr(shown)


def test_a_key_kept_for_an_address_is_known_there_alone(keys):
    with memory_keyring() as kept:
        keep(keys, KEY, "server:mine", "https://one.example/v1")
        assert kept == {("mova_studio", "mine@one.example"): KEY}
        here, there = (server_of("server:mine", f"https://{host}.example/v1") for host in ("one", "two"))
        assert key_source(here) == KEYRING and key_source(there) == ABSENT
        keep(keys, "another", "server:dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1")
        assert kept["mova_studio", "dashscope"] == "another", "its other addresses are its own"


def test_only_the_owner_may_keep_and_forget_keys(keys):
    with memory_keyring() as kept:
        kept["mova_studio", "gemini"] = KEY
        for guarded, values in ((keys.kept, ("server:gemini", "", "other")), (keys.forgotten, ("server:gemini", ""))):
            for user in ("bob", ""):
                with pytest.raises(gr.Error, match="Only the owner"):
                    asyncio.run(ACCESS.owner_only(guarded)(owner(), *values, request_of(user)))
        assert kept == {("mova_studio", "gemini"): KEY}


@pytest.mark.parametrize(
    ("kind", "environment", "kept", "is_owner", "row", "forget"),
    [
        ("server:gemini", "", "", True, True, False),
        ("server:gemini", "", KEY, True, True, True),
        ("server:gemini", KEY, KEY, True, False, False),
        ("server:gemini", "", KEY, False, False, False),
        ("server:ollama", "", "", True, False, False),
        ("server:mine", "", "", True, False, False),
        ("composer", "", "", True, False, False),
    ],
)
def test_the_field_is_there_where_a_key_can_be_kept(keys, monkeypatch, kind, environment, kept, is_owner, row, forget):
    monkeypatch.setenv("GEMINI_API_KEY", environment)
    with memory_keyring() as ring:
        ring["mova_studio", "gemini"] = kept
        shown = asyncio.run(keys.updates(PageState(owner=is_owner), kind, ""))
    assert (shown[keys.row]["visible"], shown[keys.forget]["visible"]) == (row, forget)
    assert KEY not in repr(shown)


def test_a_guest_is_told_nothing_of_keys():
    choice = BackendChoice()
    with gr.Blocks():
        choice.draw(Wording())
    with memory_keyring() as kept:
        kept["mova_studio", "gemini"] = KEY
        told = asyncio.run(choice.told(PageState(), "server:gemini", ""))
    assert "keyring" not in told and "Nothing leaves" in told


def test_a_choice_that_is_answered_again_leaves_what_was_typed_and_said(studio):
    room, page = PromptRoom(studio, ACCESS), owner()
    with gr.Blocks():
        room.draw(Wording())
    key, maker = room.lab.backend.key, room.lab.maker

    def chosen(kind: str, url: str = "") -> set[str]:
        answer = asyncio.run(room.choose(page, kind, url))
        assert set(answer) <= set(room.chosen)
        fields = {"key": key.key, "key said": key.said, "frame said": maker.said}
        return {name for name, field in fields.items() if field in answer and answer[field]["value"] == ""}

    with memory_keyring():
        assert chosen("server:gemini") == {"key", "key said", "frame said"}
        assert chosen("server:gemini") == set()
        assert chosen("server:mine", "http://127.0.0.1:8000/v1") == {"key", "key said", "frame said"}
        assert chosen("server:mine", "http://127.0.0.1:8001/v1") == {"key", "key said", "frame said"}
        page.language = "zh"
        assert chosen("server:mine", "http://127.0.0.1:8001/v1") == {"key said", "frame said"}


@pytest.fixture
def maker(studio: Studio) -> FrameMaker:
    drawn = FrameMaker()
    with gr.Blocks():
        drawn.draw(Wording())
    drawn.rewriter = Rewriter(studio, ACCESS)
    return drawn


def make(maker: FrameMaker, server: ChatServer, lab: LabState, *sheet: str, user: str = "anna") -> list[dict[Any, Any]]:
    async def steps() -> list[dict[Any, Any]]:
        asked = maker.make(request_of(user), owner(), lab, "painter", 640, 352, *backend(server), *sheet)
        return [step async for step in asked]

    return asyncio.run(steps())


def test_a_first_frame_is_made_of_the_description_and_shown(maker, server):
    lab = LabState()
    steps = make(maker, server, lab, PROMPT, "ink drawing", "", "a boy at a rope", "", "")
    assert "ink drawing" in server.questions[0]["prompt"] and "One more" not in server.questions[0]["prompt"]
    assert steps[0][maker.stop]["visible"] and "is making the picture" in steps[0][maker.said]["value"]
    last = steps[-1]
    assert 'src="gradio_api/file=' in last[maker.shown]["value"] and "1360x752" in last[maker.shown]["value"]
    assert last[maker.use]["visible"] and last[maker.go]["visible"] and not last[maker.said]["visible"]
    assert lab.made.model == "painter" and lab.running is None


def test_a_picture_that_fails_leaves_the_last_one(maker, server):
    lab = LabState()
    make(maker, server, lab, PROMPT)
    made = lab.made
    server.pictures = [Reply(status=404)]
    last = make(maker, server, lab, PROMPT)[-1]
    assert "m-error" in last[maker.said]["value"] and "makes no pictures" in last[maker.said]["value"]
    assert lab.made is made and last[maker.use]["visible"]
    assert "nothing to make" in make(maker, server, LabState(), " ")[-1][maker.said]["value"]
    assert "Only the owner" in make(maker, server, LabState(), PROMPT, user="bob")[-1][maker.said]["value"]


def test_stopping_a_picture_hangs_up_and_changes_nothing(maker, server):
    server.pictures = [picture_reply(stall=0)]
    lab = LabState()

    async def stopped() -> dict[Any, Any]:
        steps = maker.make(request_of("anna"), owner(), lab, "painter", 640, 352, *backend(server), PROMPT)
        await anext(steps)
        assert await asyncio.to_thread(server.asked.wait, 10)
        await maker.halt(lab)
        return [step async for step in steps][-1]

    last = asyncio.run(stopped())
    assert "Stopped" in last[maker.said]["value"] and last[maker.go]["visible"] and not last[maker.use]["visible"]
    assert server.gone.wait(30) and lab.made is None and lab.running is None


def test_the_made_frame_is_known_again_in_the_form_and_no_other_is():
    packed = io.BytesIO()
    Image.new("RGB", (200, 110), "teal").save(packed, "PNG")
    made, whence = packed.getvalue(), FrameOrigin("server:mine", "painter", "a teal wall")
    path = cached_file(made, "first_frame.png")
    packed = io.BytesIO()
    Image.new("RGB", (200, 110), "red").save(packed, "PNG")
    other = cached_file(packed.getvalue(), "first_frame.png")
    preset = preset_for("demo")
    fields = preset.settings() | {"prompt": PROMPT, "seconds": 1, "seed": "1", "negative_prompt": ""}
    fields |= {"target_lufs": -16, "step_cache": "off", "guidance_start": 0, "guidance_stop": 1}

    def shot_with(file: Path | None, known: MadeFrame | None) -> Any:
        picture = {"first_frame": None if file is None else {"path": str(file), "meta": {"_type": "gradio.FileData"}}}
        return read_order(fields | picture, "demo", preset, "en", "num_frames", frame=known).shot

    known = MadeFrame(digest_of(made), whence)
    shot = shot_with(path, known)
    assert shot.frame_origin == whence
    assert Image.open(io.BytesIO(shot.first_frame)).size == (shot.width, shot.height)
    assert shot_with(other, known).frame_origin is shot_with(None, known).frame_origin is None
    assert shot_with(path, None).frame_origin is None
    page = PageState()
    page.know(None, shot.frame_origin, shot.first_frame)
    restored = cached_file(shot.first_frame, "first_frame.png")
    assert shot_with(restored, page.made_frame).frame_origin == whence


def test_programs_of_the_owner_have_frames_made(studio, server):
    api = PromptApi(Rewriter(studio, ACCESS))
    file, told = asyncio.run(
        api.make_frame(
            request_of("anna"), PROMPT, None, 352, 640, "server:mine", server_url=server.url, image_model="painter"
        )
    )
    assert Image.open(file.path).size == (352, 640)
    assert told["model"] == "painter" and "One more" not in told["description"] and told["notes"]
    for values, words in (((PROMPT, None, 352, 641), "641"), (("", None, 352, 640), "nothing to make")):
        with pytest.raises(gr.Error, match=words):
            asyncio.run(api.make_frame(request_of("anna"), *values, "server:mine", server_url=server.url))
    with pytest.raises(gr.Error, match="cannot make pictures"):
        asyncio.run(api.make_frame(request_of("anna"), PROMPT, backend="composer"))
    with pytest.raises(gr.Error, match="Only the owner"):
        asyncio.run(ACCESS.owner_only(api.make_frame)(request=request_of("bob"), prompt=PROMPT))


@pytest.fixture
def line(studio: Studio) -> PromptLine:
    drawn, words = PromptLine(), Wording()
    with gr.Blocks():
        drawn.draw_over(words)
        drawn.draw_under(words)
    drawn.prompt, drawn.rewriter, drawn.tokens = gr.Textbox(), Rewriter(studio, ACCESS), TokenMeter(studio)
    return drawn


@pytest.mark.parametrize("stall", [0, 8])
def test_stopping_in_create_hangs_up_and_leaves_the_prompt_as_it_was(line, server, stall):
    server.replies = [Reply(json.dumps({"elements": "a bell"})), Reply("A bell rings. More words.", stall=stall)]
    page, lab = owner(), LabState()

    async def stopped() -> list[dict[Any, Any]]:
        async def stop() -> None:
            assert await asyncio.to_thread(server.asked.wait, 10)
            await line.halt(lab)

        stopping = asyncio.create_task(stop())
        steps = line.enhance(request_of("anna"), page, lab, PROMPT, None, *backend(server))
        seen = [step async for step in steps]
        await stopping
        return seen

    steps = asyncio.run(stopped())
    assert all(line.prompt not in step for step in steps)
    assert "Stopped" in steps[-1][line.said]["value"]
    assert steps[-1][line.start]["visible"] and not steps[-1][line.stop]["visible"]
    settled = asyncio.run(line.settle(page, lab, PROMPT))
    assert line.prompt not in settled and page.origin is None and lab.swap is None and lab.history == []
    assert server.gone.wait(30) and lab.running is None


def test_a_server_that_answers_in_the_wrong_language_is_asked_twice_more_and_then_shown(line, server):
    prompt = "一名男孩站在港口，对着大海说：“再来一次。”风吹过绳索。"
    wrong = "A boy stands in a harbour.\n\nHe says, “再来一次。”\n\nThe sound of wind in the ropes."
    server.replies = [Reply(json.dumps({"elements": "港口里的男孩"})), Reply(wrong)]
    page, lab = owner(), LabState()

    async def run() -> None:
        async for _step in line.enhance(request_of("anna"), page, lab, prompt, None, *backend(server)):
            pass

    asyncio.run(run())
    asked = [question["messages"][1]["content"] for question in server.questions]
    assert len(asked) == 4  # the description, and three tries
    assert "broke these rules" not in asked[1] and all("broke these rules" in again for again in asked[2:])
    enhanced = lab.latest
    assert enhanced.attempts == 3 and LANGUAGE in [finding.rule for finding in enhanced.checks]
    message = next(finding.message for finding in enhanced.checks if finding.rule == LANGUAGE)
    assert message in asked[2] and message in asked[3]
    done = asyncio.run(line.settle(page, lab, prompt))
    assert "to look at in the Prompt lab" in done[line.said]["value"] and lab.history == [enhanced]
    assert lab.swap.behind == prompt


@pytest.fixture
def judge(studio: Studio) -> LabJudge:
    view = LabView()
    with gr.Blocks():
        view.draw(Wording())
    assert view.undo.interactive is view.redo.interactive is False
    return LabJudge(view, TokenMeter(studio))


def test_undo_and_redo_can_be_pressed_only_where_there_is_something(judge):
    lab, first, second = LabState(), Sheet("a"), Sheet("a", rewritten="b")

    def can(shown: Sheet) -> tuple[bool, bool]:
        told = asyncio.run(judge.judge(owner(), lab, *vars(shown).values()))
        return told[judge.view.undo]["interactive"], told[judge.view.redo]["interactive"]

    assert can(first) == (False, False)
    lab.keep(first)
    assert can(first) == (False, False) and can(second) == (True, False)
    assert lab.undo(second) == first and can(first) == (False, True)
    assert lab.redo(first) == second and can(second) == (True, False)
