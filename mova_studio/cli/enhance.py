"""`python -m mova_studio enhance`: a prompt rewritten and checked, or a file of them."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from mova_studio.errors import Cancelled, InputError, StudioError
from mova_studio.jobs.enhancing import Wanted, open_backend, token_counter
from mova_studio.prompting.wildcards import batch
from mova_studio.prompting.workflow import enhance

Answer = dict[str, Any]
MAX_BATCH_BYTES = 5_000_000
_STAGES = {"describe": "describing the first frame", "rewrite": "rewriting"}


def add_enhance_command(commands: Any, add: Callable) -> None:
    """`enhance`."""
    parser = add(commands, "enhance", "rewrite a prompt in MOVA's form, and check it", _enhance, _tell)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="TEXT")
    what.add_argument("--batch", type=Path, metavar="FILE", help="one prompt a line; one JSON object a line comes out")
    parser.add_argument("--image", type=Path, metavar="FILE", help="first frame, for backends that can see")
    parser.add_argument(
        "--backend",
        default="composer",
        metavar="composer|local:ID|server:NAME",
        help="what rewrites: the built-in composer (default), a model on this machine by folder or hub id, or a server",
    )
    parser.add_argument("--server-url", metavar="URL", help="where the server is, unless its preset says so")
    parser.add_argument("--model", default="", metavar="NAME", help="the server's model")
    parser.add_argument(
        "--checkpoint", default="", metavar="DIR|HUB_ID", help="whose tokenizer counts (a published one, if it is here)"
    )
    parser.add_argument(
        "--expand", type=int, default=1, metavar="N", help="with --batch: up to N prompts for a line with {a|b}"
    )


def _enhance(options: argparse.Namespace) -> Answer | None:
    png = None if options.image is None else _picture(options.image)
    prompts = [options.prompt] if options.batch is None else batch(_lines(options.batch), options.expand)
    wanted = Wanted(
        prompts[0],
        png,
        backend=options.backend,
        server_url=options.server_url,
        server_model=options.model,
        checkpoint=options.checkpoint,
    )
    cancelled = _on_interrupt()
    count_tokens = token_counter(wanted.checkpoint)
    backend = open_backend(wanted, {})
    codes = [0]
    try:
        for prompt in prompts:
            try:
                made = enhance(
                    backend, prompt, png, count_tokens=count_tokens, on_event=_Progress(), cancelled=cancelled
                )
                answer: Answer = made.to_dict()
            except Cancelled:
                raise
            except StudioError as error:
                if options.batch is None:
                    raise
                answer = {"original": prompt, "error": error.to_dict()}
                codes.append(error.exit_code)
            if options.batch is None:
                return answer
            print(json.dumps(answer, ensure_ascii=False), flush=True)
    finally:
        backend.close()
    options.verdict = lambda _: max(codes)
    return None


def _lines(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BATCH_BYTES:
            raise InputError(f"{file} has more than {MAX_BATCH_BYTES / 1e6:.0f} MB; split it.", field="batch")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as text in UTF-8 ({error}).", field="batch") from error


def _picture(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}).", field="first_frame") from error


def _on_interrupt() -> Callable[[], bool]:
    """Ctrl-C cancels cleanly, a second one at once."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return lambda: bool(stopped)


class _Progress:
    """What is being done, a line each on standard error."""

    def __init__(self) -> None:
        self._said: tuple[str, int] | None = None

    def __call__(self, event: dict[str, Any]) -> None:
        if event["kind"] == "note":
            print(event["text"], file=sys.stderr, flush=True)
        if event["kind"] != "text" or (event["stage"], event["attempt"]) == self._said:
            return
        self._said = event["stage"], event["attempt"]
        again = f", attempt {event['attempt']}" if event["attempt"] > 1 else ""
        print(f"{_STAGES[event['stage']]}{again}", file=sys.stderr, flush=True)


def _tell(answer: Answer) -> str:
    lines = []
    if answer["frame"] is not None:
        lines += [f"{name}: {said}" for name, said in answer["frame"].items() if said] + [""]
    lines.append(answer["rewritten"])
    if answer["checks"]:
        lines.append("")
    for finding in answer["checks"]:
        words = f" ({'; '.join(finding['words'])})" if finding["words"] else ""
        lines.append(f"{'note' if finding['warning'] else 'FAULT'} {finding['rule']}: {finding['message']}{words}")
    return "\n".join(lines)
