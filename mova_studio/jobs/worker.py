"""The worker process: owns the GPU and the weights, makes one take after another.

It speaks JSON lines: commands on standard input ({"run": id, "shot": ..., "seed": ..., "path": ...}, {"enhance": id,
"wanted": ..., "limits": ...}, {"cancel": id} and {"pause": id}), events on standard output ({"job": id, "kind":
"progress" | "preview" | "begun" | "saved" | "note" | "done" | "paused" | "failed", ...}; of an enhancement "text" |
"described" | "checked" | "enhanced" | "failed"). When its input ends, the studio is gone, and it exits at once.
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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import psutil

from mova_studio.errors import Cancelled, StudioError

if TYPE_CHECKING:
    from mova_studio.jobs.engine import Engine

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
        self._asked: dict[str, set[str]] = {"cancel": set(), "pause": set()}
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Run until the input ends; never returns.

        Listening starts before torch is imported, which takes seconds, so that a worker whose studio is gone
        notices at once.
        """
        threading.Thread(target=self._listen, name="commands", daemon=True).start()
        from mova_studio.jobs.engine import Engine

        engine = Engine()
        if engine.machine.gpu is None:
            # Where the processor computes, the page must still answer at once.
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)
        while True:
            command = self._jobs.get()
            work = self._enhance if "enhance" in command else self._run
            self._send(_name(command), self._ended(_name(command), partial(work, engine, command)))

    def _run(self, engine: Engine, command: dict[str, Any]) -> dict[str, Any]:
        """Make the take that `command` asks for; returns the event that ends the job."""
        from mova_studio.jobs.runner import make_take
        from mova_studio.jobs.saved_run import SavedRun, Saver
        from mova_studio.library.shot import Shot
        from mova_studio.placement.request import Limits

        job = command["run"]
        take = make_take(
            engine,
            Shot.from_dict(command["shot"]),
            command["seed"],
            Path(command["path"]),
            report=partial(self._send, job),
            cancelled=partial(self._asked["cancel"].__contains__, job),
            limits=Limits.from_dict(command["limits"]),
            pausing=partial(self._asked["pause"].__contains__, job),
            saver=Saver(SavedRun(Path(command["runs"]), job), command["save_every"]),
            stop_step=command["stop_step"],
            take_id=job,
        )
        return {"kind": "done", "take": take.to_dict()}

    def _enhance(self, engine: Engine, command: dict[str, Any]) -> dict[str, Any]:
        """Rewrite the prompt that `command` asks for, with all memory for the model that does it."""
        from mova_studio.jobs.enhancing import Wanted, enhance_here

        name = command["enhance"]
        engine.unload()
        cancelled = partial(self._asked["cancel"].__contains__, name)
        wanted = Wanted.from_dict(command["wanted"])
        done = enhance_here(wanted, command["limits"], partial(self._send, name), cancelled)
        return {"kind": "enhanced", "enhanced": done.to_dict()}

    @staticmethod
    def _ended(job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do it; returns the event that ends the job, whatever happens."""
        from mova_studio.jobs.run import Paused

        try:
            return work()
        except Paused:
            return {"kind": "paused"}
        except Cancelled:
            return {"kind": "cancelled"}
        except StudioError as error:
            return {"kind": "failed", "error": error.to_dict()}
        except Exception as error:  # noqa: BLE001 (one job's fault must not end the worker)
            log.error("job %s failed\n%s", job, traceback.format_exc())
            fault = StudioError(f"The run failed inside: {type(error).__name__}: {error}")
            return {"kind": "failed", "error": fault.to_dict()}

    def _listen(self) -> None:
        for line in self._commands:
            command = json.loads(line)
            if "run" in command or "enhance" in command:
                # What was asked of an earlier try says nothing of this one.
                for asked in self._asked.values():
                    asked.discard(_name(command))
                self._jobs.put(command)
            else:
                ((wish, job),) = command.items()
                self._asked[wish].add(job)
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


def _name(command: dict[str, Any]) -> str:
    return str(command.get("run") or command["enhance"])


def main() -> None:
    """Serve on the process's own standard streams; whatever else prints goes to standard error."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Worker(sys.stdin, events).serve()


if __name__ == "__main__":
    main()
