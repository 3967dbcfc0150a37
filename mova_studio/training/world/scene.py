"""What happens in a clip of the toy world: who is there, in which colour, and what is struck when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["ball", "box", "bell", "drum", "lamp", "face"]
KINDS: tuple[Kind, ...] = ("ball", "box", "bell", "drum", "lamp", "face")
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 58, 48),
    "green": (62, 168, 76),
    "blue": (56, 104, 214),
    "yellow": (238, 200, 52),
    "purple": (148, 76, 190),
    "white": (236, 236, 232),
}
GROUNDS = ("wood", "metal", "stone")
SOUNDS = ("thud", "ping", "knock", "ring", "tap", "buzz", "ah", "oo")
# What a falling thing sounds like on each ground.
FALL_SOUNDS = {"wood": "thud", "metal": "ping", "stone": "knock"}
GRAVITY = 5.2  # heights of the picture per second squared
RESTITUTION = 0.72
GROUND_LEVEL = 0.84  # of the picture's height
DEEP_SECONDS = 0.05  # within which a resting ball's last bounces are left out


@dataclass(frozen=True)
class Event:
    """Something that is seen and heard.

    Attributes:
        time: seconds from the first frame.
        sound: one of SOUNDS.
        strength: 0 to 1.
        seconds: how long it lasts, for a buzz or a vowel; 0 for a stroke.
    """

    time: float
    sound: str
    strength: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Actor:
    """One thing in the picture.

    Attributes:
        kind: one of KINDS.
        colour: a name of COLOURS.
        x: its middle, 0 to 1 across the picture.
        size: its radius, in heights of the picture.
        start: height above the ground from which it falls, swings or strikes, in heights of the picture.
        events: in order of time.
    """

    kind: Kind
    colour: str
    x: float
    size: float
    start: float
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Scene:
    """A clip.

    Attributes:
        actors: one or two.
        ground: one of GROUNDS.
        sky: number of the background, 0 to 3.
        pan: how far the camera moves over the clip, in widths of the picture.
        seconds: length.
    """

    actors: tuple[Actor, ...]
    ground: str
    sky: int
    pan: float
    seconds: float

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that is heard, in order."""
        return tuple(sorted((event for actor in self.actors for event in actor.events), key=lambda each: each.time))


def sample_scene(
    rng: np.random.Generator,
    seconds: float,
    kinds: tuple[Kind, ...] = KINDS,
    *,
    actors: int = 1,
    most_pan: float = 0.0,
) -> Scene:
    """A scene drawn at random.

    Args:
        kinds: what may be in it.
        actors: how many there are; two stand left and right.
        most_pan: greatest distance that the camera moves.
    """
    ground = str(rng.choice(GROUNDS))
    places = [rng.uniform(0.35, 0.65)] if actors == 1 else [rng.uniform(0.22, 0.32), rng.uniform(0.68, 0.78)]
    colours = rng.choice(list(COLOURS), size=actors, replace=False)
    cast = tuple(
        _sample_actor(rng, kinds[int(rng.integers(len(kinds)))], str(colour), float(x), ground, seconds)
        for x, colour in zip(places, colours, strict=True)
    )
    return Scene(cast, ground, int(rng.integers(4)), float(rng.uniform(-most_pan, most_pan)), seconds)


def _sample_actor(rng: np.random.Generator, kind: Kind, colour: str, x: float, ground: str, seconds: float) -> Actor:
    if kind in ("ball", "box"):
        size, start = float(rng.uniform(0.10, 0.14)), float(rng.uniform(0.3, 0.55))
        return Actor(kind, colour, x, size, start, fall_events(kind, start, ground, seconds))
    if kind in ("bell", "drum"):
        size = float(rng.uniform(0.15, 0.19))
        first, gap = float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.28, 0.45))
        sound = "ring" if kind == "bell" else "tap"
        times = np.arange(first, seconds - 0.08, gap)
        # The height of the stick or clapper in the first frame tells when it will strike.
        return Actor(kind, colour, x, size, first, tuple(Event(float(time), sound, 0.9) for time in times))
    if kind == "lamp":
        on = float(rng.uniform(0.15, 0.45 * seconds))
        lit = float(rng.uniform(0.3, max(seconds - on - 0.05, 0.31)))
        lit = min(lit, seconds - on)
        return Actor(kind, colour, x, float(rng.uniform(0.15, 0.19)), 0.0, (Event(on, "buzz", 0.7, lit),))
    return Actor(kind, colour, x, float(rng.uniform(0.2, 0.25)), 0.0, _words(rng, seconds))


def fall_events(kind: Kind, start: float, ground: str, seconds: float) -> tuple[Event, ...]:
    """When a thing that falls from `start` meets the ground: a ball again and again, a box once."""
    events = []
    speed = math.sqrt(2 * GRAVITY * start)
    time, strength = speed / GRAVITY, 1.0
    while time < seconds - 0.04:
        events.append(Event(time, FALL_SOUNDS[ground], strength))
        if kind == "box":
            break
        speed *= RESTITUTION
        if 2 * speed / GRAVITY < DEEP_SECONDS * 3:
            break
        time += 2 * speed / GRAVITY
        strength *= RESTITUTION
    return tuple(events)


def height_at(kind: Kind, start: float, time: float) -> float:
    """How high a falling thing is above the ground, in heights of the picture."""
    speed = math.sqrt(2 * GRAVITY * start)
    landing = speed / GRAVITY
    if time < landing:
        return start - GRAVITY * time * time / 2
    if kind == "box":
        return 0.0
    while True:
        speed *= RESTITUTION
        flight = 2 * speed / GRAVITY
        if flight < DEEP_SECONDS * 3:
            return 0.0
        if time < landing + flight:
            since = time - landing
            return speed * since - GRAVITY * since * since / 2
        landing += flight


def _words(rng: np.random.Generator, seconds: float) -> tuple[Event, ...]:
    """Vowels one after the other, as a face speaks them."""
    events = []
    time = float(rng.uniform(0.12, 0.3))
    vowel = str(rng.choice(("ah", "oo")))
    while time < seconds - 0.2:
        length = float(min(rng.uniform(0.16, 0.3), seconds - time - 0.03))
        events.append(Event(time, vowel, 0.8, length))
        time += length + float(rng.uniform(0.12, 0.25))
    return tuple(events)
