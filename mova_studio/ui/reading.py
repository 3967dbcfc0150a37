"""From what stands in the fields of the page to a shot, or to an error that names the field."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from mova_studio.errors import InputError
from mova_studio.library.frames import prepare_frame
from mova_studio.library.origin import PromptOrigin
from mova_studio.library.presets import RenderPreset
from mova_studio.library.shot import Shot, check_prompt
from mova_studio.ui.adapters_form import uses_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import MadeFrame, digest_of
from mova_studio.ui.sizes import Settled, settle_frames, settle_seconds, settle_side

ANY_SEED = -1
_WORD = re.compile(r"[\u3040-\u9fff]|[^\W\u3040-\u9fff]+")
MAX_COUNT = 16
# In the order in which a person meets them, so that the first error is the topmost one.
NUMBERS = {
    "num_inference_steps": "steps.label",
    "guidance_scale": "guidance.label",
    "bridge_guidance_scale": "bridge.label",
    "video_shift": "video_shift.label",
    "audio_shift": "audio_shift.label",
    "guidance_start": "interval.start",
    "guidance_stop": "interval.stop",
}


@dataclass(frozen=True)
class Order:
    """A shot ready for the queue.

    Attributes:
        seed: None draws one.
        sides, length: as typed and as used.
        notes: what was changed in the pictures.
    """

    shot: Shot
    seed: int | None
    sides: tuple[Settled, Settled]
    length: Settled
    notes: tuple[str, ...]


def read_order(
    fields: Mapping[str, Any],
    model: str,
    preset: RenderPreset,
    language: str,
    length: str,
    origin: PromptOrigin | None = None,
    frame: MadeFrame | None = None,
) -> Order:
    """The order that stands in the page's fields. Slow with pictures: call it in a thread.

    Args:
        fields: by the names of `Shot`, and "seconds", "seed"; pictures as Gradio's file dicts.
        length: "seconds" if that field was changed last, so that frames follow it; else frames count.
        origin: of the prompt that was last rewritten on the page; kept if the prompt comes from it.
        frame: that was last made on the page; its origin is kept if it is the first frame.

    Raises:
        InputError: with the field at fault.
    """
    check_prompt(str(fields["prompt"] or ""))
    sides = (
        settle_side(read_number(fields["width"], "size", "width.label", language)),
        settle_side(read_number(fields["height"], "size", "height.label", language)),
    )
    width, height = sides[0].used, sides[1].used
    frame_rate = read_number(fields["frame_rate"], "frame_rate", "fps.label", language)
    if not 1 <= frame_rate <= 120:
        raise InputError(f"frame_rate is {frame_rate:g}, but must be from 1 to 120.", field="frame_rate")
    frames = read_length(fields["seconds"], fields["num_frames"], frame_rate, length, language)
    scales = {name: read_number(fields[name], name, label, language) for name, label in NUMBERS.items()}
    seed = read_seed(fields["seed"], language)
    settings: dict[str, Any] = {
        **scales,
        "num_inference_steps": round(scales["num_inference_steps"]),
        "width": width,
        "height": height,
        "num_frames": frames.used,
        "frame_rate": frame_rate,
        "negative_prompt": str(fields["negative_prompt"] or ""),
        "target_lufs": optional_number(fields["target_lufs"]),
        "step_cache": str(fields["step_cache"]),
        "adapters": uses_of(fields.get("adapters")),
    }
    shot = Shot(prompt=str(fields["prompt"]), model=model, **settings)
    preset.check_limits(width, height, shot.num_frames)
    pictures, notes = read_pictures(fields, width, height, language)
    whence = origin if origin is not None and comes_from(origin, shot.prompt) else None
    made = frame.origin if frame is not None and _is_first(frame, fields, language) else None
    whole = Shot(prompt=shot.prompt, model=model, **settings, **pictures, origin=whence, frame_origin=made)
    return Order(whole, seed, sides, frames, notes)


def _is_first(frame: MadeFrame, fields: Mapping[str, Any], language: str) -> bool:
    path = uploaded(fields.get("first_frame"), "first_frame", language)
    return path is not None and digest_of(path.read_bytes()) == frame.digest


def comes_from(origin: PromptOrigin, prompt: str) -> bool:
    """Whether a prompt is a rewrite, or was made from it by hand: more than half of its words are the rewrite's."""
    if prompt == origin.original:
        return False
    mine, theirs = Counter(_WORD.findall(prompt)), Counter(_WORD.findall(origin.rewritten))
    return 2 * (mine & theirs).total() > max(mine.total(), theirs.total())


def read_length(seconds: Any, frames: Any, frame_rate: float, changed: str, language: str) -> Settled:
    """The length from whichever of the two linked fields a person changed last."""
    if changed == "seconds":
        return settle_seconds(read_number(seconds, "num_frames", "seconds.label", language), frame_rate)
    return settle_frames(read_number(frames, "num_frames", "frames.label", language))


def read_pictures(
    fields: Mapping[str, Any], width: int, height: int, language: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The first and the last frame as PNG bytes, by name, and what was changed in them."""
    pictures: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    for name in ("first_frame", "last_frame"):
        path = uploaded(fields.get(name), name, language)
        if path is not None:
            pictures[name], made = prepare_frame(path, width, height, field=name)
            notes += made
    return pictures, notes


def uploaded(value: Any, field: str, language: str) -> Path | None:
    """The path of a picture that was uploaded to this page; no other file of the server is ever opened."""
    if not value:
        return None
    named = value.get("path") if isinstance(value, dict) else value
    if not isinstance(named, str):
        raise InputError(say(language, "error.picture"), field=field)
    path, cache = Path(named).resolve(), Path(get_upload_folder()).resolve()
    if cache not in path.parents or not path.is_file():
        raise InputError(say(language, "error.picture"), field=field)
    return path


def read_number(value: Any, field: str, label: str, language: str) -> float:
    """A number that has to be there."""
    number = optional_number(value)
    if number is None:
        raise InputError(say(language, "error.empty", name=say(language, label)), field=field)
    return number


def optional_number(value: Any) -> float | None:
    """A finite number, or None for an empty field and for what is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_seed(value: Any, language: str) -> int | None:
    """A seed from its text; None for -1 and for an empty field. A text, because a browser's numbers end at 2^53."""
    text = str(value if value is not None else "").strip()
    if text in ("", str(ANY_SEED)):
        return None
    try:
        seed = int(text)
    except ValueError:
        seed = ANY_SEED
    if seed < 0:
        raise InputError(say(language, "error.seed", value=text[:40]), field="seed")
    return seed


def read_count(value: Any, language: str) -> int:
    """How many takes are wanted at once; an empty field is one."""
    number = 1.0 if value in (None, "") else optional_number(value)
    if number is None or number != int(number) or not 1 <= number <= MAX_COUNT:
        raise InputError(say(language, "count.wrong", value=str(value)[:20], most=MAX_COUNT), field="count")
    return int(number)
