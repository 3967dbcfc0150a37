"""A shot: what the person asks for. Immutable; everything needed to make its takes is inside it."""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mova_studio.adapter_use import AdapterUse, check_uses
from mova_studio.errors import InputError
from mova_studio.library.origin import FrameOrigin, PromptOrigin

SIZE_MULTIPLE = 16
MAX_SIDE = 2048
MAX_FRAMES = 4093
MAX_STEPS = 1000
MAX_PROMPT_CHARACTERS = 20_000
SEED_LIMIT = 2**63
STEP_CACHE_LEVELS = ("off", "light", "balanced", "fast")


@dataclass(frozen=True)
class Shot:
    """One request, in the argument names of `MovaPipeline`.

    Attributes:
        prompt: the scene, its dialogue and its sounds.
        model: "demo", a checkpoint folder or a hub id.
        negative_prompt: what to steer away from.
        first_frame, last_frame: PNG files' bytes, or None. Kept here and not as paths, so that a
            file that changes later cannot change the shot.
        width, height: pixels, multiples of 16.
        num_frames: 4n + 1 frames.
        frame_rate: frames per second.
        num_inference_steps: denoising steps, at least 1.
        guidance_scale: text guidance s_T (paper Eq. 6); 1 turns it off.
        bridge_guidance_scale: bridge guidance s_B (paper Eq. 6); 1 turns it off.
        video_shift, audio_shift: sigma shifts (paper Eq. 4), above 0.
        target_lufs: integrated loudness of the take in LUFS; None leaves the level alone.
        step_cache: how many steps may be answered from an earlier one's residuals, one of STEP_CACHE_LEVELS.
        guidance_start, guidance_stop: the guided part of the run, as fractions of the steps; outside it both
            guidance scales are 1.
        origin: what the prompt was before it was rewritten; None where the person wrote it.
        frame_origin: what the first frame was made of, and by whom; None where the person brought it.
        adapters: on the network, in the order in which they are added.

    Raises:
        InputError: a value is out of its range; the message offers the nearest right one.
    """

    prompt: str
    model: str = "demo"
    negative_prompt: str = ""
    first_frame: bytes | None = None
    last_frame: bytes | None = None
    width: int = 640
    height: int = 352
    num_frames: int = 193
    frame_rate: float = 24.0
    num_inference_steps: int = 50
    guidance_scale: float = 5.0
    bridge_guidance_scale: float = 1.0
    video_shift: float = 5.0
    audio_shift: float = 5.0
    target_lufs: float | None = -16.0
    step_cache: str = "off"
    guidance_start: float = 0.0
    guidance_stop: float = 1.0
    origin: PromptOrigin | None = None
    frame_origin: FrameOrigin | None = None
    adapters: tuple[AdapterUse, ...] = ()

    def __post_init__(self) -> None:
        check_prompt(self.prompt)
        check_size(self.width, self.height)
        check_num_frames(self.num_frames)
        _check_number("frame_rate", self.frame_rate, 1.0, 120.0)
        if not 1 <= self.num_inference_steps <= MAX_STEPS:
            raise InputError(
                f"{self.num_inference_steps} steps cannot be run; give 1 to {MAX_STEPS}.", field="num_inference_steps"
            )
        _check_number("guidance_scale", self.guidance_scale, 0.0, 100.0)
        _check_number("bridge_guidance_scale", self.bridge_guidance_scale, 0.0, 100.0)
        _check_number("video_shift", self.video_shift, 0.01, 100.0)
        _check_number("audio_shift", self.audio_shift, 0.01, 100.0)
        if self.target_lufs is not None:
            _check_number("target_lufs", self.target_lufs, -60.0, -5.0)
        if self.step_cache not in STEP_CACHE_LEVELS:
            raise InputError(
                f"step_cache is {self.step_cache!r}, but must be one of {', '.join(STEP_CACHE_LEVELS)}.",
                field="step_cache",
            )
        _check_number("guidance_start", self.guidance_start, 0.0, 1.0)
        _check_number("guidance_stop", self.guidance_stop, 0.0, 1.0)
        if self.guidance_stop < self.guidance_start:
            raise InputError(
                f"The guidance interval stops at {self.guidance_stop:g}, before its start at "
                f"{self.guidance_start:g}; give a stop from {self.guidance_start:g} to 1.",
                field="guidance_stop",
            )
        check_uses(self.adapters)

    def with_frames(self, first_frame: bytes | None, last_frame: bytes | None) -> Shot:
        """The same shot with these frames (PNG bytes)."""
        return dataclasses.replace(self, first_frame=first_frame, last_frame=last_frame)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; pictures become base64 text."""
        values = dataclasses.asdict(self)
        for name in ("origin", "frame_origin", "adapters"):
            if not values[name]:
                # Left out, so that such a shot has the name that it had before there were origins and adapters.
                del values[name]
        for name in ("first_frame", "last_frame"):
            if values[name] is not None:
                values[name] = base64.b64encode(values[name]).decode("ascii")
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Shot:
        """The inverse of `to_dict`.

        Raises:
            InputError: a field is unknown or out of range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"A shot has no field {', '.join(unknown)}; it was written by a newer version.")
        decoded = dict(values)
        try:
            for name in ("first_frame", "last_frame"):
                if decoded.get(name) is not None:
                    decoded[name] = base64.b64decode(decoded[name], validate=True)
            return _adapter().validate_python(decoded)
        except ValidationError as error:
            fault = error.errors()[0]
            cause = fault.get("ctx", {}).get("error")
            if isinstance(cause, InputError):
                raise cause from error
            where = ".".join(str(part) for part in fault["loc"])
            raise InputError(f"This record of a shot is damaged: {where}: {fault['msg']}.") from error
        except (TypeError, ValueError) as error:
            raise InputError(f"This record of a shot is damaged: {error}.") from error


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Shot]:
    # Takes milliseconds to make, and a page of takes reads many shots.
    return TypeAdapter(Shot)


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) from "640x352"; "640 × 352" and "640*352" are read too."""
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX×*]\s*(\d{1,5})\s*", text)
    if match is None:
        raise InputError(
            f"The size {text!r} cannot be read; write it as WIDTHxHEIGHT, for example 640x352.", field="size"
        )
    return int(match[1]), int(match[2])


def parse_interval(text: str) -> tuple[float, float]:
    """(start, stop) from "0.2:0.8"."""
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*:\s*(\d*\.?\d+)\s*", text)
    if match is None:
        raise InputError(
            f"The interval {text!r} cannot be read; write it as START:STOP in fractions of the steps, for example "
            "0.1:0.8.",
            field="guidance_start",
        )
    return float(match[1]), float(match[2])


def snap_side(pixels: float) -> int:
    """The nearest allowed side in pixels: a multiple of 16 from 16 to 2048, halves upwards."""
    units = math.floor(pixels / SIZE_MULTIPLE + 0.5)
    return min(max(units, 1), MAX_SIDE // SIZE_MULTIPLE) * SIZE_MULTIPLE


def snap_num_frames(frames: float) -> int:
    """The nearest allowed number of frames: 4n + 1 from 1 to 4093, halves upwards."""
    groups = math.floor((frames - 1) / 4 + 0.5)
    return min(max(groups, 0), (MAX_FRAMES - 1) // 4) * 4 + 1


def check_prompt(prompt: str) -> None:
    """Refuse an empty prompt and one that no screen could hold."""
    if not prompt.strip():
        raise InputError("The prompt is empty; describe the scene and its sound.", field="prompt")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise InputError(
            f"The prompt has {len(prompt)} characters and at most {MAX_PROMPT_CHARACTERS} are taken; shorten it.",
            field="prompt",
        )


def check_size(width: int, height: int) -> None:
    """Refuse a side that is not a multiple of 16, naming the nearest size that is."""
    if width == snap_side(width) and height == snap_side(height):
        return
    raise InputError(
        f"{width}x{height} cannot be made: both sides must be multiples of {SIZE_MULTIPLE} up to {MAX_SIDE}. "
        f"The nearest size is {snap_side(width)}x{snap_side(height)}.",
        field="size",
    )


def check_num_frames(num_frames: int) -> None:
    """Refuse a length that is not 4n + 1 frames, naming the nearest one that is."""
    if num_frames == snap_num_frames(num_frames):
        return
    raise InputError(
        f"{num_frames} frames cannot be made: the length must be 4n + 1, from 1 to {MAX_FRAMES}. "
        f"The nearest length is {snap_num_frames(num_frames)} frames.",
        field="num_frames",
    )


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{name} is {value}, but must be from {low:g} to {high:g}.", field=name)
