"""`python -m mova_studio generate`, and how its options make a shot."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from mova_studio.atomic import check_writable
from mova_studio.cli.plan import add_limit_options, limits_of
from mova_studio.errors import InputError
from mova_studio.jobs.adapters import check_adapters, read_uses
from mova_studio.library.frames import prepare_frame
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import SEED_LIMIT, STEP_CACHE_LEVELS, Shot, parse_interval, parse_size
from mova_studio.library.take import Take

Answer = dict[str, Any]
ANY_SEED = -1


def add_generate_command(commands: Any, add: Callable) -> None:
    """`generate`."""
    parser = add(commands, "generate", "make a take", _generate, _tell_generate)
    add_shot_options(parser)
    add_limit_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.mp4", help="replaced if it exists")


def add_shot_options(parser: argparse.ArgumentParser) -> None:
    """The options of a shot and its seed; `shot_of_options` reads them."""
    parser.add_argument("--model", default="demo", metavar="demo|DIR|HUB_ID")
    parser.add_argument("--prompt", required=True, metavar="TEXT")
    parser.add_argument("--negative", metavar="TEXT", help="what to steer away from")
    parser.add_argument("--image", type=Path, metavar="FILE", help="first frame; without one, a white frame")
    parser.add_argument("--last-image", type=Path, metavar="FILE", help="last frame")
    parser.add_argument("--seed", type=int, default=ANY_SEED, metavar="N", help="-1 draws one (default)")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--frames", type=int, metavar="N", help="4n + 1")
    parser.add_argument("--fps", type=float, metavar="F")
    parser.add_argument("--size", metavar="WxH", help="multiples of 16")
    parser.add_argument("--guidance", type=float, metavar="X", help="text guidance s_T")
    parser.add_argument("--bridge-guidance", type=float, metavar="X", help="bridge guidance s_B")
    parser.add_argument(
        "--guidance-interval",
        default="0:1",
        metavar="A:B",
        help="guide only this part of the run, as fractions of the steps; a step outside it runs one pass and "
        "follows the prompt less (0:1, every step)",
    )
    parser.add_argument(
        "--step-cache",
        default="off",
        metavar="|".join(STEP_CACHE_LEVELS),
        help="answer steps that change little from the step before: faster, and the take changes (off)",
    )
    parser.add_argument(
        "--adapter",
        action="append",
        default=[],
        metavar="NAME[=STRENGTH][@A:B]",
        help="an installed adapter (model adapters list), may be repeated; the strength (1) may be one for each part, "
        "high:1,low:0.5,audio:0,bridge:1, and A:B the part of the run in which it is there (0:1)",
    )
    parser.add_argument("--video-shift", type=float, metavar="X")
    parser.add_argument("--audio-shift", type=float, metavar="X")


def shot_of_options(options: argparse.Namespace) -> tuple[Shot, int | None, tuple[str, ...]]:
    """The shot, its seed (None draws one) and what was changed in its pictures.

    Raises:
        InputError: a value cannot be used; the message offers the nearest right one. Or an adapter is not installed, or
            is for another checkpoint.
    """
    if not (options.seed == ANY_SEED or 0 <= options.seed < SEED_LIMIT):
        raise InputError(f"--seed is {options.seed}, but must be from 0 to {SEED_LIMIT - 1}, or -1.", field="seed")
    preset = preset_for(options.model)
    width, height = (preset.width, preset.height) if options.size is None else parse_size(options.size)
    given = {
        "negative_prompt": options.negative,
        "num_frames": options.frames,
        "frame_rate": options.fps,
        "num_inference_steps": options.steps,
        "guidance_scale": options.guidance,
        "bridge_guidance_scale": options.bridge_guidance,
        "video_shift": options.video_shift,
        "audio_shift": options.audio_shift,
    }
    settings = {name: getattr(preset, name) if value is None else value for name, value in given.items()}
    start, stop = parse_interval(options.guidance_interval)
    shot = Shot(
        prompt=options.prompt,
        model=options.model,
        width=width,
        height=height,
        step_cache=options.step_cache,
        guidance_start=start,
        guidance_stop=stop,
        adapters=read_uses(options.adapter),
        **settings,
    )
    check_adapters(shot)
    notes: tuple[str, ...] = ()
    frames: dict[str, bytes] = {}
    for field, source in (("first_frame", options.image), ("last_frame", options.last_image)):
        if source is not None:
            frames[field], made = prepare_frame(source, width, height, field=field)
            notes += made
    shot = shot.with_frames(frames.get("first_frame"), frames.get("last_frame"))
    for note in notes:
        print(note, file=sys.stderr)
    return shot, None if options.seed == ANY_SEED else options.seed, notes


def _generate(options: argparse.Namespace) -> Answer:
    if options.out.suffix.lower() != ".mp4":
        raise InputError(f"--out is {options.out}, but takes are mp4 files; name it {options.out}.mp4.", field="out")
    check_writable(options.out)
    shot, given, notes = shot_of_options(options)
    seed = secrets.randbelow(2**31) if given is None else given
    return _take_answer(_make_take(shot, seed, options.out, limits_of(options)), notes)


def _make_take(shot: Shot, seed: int, out: Path, limits: dict[str, Any]) -> Take:
    """Run here, in this process; Ctrl-C cancels cleanly, a second one at once."""
    from mova_studio.jobs.engine import Engine
    from mova_studio.jobs.runner import make_take
    from mova_studio.placement.request import Limits

    allowed = Limits.from_dict(limits)
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return make_take(Engine(), shot, seed, out, ProgressLine(), cancelled=lambda: bool(stopped), limits=allowed)


class ProgressLine:
    """Events of a run as text on standard error: one line that changes, or one a stage where it is no terminal."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stage = ""

    def __call__(self, event: dict[str, Any]) -> None:
        if event["kind"] == "note":
            self._print(event["text"], last=True)
        elif event["kind"] == "progress" and (self._live or event["stage"] != self._stage):
            self._stage = event["stage"]
            self._print(describe_progress(event), last=not self._live or event["stage"] == "write")

    def _print(self, text: str, last: bool) -> None:
        start = "\r\x1b[K" if self._live else ""
        print(start + text, end="\n" if last else "", file=sys.stderr, flush=True)


def describe_progress(event: dict[str, Any]) -> str:
    """ "denoise 21/50, high-noise expert, 6 min 48 s left" from a progress event."""
    words = [event["stage"]]
    if event["stage"] == "denoise":
        words[0] += f" {event['step']}/{event['steps']}"
        if event["expert"]:
            words.append(f"{event['expert']}-noise expert")
    if event["seconds_left"] is not None:
        minutes, seconds = divmod(round(event["seconds_left"]), 60)
        words.append(f"{minutes} min {seconds} s left" if minutes else f"{seconds} s left")
    return ", ".join(words)


def _take_answer(take: Take, notes: tuple[str, ...]) -> Answer:
    return {
        "path": str(take.path),
        "seed": take.seed,
        "num_frames": take.num_frames,
        "frame_rate": take.frame_rate,
        "size": f"{take.width}x{take.height}",
        "width": take.width,
        "height": take.height,
        "steps": take.shot.num_inference_steps,
        "seconds": take.seconds,
        "loudness": {"integrated_lufs": take.integrated_lufs, "true_peak_dbtp": take.true_peak_dbtp},
        "measures": None if take.measures is None else take.measures.to_dict(),
        "checkpoint": take.checkpoint,
        "untrained": take.untrained,
        "notes": [*notes, *take.notes],
    }


def _tell_generate(answer: Answer) -> str:
    loudness = answer["loudness"]
    level = "silent" if loudness["integrated_lufs"] is None else f"{loudness['integrated_lufs']:.1f} LUFS"
    label = " [untrained demo: noise]" if answer["untrained"] else ""
    return (
        f"{answer['path']}: seed {answer['seed']}, {answer['size']}, {answer['num_frames']} frames, "
        f"{level}, {sum(answer['seconds'].values()):.1f} s{label}"
    )
