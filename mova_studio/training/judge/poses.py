"""The states that a thing of the world can be in, each as an actor that is in it at time 0."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mova_studio.training.world.scene import Actor, Event, Kind

HEIGHTS = 40  # of a thing that falls
STROKES = 24  # of a stick or a hammer
_GAP = 0.4  # seconds between the strokes of the posed actor
_LONG = 10.0  # seconds of the posed buzz or vowel


@dataclass(frozen=True)
class Pose:
    """One state.

    Attributes:
        value: how far from the hit: the height above the ground in heights of the picture, how far a stick or a
            hammer is raised (0 to 1), or 1 for a lamp that is dark and a mouth that is shut, 0 where they are on.
        actor: draws it at time 0.
    """

    value: float
    actor: Actor


def poses_of(actor: Actor, kind: Kind | None = None, colour: str | None = None) -> tuple[Pose, ...]:
    """All states of `actor`, or of another kind or colour in its place; those nearest to a hit first."""
    still = replace(actor, kind=kind or actor.kind, colour=colour or actor.colour, events=())
    if still.kind in ("ball", "box"):
        highest = max(actor.start, 0.3) * 1.05 if actor.kind in ("ball", "box") else 0.58
        return tuple(Pose(float(height), replace(still, start=float(height))) for height in _steps(highest))
    if still.kind in ("drum", "bell"):
        # Drawn a little before the stroke: at the stroke itself there are sparks.
        waits = np.linspace(1e-6, _GAP / 2, STROKES)
        return tuple(Pose(float(wait / (_GAP / 2)), replace(still, events=_strokes(float(wait)))) for wait in waits)
    if still.kind == "lamp":
        lit = replace(still, events=(Event(-1.0, "buzz", 0.7, _LONG),))
        return Pose(0.0, lit), Pose(1.0, still)
    return (*_open_mouths(still), Pose(1.0, still))


def _steps(highest: float) -> np.ndarray:
    # Finer near the ground, where it is told when a thing lands.
    return np.linspace(0, 1, HEIGHTS) ** 1.5 * highest


def _strokes(wait: float) -> tuple[Event, ...]:
    return Event(wait, "tap", 0.9), Event(wait + _GAP, "tap", 0.9)


def _open_mouths(still: Actor) -> tuple[Pose, ...]:
    """Half and wide open, for both vowels."""
    return tuple(
        Pose(0.0, replace(still, events=(Event(-since, vowel, 0.8, _LONG),)))
        for vowel in ("ah", "oo")
        for since in (0.02, 1.0)
    )
