"""Whether a clip is what was asked for, and in time: the gates of the demo checkpoint, clip by clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mova_studio.training.judge.hearing import audible_onsets, named_by_ear
from mova_studio.training.judge.seeing import named_by_sight, states_of, visible_hits
from mova_studio.training.world.scene import Scene

IN_TIME_SECONDS = 0.06


@dataclass(frozen=True)
class Verdict:
    """One clip against the scene whose caption and first frame it was made from.

    Attributes:
        looks_right: every actor's kind and colour are the named ones.
        sounds_right: every named sound is the commonest or second commonest that is heard, as many as are named.
        hits: visible ones.
        heard_in_time: how many of them have an onset of their own within 60 ms.
        onsets: audible ones, but for those in the last frame, where no hit can be told.
        unmatched: how many of them no hit has.
    """

    looks_right: bool
    sounds_right: bool
    hits: int
    heard_in_time: int
    onsets: int
    unmatched: int


def judge(frames: NDArray[np.uint8], audio: NDArray[np.float32], scene: Scene, frame_rate: float = 24.0) -> Verdict:
    """Look at frames uint8 [F, H, W, 3] and listen to audio float32 [n] at 48 kHz."""
    sights = [named_by_sight(frames, scene, actor) for actor in scene.actors]
    hits = np.concatenate(
        [visible_hits(states_of(frames, scene, actor), actor.kind, frame_rate) for actor in scene.actors]
    )
    onsets = audible_onsets(audio)
    heard = Counter(named_by_ear(audio, float(onset)) for onset in onsets)
    asked = {event.sound for event in scene.events}
    told = onsets[onsets < (len(frames) - 1.5) / frame_rate]
    matched = pairs_within(np.sort(hits), onsets, IN_TIME_SECONDS)
    return Verdict(
        looks_right=all(
            (sight.kind, sight.colour) == (actor.kind, actor.colour)
            for sight, actor in zip(sights, scene.actors, strict=True)
        ),
        sounds_right={sound for sound, _ in heard.most_common(len(asked))} == asked,
        hits=hits.size,
        heard_in_time=matched,
        onsets=told.size,
        unmatched=told.size - pairs_within(np.sort(hits), told, IN_TIME_SECONDS),
    )


def pairs_within(hits: NDArray[np.float64], onsets: NDArray[np.float64], reach: float) -> int:
    """How many of the rising `hits` have one of the rising `onsets` of their own at most `reach` seconds away."""
    found, place = 0, 0
    for hit in hits:
        while place < onsets.size and onsets[place] < hit - reach:
            place += 1
        if place < onsets.size and onsets[place] <= hit + reach:
            found, place = found + 1, place + 1
    return found
