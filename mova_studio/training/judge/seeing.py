"""What is seen: which thing in which colour, in which state in each frame, and when it strikes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mova_studio.training.judge.poses import Pose, poses_of
from mova_studio.training.world.drawing import frame_at
from mova_studio.training.world.scene import COLOURS, KINDS, Actor, Kind, Scene

_LOOKS = 5  # frames in which kind and colour are looked at
_STRUCK = 0.34  # a stroke that comes no nearer is none
_FALLEN = 0.03  # heights of the picture
_EVERY = 4  # states left out when kinds and colours are compared


@dataclass(frozen=True)
class Named:
    """What an actor looks like most.

    Attributes:
        kind: one of KINDS.
        colour: a name of COLOURS.
    """

    kind: Kind
    colour: str


def named_by_sight(frames: NDArray[np.uint8], scene: Scene, actor: Actor) -> Named:
    """The kind and colour that come nearest to what stands in the actor's place.

    Args:
        frames: uint8 [F, H, W, 3].
        scene: whose background and places hold; what its actors are is not looked at but where they stand.
    """
    chosen = np.linspace(len(frames) // 3, len(frames) - 1, _LOOKS).round().astype(int)
    looked = _part(frames[chosen], scene, actor)
    errors: dict[tuple[Kind, str], float] = {}
    for kind in KINDS:
        for colour in COLOURS:
            bank, _ = _bank(frames, scene, actor, poses_of(actor, kind, colour)[::_EVERY])
            errors[kind, colour] = float(_distances(looked, bank).min(axis=1).mean())
    kind, colour = min(errors, key=lambda each: errors[each])
    return Named(kind, colour)


def states_of(frames: NDArray[np.uint8], scene: Scene, actor: Actor) -> NDArray[np.float64]:
    """How far the actor is from its hit in each frame, float64 [F]; see `Pose.value`."""
    bank, values = _bank(frames, scene, actor, poses_of(actor))
    return values[_distances(_part(frames, scene, actor), bank).argmin(axis=1)]


def visible_hits(states: NDArray[np.float64], kind: Kind, frame_rate: float) -> NDArray[np.float64]:
    """Seconds at which something is seen to strike, land, light up or begin to speak, between frames where the
    motion tells it."""
    if kind in ("lamp", "face"):
        begun = np.flatnonzero((states[1:] < 0.5) & (states[:-1] >= 0.5)).astype(np.float64)
        return (begun + 0.5) / frame_rate
    if kind == "box":
        return _landing(states) / frame_rate
    least = _FALLEN * 2 if kind == "ball" else _STRUCK
    return _turns(states, least, symmetric=kind != "ball") / frame_rate


def _turns(states: NDArray[np.float64], least: float, *, symmetric: bool) -> NDArray[np.float64]:
    """Frames, with fractions, at which states fall and rise again below `least`."""
    found: list[float] = []
    for index in range(1, len(states) - 1):
        before, here, after = states[index - 1 : index + 2]
        if here > least or not (before > here and after >= here):
            continue
        # Two straight lines of equal slope that meet at zero: a V through three points.
        slope = max(before, after) - here
        place = index + (np.clip((before - after) / (2 * slope), -0.5, 0.5) if slope > 0 else 0.0)
        if not symmetric and index > 1:
            falling = states[index - 2] - before
            if falling > 0:
                place = index - 1 + np.clip(before / max(falling, 1e-6), 0.3, 1.7)
        if not found or place - found[-1] > 1.5:
            found.append(float(place))
    return np.asarray(found)


def _landing(states: NDArray[np.float64]) -> NDArray[np.float64]:
    """The frame, with a fraction, at which a falling thing comes to rest."""
    down = np.flatnonzero((states[1:] <= _FALLEN) & (states[:-1] > _FALLEN)) + 1
    found = []
    for index in down[:1]:
        before = states[index - 1]
        falling = states[index - 2] - before if index > 1 else before
        found.append(index - 1 + float(np.clip(before / max(falling, 1e-6), 0.1, 1.0)))
    return np.asarray(found)


def _bank(
    frames: NDArray[Any], scene: Scene, actor: Actor, poses: tuple[Pose, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The poses drawn, float32 [P, H, w, 3], and their values [P]."""
    height, width = frames.shape[1:3]
    empty = replace(scene, pan=0.0)
    drawn = [frame_at(replace(empty, actors=(pose.actor,)), 0.0, width, height) for pose in poses]
    return _part(np.stack(drawn), scene, actor), np.asarray([pose.value for pose in poses])


def _part(frames: NDArray[Any], scene: Scene, actor: Actor) -> NDArray[np.float32]:
    """The columns that belong to the actor: its half where there are two."""
    width = frames.shape[2]
    if len(scene.actors) > 1:
        frames = frames[:, :, : width // 2] if actor.x < 0.5 else frames[:, :, width // 2 :]
    return frames.astype(np.float32)


def _distances(frames: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean squared differences [F, P]."""
    flat, known = frames.reshape(len(frames), -1), bank.reshape(len(bank), -1)
    products = (flat @ known.T) * (2 / flat.shape[1])
    return ((flat**2).mean(1)[:, None] + (known**2).mean(1)[None] - products).astype(np.float32)
