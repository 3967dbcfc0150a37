"""How long the browser works for the page, beside how long it would if every output were told of each call.

Starts the real app on a fresh library and opens it in Chromium, by turns as it is and with its listeners changed, as
the page arrives, to what Gradio does unasked: at every stage of every call each output that was ever told is told
again. Each figure is the seconds of the page's main thread, as the browser counts its tasks: until the page is open,
at rest, for typing a prompt and four settings, and while a run is watched.

    python -m benchmarks.page_work [--rounds 3] [--seconds 20] [--out benchmarks/results/page_work-cpu.json]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.record import record_result, write_result
from benchmarks.timeline_drag import running_studio

PATIENCE_MS = 120_000
# A long run of small steps: there is always something new to show.
SETTINGS = {
    "#width input": "160",
    "#height input": "96",
    "#num-frames input": "49",
    "#num-inference-steps input": "1000",
}
_EVERY_OUTPUT_JS = """(() => {
  let config;
  Object.defineProperty(window, "gradio_config", {
    get: () => config,
    set: (given) => {
      for (const listener of given.dependencies) listener.show_progress_on = null;
      config = given;
    },
  });
})()"""


def work(counter: CDPSession, doing: Callable[[], object]) -> float:
    """Seconds of the page's main thread that something takes."""

    def until_now() -> float:
        metrics = counter.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    begun = until_now()
    doing()
    return until_now() - begun


def measure(browser: Browser, url: str, seconds: float, *, every_output: bool) -> dict[str, float]:
    """Seconds of main thread on one fresh page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    if every_output:
        context.add_init_script(_EVERY_OUTPUT_JS)
    page = context.new_page()
    counter = context.new_cdp_session(page)
    counter.send("Performance.enable")

    def fill() -> None:
        page.fill("#prompt textarea", "rain on a tin roof")
        for field, value in SETTINGS.items():
            page.fill(field, value)

    def rest() -> None:
        page.wait_for_timeout(1000 * seconds)

    figures = {"open": work(counter, lambda: opened(page, url))}
    rest()
    figures |= {"rest": work(counter, rest) / seconds, "type": work(counter, fill)}
    page.click("#generate")
    page.wait_for_selector("#cancel:visible")
    page.wait_for_selector("#stage video.m-preview")
    figures["watch"] = work(counter, rest) / seconds
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")
    context.close()
    return figures


def opened(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the browser works for the page.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    taken: dict[str, list[dict[str, float]]] = {"ours": [], "every_output": []}
    with tempfile.TemporaryDirectory() as folder, running_studio(Path(folder)) as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(options.rounds):
            for arm, rounds in taken.items():
                rounds.append(measure(browser, url, options.seconds, every_output=arm == "every_output"))
        browser.close()
    medians = {
        arm: {name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]}
        for arm, rounds in taken.items()
    }
    ratios = {name: round(value / medians["every_output"][name], 3) for name, value in medians["ours"].items()}
    about = {"rounds": options.rounds, "unit": "s; rest and watch: s per s", "ratio": ratios}
    write_result(record_result("page_work", "cpu", **about, **medians), options.out)


if __name__ == "__main__":
    main()
