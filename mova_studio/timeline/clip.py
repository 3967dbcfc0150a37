"""Clips: a stretch of a take, or a title, and how it follows the one before."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mova_studio.errors import InputError
from mova_studio.timeline.checks import (
    MAX_GAIN_DB,
    MAX_NAME,
    MAX_TEXT,
    MIN_GAIN_DB,
    check_id,
    check_range,
    check_text,
    check_utf8,
)

SAMPLE_RATE = 48_000
MIN_SPEED, MAX_SPEED = 0.5, 2.0
TransitionKind = Literal["dissolve", "black", "white"]
TRANSITIONS: tuple[TransitionKind, ...] = ("dissolve", "black", "white")
Fit = Literal["letterbox", "crop"]
FITS: tuple[Fit, ...] = ("letterbox", "crop")
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Source:
    """A media file as it was measured when it came to the timeline.

    Attributes:
        path: absolute path.
        num_frames: pictures that a player shows; 0 for sound alone.
        frame_rate: pictures per second; the mean where it varies.
        width, height: pixels, upright; 0 for sound alone.
        num_samples: length of the sound in samples at 48 kHz; 0 without sound.
        take: the take's id in the library; "" for a file from elsewhere.
        name: what people call it.
    """

    path: str
    num_frames: int
    frame_rate: Fraction
    width: int
    height: int
    num_samples: int
    take: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if not self.path or "\0" in self.path:
            raise InputError("A clip needs the path of its file.", field="source")
        check_utf8(self.path, "path")
        for field in ("num_frames", "num_samples", "width", "height"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} of {self.path} is {getattr(self, field)}, below 0.", field="source")
        if not 1 <= self.frame_rate <= 1000:
            raise InputError(
                f"{self.path} has {float(self.frame_rate):g} frames per second; 1 to 1000 can be used.", field="source"
            )
        check_text(self.name, "name", MAX_NAME)
        check_text(self.take, "take", MAX_NAME)


@dataclass(frozen=True)
class Title:
    """Words on a plain ground, a clip without a file.

    Attributes:
        text: lines are kept.
        num_frames: of the timeline.
        ink, ground: colours as "#rrggbb".
    """

    text: str
    num_frames: int
    ink: str = "#eceae4"
    ground: str = "#14161a"

    def __post_init__(self) -> None:
        check_text(self.text, "text", MAX_TEXT)
        if self.num_frames < 1:
            raise InputError(f"A title of {self.num_frames} frames cannot be shown; give 1 or more.", field="frames")
        for field in ("ink", "ground"):
            digits = getattr(self, field).removeprefix("#")
            if len(digits) != 6 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
                raise InputError(
                    f"{field} is {getattr(self, field)!r}, but must be a colour like #14161a.", field=field
                )


@dataclass(frozen=True)
class Transition:
    """How a clip follows the one before.

    Attributes:
        kind: "dissolve" lets both overlap; "black" and "white" dip to that colour and back, without overlap.
        frames: of the timeline: length of the overlap, or of the whole dip.
    """

    kind: TransitionKind
    frames: int

    def __post_init__(self) -> None:
        if self.kind not in TRANSITIONS:
            raise InputError(
                f"A transition of kind {self.kind!r} is not known; use {', '.join(TRANSITIONS)}.", field="transition"
            )
        if self.frames < 1:
            raise InputError(
                f"A transition of {self.frames} frames cannot be made; give 1 or more, or a cut.", field="frames"
            )


@dataclass(frozen=True)
class Clip:
    """A stretch of one source.

    Attributes:
        clip_id: letters and digits; no two clips of a timeline share one.
        source: where picture and sound come from.
        start, stop: frames of the source; `stop` is the first one that is not shown.
        speed: 0.5 to 2; the sound keeps its pitch.
        gain_db: level of the sound; None mutes it.
        fade_in, fade_out: samples at 48 kHz, as heard.
        transition: from the clip before; None is a cut, and the first clip has none.
        fit: how the picture comes to the timeline's size, if it has another shape.
        focus_x, focus_y: where the middle of a crop lies, 0 (left, top) to 1.
        match_colour: bring its colours to those of the end of the clip before; for extended takes.
    """

    clip_id: str
    source: Source | Title
    start: int
    stop: int
    speed: float = 1.0
    gain_db: float | None = 0.0
    fade_in: int = 0
    fade_out: int = 0
    transition: Transition | None = None
    fit: Fit = "letterbox"
    focus_x: float = 0.5
    focus_y: float = 0.5
    match_colour: bool = False

    def __post_init__(self) -> None:
        check_id(self.clip_id, "clip_id")
        total = self.source.num_frames
        if total < 1:
            raise InputError(f"{called(self)} has no picture; sound alone belongs on the sound track.", field="source")
        if not 0 <= self.start < total:
            raise InputError(
                f"{called(self)} cannot start at frame {self.start}; it has {total} (0 to {total - 1}).", field="start"
            )
        if not self.start < self.stop <= total:
            raise InputError(
                f"{called(self)} cannot stop before frame {self.stop}; give {self.start + 1} to {total}.", field="stop"
            )
        check_range("speed", self.speed, MIN_SPEED, MAX_SPEED)
        if self.gain_db is not None:
            check_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        for field in ("fade_in", "fade_out"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} is {getattr(self, field)} samples; give 0 or more.", field=field)
        if self.fit not in FITS:
            raise InputError(f"fit is {self.fit!r}, but must be one of {', '.join(FITS)}.", field="fit")
        check_range("focus_x", self.focus_x, 0.0, 1.0)
        check_range("focus_y", self.focus_y, 0.0, 1.0)


def clip_length(clip: Clip, frame_rate: Fraction) -> int:
    """How many frames of a timeline of `frame_rate` a clip shows; at least 1, halves rounded up."""
    rate = frame_rate if isinstance(clip.source, Title) else clip.source.frame_rate
    shown = Fraction(clip.stop - clip.start) / rate / exact_speed(clip.speed) * frame_rate
    return max(1, math.floor(shown + Fraction(1, 2)))


def exact_speed(speed: float) -> Fraction:
    """A speed as the decimal that was typed."""
    return Fraction(repr(float(speed)))


def sample_at(frame: int, frame_rate: Fraction) -> int:
    """The sample at 48 kHz with which a frame of the timeline begins."""
    return math.floor(Fraction(frame * SAMPLE_RATE) / frame_rate + Fraction(1, 2))


def called(clip: Clip) -> str:
    if isinstance(clip.source, Title):
        return f"The title {clip.source.text[:40]!r}"
    return clip.source.name or clip.source.path
