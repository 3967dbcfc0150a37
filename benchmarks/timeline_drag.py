"""How long the Timeline takes for a move of the pointer while one of 100 clips is dragged, beside moves with no drag.

Starts the real app on a fresh library, opens the Timeline in Chromium and puts 100 clips on it. Each figure is wall
time in the page from a move's arrival until the frame that shows it has been laid out and painted; a browser draws at
most 60 frames a second, so that up to 17 ms of it is waiting, which the moves with no drag show too.

    python -m benchmarks.timeline_drag [--moves 300] [--out benchmarks/results/timeline_drag-cpu.json]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.page import free_port, get, wait_for
from benchmarks.record import record_result, write_result
from mova_studio.media.mp4 import write_mp4
from mova_studio.settings import PROJECT

CLIPS, FRAMES, LIMIT_MS = 100, 49, 50
STORE = "movaTimeline.editor.store"
_TIMES = """() => {
  window.moveTimes = [];
  const channel = new MessageChannel();
  let begun = null;
  channel.port1.onmessage = () => { moveTimes.push(performance.now() - begun); begun = null; };
  addEventListener("pointermove", (event) => {
    if (begun !== null) return;
    begun = event.timeStamp;
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }, true);
}"""


@contextmanager
def running_studio(folder: Path) -> Iterator[str]:
    """The address of the app on a fresh library."""
    port = free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--library", str(folder / "library")]
    environment = os.environ | {"MOVA_STUDIO_CACHE": str(folder / "cache")}
    app = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: get(url))
        yield url
    finally:
        app.terminate()
        app.wait(timeout=30)


def write_film(path: Path) -> None:
    """Two seconds with a moving square and a tone."""
    pictures = np.full((FRAMES, 352, 640, 3), 60, np.uint8)
    for frame in range(FRAMES):
        pictures[frame, 100:220, 8 * frame : 8 * frame + 120] = 220
    sound = (0.3 * np.sin(np.arange(FRAMES * 2000) / 30)).astype(np.float32)
    write_mp4(path, pictures, frame_rate=24.0, audio=sound, target_lufs=None)


def open_film(page: Page, url: str, film: Path) -> None:
    """The Timeline with 100 clips, drawn, and its preview made, so that nothing else is under way."""
    page.goto(url)
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    page.click("#views [data-tab-id=timeline] >> visible=true")
    page.wait_for_function(f"!!window.movaTimeline?.editor && !!{STORE}.state.id")
    page.set_input_files(".t-toolbar input[type=file]", film)
    page.wait_for_selector(".t-clip")
    clip = page.evaluate(f"{STORE}.state.clips[0].id")
    ops = [{"op": "duplicate", "args": {"clip": clip}}] * (CLIPS - 1)
    page.evaluate(f"(ops) => {STORE}.do('several', {{ ops }})", ops)
    page.wait_for_function(f"document.querySelectorAll('.t-clip').length === {CLIPS}")
    page.wait_for_function("movaTimeline.editor.player.proxyReady", timeout=300_000)
    page.wait_for_function(f"{STORE}.state.clips.every((clip) => clip.strip)")


def moved(page: Page, moves: int, *, drag: bool) -> dict[str, float]:
    """Milliseconds a move, going to and fro over the tracks, with the third clip in hand or nothing."""
    page.evaluate("movaTimeline.editor.tracks.scroll.scrollLeft = 0")
    box = page.locator(".t-clip").nth(2).bounding_box()
    area = page.locator(".t-scroll").bounding_box()
    assert box is not None and area is not None
    x, y, span = box["x"] + box["width"] / 2, box["y"] + 50, area["width"] - 200
    page.mouse.move(x, y)
    if drag:
        page.mouse.down()
        page.mouse.move(x + 8, y)
    page.evaluate("() => { moveTimes.length = 0; }")
    for move in range(moves):
        along = 14 * move % (2 * span)
        page.mouse.move(area["x"] + 100 + min(along, 2 * span - along), y)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    if drag:
        assert page.locator(".t-lifted").count() == 1, "the clip is in hand"
        page.keyboard.press("Escape")
        page.mouse.up()
    times: list[float] = page.evaluate("moveTimes")
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "worst_ms": round(max(times), 1),
        "count": len(times),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How quickly the Timeline follows the pointer, with 100 clips.")
    parser.add_argument("--moves", type=int, default=300)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_film(folder / "film.mp4")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        with running_studio(folder) as url:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            open_film(page, url, folder / "film.mp4")
            page.evaluate(_TIMES)
            views = {}
            for view, clicks in (("whole_film", 0), ("closer", 4)):
                for _ in range(clicks):
                    page.click("[data-key='zoom.in']")
                without, during = (moved(page, options.moves, drag=drag) for drag in (False, True))
                views[view] = {"drag": during, "no_drag": without}
        browser.close()
    load = round(os.getloadavg()[0], 2)
    write_result(record_result("timeline_drag", "cpu", clips=CLIPS, limit_ms=LIMIT_MS, load=load, **views), options.out)


if __name__ == "__main__":
    main()
