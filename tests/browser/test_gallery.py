"""The Gallery and Compare as a person uses them, on a library that was there before the studio started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import RunningStudio, open_studio, start_studio, until
from gradio_client import Client
from playwright.sync_api import BrowserContext, Page, expect

from mova_studio.library.database import Database
from mova_studio.library.provenance import describe_take, read_take
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.media.mp4 import write_mp4

pytestmark = pytest.mark.browser
RATE, FRAMES = 24.0, 97
PROMPTS = {11: "Thunder over the pier", 12: "Thunder over the pier", 13: "<img src=x onerror=alert(1)> مطر"}
SEEDS = "[...document.querySelectorAll('#takes .m-take')].map((card) => card.dataset.seed)"
FRAME = 1 / RATE
BOTH = "[...document.querySelectorAll('#compare video')]"
APART = f"() => {{ const [a, b] = {BOTH}; return Math.abs(a.currentTime - b.currentTime); }}"
# One of them stands still early in a pass; within that pass they are to play less than a frame apart, by the median of
# half a second. A machine that is busy with other tests stalls decoders by itself, hence more than one pass.
CATCHES_UP = f"""async () => {{
  const [a, b] = {BOTH};
  const moment = () => new Promise(requestAnimationFrame);
  const playing = async (from, to) => {{
    while (a.paused || b.paused || a.currentTime < from || a.currentTime > to) await moment();
  }};
  for (let pass = 0; pass < 12; pass++) {{
    await playing(0.2, 1);
    b.pause();
    await new Promise((done) => setTimeout(done, 300));
    await b.play();
    while (!a.ended && a.currentTime > 0.2 && a.currentTime < {FRAMES / RATE - 0.6}) {{
      const apart = [];
      const end = performance.now() + 500;
      while (performance.now() < end) {{
        await moment();
        apart.push(({APART})());
      }}
      if (apart.sort((one, other) => one - other)[Math.floor(apart.length / 2)] < {FRAME}) return true;
    }}
  }}
  return false;
}}"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio with three takes of different seeds, of which two share a prompt and differ in guidance."""
    folder = tmp_path_factory.mktemp("gallery")
    library = folder / "library"
    database = Database(library)
    store = TakeStore(database, library, ShotStore(database))
    for seed, prompt in PROMPTS.items():
        shot = Shot(prompt=prompt, width=64, height=64, num_frames=FRAMES, guidance_scale=float(seed - 8))
        pictures = (np.arange(FRAMES * 64 * 64 * 3).reshape(FRAMES, 64, 64, 3) // seed % 255).astype(np.uint8)
        sound = (0.2 * np.sin(np.arange(round(FRAMES / RATE * 48000)) * seed / 500)).astype(np.float32)
        made = f"2026-11-0{seed - 10}T10:00:00+00:00"
        record = describe_take(
            shot,
            seed,
            take_id=f"take{seed}",
            checkpoint="demo",
            untrained=False,
            plan={},
            seconds={"denoise": 1.0},
            program="0.1",
            created=made,
            notes=(),
        )
        path = store.new_path(shot, seed)
        write_mp4(path, pictures, frame_rate=RATE, audio=sound, target_lufs=None, provenance=record)
        take = read_take(path)
        assert take is not None
        store.add(take, f"take{seed}")
    database.close()
    yield from start_studio(folder)


@pytest.fixture
def gallery(context: BrowserContext, filled: RunningStudio) -> Page:
    """The open Gallery."""
    page = open_studio(context, filled)
    page.click("#views [data-tab-id=takes] >> visible=true")
    page.wait_for_selector("#takes .m-take")
    return page


def seeds(page: Page) -> list[str]:
    return page.evaluate(SEEDS)


def wait_for_seeds(page: Page, wanted: list[str]) -> None:
    page.wait_for_function(f"(wanted) => {SEEDS}.join() === wanted", arg=",".join(wanted))


def focus(page: Page, seed: int) -> None:
    page.locator(f"#takes .m-take[data-seed='{seed}']").focus()


def compare(page: Page) -> None:
    """Mark the two takes of one prompt, and wait until both play."""
    for seed in (11, 12):
        focus(page, seed)
        page.keyboard.press("c")
    page.wait_for_selector("#compare dialog[open]")
    page.wait_for_function(f"{BOTH}.every((video) => !video.paused && video.currentTime > 0.3)")


def test_search_sort_stars_trash_and_undo(gallery: Page, filled: RunningStudio, screenshots: Path) -> None:
    page = gallery
    assert seeds(page) == ["13", "12", "11"], "the newest first"
    assert page.locator("#takes img").count() == 0, "a prompt is text"
    page.wait_for_function("[...document.querySelectorAll('#takes video')].every((video) => video.poster)")
    page.screenshot(path=screenshots / "gallery.png")
    page.fill("#gallery-search input", "thunder")
    wait_for_seeds(page, ["12", "11"])
    page.keyboard.press("5")
    assert page.locator("#takes [data-stars='5']").count() == 0, "what is typed is no command"
    page.wait_for_selector("#takes .m-empty")
    page.click("#takes [data-act=clear]")
    wait_for_seeds(page, ["13", "12", "11"])
    expect(page.locator("#gallery-search input")).to_have_value("")
    page.click("#gallery-sort input")
    page.get_by_role("option", name="Seed").click()
    wait_for_seeds(page, ["11", "12", "13"])

    focus(page, 11)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.dataset.seed === '12'")
    for _ in range(2):
        page.keyboard.press(".")
    page.wait_for_selector(".m-take[data-seed='12'][data-stars='2']")
    told = Client(filled.url, verbose=False)
    until(page, lambda: [take["seed"] for take in told.predict(min_stars=2, api_name="/takes")] == [12])
    page.click("#takes-refresh")
    page.wait_for_selector(".m-take[data-seed='12'][data-stars='2'] >> text=★★☆☆☆")

    focus(page, 12)
    page.keyboard.press("Delete")
    wait_for_seeds(page, ["11", "13"])
    page.wait_for_selector("#takes-said >> text=Moved to trash: seed 12")
    page.wait_for_function("document.activeElement.dataset.seed === '13'")
    page.keyboard.press("Control+z")
    wait_for_seeds(page, ["11", "12", "13"])


def test_large_view_tells_everything(gallery: Page, screenshots: Path) -> None:
    page = gallery
    focus(page, 12)
    page.keyboard.press("i")
    page.wait_for_selector("#take-large dialog[open].m-with-info[data-id=take12]")
    expect(page.locator("#take-large .m-info")).to_contain_text("Text guidance")
    page.screenshot(path=screenshots / "gallery-large.png")
    page.fill("#take-large input[name=tags]", "x" * 41)
    page.keyboard.press("Enter")
    page.wait_for_selector("#take-large .m-error >> text=41 characters")
    page.fill("#take-large input[name=tags]", "pier, 夜")
    page.keyboard.press("Enter")
    page.wait_for_selector("#take-large .m-note >> text=pier, 夜")
    page.wait_for_selector("#gallery-panel [data-act=tag] >> text=夜")
    page.click("#take-large .m-title2")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#take-large dialog[open][data-id=take11]")
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.dataset.seed === '11'")


def test_compare_keeps_one_time_and_one_sound(gallery: Page, screenshots: Path) -> None:
    page = gallery
    compare(page)
    page.screenshot(path=screenshots / "compare.png")
    assert page.evaluate(CATCHES_UP)
    assert page.evaluate(f"{BOTH}.map((video) => video.muted)") == [False, True]
    page.keyboard.press("x")
    assert page.evaluate(f"{BOTH}.map((video) => video.muted)") == [True, False]
    page.keyboard.press(" ")
    page.wait_for_function(f"{BOTH}.every((video) => video.paused && !video.seeking)")
    page.locator("#compare .m-wave").first.click(position={"x": 10, "y": 10})
    page.wait_for_function(f"{BOTH}.every((video) => !video.seeking && video.currentTime < 0.5)")
    assert page.evaluate(APART) < FRAME / 4
    before = page.evaluate(f"{BOTH}[0].currentTime")
    page.keyboard.press(".")
    page.wait_for_function(f"(before) => {BOTH}.every((video) => video.currentTime > before + 0.01)", arg=before)
    assert page.evaluate(f"{BOTH}[0].currentTime") - before < 2 * FRAME
    page.keyboard.press(" ")
    assert page.evaluate(CATCHES_UP), "after moving and playing on"
    page.keyboard.press("w")
    expect(page.locator("#compare .m-wipe")).to_be_visible()
    page.screenshot(path=screenshots / "compare-wipe.png")


def test_blind_vote_is_kept_and_rates_the_setting(gallery: Page, screenshots: Path) -> None:
    page = gallery
    compare(page)
    page.keyboard.press("b")
    page.wait_for_selector("#compare dialog[open][data-blind='1']")
    told = page.inner_html("#compare")
    assert not any(word in told for word in ("take11", "take12", "-11.mp4", "-12.mp4", "seed 1", "Thunder", "guidance"))
    page.screenshot(path=screenshots / "compare-blind.png")
    page.keyboard.press("1")
    page.wait_for_selector("#compare .m-revealed[open]")
    assert "Votes in this round: 1" in page.inner_text("#compare")
    table = page.locator("#compare [data-setting=guidance_scale]")
    assert {"3", "4"} == set(table.locator("tbody th").all_inner_texts())
    assert "Rests on 1 vote; under about 20 it means little." in page.inner_text("#compare")
    page.screenshot(path=screenshots / "compare-revealed.png")
