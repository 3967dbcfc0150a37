"""A timeline as data: clips in order with their own sound, one track of music or voice-over, captions.

Nothing here reads a file. Pictures are counted in frames, sound in samples at 48 kHz; a value that cannot be is
refused where it is made, so that every timeline that exists can be rendered.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mova_studio.errors import InputError

SAMPLE_RATE = 48_000
MIN_SIDE, MAX_SIDE = 16, 8192
MIN_RATE, MAX_RATE = Fraction(1), Fraction(240)
MIN_SPEED, MAX_SPEED = 0.5, 2.0
MIN_GAIN_DB, MAX_GAIN_DB = -60.0, 24.0
MAX_CLIPS = 1000
MAX_CAPTIONS = 5000
MAX_TEXT = 1000
MAX_NAME = 200
_COLOUR = re.compile("#[0-9a-fA-F]{6}")

TransitionKind = Literal["dissolve", "black", "white"]
TRANSITIONS: tuple[TransitionKind, ...] = ("dissolve", "black", "white")
Fit = Literal["letterbox", "crop"]
FITS: tuple[Fit, ...] = ("letterbox", "crop")
TrackRole = Literal["music", "voice"]
ROLES: tuple[TrackRole, ...] = ("music", "voice")


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
        for field in ("num_frames", "num_samples", "width", "height"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} of {self.path} is {getattr(self, field)}, below 0.", field="source")
        if not MIN_RATE <= self.frame_rate <= 1000:
            raise InputError(
                f"{self.path} has {float(self.frame_rate):g} frames per second; 1 to 1000 can be used.", field="source"
            )
        _check_text(self.name, "name", MAX_NAME)


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
        _check_text(self.text, "text", MAX_TEXT)
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
        _check_id(self.clip_id, "clip_id")
        total = self.source.num_frames
        if total < 1:
            raise InputError(f"{_called(self)} has no picture; sound alone belongs on the sound track.", field="source")
        if not 0 <= self.start < total:
            raise InputError(
                f"{_called(self)} cannot start at frame {self.start}; it has {total} (0 to {total - 1}).", field="start"
            )
        if not self.start < self.stop <= total:
            raise InputError(
                f"{_called(self)} cannot stop before frame {self.stop}; give {self.start + 1} to {total}.", field="stop"
            )
        _check_range("speed", self.speed, MIN_SPEED, MAX_SPEED)
        if self.gain_db is not None:
            _check_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        for field in ("fade_in", "fade_out"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} is {getattr(self, field)} samples; give 0 or more.", field=field)
        if self.fit not in FITS:
            raise InputError(f"fit is {self.fit!r}, but must be one of {', '.join(FITS)}.", field="fit")
        _check_range("focus_x", self.focus_x, 0.0, 1.0)
        _check_range("focus_y", self.focus_y, 0.0, 1.0)


@dataclass(frozen=True)
class Sound:
    """A piece of music or speech on the sound track.

    Attributes:
        sound_id: letters and digits.
        source: a file with sound.
        at: frame of the timeline at which it begins.
        start, stop: samples of the source at 48 kHz; `stop` is the first one that is not heard.
        gain_db: its level.
        fade_in, fade_out: samples at 48 kHz.
        role: "music" is ducked under speech, "voice" is speech itself and ducks nothing but the music.
        duck_db: how far music goes down under speech, 0 or below.
    """

    sound_id: str
    source: Source
    at: int
    start: int
    stop: int
    gain_db: float = 0.0
    fade_in: int = 0
    fade_out: int = 0
    role: TrackRole = "music"
    duck_db: float = -12.0

    def __post_init__(self) -> None:
        _check_id(self.sound_id, "sound_id")
        total = self.source.num_samples
        if total < 1:
            raise InputError(f"{self.source.name or self.source.path} has no sound.", field="source")
        if self.at < 0:
            raise InputError(f"A sound cannot begin at frame {self.at}; give 0 or more.", field="at")
        if not 0 <= self.start < self.stop <= total:
            raise InputError(
                f"Samples {self.start} to {self.stop} of {self.source.name or self.source.path} cannot be heard; it "
                f"has {total}.",
                field="start",
            )
        _check_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        for field in ("fade_in", "fade_out"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} is {getattr(self, field)} samples; give 0 or more.", field=field)
        if self.role not in ROLES:
            raise InputError(f"role is {self.role!r}, but must be one of {', '.join(ROLES)}.", field="role")
        _check_range("duck_db", self.duck_db, MIN_GAIN_DB, 0.0)


@dataclass(frozen=True)
class Caption:
    """Words on the picture. They belong to a clip, and move and are cut with it.

    Attributes:
        caption_id: letters and digits.
        clip_id: its clip.
        start, stop: frames of the clip's source, also outside the part that is shown.
        text: lines are kept.
    """

    caption_id: str
    clip_id: str
    start: int
    stop: int
    text: str

    def __post_init__(self) -> None:
        _check_id(self.caption_id, "caption_id")
        _check_text(self.text, "text", MAX_TEXT)
        if not 0 <= self.start < self.stop:
            raise InputError(
                f"A caption from frame {self.start} to {self.stop} cannot be shown; it must end after it begins.",
                field="start",
            )


@dataclass(frozen=True)
class Timeline:
    """A film in the making.

    Attributes:
        width, height: pixels of the preview, and the shape into which clips are fitted.
        frame_rate: frames per second of the film.
        name: what the person calls it.
        clips: in their order.
        sounds: music and voice-over by where they begin; no two sound at once.
        captions: in no order.
    """

    width: int
    height: int
    frame_rate: Fraction
    name: str = ""
    clips: tuple[Clip, ...] = ()
    sounds: tuple[Sound, ...] = ()
    captions: tuple[Caption, ...] = ()

    def __post_init__(self) -> None:
        check_film_size(self.width, self.height)
        if not MIN_RATE <= self.frame_rate <= MAX_RATE:
            raise InputError(
                f"{float(self.frame_rate):g} frames per second cannot be shown; give {MIN_RATE} to {MAX_RATE}.",
                field="frame_rate",
            )
        _check_text(self.name, "name", MAX_NAME)
        for count, most, what in (
            (len(self.clips), MAX_CLIPS, "clips"),
            (len(self.sounds), MAX_CLIPS, "sounds"),
            (len(self.captions), MAX_CAPTIONS, "captions"),
        ):
            if count > most:
                raise InputError(f"A timeline of {count} {what} cannot be kept; {most} are the most.", field=what)
        _check_unique([clip.clip_id for clip in self.clips], "clip")
        _check_unique([sound.sound_id for sound in self.sounds], "sound")
        _check_unique([caption.caption_id for caption in self.captions], "caption")
        known = {clip.clip_id for clip in self.clips}
        for caption in self.captions:
            if caption.clip_id not in known:
                raise InputError(f"The caption {caption.text[:40]!r} belongs to a clip that is not here.")
        self._check_transitions()
        self._check_sounds()

    def _check_transitions(self) -> None:
        if self.clips and self.clips[0].transition is not None:
            raise InputError(
                "The first clip has nothing to come from; its transition must be a cut.", field="transition"
            )
        lengths = [clip_length(clip, self.frame_rate) for clip in self.clips]
        shares = transition_shares(self)
        for clip, length, (before, after) in zip(self.clips, lengths, shares, strict=True):
            if before + after > length:
                raise InputError(
                    f"{_called(clip)} shows {length} frames, but its transitions take {before} at its start and "
                    f"{after} at its end; shorten them to {length} together, or use a longer clip.",
                    field="frames",
                )
        for clip in self.clips:
            heard = sample_at(clip_length(clip, self.frame_rate), self.frame_rate)
            if clip.fade_in + clip.fade_out > heard:
                raise InputError(
                    f"{_called(clip)} sounds for {heard} samples, but fades in for {clip.fade_in} and out for "
                    f"{clip.fade_out}; shorten the fades.",
                    field="fade_in",
                )

    def _check_sounds(self) -> None:
        end = 0
        for sound in sorted(self.sounds, key=lambda each: each.at):
            begin = sample_at(sound.at, self.frame_rate)
            if begin < end:
                raise InputError(
                    f"{sound.source.name or sound.source.path} begins while the sound before it still plays; move it "
                    f"to frame {math.ceil(end * self.frame_rate / SAMPLE_RATE)} or later.",
                    field="at",
                )
            if sound.fade_in + sound.fade_out > sound.stop - sound.start:
                raise InputError(
                    f"{sound.source.name or sound.source.path} fades for longer than it sounds; shorten the fades.",
                    field="fade_in",
                )
            end = begin + sound.stop - sound.start

    def clip(self, clip_id: str) -> Clip:
        """The clip of an id.

        Raises:
            InputError: there is none.
        """
        return self.clips[self.index(clip_id)]

    def index(self, clip_id: str) -> int:
        """The place of a clip, counted from 0.

        Raises:
            InputError: there is none.
        """
        for index, clip in enumerate(self.clips):
            if clip.clip_id == clip_id:
                return index
        raise InputError(f"There is no clip {clip_id[:40]!r} on this timeline; reload the page.", field="clip")


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


def transition_shares(timeline: Timeline) -> list[tuple[int, int]]:
    """For each clip, how many of its frames are taken by the transition before it and by the one after it.

    A dissolve takes its whole length from both clips; a dip half from each, the odd frame from the second.
    """
    into = [clip.transition for clip in timeline.clips]
    after = [*into[1:], None]
    shares = []
    for first, second in zip(into, after, strict=False):
        before = 0 if first is None else first.frames if first.kind == "dissolve" else first.frames - first.frames // 2
        behind = 0 if second is None else second.frames if second.kind == "dissolve" else second.frames // 2
        shares.append((before, behind))
    return shares


def check_film_size(width: int, height: int) -> None:
    """Sides of a film: even, because H.264 stores colour for every second pixel.

    Raises:
        InputError: a side is odd, or out of range; it offers the nearest.
    """
    for side, value in (("width", width), ("height", height)):
        if not MIN_SIDE <= value <= MAX_SIDE or value % 2:
            nearest = min(max(value - value % 2, MIN_SIDE), MAX_SIDE)
            raise InputError(
                f"A film {value} pixels {'wide' if side == 'width' else 'high'} cannot be written; use an even number "
                f"from {MIN_SIDE} to {MAX_SIDE}, for example {nearest}.",
                field="size",
            )


def _called(clip: Clip) -> str:
    if isinstance(clip.source, Title):
        return f"The title {clip.source.text[:40]!r}"
    return clip.source.name or clip.source.path


def _check_id(value: str, field: str) -> None:
    if not (0 < len(value) <= 40 and value.isascii() and value.isalnum()):
        raise InputError(f"{field} is {value[:60]!r}, but must be 1 to 40 letters and digits.", field=field)


def _check_text(value: str, field: str, most: int) -> None:
    if len(value) > most:
        raise InputError(f"{field} has {len(value)} characters; {most} are the most.", field=field)


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{field} is {value:g}, but must be {low:g} to {high:g}.", field=field)


def _check_unique(names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two {what}s are called {twice!r}; each needs a name of its own.", field=f"{what}_id")
