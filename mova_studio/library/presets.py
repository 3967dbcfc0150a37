"""Render presets: the settings that each checkpoint is meant to be run with, one small JSON file each."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from mova_studio.errors import InputError
from mova_studio.faults import first_fault
from mova_studio.library.shot import MAX_FRAMES, MAX_SIDE, Shot
from mova_studio.settings import PRESETS, trained_demo
from mova_studio.versioned_json import Part

RENDER_PRESETS = PRESETS / "render"


class RenderLimits(Part):
    """The most that a checkpoint is asked for, where that is less than what a `Shot` allows.

    Attributes:
        max_width, max_height: pixels. Their product limits the picture, so that a portrait and any
            other shape of no more pixels are allowed too.
        max_frames: frames.
    """

    max_width: int = Field(ge=16, le=MAX_SIDE)
    max_height: int = Field(ge=16, le=MAX_SIDE)
    max_frames: int = Field(ge=1, le=MAX_FRAMES)


class RenderPreset(Part):
    """What is used where a person gives nothing. Fields, units and ranges are those of `Shot`.

    Attributes:
        checkpoint: the `Shot.model` that the preset belongs to: "demo" or a hub id.
        limits: None where those of `Shot` are the only ones.
    """

    checkpoint: str
    width: int
    height: int
    num_frames: int
    frame_rate: float
    num_inference_steps: int
    guidance_scale: float
    bridge_guidance_scale: float
    video_shift: float
    audio_shift: float
    negative_prompt: str
    limits: RenderLimits | None = None

    @model_validator(mode="after")
    def _fit_a_shot(self) -> RenderPreset:
        Shot(prompt="preset", model=self.checkpoint, **self.settings())
        self.check_limits(self.width, self.height, self.num_frames)
        return self

    def settings(self) -> dict[str, Any]:
        """The preset as keyword arguments of `Shot`, without the prompt and the model."""
        return self.model_dump(exclude={"checkpoint", "limits"})

    def fit(self, settings: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Settings by the names of `Shot`, moved to what the checkpoint can make, and what was moved.

        A picture that is too large keeps its shape as well as multiples of 16 allow.
        """
        if self.limits is None:
            return settings, ()
        fitted, notes, most = dict(settings), [], self.limits
        width, height = settings.get("width", self.width), settings.get("height", self.height)
        pixels = most.max_width * most.max_height
        if width * height > pixels:
            smaller = math.sqrt(pixels / (width * height))
            sides = [min(max(int(side * smaller) // 16, 1), pixels // 256) * 16 for side in (width, height)]
            fitted |= {"width": sides[0], "height": sides[1]}
            notes.append(f"{width}x{height} is too large for {self.checkpoint}; {sides[0]}x{sides[1]} is used.")
        frames = settings.get("num_frames", self.num_frames)
        if frames > most.max_frames:
            fitted["num_frames"] = (most.max_frames - 1) // 4 * 4 + 1
            notes.append(f"{frames} frames are too many for {self.checkpoint}; {fitted['num_frames']} are used.")
        return fitted, tuple(notes)

    def check_limits(self, width: int, height: int, num_frames: int) -> None:
        """Refuse a size (pixels) or a length (frames) beyond the checkpoint's limits.

        Raises:
            InputError: naming the value, the limit and the field ("size" or "num_frames").
        """
        if self.limits is None:
            return
        most = self.limits
        if width * height > most.max_width * most.max_height:
            shapes = dict.fromkeys((f"{most.max_width}x{most.max_height}", f"{most.max_height}x{most.max_width}"))
            raise InputError(
                f"{width}x{height} is too large for {self.checkpoint}: the picture may have as many pixels as "
                f"{' or '.join(shapes)}.",
                field="size",
            )
        if num_frames > most.max_frames:
            raise InputError(
                f"{num_frames} frames are too many for {self.checkpoint}: at most {most.max_frames}.",
                field="num_frames",
            )


def load_render_preset(path: Path) -> RenderPreset:
    """The preset in a JSON file.

    Raises:
        InputError: the file is missing or damaged, or a field is unknown, missing, of another type or out
            of range; the message names the file, the field, the value and what is allowed.
    """
    try:
        return RenderPreset.model_validate(json.loads(path.read_text("utf-8")))
    except ValidationError as error:
        raise InputError(f"{path}: {first_fault(error, RenderPreset)}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a render preset ({error}); restore the file.") from error


def load_render_presets(folder: Path = RENDER_PRESETS) -> dict[str, RenderPreset]:
    """Every preset of a folder by its file's name without .json, in the order of the names.

    Raises:
        InputError: a file cannot be used, or there is none.
    """
    presets = {path.stem: load_render_preset(path) for path in sorted(folder.glob("*.json"))}
    if not presets:
        raise InputError(f"{folder} holds no render presets; restore the folder from the program's own copy.")
    return presets


def preset_for(model: str) -> RenderPreset:
    """The preset of a `Shot.model`: "demo", a hub id or a checkpoint folder.

    The trained demo, where it ships, has its own, and so has the untrained one that stands in for it. A hub id or a
    folder with "720p" in its name gets mova-720p, every other one mova-360p.
    """
    if model == "demo":
        return load_render_preset(RENDER_PRESETS / ("demo.json" if trained_demo() else "demo-untrained.json"))
    parts = Path(model).parts
    # In the hub's cache the folder itself is named after a commit, and the checkpoint's name is further up.
    names = [*parts[-1:], *(part for part in parts if part.startswith("models--"))]
    size = "720p" if any("720p" in name.lower() for name in names) else "360p"
    return load_render_preset(RENDER_PRESETS / f"mova-{size}.json")
