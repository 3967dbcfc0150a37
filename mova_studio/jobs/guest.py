"""A command that is no job and has the worker to itself until it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mova_studio.errors import BackendError
from mova_studio.jobs.process import WorkerProcess

ENDS = ("enhanced", "cancelled", "failed")
BUSY = (
    "A take, another prompt or a training run is being worked on, and a local model needs that memory; try again when "
    "it is done, or use the composer or a server meanwhile."
)
GRACE_SECONDS = 0.5  # for one that is asked to stop, before its worker is stopped with it


class Guest:
    """Who waits for a command's events.

    Args:
        name: of the command, as its events have it.
        on_event: called with every event, from the worker's thread; the last one is of a kind in `ENDS`.
    """

    def __init__(self, name: str, on_event: Callable[[dict[str, Any]], None]) -> None:
        self.name, self.on_event = name, on_event
        self._ended = False

    def hears(self, event: dict[str, Any]) -> bool:
        """Hand on an event, if it is of this command; whether it was the last one."""
        if event["job"] != self.name:
            return False
        self._ended = event["kind"] in ENDS
        self.on_event(event)
        return self._ended

    def recall(self, worker: WorkerProcess) -> None:
        """Ask for an end, and see to it."""

        def kill() -> None:
            if not self._ended:
                worker.kill()

        worker.send({"cancel": self.name})
        timer = threading.Timer(GRACE_SECONDS, kill)
        timer.daemon = True
        timer.start()

    def lost(self, code: int) -> None:
        """The worker died."""
        self._ended = True
        error = BackendError(
            f"The process that ran the model ended (exit code {code}), most likely because memory ran out. Choose a "
            "smaller model or a server.",
            field="backend",
        )
        self.on_event({"job": self.name, "kind": "failed", "error": error.to_dict()})
