"""Small films of timelines for playing in the page, made in the background; a change begins anew."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from mova_studio.errors import StudioError
from mova_studio.jobs.background import Background, Outcome
from mova_studio.timeline.document import State
from mova_studio.timeline.file import save
from mova_studio.ui.served import address

log = logging.getLogger(__name__)
QUIET_SECONDS = 1.0
LOOK_SECONDS = 0.1
KEPT = 2
_REMEMBERED = 50


@dataclass(frozen=True)
class Made:
    """A finished proxy, or why there is none: of which revision, its file, what went wrong."""

    revision: int
    path: Path | None = None
    error: str = ""


class Proxies:
    """Makes one proxy at a time. Of each timeline the latest revision counts; another timeline's waits its turn.

    Args:
        quiet_seconds: how long a timeline must have been left alone before its proxy is begun.
    """

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet = quiet_seconds
        self._changed = threading.Condition()
        self._wanted: OrderedDict[str, tuple[State, float]] = OrderedDict()
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._files: dict[str, list[Path]] = {}
        self._running: tuple[str, int] | None = None
        self._background = Background("A proxy is being made already.")
        self._thread: threading.Thread | None = None

    def of(self, timeline_id: str, state: State) -> dict[str, Any]:
        """Where the proxy of a timeline stands, which is begun if there is none; the last one stays until then.

        Returns:
            state: none (no clips) | rendering | ready | failed; url and revision of the last one, "" and None without
            any; fraction 0 to 1; error.
        """
        with self._changed:
            made, files = self._made.get(timeline_id), self._files.get(timeline_id, [])
            answer: dict[str, Any] = {"state": "none", "url": "", "revision": None, "fraction": 0.0, "error": ""}
            if files and files[-1].is_file():
                answer |= {"url": address(files[-1]), "revision": int(files[-1].stem.rsplit("-", 1)[1])}
            if not state.timeline.clips:
                return answer | {"url": "", "revision": None}
            if made is not None and made.revision == state.revision:
                if made.path is None:
                    return answer | {"state": "failed", "error": made.error}
                if answer["revision"] == made.revision:
                    return answer | {"state": "ready", "fraction": 1.0}
            self._want(timeline_id, state)
            rendering = self._running == (timeline_id, state.revision)
            return answer | {"state": "rendering", "fraction": self._fraction() if rendering else 0.0}

    def changed(self, timeline_id: str, state: State) -> None:
        """A timeline has another revision; its proxy is made anew if somebody has asked for one before."""
        with self._changed:
            if timeline_id in self._made and state.timeline.clips:
                self._want(timeline_id, state)

    def close(self) -> None:
        """Stop what runs."""
        with self._changed:
            self._wanted.clear()
        self._background.stop()

    def _want(self, timeline_id: str, state: State) -> None:
        known = self._wanted.get(timeline_id)
        if self._running == (timeline_id, state.revision) or (known and known[0].revision == state.revision):
            return
        self._wanted[timeline_id] = (state, time.monotonic() + self._quiet)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="timeline proxies", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            timeline_id, state = self._next()
            made = self._make(timeline_id, state)
            with self._changed:
                self._running = None
                if made is None:
                    continue
                self._made[timeline_id] = made
                self._made.move_to_end(timeline_id)
                if made.path is not None:
                    self._keep(timeline_id, made.path)
                if len(self._made) > _REMEMBERED:
                    forgotten, _ = self._made.popitem(last=False)
                    for path in self._files.pop(forgotten, []):
                        path.unlink(missing_ok=True)

    def _next(self) -> tuple[str, State]:
        """The next timeline that has been left alone for long enough."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = min(self._wanted, key=lambda name: self._wanted[name][1], default=None)
                if due is not None and self._wanted[due][1] <= now:
                    state, _ = self._wanted.pop(due)
                    self._running = (due, state.revision)
                    return due, state
                self._changed.wait(None if due is None else self._wanted[due][1] - now)

    def _make(self, timeline_id: str, state: State) -> Made | None:
        """The proxy, or what went wrong; None where a later revision came in between."""
        folder = Path(get_upload_folder()).resolve() / "proxies"
        out = folder / f"{timeline_id}-{state.revision}.mp4"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="mova-timeline-") as beside:
                file = Path(beside) / "film.json"
                save(state.timeline, file)
                arguments = ["timeline", "proxy", str(file), "--out", str(out), "--json", "--events"]
                self._background.start(arguments, {"timeline": timeline_id})
                while not self._background.wait(LOOK_SECONDS):
                    with self._changed:
                        overtaken = timeline_id in self._wanted
                    if overtaken:
                        self._background.stop()
        except (StudioError, OSError) as error:
            log.warning("no proxy of %s: %s", timeline_id, error)
            return Made(state.revision, error=str(error))
        command = self._background.command
        if command is None or command.outcome is Outcome.STOPPED:
            out.unlink(missing_ok=True)
            return None
        if command.outcome is Outcome.DONE and out.is_file():
            return Made(state.revision, out)
        return Made(state.revision, error=command.error.message if command.error else "The proxy was not written.")

    def _keep(self, timeline_id: str, path: Path) -> None:
        """The one before stays too: a page may be playing it."""
        files = [*(file for file in self._files.get(timeline_id, []) if file != path), path]
        for old in files[:-KEPT]:
            with suppress(OSError):
                old.unlink()
        self._files[timeline_id] = files[-KEPT:]

    def _fraction(self) -> float:
        command = self._background.command
        progress = {} if command is None else command.events.get("progress", {})
        value = progress.get("fraction", 0.0)
        return min(max(float(value), 0.0), 1.0) if isinstance(value, int | float) else 0.0
