"""`python -m mova_studio timeline`: new, add, check, render, proxy, and to and from other programs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from mova_studio.atomic import check_writable
from mova_studio.errors import InputError, OutputError
from mova_studio.library.shot import parse_size
from mova_studio.media.rate import exact_rate

if TYPE_CHECKING:
    from mova_studio.timeline.model import Timeline
    from mova_studio.timeline.render import Progress

Answer = dict[str, Any]
_EVENT_SECONDS, _LIVE_SECONDS, _LINE_SECONDS = 0.25, 0.2, 10.0
_TRANSITIONS = ("cut", "dissolve", "black", "white")
_DISSOLVE_SECONDS = 0.5


def add_timeline_commands(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `timeline` and its commands; `add` makes one that answers with a dict and tells it in words."""
    timeline = commands.add_parser("timeline", help="cut takes to a film and render it")
    timeline.set_defaults(
        run=lambda options: timeline.print_help(), tell=str, verdict=lambda answer: 0, json=False
    )  # of `timeline` alone
    verbs = timeline.add_subparsers(title="commands", metavar="COMMAND")
    new = add(verbs, "new", "an empty timeline", _new, _tell_timeline)
    new.add_argument("--size", default="1280x720", metavar="WxH", help="(1280x720)")
    new.add_argument("--fps", default="24", metavar="F", help="such as 24, 23.976 or 30000/1001 (24)")
    new.add_argument("--name", default="", metavar="TEXT")
    new.add_argument("--force", action="store_true", help="replace a file that is there")
    clip = add(verbs, "add", "a clip at the end", _add_clip, _tell_timeline)
    render = add(verbs, "render", "make the film", _render, _tell_rendered)
    check = add(verbs, "check", "what would stop a render", _check, _tell_check)
    check.set_defaults(verdict=lambda answer: 2 if answer["problems"] else 0)
    proxy = add(verbs, "proxy", "a small quick film for a preview", _proxy, _tell_rendered)
    export = add(verbs, "export-otio", "a file for other programs: .otio, .edl or .xml", _export, _tell_export)
    folder = add(verbs, "export-folder", "a folder with all media, for other programs", _export_folder, _tell_export)
    for parser in (new, clip, render, check, proxy, export, folder):
        parser.add_argument("file", type=Path, metavar="FILE", help="the timeline")
    _add_clip_options(clip)
    render.add_argument("--preset", required=True, metavar="NAME", help="web, vertical, intermediate, gif, sound ...")
    render.add_argument("--size", metavar="WxH", help="in the place of the preset's")
    render.add_argument("--captions", default="none", choices=("none", "burn", "files"), help="(none)")
    for parser in (render, proxy):
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="replaced if it exists")
        parser.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")
    export.add_argument("out", type=Path, metavar="OUT")
    folder.add_argument("out", type=Path, metavar="DIR", help="new or empty")
    read = add(verbs, "import-otio", "a timeline from an .otio file", _import, _tell_timeline)
    read.add_argument("otio", type=Path, metavar="OTIO")
    read.add_argument("file", type=Path, metavar="FILE", help="the timeline to write")
    read.add_argument("--force", action="store_true", help="replace a file that is there")


def _add_clip_options(clip: argparse.ArgumentParser) -> None:
    clip.add_argument("media", type=Path, metavar="MEDIA")
    clip.add_argument("--in", dest="start", type=int, default=0, metavar="FRAME", help="first frame of the source (0)")
    clip.add_argument("--out", dest="stop", type=int, metavar="FRAME", help="the first one not shown (its end)")
    clip.add_argument(
        "--transition", default="cut", choices=_TRANSITIONS, help="from the clip before (cut); a dissolve overlaps"
    )
    clip.add_argument("--frames", type=int, metavar="N", help="length of the transition (half a second)")
    clip.add_argument("--speed", type=float, default=1.0, metavar="X", help="0.5 to 2 (1)")
    clip.add_argument("--gain", type=float, default=0.0, metavar="DB", help="level of its sound (0)")
    clip.add_argument("--mute", action="store_true", help="without its sound")
    clip.add_argument("--fit", default="letterbox", choices=("letterbox", "crop"), help="another shape (letterbox)")
    clip.add_argument("--match-colour", action="store_true", help="to the end of the clip before")


class _Reporter:
    """Progress on standard error, and whether the person wants it to stop."""

    def __init__(self, *, events: bool) -> None:
        self._events, self._live = events, sys.stderr.isatty() and not events
        self._seconds = _EVENT_SECONDS if events else _LIVE_SECONDS if self._live else _LINE_SECONDS
        self._told: float | None = None
        self._stopped = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True

    def cancelled(self) -> bool:
        return self._stopped

    def progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._told is not None and now - self._told < self._seconds and progress.share < 1:
            return
        self._told = now
        if self._events:
            event = {"event": "progress", "fraction": round(progress.share, 4), "stage": progress.stage}
            left = progress.seconds_left
            event |= {"frame": progress.frame, "frames": progress.frames}
            event["seconds_left"] = None if left is None else round(left, 1)
            print(json.dumps(event), file=sys.stderr, flush=True)
        else:
            left_words = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
            words = f"{progress.stage}: frame {progress.frame} of {progress.frames}{left_words}"
            print(f"{words:60}", end="\r" if self._live else "\n", file=sys.stderr, flush=True)


def _new(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.file import save
    from mova_studio.timeline.model import Timeline

    _refuse_existing(options.file, force=options.force)
    timeline = Timeline(*parse_size(options.size), _rate(options.fps), options.name)
    save(timeline, options.file)
    return _timeline_answer(timeline, options.file)


def _add_clip(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.clip import Transition
    from mova_studio.timeline.edits import clip_of
    from mova_studio.timeline.file import load, save
    from mova_studio.timeline.source import source_of

    timeline = load(options.file)
    source = source_of(options.media)
    transition = None
    if options.transition != "cut":
        frames = max(1, round(_DISSOLVE_SECONDS * timeline.frame_rate)) if options.frames is None else options.frames
        transition = Transition(options.transition, frames)
    elif options.frames is not None:
        raise InputError("A cut has no length; leave out --frames, or choose another --transition.", field="frames")
    clip = clip_of(
        source,
        options.start,
        options.stop,
        speed=options.speed,
        gain_db=None if options.mute else options.gain,
        transition=transition,
        fit=options.fit,
        match_colour=options.match_colour,
    )
    longer = dataclasses.replace(timeline, clips=(*timeline.clips, clip))
    save(longer, options.file)
    return _timeline_answer(longer, options.file) | {"clip": clip.clip_id}


def _render(options: argparse.Namespace) -> Answer:
    reporter = _Reporter(events=options.events)
    from mova_studio.timeline.export_preset import export_preset
    from mova_studio.timeline.file import load
    from mova_studio.timeline.render import render

    preset = export_preset(options.preset)
    rendered = render(
        load(options.file),
        preset,
        options.out,
        size=None if options.size is None else parse_size(options.size),
        captions=options.captions,
        on_progress=reporter.progress,
        cancelled=reporter.cancelled,
    )
    return rendered.to_dict() | {"preset": options.preset}


def _proxy(options: argparse.Namespace) -> Answer:
    reporter = _Reporter(events=options.events)
    from mova_studio.timeline.file import load
    from mova_studio.timeline.proxy import render_proxy

    timeline = load(options.file)
    return render_proxy(timeline, options.out, on_progress=reporter.progress, cancelled=reporter.cancelled).to_dict()


def _check(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.file import load
    from mova_studio.timeline.obstacles import obstacles

    timeline = load(options.file)
    return _timeline_answer(timeline, options.file) | {"problems": [each.to_dict() for each in obstacles(timeline)]}


def _export(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.exchange import export
    from mova_studio.timeline.file import load

    check_writable(options.out)
    exported = export(load(options.file), options.out)
    return {"path": str(exported.path.absolute()), "notes": list(exported.notes)}


def _export_folder(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.file import load
    from mova_studio.timeline.project_folder import write_folder

    exported = write_folder(load(options.file), options.out)
    return {"path": str(exported.path.absolute()), "notes": list(exported.notes)}


def _import(options: argparse.Namespace) -> Answer:
    from mova_studio.timeline.exchange import import_otio
    from mova_studio.timeline.file import save

    _refuse_existing(options.file, force=options.force)
    timeline, notes = import_otio(options.otio)
    save(timeline, options.file)
    return _timeline_answer(timeline, options.file) | {"notes": list(notes)}


def _refuse_existing(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; choose another name, or replace it with --force.", field="out")


def _rate(text: str) -> Fraction:
    try:
        if "/" in text:
            return Fraction(text.replace(" ", ""))
        return exact_rate(float(text))
    except (ValueError, ZeroDivisionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{text[:40]!r} frames per second cannot be read; write 24, 23.976 or 30000/1001.", field="frame_rate"
        ) from error


def _timeline_answer(timeline: Timeline, path: Path) -> Answer:
    from mova_studio.timeline.layout import film_frames, film_seconds, place

    return {
        "path": str(path.absolute()),
        "size": f"{timeline.width}x{timeline.height}",
        "frame_rate": float(timeline.frame_rate),
        "exact_frame_rate": str(timeline.frame_rate),
        "frames": film_frames(timeline),
        "seconds": film_seconds(timeline),
        "clips": [
            {"clip": placed.clip.clip_id, "start": placed.start, "frames": placed.length, "overlap": placed.overlap}
            for placed in place(timeline)
        ],
    }


def _tell_timeline(answer: Answer) -> str:
    first = (
        f"{answer['path']}: {answer['size']}, {answer['frame_rate']:g} frames per second, "
        f"{len(answer['clips'])} clips, {answer['frames']} frames ({answer['seconds']:.3f} s)"
    )
    return "\n".join([first, *(f"  {note}" for note in answer.get("notes", []))])


def _tell_check(answer: Answer) -> str:
    problems = [f"  {problem['message']}" for problem in answer["problems"]]
    return "\n".join([_tell_timeline(answer), *(problems or ["  nothing stands against rendering it"])])


def _tell_rendered(answer: Answer) -> str:
    loudness = answer["loudness"] or {}
    heard = [f"{name}: {value:.2f}" for name, value in loudness.items() if value is not None]
    seen = f"{answer['width']}x{answer['height']}, " if answer["width"] else ""
    rate = f"{answer['frames']} frames, {answer['frame_rate']:g} per second, " if answer["frames"] else ""
    return ", ".join([f"{answer['path']}: {seen}{rate}{answer['seconds']:.3f} s", *heard])


def _tell_export(answer: Answer) -> str:
    return "\n".join([answer["path"], *(f"  {note}" for note in answer["notes"])])
