"""`python -m mova_studio model list | check | download`; its `adapters` are in `cli/adapters.py`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mova_studio.cli.adapters import add_adapters_commands

if TYPE_CHECKING:
    from mova_studio.network.hub import DownloadProgress
    from mova_studio.network.hub_download import Room

Answer = dict[str, Any]
_LIVE_SECONDS, _LINE_SECONDS, _EVENT_SECONDS = 0.2, 10.0, 0.3


def add_model_commands(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `model` and its commands; `add` makes one that answers with a dict and tells it in words."""
    model = commands.add_parser("model", help="list, check or download checkpoints; their adapters")
    models = model.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add(models, "list", "the checkpoints on this machine", run_list, tell_list)
    check = add(models, "check", "layout, sizes, what is missing", run_check, tell_check)
    check.set_defaults(verdict=lambda answer: 1 if answer["faults"] else 0)
    check.add_argument("model", metavar="DIR", help='a checkpoint folder, a hub id on disk, or "demo"')
    check.add_argument(
        "--thorough", action="store_true", help="read every byte; compare checksums where they are known"
    )
    check.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")
    download = add(models, "download", "fetch a checkpoint; resumes", run_download, tell_download)
    download.add_argument("model", metavar="HUB_ID")
    download.add_argument("--to", type=Path, metavar="DIR", help="into this folder instead of the hub's cache")
    download.add_argument(
        "--again", action="append", default=[], metavar="FILE", help="fetch this damaged file anew; may be repeated"
    )
    download.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")
    add_adapters_commands(models, add)


class Reporter:
    """Progress on standard error: a line that changes, one every ten seconds where it is no terminal, or JSON."""

    def __init__(self, *, events: bool) -> None:
        self._events, self._live = events, sys.stderr.isatty() and not events
        self._seconds = _EVENT_SECONDS if events else _LIVE_SECONDS if self._live else _LINE_SECONDS
        self._told = 0.0
        self._stopped: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _frame: self._stopped.append(number))

    def cancelled(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return bool(self._stopped)

    def progress(self, progress: DownloadProgress) -> None:
        """Tell how far it is, unless that was just told."""
        now = time.monotonic()
        whole = progress.bytes_done == progress.bytes_total
        if now - self._told < self._seconds and not (self._events and whole):
            return
        self._told = now
        if self._events:
            self.event(
                "progress",
                done=progress.bytes_done,
                total=progress.bytes_total,
                bytes_per_second=round(progress.bytes_per_second),
                file=progress.file,
            )
        else:
            print(progress, end="\r" if self._live else "\n", file=sys.stderr, flush=True)

    def room(self, room: Room) -> None:
        """Tell what is needed and what is free."""
        if self._events:
            self.event("room", missing=room.missing, free=room.free, folder=str(room.folder))
        else:
            words = f"{room.missing / 1e9:.2f} GB to fetch; {room.folder} has {room.free / 1e9:.1f} GB free"
            print(words, file=sys.stderr)

    def event(self, event: str, **values: Any) -> None:
        """One JSON line."""
        print(json.dumps({"event": event} | values, ensure_ascii=False), file=sys.stderr, flush=True)


def run_list(options: argparse.Namespace) -> Answer:
    """Everything on this machine that is a checkpoint."""
    from mova_studio.jobs.used_folders import UsedFolders
    from mova_studio.network.installed import installed

    return {"models": [checkpoint.to_dict() for checkpoint in installed(UsedFolders().read())]}


def tell_list(answer: Answer) -> str:
    lines = []
    for entry in answer["models"]:
        state = entry["state"]
        if state == "partial" and entry["bytes_total"]:
            state = f"{entry['bytes_here'] / 1e9:.2f} of {entry['bytes_total'] / 1e9:.2f} GB"
        elif state == "unmade":
            state = "made when it is first used"
        lines.append(f"{entry['model']}: {state}, {entry['bytes'] / 1e9:.2f} GB on disk, {entry['path']}")
        if entry["fault"]:
            lines.append(f"  fault: {entry['fault']}")
    return "\n".join(lines)


def run_check(options: argparse.Namespace) -> Answer:
    """What is wrong with a checkpoint."""
    from mova_studio.network.checkpoint import Checkpoint
    from mova_studio.network.hub import missing_files
    from mova_studio.network.locate import locate
    from mova_studio.network.verify import expected_files, verify_files

    checkpoint = Checkpoint(locate(options.model))
    faults = checkpoint.check()
    answer: Answer = {"path": str(checkpoint.folder)}
    if options.thorough:
        reporter = Reporter(events=options.events)
        files, checksums = verify_files(checkpoint.folder, reporter.progress, reporter.cancelled)
        known = expected_files(checkpoint.folder)
        answer["checksums"] = checksums
        answer["files"] = [fault.to_dict() | {"fetchable": fault.file in known} for fault in files]
        faults = [*map(str, files), *faults]
    answer |= {
        "ok": not faults,
        "faults": faults,
        "missing": missing_files(checkpoint.folder),
        "bytes": checkpoint.component_bytes(),
    }
    if not faults:
        answer |= {"identity": checkpoint.identity(), "untrained": checkpoint.untrained}
    return answer


def tell_check(answer: Answer) -> str:
    sizes = [f"  {name}: {size / 1e9:.3f} GB" for name, size in answer["bytes"].items()]
    if "checksums" in answer:
        sizes.append(f"  checksums known and compared: {answer['checksums']} files")
    if answer["faults"]:
        faults = [f"  fault: {fault}" for fault in answer["faults"]]
        missing = [f"  missing: {name}" for name in answer["missing"]]
        bad = [each["file"] for each in answer.get("files", []) if each["fetchable"] and each["kind"] != "missing"]
        again = [f"  to fetch them anew: model download HUB_ID {' '.join(f'--again {name}' for name in bad)}"]
        return "\n".join([f"{answer['path']} cannot be used:", *faults, *missing, *(again if bad else []), *sizes])
    return "\n".join([f"{answer['path']} is whole, identity {answer['identity']}", *sizes])


def run_download(options: argparse.Namespace) -> Answer:
    """Fetch a checkpoint, or the rest of it."""
    from huggingface_hub import constants

    from mova_studio.network.hub import download

    reporter = Reporter(events=options.events)
    if not options.events:
        print(f"Fetching {options.model} into {options.to or constants.HF_HUB_CACHE}", file=sys.stderr)
    folder = download(
        options.model,
        options.to,
        reporter.progress,
        reporter.cancelled,
        again=options.again,
        on_room=reporter.room,
    )
    return {"model": options.model, "path": str(folder)}


def tell_download(answer: Answer) -> str:
    return f"{answer['model']} is in {answer['path']}"
