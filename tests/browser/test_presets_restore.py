"""Presets, settings out of files, and going on from a take: as a person does it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from driving import GUEST, OWNER, RunningStudio, field, small_settings, wait_for_take
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from mova_studio.library.restore import MAX_FILE, restore_from
from mova_studio.media.stills import still_from_end

pytestmark = pytest.mark.browser
NAME = "<b>My</b> 😀 שלום"
PROMPT = "<img src=x onerror=\"document.title='no'\"> 😀 שלום"
DROP = """([selector, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const parcel = new DataTransfer();
  parcel.items.add(new File([bytes], name));
  for (const kind of ["dragover", "drop"])
    document.querySelector(selector).dispatchEvent(
      new DragEvent(kind, { dataTransfer: parcel, bubbles: true, cancelable: true }));
}"""

# Another tab is in front, and the browser's own question is answered with yes.
WATCHED = """() => {
  Object.assign(window, { asked: 0, shown: [] });
  window.Notification = class {
    constructor(title, { body }) { window.shown.push(body); }
    static permission = "default";
    static requestPermission() { window.asked += 1; this.permission = "granted"; }
  };
  Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
}"""


def holds(page: Page, **values: str) -> None:
    """Wait until the fields hold these values."""
    for name, value in values.items():
        expect(field(page, name.replace("_", "-"))).to_have_value(value)


def choose_preset(page: Page, label: str) -> None:
    page.click("#preset input")
    page.click(f"role=option[name*='{label}']")


def pick(page: Page, file: Path) -> None:
    page.set_input_files(".m-from input[type=file]", file)


def test_presets_are_applied_undone_saved_and_deleted(page: Page, studio: RunningStudio) -> None:
    page.fill("#prompt textarea", PROMPT)
    page.fill("#seed input", "77")
    choose_preset(page, "Dialogue, two people")
    page.click("#preset-apply")
    page.wait_for_selector("#fill-said >> text=was applied")
    expect(field(page, "prompt")).to_have_value(re.compile(re.escape("Will it sing again?")))
    holds(page, seed="77")
    page.click("#undo-fill")
    holds(page, prompt=PROMPT)

    small_settings(page, steps=9)
    page.click("#preset-save")
    page.fill("#preset-name input", "  ")
    page.click("#preset-keep")
    page.wait_for_selector("#preset-said .m-error >> text=has no name")
    page.fill("#preset-name input", NAME)
    page.click("#preset-keep")
    page.wait_for_selector(f"#preset-said >> text={NAME}")
    (file,) = (studio.library / "presets").rglob("*.json")
    assert len(file.stem) == 32 and json.loads(file.read_text("utf-8"))["prompt"] == PROMPT
    page.click("#preset-save")
    page.click("#preset-keep")
    page.wait_for_selector("#preset-said >> text=is there already")
    page.fill("#num-inference-steps input", "8")
    page.click("#preset-keep")
    page.wait_for_selector("#preset-said >> text=is saved")
    assert json.loads(file.read_text("utf-8"))["settings"]["num_inference_steps"] == 8

    (file.parent / "broken.json").write_text('{"format": 1, "kind": "video"}')
    page.reload()
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    choose_preset(page, "broken.json")
    page.wait_for_selector("#preset-said .m-error >> text=kind is 'video'")
    page.click("#preset-apply")
    holds(page, prompt="")
    choose_preset(page, "My shot")
    page.click("#preset-apply")
    holds(page, prompt=PROMPT, num_inference_steps="8", width="96")
    page.click("#preset-delete")
    page.click("#preset-delete-yes")
    page.wait_for_selector("#preset-said >> text=was deleted")
    assert not file.exists() and page.title() == "MOVA Studio"
    (file.parent / "broken.json").unlink()


def test_settings_come_back_from_files_and_bad_files_change_nothing(page: Page, tmp_path: Path) -> None:
    first = tmp_path / "first.png"
    Image.radial_gradient("L").resize((96, 64)).save(first)
    shot = {
        "prompt": PROMPT,
        "width": 640,
        "height": 352,
        "num_frames": 193,
        "model": "/home/x/Other-Model",
        "seed": 1234,
    }
    shot |= {
        "model": "/home/x/Other-Model",
        "step_cache": "light",
        "first_frame": base64.b64encode(first.read_bytes()).decode(),
    }
    file = tmp_path / "shot.json"
    file.write_text(json.dumps(shot))
    page.evaluate(DROP, ["#stage", file.name, base64.b64encode(file.read_bytes()).decode()])
    page.wait_for_selector("#fill-said >> text=restored from shot.json")
    said = page.inner_text("#fill-said")
    assert "Other-Model" in said and "/home" not in said and "160x80 is used" in said and "49 are used" in said
    page.wait_for_selector("#first-frame img")
    holds(page, prompt=PROMPT, width="160", num_frames="49")
    assert field(page, "seed").input_value() == "-1", "not before it was asked for"
    page.click("#keep-seed >> text=Keep seed 1234")
    holds(page, seed="1234")
    expect(page.locator("#keep-seed")).to_be_hidden()
    expect(page.locator("#undo-fill")).to_be_visible()

    for name, content, words in (
        ("empty.mp4", b"", "is empty"),
        ("plain.png", first.read_bytes(), "holds no settings of MOVA Studio"),
        ("deep.json", b"[" * 100_000, "nested too deeply"),
        ("text.txt", b"hello", "is no mp4, PNG or JSON"),
    ):
        page.evaluate(DROP, ["#prompt", name, base64.b64encode(content).decode()])
        page.wait_for_selector(f"#fill-said .m-error >> text={words}")
        assert field(page, "prompt").input_value() == PROMPT and field(page, "seed").input_value() == "1234"
    page.evaluate(
        """(size) => {
          const parcel = new DataTransfer();
          parcel.items.add(new File([new Uint8Array(size)], "huge.mp4"));
          document.querySelector("#queue, .m-right").dispatchEvent(
            new DragEvent("drop", { dataTransfer: parcel, bubbles: true, cancelable: true }));
        }""",
        MAX_FILE + 1,
    )
    page.wait_for_selector("#restore-large >> text=larger than 64 MiB")


def test_going_on_from_a_take(page: Page, tmp_path: Path) -> None:
    page.fill("#prompt textarea", PROMPT)
    small_settings(page, steps=30)
    page.fill("#seed input", "41")
    page.fill("#count input", "17")
    page.click("#generate")
    page.wait_for_selector("#place-seed .m-error >> text=17 takes")
    page.fill("#count input", "2")
    page.evaluate(WATCHED)
    page.click("#generate")
    page.wait_for_function(r"/^\d+\/30/.test(document.title)")
    page.wait_for_function("document.querySelectorAll('#queue .m-job').length === 2")
    page.wait_for_function("document.title.startsWith('✓')")
    page.wait_for_function("window.shown.length > 0")
    (told,) = page.evaluate("window.shown")
    second = int(told.removeprefix("Take with seed "))
    wait_for_take(page, seed=second)
    assert page.evaluate("window.asked") == 1 and second != 41

    with page.expect_download() as download:
        page.click("#stage [data-act=still]")
    still = tmp_path / "still.png"
    download.value.save_as(still)
    assert restore_from(still).seed == second and Image.open(still).size == (96, 64)
    with page.expect_download() as download:
        page.click("#stage a[download]")
    mp4 = tmp_path / "take.mp4"
    download.value.save_as(mp4)
    assert np.array_equal(np.asarray(Image.open(still)), np.asarray(still_from_end(mp4)))

    page.click("#stage [data-act=first]")
    page.wait_for_selector("#first-frame img")
    page.wait_for_selector("#fill-said >> text=is now the first frame")
    page.fill("#prompt textarea", "Something else.")
    page.select_option("#stage .m-with select", "5")
    page.click("#stage [data-act=extend]")
    page.wait_for_selector("#fill-said >> text=its last 5 frames")
    holds(page, prompt=PROMPT, seed="-1")
    page.click("#undo-fill")
    holds(page, prompt="Something else.")
    page.click("#stage [data-act=reuse]")
    holds(page, prompt=PROMPT)
    page.click("#keep-seed")
    holds(page, seed=str(second))

    page.fill("#prompt textarea", "Something else.")
    for file in (still, mp4):
        pick(page, file)
        page.wait_for_selector(f"#fill-said >> text=restored from {file.name}")
        holds(page, prompt=PROMPT)
        expect(page.locator("#keep-seed")).to_have_text(f"Keep seed {second}")
        page.click("#new-seed")
        holds(page, seed="-1")


def test_guests_apply_and_do_not_save(context: BrowserContext, locked_studio: RunningStudio) -> None:
    for (name, password), owner in ((OWNER, True), (GUEST, False)):
        context.clear_cookies()
        page = context.new_page()
        page.goto(locked_studio.url)
        page.fill("input >> nth=0", name)
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
        expect(page.locator("#preset-apply")).to_be_visible()
        expect(page.locator("#preset-save")).to_be_visible(visible=owner)
        choose_preset(page, "Draft")
        page.click("#preset-apply")
        holds(page, num_inference_steps="20")
