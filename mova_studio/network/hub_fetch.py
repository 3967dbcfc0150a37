"""Bytes from the hub to a file, resumable: `huggingface_hub` itself starts an interrupted file over (since 1.x
it names its partial files at random and removes them), which hurts at 28 GB a file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from huggingface_hub import get_session
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from mova_studio.errors import Cancelled, CheckpointError

TIMEOUT = 10.0
"""Seconds without a byte after which a connection counts as cut."""
RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each new try after a cut; fetched bytes start the row again."""
CONNECTIONS = 4
_POLL = 0.1
_TRANSIENT = (408, 429, 500, 502, 503, 504)

T = TypeVar("T")


@dataclass(frozen=True)
class Fetch:
    """One content to fetch.

    Attributes:
        name: the file's name, for progress and errors.
        url: where it lies.
        size: its bytes.
        part: the local file that grows to `size`; what it holds already is kept.
    """

    name: str
    url: str
    size: int
    part: Path


def fetch_all(fetches: Iterable[Fetch], stop: Event, received: Callable[[str, int], None]) -> None:
    """Fetch every content, up to `CONNECTIONS` at once; returns early, without an error, once `stop` is set.

    Args:
        received: called from the fetching threads with a file's name and the bytes that came in (negative
            where a server could not resume, so that bytes were dropped).
    """
    waiting = deque(fetches)
    errors: list[Exception] = []

    def work() -> None:
        while waiting and not stop.is_set():
            try:
                fetch(waiting.popleft(), stop, received)
            except IndexError:
                return
            except Exception as error:  # noqa: BLE001 (raised again in the calling thread)
                errors.append(error)
                stop.set()

    threads = [Thread(target=work, daemon=True) for _ in range(min(CONNECTIONS, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def fetch(wanted: Fetch, stop: Event, received: Callable[[str, int], None]) -> None:
    """Fetch one content, going on after cuts; returns early, without an error, once `stop` is set."""
    failures = 0
    while not stop.is_set():
        have = wanted.part.stat().st_size if wanted.part.exists() else 0
        try:
            _fetch_rest(wanted, stop, received)
            return
        except HTTPError as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code not in _TRANSIENT:
                raise
            grown = wanted.part.exists() and wanted.part.stat().st_size > have
            failures = 1 if grown else failures + 1
            if failures > len(RETRY_DELAYS):
                raise
            stop.wait(RETRY_DELAYS[failures - 1])


def _fetch_rest(wanted: Fetch, stop: Event, received: Callable[[str, int], None]) -> None:
    wanted.part.touch()
    # Unbuffered and at explicit positions: a killed program leaves every byte that came in, and a thread that
    # is late to stop can only write the bytes that belong there.
    with wanted.part.open("r+b", buffering=0) as part:
        have = part.seek(0, os.SEEK_END)
        if have > wanted.size:
            have = _restart(part, wanted, have, received)
        if have == wanted.size:
            return
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with get_session().stream("GET", wanted.url, headers=headers, timeout=TIMEOUT) as response:
            if response.is_error:
                response.read()
            hf_raise_for_status(response)
            if have and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                have = _restart(part, wanted, have, received)
            for chunk in response.iter_bytes():
                if stop.is_set():
                    return
                if have + len(chunk) > wanted.size:
                    raise CheckpointError(
                        f"{wanted.name} is longer on the hub than the {wanted.size:,} bytes that it lists. "
                        "It was probably replaced just now; run the download again."
                    )
                part.write(chunk)
                have += len(chunk)
                received(wanted.name, len(chunk))
        if have < wanted.size:
            raise HTTPError(f"{wanted.name} ended after {have} of {wanted.size} bytes")
        os.fsync(part.fileno())


def _restart(part: FileIO, wanted: Fetch, have: int, received: Callable[[str, int], None]) -> int:
    part.seek(0)
    part.truncate()
    received(wanted.name, -min(have, wanted.size))
    return 0


def interruptibly(
    work: Callable[[Event], T], cancelled: Callable[[], bool], tick: Callable[[], None] = lambda: None
) -> T:
    """Run `work` in a thread of its own, so that a stalled network cannot hold up a cancel.

    Args:
        work: gets an event that is set when it should end.
        cancelled: asked ten times a second, in the calling thread.
        tick: called ten times a second, in the calling thread.

    Raises:
        Cancelled: `cancelled` answered True. The thread ends by itself within `TIMEOUT`.
    """
    stop, finished = Event(), Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(stop))
        except BaseException as error:  # noqa: BLE001 (raised again in the calling thread)
            errors.append(error)
        finally:
            finished.set()

    Thread(target=run, daemon=True).start()
    try:
        while not finished.wait(_POLL):
            tick()
            if cancelled():
                raise Cancelled("The download was stopped. The same command goes on where it stopped.")
    finally:
        stop.set()
    if errors:
        raise errors[0]
    return results[0]
