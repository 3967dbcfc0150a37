"""A timeline as data: clips in order with their own sound, one track of music or voice-over, captions.

Nothing here reads a file. Pictures are counted in frames, sound in samples at 48 kHz; a value that cannot be is
refused where it is made, so that every timeline that exists can be rendered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mova_studio.errors import InputError
from mova_studio.timeline.checks import (
    MAX_GAIN_DB,
    MAX_NAME,
    MAX_TEXT,
    MIN_GAIN_DB,
    check_film_size,
    check_id,
    check_range,
    check_text,
    check_unique,
)
from mova_studio.timeline.clip import SAMPLE_RATE, Clip, Source, called, clip_length, sample_at

MIN_RATE, MAX_RATE = Fraction(1), Fraction(240)
MAX_CLIPS = 1000
MAX_CAPTIONS = 5000
TrackRole = Literal["music", "voice"]
ROLES: tuple[TrackRole, ...] = ("music", "voice")


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
        check_id(self.sound_id, "sound_id")
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
        check_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        for field in ("fade_in", "fade_out"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} is {getattr(self, field)} samples; give 0 or more.", field=field)
        if self.role not in ROLES:
            raise InputError(f"role is {self.role!r}, but must be one of {', '.join(ROLES)}.", field="role")
        check_range("duck_db", self.duck_db, MIN_GAIN_DB, 0.0)


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
        check_id(self.caption_id, "caption_id")
        check_text(self.text, "text", MAX_TEXT)
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
        check_text(self.name, "name", MAX_NAME)
        for count, most, what in (
            (len(self.clips), MAX_CLIPS, "clips"),
            (len(self.sounds), MAX_CLIPS, "sounds"),
            (len(self.captions), MAX_CAPTIONS, "captions"),
        ):
            if count > most:
                raise InputError(f"A timeline of {count} {what} cannot be kept; {most} are the most.", field=what)
        check_unique([clip.clip_id for clip in self.clips], "clip")
        check_unique([sound.sound_id for sound in self.sounds], "sound")
        check_unique([caption.caption_id for caption in self.captions], "caption")
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
                    f"{called(clip)} shows {length} frames, but its transitions take {before} at its start and "
                    f"{after} at its end; shorten them to {length} together, or use a longer clip.",
                    field="frames",
                )
        for clip in self.clips:
            heard = sample_at(clip_length(clip, self.frame_rate), self.frame_rate)
            if clip.fade_in + clip.fade_out > heard:
                raise InputError(
                    f"{called(clip)} sounds for {heard} samples, but fades in for {clip.fade_in} and out for "
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
