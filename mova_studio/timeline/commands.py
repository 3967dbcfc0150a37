"""Edits by their names, with values that nobody has checked yet: what the page and programs send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from mova_studio.errors import InputError
from mova_studio.timeline import edits
from mova_studio.timeline.arguments import Arguments
from mova_studio.timeline.captions import captions_from_prompt
from mova_studio.timeline.checks import MAX_NAME, MAX_TEXT
from mova_studio.timeline.clip import Source, Title, Transition, TransitionKind, called
from mova_studio.timeline.model import ROLES, Sound, Timeline, TrackRole

MAX_TITLE_FRAMES = 100_000
MAX_TOGETHER = 1000
_MAX_ID = 200


class FindSource(Protocol):
    """Where the media of a library are."""

    def __call__(self, kind: str, name: str) -> Source:
        """The measured file of a `kind`, "take" or "upload".

        Raises:
            InputError: there is none, or it cannot be used.
        """
        ...

    def prompt(self, take: str) -> str:
        """What a take was asked for.

        Raises:
            InputError: there is no such take.
        """
        ...


def apply(timeline: Timeline, op: Any, args: Any, find_source: FindSource) -> Timeline:
    """The timeline after a command.

    Args:
        op: name of the command, one of `COMMANDS`, or "several" for a list of them as one step.
        args: its values; ids are those of the timeline, take and upload those of the library.

    Raises:
        InputError: the command or a value is not known, of another type or out of range, or the edit cannot be made.
            The sentence says what can be.
    """
    if op == "several":
        return _several(timeline, Arguments(args, ("ops",)), find_source)
    if not isinstance(op, str) or op not in COMMANDS:
        raise InputError(f"There is no command {str(op)[:60]!r} for a timeline; there are {', '.join(COMMANDS)}.")
    known, command = COMMANDS[op]
    return command(timeline, Arguments(args, known), find_source)


def _several(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    for number, each in enumerate(args.list("ops", MAX_TOGETHER), 1):
        if not isinstance(each, dict) or each.get("op") == "several":
            raise InputError(f"Command {number} of several must be one command with op and args.", field="ops")
        timeline = apply(timeline, each.get("op"), each.get("args", {}), find_source)
    return timeline


def _insert(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    source = _source(args, find_source)
    start = args.whole("start") if args.has("start") else 0
    stop = args.whole("stop") if args.has("stop") else None
    return edits.insert(timeline, edits.clip_of(source, start, stop), _index(args))


def _move(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.move(timeline, _id(args, "clip"), args.whole("index"))


def _remove(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.remove(timeline, _id(args, "clip"))


def _duplicate(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.duplicate(timeline, _id(args, "clip"))


def _trim(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    edges = {name: args.whole(name) for name in ("start", "stop") if args.has(name)}
    return edits.trim(timeline, _id(args, "clip"), **edges)


def _split(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.split(timeline, _id(args, "clip"), args.whole("frame"))


def _transition(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    kind = args.text("kind")
    if kind == "cut":
        return edits.set_transition(timeline, _id(args, "clip"), None)
    return edits.set_transition(
        timeline, _id(args, "clip"), Transition(cast(TransitionKind, kind), args.whole("frames"))
    )


def _clip(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    read: dict[str, Callable[[str], Any]] = {
        "speed": args.number,
        "fade_in": args.whole,
        "fade_out": args.whole,
        "fit": args.text,
        "focus_x": args.number,
        "focus_y": args.number,
        "match_colour": args.flag,
    }
    settings = {name: read[name](name) for name in args.given() if name in read}
    if "gain_db" in args.given():
        settings["gain_db"] = args.number("gain_db") if args.has("gain_db") else None
    return edits.change_clip(timeline, _id(args, "clip"), **settings)


def _title(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    title = Title(args.text("text", MAX_TEXT), _title_frames(args), **_colours(args))
    return edits.insert(timeline, edits.clip_of(title), _index(args))


def _change_title(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    settings: dict[str, Any] = dict(_colours(args))
    if args.has("text"):
        settings["text"] = args.text("text", MAX_TEXT)
    if args.has("frames"):
        settings["num_frames"] = _title_frames(args)
    return edits.change_title(timeline, _id(args, "clip"), **settings)


def _replace(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    timeline.index(_id(args, "clip"))
    return edits.replace_source(timeline, _id(args, "clip"), _source(args, find_source))


def _add_sound(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    source = _source(args, find_source)
    role = _role(args) if args.has("role") else "music"
    at = args.whole("at") if args.has("at") else 0
    return edits.add_sound(timeline, Sound(edits.new_id(), source, at, 0, source.num_samples, role=role))


def _sound(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    settings: dict[str, Any] = {
        name: args.whole(name) for name in ("at", "start", "stop", "fade_in", "fade_out") if args.has(name)
    }
    settings |= {name: args.number(name) for name in ("gain_db", "duck_db") if args.has(name)}
    if args.has("role"):
        settings["role"] = _role(args)
    return edits.change_sound(timeline, _id(args, "sound"), **settings)


def _remove_sound(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.remove_sound(timeline, _id(args, "sound"))


def _add_caption(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    words = args.text("text", MAX_TEXT)
    return edits.add_caption(timeline, _id(args, "clip"), args.whole("start"), args.whole("stop"), words)


def _caption(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    settings: dict[str, Any] = {name: args.whole(name) for name in ("start", "stop") if args.has(name)}
    if args.has("text"):
        settings["text"] = args.text("text", MAX_TEXT)
    return edits.change_caption(timeline, _id(args, "caption"), **settings)


def _remove_caption(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    return edits.remove_caption(timeline, _id(args, "caption"))


def _make_captions(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    """Captions of one clip from its take's prompt, or of all clips that have one; those that were there go."""
    chosen = timeline.clip(_id(args, "clip")) if args.has("clip") else None
    for clip in timeline.clips if chosen is None else (chosen,):
        source = clip.source
        try:
            if isinstance(source, Title) or not source.take:
                raise InputError(
                    f"{called(clip)} was not made from a prompt; write its captions by hand.", field="clip"
                )
            captions = captions_from_prompt(timeline, clip.clip_id, find_source.prompt(source.take))
        except InputError:
            if chosen is not None:
                raise
            continue
        timeline = edits.set_captions(timeline, captions, clip.clip_id)
    return timeline


def _film(timeline: Timeline, args: Arguments, find_source: FindSource) -> Timeline:
    settings: dict[str, Any] = {name: args.whole(name) for name in ("width", "height") if args.has(name)}
    if args.has("name"):
        settings["name"] = args.text("name", MAX_NAME).strip()
    if args.has("frame_rate"):
        settings["frame_rate"] = args.rate("frame_rate")
    return edits.change_film(timeline, **settings)


def _id(args: Arguments, name: str) -> str:
    return args.text(name, _MAX_ID)


def _index(args: Arguments) -> int | None:
    return args.whole("index") if args.has("index") else None


def _source(args: Arguments, find_source: FindSource) -> Source:
    given = [kind for kind in ("take", "upload") if args.has(kind)]
    if len(given) != 1:
        raise InputError("Name one take or one upload.", field="take")
    return find_source(given[0], args.text(given[0], _MAX_ID))


def _role(args: Arguments) -> TrackRole:
    role = args.text("role")
    if role not in ROLES:
        raise InputError(f"role is {role[:40]!r}, but must be one of {', '.join(ROLES)}.", field="role")
    return role


def _colours(args: Arguments) -> dict[str, str]:
    return {name: args.text(name) for name in ("ink", "ground") if args.has(name)}


def _title_frames(args: Arguments) -> int:
    frames = args.whole("frames")
    if frames > MAX_TITLE_FRAMES:
        raise InputError(f"A title of {frames} frames is too long; {MAX_TITLE_FRAMES} are the most.", field="frames")
    return frames


_Command = Callable[[Timeline, Arguments, FindSource], Timeline]
COMMANDS: dict[str, tuple[tuple[str, ...], _Command]] = {
    "insert": (("take", "upload", "index", "start", "stop"), _insert),
    "move": (("clip", "index"), _move),
    "remove": (("clip",), _remove),
    "duplicate": (("clip",), _duplicate),
    "trim": (("clip", "start", "stop"), _trim),
    "split": (("clip", "frame"), _split),
    "transition": (("clip", "kind", "frames"), _transition),
    "clip": (("clip", *edits.CLIP_SETTINGS), _clip),
    "title": (("text", "frames", "index", "ink", "ground"), _title),
    "change_title": (("clip", "text", "frames", "ink", "ground"), _change_title),
    "replace": (("clip", "take", "upload"), _replace),
    "add_sound": (("take", "upload", "at", "role"), _add_sound),
    "sound": (("sound", *edits.SOUND_SETTINGS), _sound),
    "remove_sound": (("sound",), _remove_sound),
    "add_caption": (("clip", "start", "stop", "text"), _add_caption),
    "caption": (("caption", *edits.CAPTION_SETTINGS), _caption),
    "remove_caption": (("caption",), _remove_caption),
    "make_captions": (("clip",), _make_captions),
    "film": (edits.FILM_SETTINGS, _film),
}
