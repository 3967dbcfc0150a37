"""A phase of a training run in a process of its own, which the studio that started it need not outlive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import OutputError
from mova_studio.settings import PROJECT

RECORD = "process.json"
_NICER = 5  # the page must still answer while the processor computes
_ANSWER_BYTES = 8192
_ENDING_SECONDS = 10.0
_CLOCK_SECONDS = 2.0  # that two looks at the start of a process may differ by, since clocks are set


class TrainingProcess:
    """Whatever it says goes into files of the run's folder, so that it needs nobody to listen: PHASE.json has its
    answer, PHASE.txt the rest, and `RECORD` says which process it is.

    Attributes:
        phase: "encode" or "train".
        code: of its exit; None while it runs, and where it was another studio's.
    """

    def __init__(self, folder: Path, phase: str, process: psutil.Process, child: subprocess.Popen | None) -> None:
        self.phase = phase
        self.code: int | None = None
        self._folder, self._process, self._child = folder, process, child
        self._asked = False

    @classmethod
    def start(cls, folder: Path, phase: str, arguments: Sequence[str]) -> TrainingProcess:
        """Run `python -m mova_studio ARGUMENTS`, which has to answer with JSON.

        Raises:
            OutputError: the folder is full or cannot be written; nothing runs then.
        """
        try:
            # Overwriting room that the file has already works on a full disk too, and why it is full must be told.
            (folder / f"{phase}.json").write_bytes(b" " * _ANSWER_BYTES)
            with (folder / f"{phase}.json").open("r+b") as answer, (folder / f"{phase}.txt").open("wb") as said:
                child = subprocess.Popen(
                    [sys.executable, "-m", "mova_studio", *arguments],
                    cwd=PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=answer,
                    stderr=said,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    start_new_session=True,
                )
        except OSError as error:
            raise output_error(folder, error) from error
        process = psutil.Process(child.pid)
        with suppress(psutil.Error):
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else min(19, process.nice() + _NICER))
        started = cls(folder, phase, process, child)
        try:
            started._record()
        except OutputError:
            started.kill()
            child.wait()
            raise
        return started

    @classmethod
    def left_running(cls, folder: Path) -> TrainingProcess | None:
        """The one that an earlier studio started in `folder`, if it still runs."""
        said = read_record(folder)
        try:
            process = psutil.Process(int(said["pid"]))
            # Numbers of processes are used again.
            same = abs(process.create_time() - said["started"]) < _CLOCK_SECONDS
            if "code" in said or not same or not _alive(process):
                return None
            return cls(folder, str(said["phase"]), process, None)
        except (KeyError, TypeError, ValueError, psutil.Error):
            return None

    def ended(self, seconds: float) -> bool:
        """Wait for its end; whether it has come."""
        if self._child is not None:
            try:
                self.code = self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
        elif _alive(self._process):
            with suppress(psutil.Error):
                self._process.wait(seconds)
            if _alive(self._process):
                return False
        with suppress(OutputError):  # that it has ended can be seen without
            self._record(code=self.code, asked=self._asked)
        return True

    def stop(self) -> None:
        """Ask it to save itself and end."""
        self._asked = True
        with suppress(psutil.Error):
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, with all that it started."""
        self._asked = True
        with suppress(psutil.Error):
            family = [*self._process.children(recursive=True), self._process]
            for each in family:
                with suppress(psutil.Error):
                    each.kill()
            psutil.wait_procs(family[:-1], timeout=_ENDING_SECONDS)

    def _record(self, **more: Any) -> None:
        said = {"phase": self.phase, "pid": self._process.pid, "started": self._process.create_time()} | more
        with replacing(self._folder / RECORD) as beside:
            beside.write_text(json.dumps(said), "utf-8")


def read_record(folder: Path) -> dict[str, Any]:
    """What `RECORD` says; {} where it is not there or damaged."""
    return read_object(folder / RECORD)


def read_object(file: Path) -> dict[str, Any]:
    """A JSON object in a file; {} where there is none."""
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
