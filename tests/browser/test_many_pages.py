"""Many open pages on one app: what one person types and makes never shows in another's page."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
from driving import RunningStudio, field, new_context, open_studio, says
from playwright.sync_api import Browser

PAGES = 24
WINDOWS = 2
DEADLINE_SECONDS = 300


class Session:
    """An open page without its window: the page's own listeners, called as its script calls them."""

    def __init__(self, url: str) -> None:
        # Kept for less long than the server keeps it, which closes a connection without a word.
        self.http = httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(keepalive_expiry=1))
        config = self.http.get("/config").json()
        self.parts = {part["id"]: part["props"] for part in config["components"]}
        self.listeners = config["dependencies"]
        self.name = secrets.token_hex(8)
        self.shown: dict[str, Any] = {}

    def click(self, elem_id: str, typed: dict[str, Any]) -> None:
        """Press a button with what was typed, by `elem_id`."""
        (target,) = [number for number, props in self.parts.items() if props.get("elem_id") == elem_id]
        self._fire([target, "click"], typed)

    def tick(self) -> None:
        """What the page does twice a second."""
        stage = next(number for number, props in self.parts.items() if props.get("elem_id") == "stage")
        targets = [
            target
            for item in self.listeners
            for target in item["targets"]
            if target[1] == "tick" and stage in item["outputs"]
        ]
        self._fire(targets[0], {})

    def _fire(self, target: list[Any], typed: dict[str, Any]) -> None:
        (listener,) = [item for item in self.listeners if target in item["targets"]]
        data = [typed.get(self._of(number), self.parts[number].get("value")) for number in listener["inputs"]]
        body = {"data": data, "fn_index": listener["id"], "session_hash": self.name, "trigger_id": target[0]}
        self.http.post("/gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.name}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    self._show(listener["outputs"], message["output"]["data"])
                    return

    def _show(self, outputs: list[int], values: list[Any]) -> None:
        for number, value in zip(outputs, values, strict=True):
            new = value.get("value") if isinstance(value, dict) else value
            if new is not None:
                self.shown[self._of(number)] = new

    def _of(self, number: int) -> str:
        return self.parts[number].get("elem_id") or str(number)


@contextmanager
def sessions(url: str) -> Iterator[list[Session]]:
    opened = [Session(url) for _ in range(PAGES)]
    yield opened
    for session in opened:
        session.http.close()


def fields(number: int) -> dict[str, Any]:
    return {
        "prompt": f"Visitor {number} hears bell {number}.",
        "seed": str(7000 + number),
        "width": 48 + 16 * (number % 3),
        "height": 32,
        "num-frames": 9,
        "num-inference-steps": 1,
    }


def test_nothing_crosses_between_twenty_four_sessions(studio: RunningStudio) -> None:
    with sessions(studio.url) as opened, ThreadPoolExecutor(PAGES) as threads:
        list(threads.map(lambda each: each[1].click("generate", fields(each[0])), enumerate(opened)))
        deadline = time.monotonic() + DEADLINE_SECONDS
        waiting = dict(enumerate(opened))
        while waiting:
            assert time.monotonic() < deadline, sorted(waiting)
            for number, session in list(waiting.items()):
                session.tick()
                stage = str(session.shown.get("stage"))
                others = [other for other in range(PAGES) if other != number and f"seed {7000 + other}" in stage]
                assert others == []
                if f"seed {7000 + number}" in stage:
                    assert f"{48 + 16 * (number % 3)} × 32" in stage
                    del waiting[number]


def test_nothing_crosses_between_windows(browser: Browser, studio: RunningStudio) -> None:
    contexts = [new_context(browser, viewport={"width": 1024, "height": 700}) for _ in range(WINDOWS)]
    pages = [open_studio(context, studio) for context in contexts]
    for number, page in enumerate(pages, start=100):
        for name, value in fields(number).items():
            page.fill(f"#{name} input, #{name} textarea", str(value))
    for page in pages:
        page.click("#generate")
    for number, page in enumerate(pages, start=100):
        page.wait_for_selector("#stage video.m-video")
        says(page, "#stage", f"seed {7000 + number}")
        for name in ("prompt", "seed"):
            assert field(page, name).input_value() == fields(number)[name]
    for context in contexts:
        context.close()
