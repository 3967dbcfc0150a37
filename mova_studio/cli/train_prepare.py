"""`python -m mova_studio train prepare`: raw films to clips that can be trained on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.cli.train_encode import Reporter
from mova_studio.errors import InputError
from mova_studio.jobs.enhancing import Wanted, open_backend
from mova_studio.library.shot import parse_size

Answer = dict[str, Any]
_KEEP = "none"


def add_prepare_command(verbs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """`train prepare`."""
    parser = add(verbs, "prepare", "raw films to clips: cut, padded, filtered, captioned", _prepare, _tell)
    parser.add_argument(
        "raw", type=Path, metavar="RAW", help="a folder of films, with .txt beside them if there are, or .tar shards"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder; what is done there is kept")
    parser.add_argument("--seconds", type=float, default=8.05, metavar="S", help="of a clip (8.05)")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="films are padded to it (1280x720)")
    parser.add_argument(
        "--caption",
        default=_KEEP,
        metavar="BACKEND",
        help="what writes captions: composer, local:ID or server:NAME; none keeps those of the films (none)",
    )
    parser.add_argument("--server-url", metavar="URL", help="where the server is, unless its preset says so")
    parser.add_argument("--model", default="", metavar="NAME", help="the server's model")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE", help="of a measure, such as offset_ms=100"
    )
    parser.add_argument(
        "--scorer", action="append", default=[], metavar="NAME", help="a further judge that a package here brings"
    )
    parser.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")


def _prepare(options: argparse.Namespace) -> Answer:
    from mova_studio.training.clips.prepare import Preparation, prepare
    from mova_studio.training.clips.scoring import limits_from, plugin_scorers
    from mova_studio.training.clips.sources import list_clips

    if options.out.resolve().is_relative_to(options.raw.resolve()):
        raise InputError(
            f"{options.out} lies inside of {options.raw}, so that its clips would be taken for films; choose a folder "
            "elsewhere.",
            field="out",
        )
    preparation = Preparation(
        options.seconds, *parse_size(options.size), limits_from(options.limit), plugin_scorers(options.scorer)
    )
    listing = list_clips(options.raw)
    reporter = Reporter(events=options.events)
    backend = None
    if options.caption != _KEEP:
        wanted = Wanted("", backend=options.caption, server_url=options.server_url, server_model=options.model)
        backend = open_backend(wanted, {})
    try:
        report = prepare(
            listing, options.out, preparation, backend=backend, on_event=reporter, cancelled=reporter.cancelled
        )
    finally:
        if backend is not None:
            backend.close()
    return {"clips_folder": str(options.out.resolve()), **report.to_dict()}


def _tell(answer: Answer) -> str:
    return (Path(answer["clips_folder"]) / "report.txt").read_text("utf-8").rstrip()
