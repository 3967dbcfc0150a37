"""The real studio in a process of its own, and a real browser in front of it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gradio_client.exceptions import AppError
from httpx import HTTPError
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from driving import GUEST, OWNER, RunningStudio, cancel_all, new_context, open_studio, start_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio without logins: whoever sits here is the owner."""
    yield from start_studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="session")
def locked_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio with an owner and a guest."""
    accounts = ("--auth", ":".join(OWNER), "--guest", ":".join(GUEST))
    yield from start_studio(tmp_path_factory.mktemp("locked"), *accounts)


# Playwright keeps an event loop running while it is open, so it ends with the file and not with the session.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """What the pages had to say, and how they looked, stands with the report of a test that failed; what it left in the
    queue does not keep the next ones waiting."""
    report = yield
    context = getattr(item, "funcargs", {}).get("context")
    if report.when == "call" and report.failed and isinstance(context, BrowserContext):
        report.sections.append(("last requests", "\n".join(item.funcargs["heard"])))
        for number, page in enumerate(context.pages):
            report.sections.append((f"page {number}", "\n".join(told(page))))
            with suppress(Error):
                page.screenshot(path=item.funcargs["screenshots"] / f"failed-{item.name}-{number}.png")
        if "studio" in item.funcargs:
            try:
                cancel_all(item.funcargs["studio"])
            except (AppError, HTTPError, OSError, ValueError) as error:
                report.sections.append(("left in the queue", repr(error)))
    return report


def _hear(heard: deque[str], event: str, request: Request) -> None:
    path = urlsplit(request.url).path
    if "/queue/" in path:
        called = re.search(r'"fn_index":(\d+)', request.post_data or "")
        heard.append(
            f"{time.monotonic():.2f} {id(request.frame) % 10_000} {event} {path} {called[1] if called else ''}"
        )


def told(page: Page) -> list[str]:
    """The page's address, what its script complained of, and the words that are in view."""
    said = [f"{message.type}: {message.text}" for message in page.console_messages() if message.type != "log"]
    try:
        words = " | ".join(page.inner_text("body").split("\n"))
    except Error as error:
        words = error.message
    return [page.url, *said[-10:], *map(str, page.page_errors()[-5:]), words[:3000]]


@pytest.fixture
def heard() -> deque[str]:
    """The last questions of the pages to the queue, for the report of a test that failed."""
    return deque(maxlen=40)


@pytest.fixture
def context(browser: Browser, screenshots: Path, heard: deque[str]) -> Iterator[BrowserContext]:
    """A fresh profile with a dark system theme."""
    fresh = new_context(browser, viewport={"width": 1440, "height": 900}, color_scheme="dark", locale="en-US")
    for event in ("request", "requestfinished", "requestfailed"):
        fresh.on(event, partial(_hear, heard, event))
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, studio: RunningStudio) -> Page:
    """The open page."""
    return open_studio(context, studio)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A CMYK photo lying on its side, as a camera might write it."""
    file = tmp_path / "first.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.radial_gradient("L").resize((320, 480)).convert("CMYK").save(file, exif=exif)
    return file


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures of the views go: $MOVA_SCREENSHOTS, or a temporary folder."""
    named = os.environ.get("MOVA_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
