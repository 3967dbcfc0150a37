"""What is seen: which thing in which colour, in which state in each frame, and when it strikes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from mova_studio.training.judge.poses import Pose, poses_of
from mova_studio.training.world.drawing import frame_at
from mova_studio.training.world.scene import COLOURS, KINDS, Actor, Kind, Scene

_LOOKS = 5  # frames in which kind and colour are looked at
_BOUNCE = 0.15, 0.04  # the highest turn of a ball that is one, and the least fall, in heights of the picture
_STROKE = 0.6, 0.15  # the same of a stick or a hammer, in shares of its way
_FLANK = 3  # frames before and after a turn in which the motion is steepest
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
    return (_turns(states, *_BOUNCE) if kind == "ball" else _turns(states, *_STROKE)) / frame_rate


def _turns(states: NDArray[np.float64], highest: float, least: float) -> NDArray[np.float64]:
    """Frames, with fractions, at which states fall and rise again: where the lines of both flanks meet.

    Args:
        highest: a turn above it is none.
        least: how far they must have fallen; half of it must be seen of the rise, which the last frame may cut short.
    """
    turns, seen = find_peaks(-states, prominence=least / 2, plateau_size=1)
    found: list[float] = []
    for turn, first, last, base in zip(turns, seen["left_edges"], seen["right_edges"], seen["left_bases"], strict=True):
        if states[turn] > highest or states[base] - states[turn] < least:
            continue
        begin = max(first - _FLANK, 0)
        falls, rises = -np.diff(states[begin : first + 1]), np.diff(states[last : last + _FLANK + 1])
        before, after = begin + int(falls.argmax()), last + int(rises.argmax())
        apart = states[before] + falls.max() * before - states[after] + rises.max() * after
        found.append(float(np.clip(apart / (falls.max() + rises.max()), first - 1.5, last + 1.5)))
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
