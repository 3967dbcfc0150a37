"""`python -m mova_studio train encode`: clips to latents, once, before a training."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

Answer = dict[str, Any]
_KINDS = ("640x352x193", "352x640x193")


def add_encode_command(verbs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """`train encode`."""
    parser = add(verbs, "encode", "clips to latents, which `train run` reads", _encode, _tell)
    parser.add_argument(
        "clips", type=Path, metavar="CLIPS", help="a folder of videos with captions, a metadata.json, or .tar shards"
    )
    parser.add_argument("--checkpoint", default="demo", metavar="NAME", help="demo, a folder or a hub id (demo)")
    parser.add_argument("--out", type=Path, required=True, metavar="CACHE", help="a folder; what is in it is kept")
    parser.add_argument(
        "--kind",
        action="append",
        metavar="WxHxF",
        help=f"width, height and frames that clips are brought to; may be given again ({' and '.join(_KINDS)})",
    )
    parser.add_argument("--device", default="", metavar="DEVICE", help="cuda, mps or cpu (the fastest there is)")
    parser.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")


class Reporter:
    """What is being done, on standard error, and whether the person wants it to stop."""

    def __init__(self, *, events: bool) -> None:
        self._events = events
        self._stopped = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True
        signal.signal(number, signal.SIG_DFL)

    def cancelled(self) -> bool:
        return self._stopped

    def __call__(self, event: dict[str, Any]) -> None:
        """Tell an event: its "kind", and what belongs to it."""
        if self._events:
            told = {"event": event["kind"]} | {name: value for name, value in event.items() if name != "kind"}
            print(json.dumps(told, ensure_ascii=False), file=sys.stderr, flush=True)
        elif event["kind"] == "skipped":
            print(f"skipped: {event['name']}: {event['reason']}", file=sys.stderr, flush=True)
        elif event["kind"] == "note":
            print(event["text"], file=sys.stderr, flush=True)
        elif sys.stderr.isatty() or event["done"] == event["total"]:
            words = f"{event['kind']} {event['done']} of {event['total']}"
            print(f"{words:60}", end="\n" if event["done"] == event["total"] else "\r", file=sys.stderr, flush=True)


def _encode(options: argparse.Namespace) -> Answer:
    import torch

    from mova_studio.errors import InputError
    from mova_studio.network.checkpoint import Checkpoint
    from mova_studio.network.locate import locate
    from mova_studio.training.clips.buckets import parse_bucket
    from mova_studio.training.clips.cache import LatentCache
    from mova_studio.training.clips.encode import encode_clips
    from mova_studio.training.clips.sources import list_clips

    buckets = [parse_bucket(text) for text in options.kind or _KINDS]
    try:
        device = torch.device(options.device or torch.accelerator.current_accelerator() or "cpu")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device {options.device} cannot be used here ({reason}); leave it out.") from error
    listing = list_clips(options.clips)
    reporter = Reporter(events=options.events)
    done = encode_clips(
        listing,
        Checkpoint(locate(options.checkpoint)),
        options.out,
        buckets,
        device=device,
        on_event=reporter,
        cancelled=reporter.cancelled,
    )
    kinds = {str(bucket): len(places) for bucket, places in LatentCache(options.out).buckets().items()}
    return {"cache": str(options.out.resolve()), "kinds": kinds, **done.to_dict()}


def _tell(answer: Answer) -> str:
    kinds = ", ".join(f"{count} of {kind}" for kind, count in answer["kinds"].items())
    counts = f"{answer['made']} encoded, {answer['kept']} there already, {len(answer['skipped'])} skipped"
    return f"{answer['cache']}: {kinds} ({counts})"
