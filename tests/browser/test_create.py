"""A person makes takes: the whole way from a sentence and a picture to a file that plays."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import LONG, RunningStudio, field, long_run, open_studio, seed_in_view, small_settings, wait_for_take
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from mova_studio.media.loudness import measure
from mova_studio.media.probe import decode_audio, probe

pytestmark = pytest.mark.browser


def test_a_run_is_watched(page: Page) -> None:
    page.fill("#prompt textarea", "A bell rings twice.")
    long_run(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#progress [role=progressbar]")
    page.wait_for_function(
        "(preview => preview?.muted && preview.src.startsWith('data:video/mp4;base64,'))"
        "(document.querySelector('#stage video.m-preview'))"
    )
    page.wait_for_function(
        "/denoising \\d+\\/1000 · (high|low)-noise expert/.test(document.querySelector('#progress').innerText)"
    )
    expect(page.locator("#generate")).to_have_text("Add to queue")
    page.click("#cancel")
    page.wait_for_selector("#queue .m-job[data-state=cancelled]")


def test_prompt_and_picture_to_a_playing_take(page: Page, picture: Path, tmp_path: Path) -> None:
    page.fill("#prompt textarea", 'A bell rings twice. A voice says, "Come in."')
    page.set_input_files("#first-frame input[type=file]", picture)
    page.wait_for_selector("#note-pictures .m-note")
    notes = page.inner_text("#note-pictures")
    assert "upright" in notes and "CMYK" in notes
    small_settings(page, steps=20, frames=17)
    page.keyboard.press("Control+Enter")
    wait_for_take(page)

    page.wait_for_function(
        "(video => video.currentTime > 0.1 && video.webkitAudioDecodedByteCount > 0)"
        "(document.querySelector('#stage video'))"
    )
    video = page.evaluate(
        "(v => ({duration: v.duration, muted: v.muted, volume: v.volume}))(document.querySelector('#stage video'))"
    )
    assert abs(video["duration"] - 17 / 24) < 0.05
    assert not video["muted"] and video["volume"] == 1
    facts = page.inner_text("#stage .m-facts")
    assert (
        "96 × 64" in facts and "17 frames" in facts and "LUFS" in facts and "untrained demo: noise on purpose" in facts
    )
    assert page.locator("#stage .m-wave").count() == 1
    assert "first frame" in page.inner_text("#stage .m-notes")
    expect(page.locator("#cancel")).to_be_hidden()

    with page.expect_download() as download:
        page.click("#stage a[download]")
    file = tmp_path / "take.mp4"
    download.value.save_as(file)
    info = probe(file)
    assert (info.num_frames, info.width, info.height) == (17, 96, 64)
    assert abs(info.video_seconds - info.audio_seconds) < 1024 / 48000
    level = measure(*decode_audio(file))
    assert f"{level.integrated_lufs:.1f} LUFS" in facts

    seed = seed_in_view(page)
    page.click("#reuse-seed")
    page.wait_for_function("(seed) => document.querySelector('#seed input').value === seed", arg=str(seed))
    page.click("#dice")
    page.wait_for_function("document.querySelector('#seed input').value === '-1'")

    page.fill("#prompt textarea", "Something else.")
    page.fill("#num-inference-steps input", "3")
    page.click("#first-frame [aria-label='Remove Image']")
    page.wait_for_selector("#first-frame img", state="detached")
    page.click("#views [data-tab-id=takes] >> visible=true")
    page.locator("#takes .m-take").first.focus()
    page.keyboard.press("Enter")
    page.click("#take-large [data-act=reuse]")
    page.wait_for_function("document.querySelector('#prompt textarea').value.startsWith('A bell rings twice')")
    page.wait_for_selector("#first-frame img")
    expect(field(page, "num-inference-steps")).to_have_value("20")
    expect(field(page, "seed")).to_have_value(str(seed))


def test_error_stands_beside_its_field_and_nothing_typed_is_lost(page: Page, tmp_path: Path) -> None:
    page.fill("#seed input", "77")
    small_settings(page, steps=0)
    empty = tmp_path / "empty.png"
    empty.touch()
    page.set_input_files("#last-frame input[type=file]", empty)
    page.wait_for_selector("#place-pictures >> text=is empty (0 bytes)")
    page.click("#generate")
    page.wait_for_selector("#place-prompt .m-error")
    assert "prompt is empty" in page.inner_text("#place-prompt")
    page.fill("#prompt textarea", "A door creaks.")
    page.click("#generate")
    page.wait_for_selector("#place-length .m-error")
    assert "0 steps" in page.inner_text("#place-length")
    expect(page.locator("#place-prompt .m-error")).to_have_count(0)
    for name, typed in (("prompt", "A door creaks."), ("seed", "77"), ("num-frames", "13")):
        assert field(page, name).input_value() == typed
    page.fill("#num-inference-steps input", "2")
    page.fill("#seed input", "seven")
    page.click("#generate")
    page.wait_for_selector("#place-seed .m-error")
    page.fill("#seed input", "7")
    page.fill("#width input", "640")
    page.fill("#height input", "352")
    page.click("#generate")
    page.wait_for_selector("#place-size .m-error")
    assert "too large for demo" in page.inner_text("#place-size")
    assert page.locator("#queue .m-job").count() == 0


def test_a_picture_that_browsers_cannot_show_is_shown(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "scan.tiff"
    Image.linear_gradient("L").convert("CMYK").save(file)
    page.set_input_files("#last-frame input[type=file]", file)
    page.wait_for_function("document.querySelector('#last-frame img')?.naturalWidth === 256")


def test_sizes_and_lengths_settle_with_a_note(page: Page) -> None:
    page.fill("#width input", "101")
    page.press("#width input", "Tab")
    expect(page.locator("#note-size .m-note")).to_contain_text("101 became 96")
    expect(field(page, "width")).to_have_value("96")
    page.fill("#seconds input", "1")
    page.press("#seconds input", "Tab")
    page.wait_for_selector("#note-length .m-note")
    expect(field(page, "num-frames")).to_have_value("25")
    expect(field(page, "seconds")).to_have_value("1.042")
    page.fill("#num-frames input", "11")
    page.press("#num-frames input", "Tab")
    expect(field(page, "num-frames")).to_have_value("13")
    expect(field(page, "seconds")).to_have_value("0.542")
    assert page.inner_text("#note-size"), "the note on the size stays until the size changes"
    page.click("#size input")
    page.click("role=option[name='96 × 160 · 3:5']")
    expect(field(page, "width")).to_have_value("96")
    expect(field(page, "height")).to_have_value("160")


def test_cancel_and_queue(page: Page) -> None:
    page.fill("#prompt textarea", "Rain on a tin roof.")
    long_run(page)
    page.fill("#seed input", "1")
    page.click("#generate")
    page.wait_for_selector("#queue .m-job")
    page.fill("#num-inference-steps input", "2")
    page.fill("#seed input", "2")
    page.click("#generate")
    page.wait_for_function("document.querySelectorAll('#queue .m-job').length === 2")
    page.wait_for_function("document.querySelector('#queue').innerText.includes('1 ahead')")
    page.wait_for_selector("#pills .m-pill >> text=Queue 2")
    page.wait_for_selector("#stage video.m-preview")
    page.click("#cancel")
    page.wait_for_selector("#queue .m-job[data-state=cancelled]")
    wait_for_take(page, seed=2)
    page.wait_for_function(
        "[...document.querySelectorAll('#queue .m-job')].map((job) => job.dataset.state).join() === 'done,cancelled'"
    )
    page.click("#queue .m-job[data-state=cancelled] .m-jobname")
    page.wait_for_selector("#stage >> text=Cancelled")
    page.click("#queue .m-job[data-state=done] .m-jobname")
    wait_for_take(page, seed=2)


def test_refresh_finds_the_job_again(page: Page) -> None:
    page.fill("#prompt textarea", "Waves roll over pebbles.")
    long_run(page)
    page.click("#generate")
    page.wait_for_selector("#stage video.m-preview")
    page.reload()
    page.wait_for_selector("#queue .m-job[data-state=running]")
    expect(field(page, "prompt")).to_have_value("Waves roll over pebbles.")
    expect(field(page, "num-inference-steps")).to_have_value(str(LONG))
    page.wait_for_selector("#stage video.m-preview")
    page.click("#cancel")
    page.wait_for_selector("#queue .m-job[data-state=cancelled]")
    page.wait_for_selector("#cancel", state="hidden")


def test_two_pages_do_not_cross(context: BrowserContext, studio: RunningStudio) -> None:
    one, two = open_studio(context, studio), open_studio(context, studio)
    for page, seed, steps in ((one, "11", 6), (two, "22", LONG)):
        page.fill("#prompt textarea", f"Page with seed {seed}.")
        small_settings(page, steps=steps)
        page.fill("#seed input", seed)
        page.click("#generate")
        page.wait_for_selector(f"#queue .m-job >> text=seed {seed}")
    one.wait_for_selector("#queue .m-job >> text=seed 22")
    assert one.input_value("#seed input") == "11", "one queue, but each page its own form"
    two.click("#queue .m-job:has-text('seed 22') .m-jobname")
    two.click("#cancel")
    two.wait_for_selector("#queue .m-job[data-state=cancelled]")
    wait_for_take(one, seed=11)
    expect(one.locator("#queue .m-job[data-state=done]")).to_have_count(1)
    assert two.locator("#stage video.m-video").count() == 0
    assert one.locator("#queue .m-job[data-state=cancelled]").count() == 0
    third = open_studio(context, studio)
    assert third.locator("#queue .m-job").count() == 0
