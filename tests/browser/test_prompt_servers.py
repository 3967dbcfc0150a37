"""A person lets a server of their own rewrite, make a first frame, and be stopped; their key stays out of sight."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from driving import PATIENCE_MS, RunningStudio, open_studio, says, small_settings, start_studio, wait_for_take
from openai_server import ChatServer, Reply, picture_reply, serve

from mova_studio.library.origin import FrameOrigin
from mova_studio.library.provenance import read_take

pytestmark = pytest.mark.browser
UNIT = Path(__file__).parents[1] / "unit"
KEY = "sk-browsersecret-0123456789"
PROMPT = "一名男孩站在港口，对着大海说：“再来一次。”风吹过绳索。"
WRONG = "A boy stands in a harbour.\n\nHe says, “再来一次。”\n\nThe sound of wind in the ropes."
FRAME = {"style": "水彩画", "camera": "全景", "elements": "港口里的男孩", "text": ""}
LAB = "#views [data-tab-id=lab] >> visible=true"


@pytest.fixture(scope="module")
def keyring_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio on a machine whose keyring is gone with the process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "memory_keyring.MemoryKeyring")
        patch.setenv("PYTHONPATH", str(UNIT))
        yield from start_studio(tmp_path_factory.mktemp("keyring"))


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serve(ChatServer()) as state:
        yield state


@pytest.fixture
def page(context: BrowserContext, keyring_studio: RunningStudio, server: ChatServer) -> Page:
    """The lab with the server chosen."""
    opened = open_studio(context, keyring_studio)
    opened.click(LAB)
    expect(opened.locator("#lab-undo")).to_be_disabled()
    expect(opened.locator("#lab-redo")).to_be_disabled()
    expect(opened.locator("#lab-make")).to_be_hidden()
    opened.click("#backend input")
    opened.get_by_role("option", name="Server · another one").click()
    opened.fill("#backend-url textarea, #backend-url input", server.url)
    opened.keyboard.press("Tab")
    opened.fill("#backend-model textarea, #backend-model input", "tiny")
    opened.wait_for_selector("#backend-key input[type=password]")
    return opened


def test_a_key_is_kept_used_and_forgotten_and_never_shown(
    page: Page, server: ChatServer, keyring_studio: RunningStudio
) -> None:
    server.replies = [Reply("A boy calls.\n\nThe sound of wind.")]
    page.fill("#backend-key input", KEY)
    page.click("#key-keep")
    says(page, "#key-said", "in this machine's keyring")
    says(page, "#backend-about", "Key: from this machine's keyring")
    expect(page.locator("#backend-key input")).to_have_value("")
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    typed = page.eval_on_selector_all("input, textarea", "(fields) => fields.map((field) => field.value)")
    assert KEY not in page.content() + stored + str(typed)
    page.fill("#lab-original textarea", "A boy calls.")
    page.fill("#lab-elements textarea", "a boy")
    page.click("#lab-run")
    page.wait_for_function("document.querySelector('#lab-rewritten textarea').value.includes('wind')")
    sent = {name.lower(): value for name, value in server.headers[-1].items()}
    assert sent["authorization"] == f"Bearer {KEY}"
    page.click("#key-forget")
    says(page, "#key-said", "out of the keyring")
    says(page, "#backend-about", "Without a key")
    for file in keyring_studio.library.parent.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):
            assert KEY.encode() not in file.read_bytes(), file


def test_an_address_typed_while_another_is_looked_at_counts(page: Page, server: ChatServer) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if not held and "nowhere://" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    address = "#backend-url textarea, #backend-url input"
    page.route("**/queue/join*", hold)
    with page.expect_request(lambda request: "nowhere://" in (request.post_data or "")):
        page.fill(address, "nowhere://here")
        page.keyboard.press("Tab")
    page.fill(address, server.url)
    page.keyboard.press("Tab")
    with page.expect_request(lambda request: server.url in (request.post_data or "")):
        held[0].continue_()
    page.wait_for_selector("#backend-key input[type=password]")
    says(page, "#backend-about", "Without a key")


def test_a_made_first_frame_goes_into_the_take(page: Page, server: ChatServer, keyring_studio: RunningStudio) -> None:
    page.fill("#lab-original textarea", "A boy stands in a harbour.")
    page.fill("#lab-elements textarea", "a boy in a harbour")
    page.fill("#image-model textarea, #image-model input", "painter")
    page.click("#lab-make-go")
    page.wait_for_function("document.querySelector('#lab-made img')?.naturalWidth === 1360")
    asked = server.questions[-1]
    server.pictures = [picture_reply(stall=0)]
    server.asked.clear()
    page.click("#lab-make-go")
    assert server.asked.wait(PATIENCE_MS / 1000)
    page.click("#lab-make-stop")
    says(page, "#lab-make-said", "Stopped")
    assert server.gone.wait(PATIENCE_MS / 1000)
    expect(page.locator("#lab-made img")).to_have_count(1)
    page.click("#lab-made-use")
    page.wait_for_selector("#lab-frame img")
    page.click("#lab-as-is")
    page.wait_for_selector("#first-frame img")
    small_settings(page, steps=2)
    page.click("#generate")
    wait_for_take(page)
    (file,) = keyring_studio.library.rglob("*.mp4")
    take = read_take(file)
    assert take is not None and take.shot.first_frame is not None
    assert take.shot.frame_origin == FrameOrigin("server:mine", "painter", asked["prompt"])
    page.click("#undo-fill")
    page.wait_for_function("!document.querySelector('#first-frame img') || !document.querySelector('#undo-fill')")


def test_the_wrong_language_is_sent_back_twice_and_then_shown(page: Page, server: ChatServer) -> None:
    server.replies = [Reply(json.dumps(FRAME, ensure_ascii=False)), Reply(WRONG)]
    page.fill("#lab-original textarea", PROMPT)
    page.click("#lab-run")
    page.wait_for_function("document.querySelector('#lab-rewritten textarea').value.includes('harbour')")
    says(page, "#lab-report", "Language")
    assert len(server.questions) == 4 and "broke these rules" in server.questions[3]["messages"][1]["content"]
    expect(page.locator("#lab-redo")).to_be_disabled()
    page.click("#lab-undo")
    expect(page.locator("#lab-rewritten textarea")).to_have_value("")
    expect(page.locator("#lab-undo")).to_be_disabled()
    expect(page.locator("#lab-redo")).to_be_enabled()
    expect(page.locator("#lab-original textarea")).to_have_value(PROMPT)


def test_stop_in_create_leaves_the_prompt_as_it_was(page: Page, server: ChatServer) -> None:
    server.replies = [Reply(json.dumps(FRAME)), Reply(WRONG, stall=14)]
    page.click("#views [data-tab-id=create] >> visible=true")
    page.fill("#prompt textarea", PROMPT)
    page.click("#enhance")
    assert server.asked.wait(PATIENCE_MS / 1000)
    page.click("#enhance-stop")
    says(page, "#enhance-said", "Stopped. Your prompt is as it was.")
    assert server.gone.wait(PATIENCE_MS / 1000)
    assert page.input_value("#prompt textarea") == PROMPT
    expect(page.locator("#enhance")).to_be_visible()
    expect(page.locator("#enhance-stop")).to_be_hidden()
    expect(page.locator("#enhance-acts")).to_be_hidden()
