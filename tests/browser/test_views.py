"""Every view at the sizes and in the themes it has to work in; with MOVA_SCREENSHOTS set, pictures to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import GUEST, RunningStudio, long_run, new_context, open_studio, small_settings, until, wait_for_take
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = pytest.mark.browser
SIZES = {"wide": (1440, 900), "small": (1024, 700), "phone": (390, 780)}
CLIPPED = """() => [...document.querySelectorAll('button, .m-chip, .m-badge, .m-note, .m-hint, h1, h2, h3, [role=tab]')]
  .filter((item) => item.offsetParent && !item.closest('.visually-hidden') && item.scrollWidth > item.clientWidth + 1
    && getComputedStyle(item).textOverflow !== 'ellipsis').map((item) => item.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def filled(browser: Browser, studio: RunningStudio) -> Iterator[None]:
    """A studio with takes in it, one of them upright."""
    context = new_context(browser, viewport={"width": 1440, "height": 900})
    page = open_studio(context, studio)
    for seed, (width, height) in enumerate(((96, 64), (64, 96), (96, 64)), start=41):
        page.fill("#prompt textarea", "A kettle whistles on a stove; a chair scrapes; a voice says, “Tea?”")
        small_settings(page, steps=2, frames=25)
        page.fill("#width input", str(width))
        page.fill("#height input", str(height))
        page.fill("#seed input", str(seed))
        page.click("#generate")
        wait_for_take(page, seed=seed)
    context.close()
    yield


def check_layout(page: Page) -> None:
    """Nothing sticks out and no text is cut off."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert page.evaluate(CLIPPED) == []
    assert not page.is_visible("footer")


def wait_for_chinese(page: Page, places: str, allowed: set[str]) -> None:
    """Wait until no English words but these are left in these places."""

    def left() -> set[str]:
        return set(re.findall(r"[A-Za-z]{4,}", " ".join(page.locator(places).all_inner_texts()))) - allowed

    until(page, lambda: not left(), left)


@pytest.mark.parametrize("size", list(SIZES))
def test_views(browser: Browser, studio: RunningStudio, filled: None, screenshots: Path, size: str) -> None:
    width, height = SIZES[size]
    context = new_context(browser, viewport={"width": width, "height": height}, color_scheme="dark", locale="en-US")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_studio(context, studio)

    def shoot(name: str) -> None:
        """The view in both themes; the page follows the system while it is open."""
        check_layout(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.body.classList.contains('dark') === {str(scheme == 'dark').lower()}")
            page.screenshot(path=screenshots / f"{name}-{size}-{scheme}.png")

    page.wait_for_selector("#strip .m-card")
    shoot("create-empty")
    page.click("#generate")
    page.wait_for_selector("#place-prompt .m-error")
    shoot("create-error")
    page.click("#stage [data-act=example]")
    page.wait_for_function("document.querySelector('#prompt textarea').value")
    long_run(page)
    page.click("#generate")
    page.wait_for_selector("#stage video.m-preview")
    shoot("create-running")
    page.click("#cancel")
    page.wait_for_selector("#queue [data-state=cancelled]", state="attached")
    small_settings(page, steps=2, frames=25)
    page.fill("#seed input", "5")
    page.click("#generate")
    wait_for_take(page, seed=5)
    page.wait_for_function("document.querySelector('#stage video').currentTime > 0.2")
    page.click("#advanced > button")
    page.wait_for_selector("#negative-prompt textarea", state="visible")
    page.evaluate("scrollTo(0, 0)")
    shoot("create-take")
    page.click("#views [data-tab-id=takes] >> visible=true")
    page.wait_for_selector("#takes .m-card")
    shoot("takes")
    page.click("#views [data-tab-id=lab] >> visible=true")
    page.wait_for_function("document.querySelector('#lab-original textarea').value")
    page.click("#lab-run")
    page.wait_for_selector("#lab-report .m-good")
    shoot("lab")
    page.click("#views [data-tab-id=models] >> visible=true")
    page.wait_for_selector("#checkpoints .m-big")
    shoot("models")
    page.click("#language")
    page.wait_for_selector("#views [role=tab] >> text=创作")
    shoot("models-zh")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.wait_for_selector("#stage video")
    page.evaluate("scrollTo(0, 0)")
    shoot("create-zh")
    context.close()
    outside = [url for url in asked if not url.startswith((studio.url, "data:", "blob:"))]
    assert outside == [], "the page asks only the studio"


def test_chinese_by_the_browsers_language(browser: Browser, studio: RunningStudio) -> None:
    context = new_context(browser, locale="zh-CN")
    page = open_studio(context, studio)
    page.wait_for_selector("#generate >> text=生成")
    page.click("#generate")
    page.wait_for_selector("#place-prompt >> text=提示词为空")
    page.wait_for_function("document.documentElement.lang === 'zh-CN'")
    wait_for_chinese(page, "body", {"MOVA", "Studio", "English", "demo", "JSON", "LUFS", "Ctrl", "seed"})
    page.click("#language")
    page.wait_for_selector("#generate >> text=Generate")
    page.wait_for_function("document.documentElement.lang === 'en'")
    page.reload()
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    expect(page.locator("#generate"), "the choice outlives a reload").to_have_text("Generate")
    context.close()


def test_theme_toggle_outlives_a_reload(page: Page) -> None:
    page.wait_for_function("document.body.classList.contains('dark')")
    page.click("#theme")
    page.wait_for_function("!document.body.classList.contains('dark')")
    page.reload()
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    page.wait_for_function("!document.body.classList.contains('dark')")


def test_every_control_has_a_name(page: Page) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, textarea, video')]
          .filter((item) => item.offsetParent && !item.closest('[aria-hidden=true]'))
          .filter((item) => !(item.innerText || item.ariaLabel || item.title || item.labels?.length))
          .map((item) => item.outerHTML.slice(0, 160))"""
    )
    assert nameless == []


def test_reduced_motion_starts_nothing(browser: Browser, studio: RunningStudio) -> None:
    context = new_context(browser, reduced_motion="reduce")
    context.add_init_script(
        "window.started = []; addEventListener('play', (event) => started.push(event.target.className), true)"
    )
    page = open_studio(context, studio)
    page.fill("#prompt textarea", "A clock ticks.")
    long_run(page)
    page.click("#generate")
    for _ in range(4):
        shown = page.get_attribute("#stage video.m-preview", "src")
        page.wait_for_function("(shown) => document.querySelector('#stage video.m-preview').src !== shown", arg=shown)
    assert page.evaluate("started") == []
    page.click("#cancel")
    page.wait_for_selector("#queue [data-state=cancelled]", state="attached")
    context.close()


def test_a_hovered_take_plays_with_its_sound(page: Page, filled: None) -> None:
    page.reload()
    page.wait_for_selector("#strip .m-card")
    assert page.evaluate("document.querySelectorAll('#strip video[src]').length") == 0, "nothing is fetched unasked"
    page.click("#name", force=True)
    page.hover("#strip .m-card .m-thumb")
    page.wait_for_function(
        "(video => video.currentTime > 0.1 && video.webkitAudioDecodedByteCount > 0)"
        "(document.querySelector('#strip video'))"
    )
    page.hover("#prompt")
    page.wait_for_function("document.querySelectorAll('#strip video[src]').length === 0")


def test_login_page(context: BrowserContext, locked_studio: RunningStudio, screenshots: Path) -> None:
    page = context.new_page()
    page.goto(locked_studio.url)
    page.wait_for_selector("input[type=password]")
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / "login.png")
    assert GUEST[0] not in page.content()
