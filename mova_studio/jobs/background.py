"""A command of ours in a process of its own, watched from a thread: the page asks how far it is and may reload."""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import IO, Any

from mova_studio.errors import CheckpointError, InputError, StudioError
from mova_studio.settings import PROJECT

STOP_SECONDS = 5.0


class Outcome(str, Enum):
    """Where a command stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Command:
    """A command that was started.

    Attributes:
        about: what it is for, as its starter calls it.
        events: the last of each kind that it told, by kind.
        answer: its JSON object, once it is done.
        error: what went wrong, where it failed.
    """

    about: dict[str, str]
    outcome: Outcome = Outcome.RUNNING
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    error: StudioError | None = None


class Background:
    """At most one command at a time.

    Args:
        busy: what is said to who starts a second one.
    """

    def __init__(self, busy: str) -> None:
        self._busy = busy
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._ended = threading.Event()
        self.command: Command | None = None
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        return self.command is not None and self.command.outcome is Outcome.RUNNING

    def start(self, arguments: Sequence[str], about: dict[str, str]) -> None:
        """Run `python -m mova_studio ARGUMENTS`, which has to tell events and answer with JSON.

        Raises:
            InputError: one is running.
        """
        with self._lock:
            if self.running:
                raise InputError(self._busy, field="model")
            self._stopping, self._ended = False, threading.Event()
            answer = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the watching thread)
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "mova_studio", *arguments],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
            self.command = Command(about)
        threading.Thread(target=self._watch, args=(process, answer, self._ended), daemon=True).start()

    def stop(self) -> bool:
        """Stop the running command and wait until it has ended; whether there was one."""
        process = self._process
        if process is None or not self.running:
            return False
        self._stopping = True
        process.terminate()
        if not self._ended.wait(STOP_SECONDS):
            process.kill()
            self._ended.wait(STOP_SECONDS)
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the command; whether it has come."""
        return self._ended.wait(seconds)

    def forget(self) -> None:
        """Let go of a command that has ended."""
        with self._lock:
            if not self.running:
                self.command = None

    def _watch(self, process: subprocess.Popen[bytes], answer: IO[bytes], ended: threading.Event) -> None:
        said = ""
        assert process.stderr is not None and self.command is not None
        for line in process.stderr:
            text = line.decode("utf-8", "replace").strip()
            event = _object(text)
            if "event" in event:
                events = self.command.events | {event["event"]: event}
                self.command = dataclasses.replace(self.command, events=events)
            else:
                said = text or said
        code = process.wait()
        with answer:
            answer.seek(0)
            found = _object(answer.read().decode("utf-8", "replace"))
        if self._stopping:
            self.command = dataclasses.replace(self.command, outcome=Outcome.STOPPED)
        elif not found or "error" in found:
            message = found.get("error", {}).get("message") or f"It ended with exit code {code}: {said or 'no word'}."
            error = CheckpointError(str(message), field="model")
            self.command = dataclasses.replace(self.command, outcome=Outcome.FAILED, error=error)
        else:
            self.command = dataclasses.replace(self.command, outcome=Outcome.DONE, answer=found)
        ended.set()


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
