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

from mova_studio.atomic import replacing
from mova_studio.errors import Cancelled, InputError, OutputError, StudioError
from mova_studio.jobs.enhancing import Wanted, open_backend, token_counter
from mova_studio.library.frames import prepare_frame
from mova_studio.library.shot import check_size, parse_size
from mova_studio.prompting.backend import Backend
from mova_studio.prompting.first_frame import cannot_make, make_first_frame, picture_request
from mova_studio.prompting.wildcards import batch
from mova_studio.prompting.workflow import Enhanced, enhance

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
        "--make-frame", type=Path, metavar="OUT.png", help="have the server make the first frame too, and write it here"
    )
    parser.add_argument("--image-model", default="", metavar="NAME", help="the server's model for pictures")
    parser.add_argument("--size", default="640x352", metavar="WxH", help="of the made frame (default %(default)s)")
    parser.add_argument(
        "--checkpoint", default="", metavar="DIR|HUB_ID", help="whose tokenizer counts (a published one, if it is here)"
    )
    parser.add_argument(
        "--expand", type=int, default=1, metavar="N", help="with --batch: up to N prompts for a line with {a|b}"
    )


def _enhance(options: argparse.Namespace) -> Answer | None:
    size = _frame_size(options)
    png = None if options.image is None else _picture(options.image)
    prompts = [options.prompt] if options.batch is None else batch(_lines(options.batch), options.expand)
    wanted = Wanted(
        prompts[0],
        png,
        backend=options.backend,
        server_url=options.server_url,
        server_model=options.model,
        image_model=options.image_model,
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
                if size is not None:
                    answer["made_frame"] = _make_frame(backend, made, options.make_frame, size, cancelled)
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


def _frame_size(options: argparse.Namespace) -> tuple[int, int] | None:
    """Of the frame to be made, everything checked that can be before a server is asked; None if none is wanted."""
    if options.make_frame is None:
        return None
    size = parse_size(options.size)
    check_size(*size)
    if options.batch is not None or options.image is not None:
        other = "--batch" if options.batch is not None else "--image"
        raise InputError(f"--make-frame makes one first frame of --prompt; leave {other} out.", field="make_frame")
    if not options.backend.startswith("server:"):
        raise cannot_make(options.backend)
    file = options.make_frame
    if file.suffix.lower() != ".png":
        raise InputError(
            f"--make-frame writes a PNG, and {file.name!r} is not called one; name it OUT.png.", field="out"
        )
    if not file.parent.is_dir():
        raise OutputError(
            f"Cannot write {file}: the folder does not exist; create it or choose another one.", field="out"
        )
    return size


def _make_frame(
    backend: Backend, made: Enhanced, file: Path, size: tuple[int, int], cancelled: Callable[[], bool]
) -> Answer:
    """Have the first frame made, cut it to `size`, write it; what is to be known of it."""
    print("making the first frame", file=sys.stderr, flush=True)
    picture = make_first_frame(backend, picture_request(made.frame, made.original), *size, cancelled)
    png, notes = prepare_frame(picture.png, *size)
    with replacing(file) as beside:
        beside.write_bytes(png)
    return {
        "file": str(file),
        "width": size[0],
        "height": size[1],
        "backend": picture.backend,
        "model": picture.model,
        "description": picture.description,
        "notes": list(notes),
    }


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
    if "made_frame" in answer:
        made = answer["made_frame"]
        lines += ["", f"{made['file']}: {made['width']}x{made['height']}, made by {made['model']} ({made['backend']})"]
    if answer["checks"]:
        lines.append("")
    for finding in answer["checks"]:
        words = f" ({'; '.join(finding['words'])})" if finding["words"] else ""
        lines.append(f"{'note' if finding['warning'] else 'FAULT'} {finding['rule']}: {finding['message']}{words}")
    return "\n".join(lines)
