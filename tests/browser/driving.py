"""Starting the studio, and doing what a person does on its page."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio_client import Client
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

PROJECT = Path(__file__).parents[2]
OWNER, GUEST = ("anna", "owner-password"), ("bob", "guest-password")
START_SECONDS = 180
STOP_SECONDS = 120
# Generous: a busy machine is no defect, and only a test that fails waits this long.
PATIENCE_MS = 300_000
LONG = 1000
ITS_OWN_RELOAD = ("ERR_ABORTED", "Not attached to an active page")
UNFINISHED = ("waiting", "running", "paused")
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class RunningStudio:
    """A started `python app.py`."""

    url: str
    library: Path
    process: subprocess.Popen


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def start_studio(folder: Path, *flags: str, port: int | None = None) -> Iterator[RunningStudio]:
    """Start the app, by default on a free port, wait until it answers, and end it afterwards."""
    port = port or free_port()
    library, log = folder / "library", folder / "log.txt"
    command = [sys.executable, "app.py", "--port", str(port), "--library", str(library), *flags]
    started = time.monotonic()
    # A cache of its own: limits that a test sets must not outlive it.
    environment = os.environ | {"MOVA_STUDIO_CACHE": str(folder / "cache")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            assert process.poll() is None, f"the studio ended while starting:\n{log.read_text()}"
            assert time.monotonic() - started < START_SECONDS, f"the studio does not answer:\n{log.read_text()}"
            time.sleep(0.05)
        yield RunningStudio(url, library, process)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def cancel_all(studio: RunningStudio) -> None:
    """End every job of a studio without logins."""
    client = Client(studio.url, verbose=False)
    for job in client.predict(api_name="/queue_list"):
        if job["state"] in UNFINISHED:
            client.predict(job["id"], api_name="/queue_cancel")


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A fresh profile that waits as long as a busy machine needs."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    return context


def open_studio(context: BrowserContext, studio: RunningStudio) -> Page:
    """A new page of the studio, ready for use."""
    page = context.new_page()
    page.goto(studio.url)
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    return page


def reload_after_restart(page: Page) -> None:
    """Reload the page of a studio that was started anew; the page does so by itself too, as soon as it notices."""
    try:
        page.reload()
    except Error as error:
        if not any(cause in error.message for cause in ITS_OWN_RELOAD):
            raise
        page.wait_for_load_state()


def field(page: Page, name: str) -> Locator:
    """What is typed into, by the name of its setting."""
    return page.locator(f"#{name} :is(input, textarea)").first


def says(page: Page, place: str, text: str) -> None:
    """Wait until these words are in view there."""
    expect(page.locator(place).first).to_contain_text(text, use_inner_text=True)


def until(page: Page, holds: Callable[[], bool], told: Callable[[], object] | None = None) -> None:
    """Wait for what takes more than a selector to see; `told` says what stood in the way."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, told and told()
        page.wait_for_timeout(50)


def small_settings(page: Page, steps: int, *, frames: int = 13) -> None:
    """The quickest take whose loudness can still be measured."""
    page.fill("#width input", "96")
    page.fill("#height input", "64")
    page.fill("#num-frames input", str(frames))
    page.fill("#num-inference-steps input", str(steps))


def long_run(page: Page) -> None:
    """A run that outlasts whatever a busy page takes to do meanwhile; it is there to be cancelled."""
    small_settings(page, steps=LONG, frames=49)
    page.fill("#width input", "160")
    page.fill("#height input", "96")


def wait_for_take(page: Page, seed: int | None = None) -> None:
    """Wait until a finished take is in view."""
    page.wait_for_selector("#stage video.m-video, #stage .m-failed")
    assert page.locator("#stage .m-failed").count() == 0, page.inner_text("#stage")
    if seed is not None:
        page.wait_for_function(
            "(seed) => document.querySelector('#stage').innerText.includes(seed)", arg=f"seed {seed}"
        )


def seed_in_view(page: Page) -> int:
    """The seed that stands with the take in view."""
    found = re.search(r"seed (\d+)", page.inner_text("#stage .m-facts"))
    assert found is not None
    return int(found[1])
