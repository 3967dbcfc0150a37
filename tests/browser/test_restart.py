"""The app is killed in the middle of a run: the same tab finds its job again, and the take is finished."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from driving import field, free_port, open_studio, reload_after_restart, small_settings, start_studio, until
from playwright.sync_api import BrowserContext, expect

STEP = "Number((document.querySelector('#progress [data-steps]')?.dataset.steps || '0/1').split('/')[0])"


def test_a_killed_app_goes_on_with_the_run_and_the_page(context: BrowserContext, tmp_path: Path) -> None:
    port = free_port()
    with closing(start_studio(tmp_path, port=port)) as first:
        studio = next(first)
        page = open_studio(context, studio)
        page.fill("#prompt textarea", "Rain on a tin roof.")
        page.fill("#seed input, #seed textarea", "77")
        # Long enough for the save after five seconds.
        small_settings(page, steps=300, frames=49)
        page.click("#generate")
        page.wait_for_function("/goes on|denoising/.test(document.querySelector('#progress')?.innerText || '')")
        saved = studio.library / ".runs"
        page.wait_for_function(f"{STEP} > 5")
        while not list(saved.glob("*.json")):
            assert not list(studio.library.glob("*/*.mp4")), "the run ended before it was saved"
            page.wait_for_timeout(200)
        studio.process.kill()
        studio.process.wait()
    with closing(start_studio(tmp_path, port=port)) as second:
        next(second)
        reload_after_restart(page)
        page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
        expect(field(page, "prompt")).to_have_value("Rain on a tin roof.")
        page.wait_for_function("/goes on from step \\d+/.test(document.querySelector('#progress')?.innerText || '')")
        page.wait_for_selector("#stage video.m-video")
        expect(page.locator("#stage")).to_contain_text("seed 77")
        assert len(list(studio.library.glob("*/*.mp4"))) == 1
        until(page, lambda: not list(saved.glob("*")))
