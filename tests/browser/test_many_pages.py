"""Many open pages on one app: what one person types and makes never shows in another's page."""

from __future__ import annotations

import os

from driving import RunningStudio, open_studio
from playwright.sync_api import Browser

PAGES = int(os.environ.get("MOVA_PAGES", "4"))


def test_nothing_crosses_from_one_page_to_another(browser: Browser, studio: RunningStudio):
    # Each in a profile of its own: a browser has six connections to a server, and a page holds one of them.
    contexts = [browser.new_context(viewport={"width": 1024, "height": 700}) for _ in range(PAGES)]
    for context in contexts:
        context.set_default_timeout(180_000)
    pages = [open_studio(context, studio) for context in contexts]
    for number, page in enumerate(pages):
        page.fill("#prompt textarea", f"Visitor {number} hears bell {number}.")
        page.fill("#seed input, #seed textarea", str(7000 + number))
        for field, value in (("width", 48 + 16 * (number % 3)), ("height", 32), ("num-frames", 9)):
            page.fill(f"#{field} input", str(value))
        page.fill("#num-inference-steps input", "1")
    for page in pages:
        page.click("#generate")
    for number, page in enumerate(pages):
        page.wait_for_selector("#stage video.m-video")
        assert f"seed {7000 + number}" in page.inner_text("#stage")
        assert f"{48 + 16 * (number % 3)} × 32" in page.inner_text("#stage")
    for number, page in enumerate(pages):
        assert page.input_value("#prompt textarea") == f"Visitor {number} hears bell {number}."
        assert page.input_value("#seed input, #seed textarea") == str(7000 + number)
        stage = page.inner_text("#stage")
        assert not [other for other in range(PAGES) if other != number and f"seed {7000 + other}" in stage]
    for context in contexts:
        context.close()
