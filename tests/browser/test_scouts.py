"""A person scouts seeds, keeps two and finishes them."""

from __future__ import annotations

import pytest
from driving import small_settings
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_scout_keep_and_finish(page: Page) -> None:
    page.fill("#prompt textarea", "Storm at the pier.")
    small_settings(page, steps=4)
    page.click("#scout-open")
    page.fill("#scout-count input", "1")
    page.click("#scout")
    page.wait_for_selector("#place-scout .m-error >> text=from 2 to 16")
    page.fill("#scout-count input", "4")
    page.wait_for_function("document.querySelector('#scout').innerText === 'Scout 4 seeds'")
    page.wait_for_function("/4 × 1 of 4 steps/.test(document.querySelector('#scout-cost').innerText)")
    page.click("#scout")
    page.wait_for_function("document.querySelectorAll('#scouts .m-scoutcell[data-player]').length === 4")
    expect(page.locator("#scout-head")).to_contain_text("scouting 4 seeds · 1 of 4 steps")
    expect(page.locator("#scouts .m-wave")).to_have_count(4)
    page.focus("#scouts .m-scoutcell >> nth=0")
    page.keyboard.press(" ")
    page.wait_for_function(
        "(v => v.duration > 0 && !v.muted && v.webkitAudioDecodedByteCount > 0)"
        "(document.querySelector('#scouts video'))"
    )
    page.keyboard.press(" ")
    page.keyboard.press("k")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    page.wait_for_function("document.querySelectorAll('#scouts .m-kept').length === 2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    page.wait_for_selector("#scouts .m-dropped")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] video")
    page.keyboard.press("Escape")

    page.reload()
    page.click("#views [data-tab-id=scouts] >> visible=true")
    page.wait_for_function("document.querySelectorAll('#scouts .m-kept').length === 2")
    page.click("#scout-head [data-act=finish] >> text=Finish kept (2)")
    page.wait_for_function("document.querySelectorAll('#scouts [data-state=done]').length === 2")
    urls = page.locator("#scouts [data-state=done] video").evaluate_all("(all) => all.map((v) => v.dataset.src)")
    assert len(set(urls)) == 2 and all(url.endswith(".mp4") and "/takes/" in url for url in urls)
    page.click("#views [data-tab-id=create] >> visible=true")
    page.wait_for_function("document.querySelectorAll('#strip .m-card').length >= 2")


def test_settings_are_compared_in_a_grid(page: Page) -> None:
    page.fill("#prompt textarea", "A bell.")
    small_settings(page, steps=2)
    page.fill("#seed input", "5")
    page.click("#advanced > .label-wrap")
    page.click("#compare-settings > .label-wrap")
    page.fill("#grid-values-1 :is(input, textarea)", "1, x")
    page.click("#grid-go")
    page.wait_for_selector("#place-grid .m-error >> text=x is not a number")
    page.fill("#grid-values-1 :is(input, textarea)", "1, 3.5")
    page.fill("#grid-share input", "100")
    page.click("#grid-go")
    page.wait_for_function("document.querySelectorAll('#scouts [data-state=done]').length === 2")
    expect(page.locator("#scout-head")).to_contain_text("comparing Bridge guidance s_B · 100 % of the steps")
    assert {cell.strip() for cell in page.locator("#scouts .m-meta:first-of-type").all_inner_texts()} == {"1", "3.5"}
