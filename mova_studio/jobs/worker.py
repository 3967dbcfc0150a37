"""The worker process: owns the GPU and the weights, makes one take after another.

It speaks JSON lines: commands on standard input ({"run": id, "shot": ..., "seed": ..., "path": ...} and
{"cancel": id}), events on standard output ({"job": id, "kind": "progress" | "preview" | "note" | "done" |
"failed", ...}). When its input ends, the studio is gone, and it exits at once.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

from mova_studio.errors import Cancelled, StudioError

log = logging.getLogger(__name__)


class Worker:
    """Reads commands in one thread and runs jobs in the other.

    Args:
        commands: JSON lines in.
        events: JSON lines out.
    """

    def __init__(self, commands: TextIO, events: TextIO) -> None:
        self._commands, self._events = commands, events
        self._jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Run until the input ends; never returns."""
        threading.Thread(target=self._listen, name="commands", daemon=True).start()
        from mova_studio.jobs.engine import Engine
        from mova_studio.jobs.runner import make_take
        from mova_studio.library.shot import Shot

        engine = Engine()
        while True:
            command = self._jobs.get()
            job = command["run"]
            try:
                take = make_take(
                    engine,
                    Shot.from_dict(command["shot"]),
                    command["seed"],
                    Path(command["path"]),
                    lambda event, job=job: self._send(job, event),
                    lambda job=job: job in self._cancelled,
                )
                self._send(job, {"kind": "done", "take": take.to_dict()})
            except Cancelled:
                self._send(job, {"kind": "cancelled"})
            except StudioError as error:
                self._send(job, {"kind": "failed", "error": error.to_dict()})
            except Exception as error:  # noqa: BLE001 (one job's fault must not end the worker)
                log.error("job %s failed\n%s", job, traceback.format_exc())
                fault = StudioError(f"The run failed inside: {type(error).__name__}: {error}")
                self._send(job, {"kind": "failed", "error": fault.to_dict()})

    def _listen(self) -> None:
        for line in self._commands:
            command = json.loads(line)
            if "cancel" in command:
                self._cancelled.add(command["cancel"])
            else:
                self._jobs.put(command)
        os._exit(0)

    def _send(self, job: str, event: dict[str, Any]) -> None:
        if "mp4" in event:
            event = event | {"mp4": base64.b64encode(event["mp4"]).decode("ascii")}
        with self._lock:
            try:
                self._events.write(json.dumps({"job": job} | event) + "\n")
                self._events.flush()
            except (BrokenPipeError, OSError):
                os._exit(0)


def main() -> None:
    """Serve on the process's own standard streams; whatever else prints goes to standard error."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Worker(sys.stdin, events).serve()


if __name__ == "__main__":
    main()
