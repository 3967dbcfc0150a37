"""How quickly the page answers while the worker computes on every core, beside how quickly when nothing runs.

Starts the real app on a fresh library, waits until its worker has loaded, and asks in turn for the page itself, for
the list of takes and for the queue, first while a long take is made and then after it was cancelled.

    python -m benchmarks.page [--seconds 30] [--out benchmarks/results/page-cpu.json]
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio_client import Client

from benchmarks.record import record_result, write_result
from mova_studio.settings import PROJECT

LIMIT_MS = 200
START_SECONDS = 120
PAUSE_SECONDS = 0.1


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def wait_for(ready: Callable[[], Any]) -> Any:
    """The first true value of `ready`."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            found = ready()
        except (urllib.error.URLError, ConnectionError):
            found = None
        if found:
            return found
        time.sleep(PAUSE_SECONDS)
    raise SystemExit("the studio does not answer")


def timings(asks: dict[str, Callable[[], Any]], seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds of each ask, in turn, for so long."""
    taken: dict[str, list[float]] = {name: [] for name in asks}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, ask in asks.items():
            begun = time.perf_counter()
            ask()
            taken[name].append(1000 * (time.perf_counter() - begun))
            time.sleep(PAUSE_SECONDS)
    return {
        name: {
            "median_ms": round(statistics.median(each), 1),
            "p95_ms": round(statistics.quantiles(each, n=20)[-1], 1),
            "worst_ms": round(max(each), 1),
            "count": len(each),
        }
        for name, each in taken.items()
    }


def measure(url: str, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    """While computing, and then while idle."""
    client = Client(url, verbose=False)
    client.predict("rain", seed="1", num_inference_steps=1, api_name="/generate")
    job = client.predict("rain on a tin roof", {"num_inference_steps": 1000}, api_name="/queue_add")["id"]

    def listed() -> Any:
        return client.predict(api_name="/queue_list")

    wait_for(lambda: any(entry["id"] == job and entry["step"] > 1 for entry in listed()))
    asks = {
        "page": lambda: get(url),
        "takes": lambda: client.predict(api_name="/takes"),
        "queue": listed,
    }
    computing = timings(asks, seconds)
    client.predict(job, api_name="/queue_cancel")
    wait_for(lambda: all(entry["state"] != "running" for entry in listed()))
    return {"computing": computing, "idle": timings(asks, seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description="How quickly the page answers while the worker computes.")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", str(port), "--library", str(Path(folder) / "library")]
        environment = os.environ | {"MOVA_STUDIO_CACHE": str(Path(folder) / "cache")}
        app = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(lambda: get(url))
            figures = measure(url, options.seconds)
        finally:
            app.terminate()
            app.wait(timeout=30)
    write_result(record_result("page", "cpu", limit_ms=LIMIT_MS, **figures), options.out)


if __name__ == "__main__":
    main()
