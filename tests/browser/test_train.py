"""The Train view: a run from the first click to an adapter under Create; what a guest may not, and what is wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import GUEST, OWNER, RunningStudio, new_context, open_studio, start_studio
from playwright.sync_api import Browser, BrowserContext, Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from training_examples import encoded_place

pytestmark = pytest.mark.browser
CLIPPED = """() => [...document.querySelectorAll('button, .m-chip, .m-badge, .m-note, .m-hint, h1, h2, h3, [role=tab]')]
  .filter((item) => item.offsetParent && !item.closest('.visually-hidden') && item.scrollWidth > item.clientWidth + 1
    && getComputedStyle(item).textOverflow !== 'ellipsis').map((item) => item.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoded_place(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def train_studio(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio on the checkpoint that the clips were encoded by, with an owner and a guest."""
    accounts = ("--auth", ":".join(OWNER), "--guest", ":".join(GUEST))
    yield from start_studio(tmp_path_factory.mktemp("train"), "--model", str(place / "demo"), *accounts)


def sign_in(context: BrowserContext, studio: RunningStudio, account: tuple[str, str] = OWNER) -> Page:
    answer = context.request.post(f"{studio.url}/login", form={"username": account[0], "password": account[1]})
    assert answer.ok
    return open_studio(context, studio)


def open_train(page: Page) -> None:
    page.click("#views [data-tab-id=train] >> visible=true")
    page.wait_for_selector("#train-model p")


def ask(page: Page, clips: Path, *, steps: int, samples: int) -> None:
    page.fill("#train-clips :is(input, textarea)", str(clips))
    for name, value in (("steps", steps), ("samples-every", samples), ("rank", 2)):
        page.fill(f"#train-{name} input", str(value))


def looks_right(page: Page, screenshots: Path, name: str) -> None:
    """Nothing sticks out in either size and language; with pictures to look at."""
    for language, dark in (("en", True), ("zh", False)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.wait_for_function(f"document.body.classList.contains('dark') === {str(dark).lower()}")
        for size in ((1440, 900), (1024, 700)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
            assert page.evaluate(CLIPPED) == []
            page.screenshot(path=screenshots / f"train-{name}-{language}-{size[0]}.png")
        page.click("#language")
        page.wait_for_selector(f"#views [role=tab] >> text={'训练' if language == 'en' else 'Train'}")


def test_from_clips_to_an_adapter(
    context: BrowserContext, train_studio: RunningStudio, place: Path, screenshots: Path
) -> None:
    page = sign_in(context, train_studio)
    open_train(page)
    page.wait_for_selector("#train-run .m-trainempty")
    ask(page, place / "nowhere", steps=100_000, samples=2)
    page.click("#train-start")
    page.wait_for_selector("#train-clips-said .m-error >> text=give the folder that holds the clips")
    assert page.input_value("#train-clips :is(input, textarea)").endswith("nowhere"), "what was typed stays"
    ask(page, place / "cache", steps=100_000, samples=2)
    page.fill("#train-name :is(input, textarea)", "Küchenglocke")
    page.keyboard.press("Tab")
    page.wait_for_selector("#train-clips-said >> text=2 encoded clips: 2 × 32x32x5")
    page.wait_for_selector("#train-cost >> text=each of the 2 clips is seen")
    page.click("#train-start")
    page.wait_for_selector("#train-run [data-stage=training]")
    expect(page.locator("#train-start")).to_be_disabled()
    page.wait_for_selector("#train-samples .m-card")
    page.wait_for_selector("#train-curves .m-curve-sound path")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.fill("#prompt textarea", "a bell")
    page.click("#generate")
    page.wait_for_selector("#queue-head >> text=A training run has the machine")
    page.wait_for_selector("#queue [data-state=waiting]")
    page.click("#queue [data-state=waiting] [data-act=cancel]", force=True)
    page.wait_for_selector("#queue [data-state=cancelled]")

    page.reload()
    open_train(page)
    page.wait_for_selector("#train-run [data-stage=training] [role=progressbar]")
    looks_right(page, screenshots, "running")
    page.click("#train-run [data-act=stop]")
    page.wait_for_selector("#train-run [data-stage=stopped] >> text=it can go on from step")
    page.click("#train-run [data-act=resume]")
    page.wait_for_selector("#train-run [data-stage=training] >> text=of 100000")
    page.click("#train-run [data-act=stop]")
    page.wait_for_selector("#train-run [data-stage=stopped]")
    page.hover("#train-samples .m-thumb")
    page.wait_for_function("document.querySelector('#train-samples video').currentTime > 0")

    page.wait_for_function("document.querySelector('#train-adapter :is(input, textarea)').value === 'Küchenglocke'")
    page.click("#train-install")
    page.wait_for_selector("#train-acted >> text=Küchenglocke is installed")
    looks_right(page, screenshots, "stopped")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.click("#advanced > .label-wrap")
    page.select_option(".m-adapters select", label="Küchenglocke")
    open_train(page)
    page.click("#train-run [data-ask]")
    page.click("#train-run [data-act=remove]")
    page.wait_for_selector("#train-run .m-trainempty")


def test_a_run_that_is_killed_outlives_its_page(
    context: BrowserContext, train_studio: RunningStudio, place: Path
) -> None:
    page = sign_in(context, train_studio)
    open_train(page)
    ask(page, place / "cache", steps=100_000, samples=0)
    page.focus("#train-start")
    page.keyboard.press("Enter")
    page.wait_for_selector("#train-run [data-stage=training] >> text=of 100000")
    (record,) = train_studio.library.glob("trainings/*/process.json")
    os.kill(json.loads(record.read_text("utf-8"))["pid"], signal.SIGKILL)
    page.wait_for_selector("#train-run [data-stage=failed] .m-error >> text=most likely because memory ran out")
    page.wait_for_selector("#train-run [data-act=resume]")
    expect(page.locator("#train-start")).to_be_enabled()


def test_a_guest_neither_sees_nor_reaches_it(browser: Browser, train_studio: RunningStudio) -> None:
    context = new_context(browser)
    page = sign_in(context, train_studio, GUEST)
    assert "Train" not in [tab.inner_text() for tab in page.locator("#views [role=tab]").all()]
    context.close()
