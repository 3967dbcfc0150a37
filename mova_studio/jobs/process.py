"""The studio's end of the worker process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import psutil

from mova_studio.settings import PROJECT


class WorkerProcess:
    """A spawned worker. Nothing of torch is imported here.

    Args:
        on_event: called from a thread of its own with every event.
        on_exit: called there once with the exit code, after the last event.
    """

    def __init__(self, on_event: Callable[[dict[str, Any]], None], on_exit: Callable[[int], None]) -> None:
        self._on_event, self._on_exit = on_event, on_exit
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mova_studio.jobs.worker"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="worker events", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, command: dict[str, Any]) -> None:
        """Hand a command over; a worker that has died is reported by `on_exit`, not here."""
        with self._lock:
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(json.dumps(command) + "\n")
                self._process.stdin.flush()
            except (BrokenPipeError, OSError, ValueError):
                return

    def memory(self) -> int:
        """Bytes of RAM that it holds; 0 once it has ended."""
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """End the worker and wait for it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._on_event(json.loads(line))
        self._on_exit(self._process.wait())
