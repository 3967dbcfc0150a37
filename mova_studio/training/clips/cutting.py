"""A film cut into clips of one length: within scenes, and never within what somebody says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Span = tuple[int, int]


@dataclass(frozen=True)
class Cutting:
    """How a film is cut; all in frames.

    Attributes:
        clips: (start, stop) of each, in order.
        short: frames of scenes, or of what is left of them, in which no clip fits.
        speech: frames where a clip would fit but its beginning or end would lie within a phrase.
    """

    clips: tuple[Span, ...]
    short: int
    speech: int


def cut_film(num_frames: int, scene_starts: Sequence[int], phrases: Sequence[Span], length: int) -> Cutting:
    """Lay clips of `length` frames one behind the other, as early as they can begin.

    Args:
        num_frames: of the film.
        scene_starts: first frames of scenes, 0 among them.
        phrases: (start, stop) of what is said, in frames; no clip begins or ends inside of one.
    """
    inside = np.zeros(num_frames + 1, bool)
    for start, stop in phrases:
        inside[start + 1 : min(stop, num_frames)] = True
    edges = [*sorted({start for start in scene_starts if 0 <= start < num_frames} | {0}), num_frames]
    clips: list[Span] = []
    short = speech = 0
    for begin, end in itertools.pairwise(edges):
        at = begin
        while at + length <= end:
            clean = np.flatnonzero(~inside[at : end - length + 1] & ~inside[at + length : end + 1])
            if not clean.size:
                break
            start = at + int(clean[0])
            speech += start - at
            clips.append((start, start + length))
            at = start + length
        if at + length <= end:
            speech += end - at
        else:
            short += end - at
    return Cutting(tuple(clips), short, speech)
