"""Where everything of a timeline lies in the film, in frames and samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mova_studio.timeline.clip import Clip, Title, clip_length, exact_speed, sample_at
from mova_studio.timeline.model import Caption, Timeline


@dataclass(frozen=True)
class Placed:
    """A clip in the film.

    Attributes:
        clip: the clip.
        start: the film's frame with which it begins; a dissolve begins here too.
        length: frames that it shows, those of its transitions included.
        overlap: frames that it shares with the clip before, in a dissolve.
    """

    clip: Clip
    start: int
    length: int
    overlap: int

    @property
    def stop(self) -> int:
        """The first frame of the film that it does not show."""
        return self.start + self.length


def place(timeline: Timeline) -> list[Placed]:
    """Every clip with its place."""
    placed: list[Placed] = []
    end = 0
    for clip in timeline.clips:
        length = clip_length(clip, timeline.frame_rate)
        transition = clip.transition
        overlap = transition.frames if transition is not None and transition.kind == "dissolve" else 0
        placed.append(Placed(clip, end - overlap, length, overlap))
        end += length - overlap
    return placed


def film_frames(timeline: Timeline) -> int:
    """How many frames the film has. Music beyond the last picture is not heard."""
    placed = place(timeline)
    return placed[-1].stop if placed else 0


def film_samples(timeline: Timeline) -> int:
    """How many samples at 48 kHz the film's sound has."""
    return sample_at(film_frames(timeline), timeline.frame_rate)


def film_seconds(timeline: Timeline) -> float:
    """Length of the film in seconds."""
    return float(film_frames(timeline) / timeline.frame_rate)


@dataclass(frozen=True)
class PlacedCaption:
    """A caption in the film, cut to what is shown of its clip: frames `start` to `stop`, the latter exclusive."""

    caption: Caption
    start: int
    stop: int


def place_captions(timeline: Timeline) -> list[PlacedCaption]:
    """Captions that are seen, in the order in which they appear."""
    clips = {placed.clip.clip_id: placed for placed in place(timeline)}
    found = []
    for caption in timeline.captions:
        placed = clips[caption.clip_id]
        clip = placed.clip
        start = max(film_frame_of(placed, caption.start, timeline.frame_rate), placed.start)
        stop = min(film_frame_of(placed, caption.stop, timeline.frame_rate), placed.stop)
        if caption.start < clip.stop and caption.stop > clip.start and start < stop:
            found.append(PlacedCaption(caption, start, stop))
    return sorted(found, key=lambda each: (each.start, each.stop))


def film_frame_of(placed: Placed, source_frame: int, frame_rate: Fraction) -> int:
    """The frame of the film at which a frame of a clip's source is due; it may lie outside the clip."""
    clip = placed.clip
    since = Fraction(source_frame - clip.start) / _rate(clip, frame_rate) / exact_speed(clip.speed) * frame_rate
    return placed.start + math.floor(since + Fraction(1, 2))


def source_frame_of(placed: Placed, film_frame: int, frame_rate: Fraction) -> int:
    """The frame of a clip's source that a frame of the film shows, kept within the clip."""
    clip = placed.clip
    since = Fraction(film_frame - placed.start) / frame_rate * exact_speed(clip.speed) * _rate(clip, frame_rate)
    return min(max(clip.start + math.floor(since + Fraction(1, 2)), clip.start), clip.stop - 1)


def _rate(clip: Clip, frame_rate: Fraction) -> Fraction:
    return frame_rate if isinstance(clip.source, Title) else clip.source.frame_rate
