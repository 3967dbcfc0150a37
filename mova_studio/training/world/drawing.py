"""The world's pictures, drawn four times as large and made smaller, so that edges are smooth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mova_studio.training.world.scene import COLOURS, GROUND_LEVEL, Actor, Scene, height_at

_SCALE = 4
_SKIES = (
    ((188, 212, 232), (226, 236, 242)),
    ((232, 206, 176), (246, 232, 214)),
    ((60, 66, 98), (104, 110, 146)),
    ((198, 206, 196), (230, 234, 224)),
)
_GROUND_COLOURS = {"wood": (146, 100, 62), "metal": (128, 142, 158), "stone": (112, 110, 106)}
_DARK = (34, 34, 40)
SPARK_SECONDS = 0.085


def frames_of(scene: Scene, width: int, height: int, num_frames: int, frame_rate: float = 24.0) -> NDArray[np.uint8]:
    """The clip's pictures, uint8 RGB [F, H, W, 3]."""
    ground = _background(scene, width, height)
    pictures = [frame_at(scene, index / frame_rate, width, height, ground) for index in range(num_frames)]
    return np.stack(pictures)


def frame_at(
    scene: Scene, time: float, width: int, height: int, background: Image.Image | None = None
) -> NDArray[np.uint8]:
    """One picture, uint8 RGB [H, W, 3]."""
    picture = (_background(scene, width, height) if background is None else background).copy()
    shift = scene.pan * time / max(scene.seconds, 1e-6)
    pen = _Pen(ImageDraw.Draw(picture), width * _SCALE, height * _SCALE, shift)
    for actor in scene.actors:
        _DRAW[actor.kind](pen, actor, time)
        _draw_sparks(pen, actor, time)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX))


class _Pen:
    """Draws in heights of the picture: x from its left edge, y from its top."""

    def __init__(self, draw: ImageDraw.ImageDraw, width: int, height: int, shift: float) -> None:
        self._draw, self.height = draw, height
        self.aspect = width / height
        self._shift = shift * width

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.height - self._shift, y * self.height

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, fill: tuple[int, int, int]) -> None:
        self._draw.ellipse((*self._at(x - radius_x, y - radius_y), *self._at(x + radius_x, y + radius_y)), fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: tuple[int, int, int]) -> None:
        self._draw.rectangle((*self._at(left, top), *self._at(right, bottom)), fill)

    def shape(self, points: list[tuple[float, float]], fill: tuple[int, int, int]) -> None:
        self._draw.polygon([self._at(*point) for point in points], fill)

    def line(self, first: tuple[float, float], second: tuple[float, float], thick: float, fill: tuple) -> None:
        self._draw.line([self._at(*first), self._at(*second)], fill, max(round(thick * self.height), 1))


def _background(scene: Scene, width: int, height: int) -> Image.Image:
    top, bottom = (np.array(colour, float) for colour in _SKIES[scene.sky])
    rows = np.linspace(0, 1, height * _SCALE)[:, None]
    column = top + (bottom - top) * rows
    level = round(GROUND_LEVEL * height * _SCALE)
    column[level:] = _GROUND_COLOURS[scene.ground]
    column[level : level + max(height * _SCALE // 60, 1)] *= 0.8
    wide = np.broadcast_to(column[:, None], (height * _SCALE, width * _SCALE, 3))
    return Image.fromarray(wide.astype(np.uint8))


def _middle(pen: _Pen, actor: Actor) -> float:
    return actor.x * pen.aspect


def _shade(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    red, green, blue = (min(round(part * factor), 255) for part in colour)
    return red, green, blue


def _draw_ball(pen: _Pen, actor: Actor, time: float) -> None:
    x, radius = _middle(pen, actor), actor.size
    y = GROUND_LEVEL - radius - height_at("ball", actor.start, time)
    colour = COLOURS[actor.colour]
    pen.ellipse(x, GROUND_LEVEL + 0.02, radius * 0.9, 0.02, _DARK)
    pen.ellipse(x, y, radius, radius, _shade(colour, 0.75))
    pen.ellipse(x - radius * 0.1, y - radius * 0.1, radius * 0.82, radius * 0.82, colour)


def _draw_box(pen: _Pen, actor: Actor, time: float) -> None:
    x, half = _middle(pen, actor), actor.size
    bottom = GROUND_LEVEL - height_at("box", actor.start, time)
    colour = COLOURS[actor.colour]
    pen.ellipse(x, GROUND_LEVEL + 0.02, half, 0.02, _DARK)
    pen.box(x - half, bottom - 2 * half, x + half, bottom, _shade(colour, 0.75))
    pen.box(x - half * 0.82, bottom - 1.82 * half, x + half * 0.82, bottom - half * 0.18, colour)


def _until(actor: Actor, time: float) -> float:
    """How far a stroke is raised, 1 at its highest and 0 when it meets; the next one counts."""
    times = [event.time for event in actor.events]
    if not times:
        return 1.0
    gap = times[1] - times[0] if len(times) > 1 else 0.4
    nearest = min(times, key=lambda each: abs(each - time))
    return min(abs(nearest - time) / (gap / 2), 1.0) if nearest - time < gap else 1.0


def _draw_drum(pen: _Pen, actor: Actor, time: float) -> None:
    x, half = _middle(pen, actor), actor.size
    top, colour = GROUND_LEVEL - 1.5 * half, COLOURS[actor.colour]
    pen.box(x - half, top, x + half, GROUND_LEVEL, colour)
    pen.ellipse(x, GROUND_LEVEL, half, half * 0.22, _shade(colour, 0.75))
    pen.ellipse(x, top, half, half * 0.22, (240, 232, 214))
    raised = math.sin(_until(actor, time) * math.pi / 2)
    tip = (x, top - 0.02 - raised * 0.24)
    pen.line((x + half * 1.5, top - 0.16 - raised * 0.3), tip, 0.025, (92, 60, 34))
    pen.ellipse(*tip, 0.03, 0.03, (92, 60, 34))


def _draw_bell(pen: _Pen, actor: Actor, time: float) -> None:
    x, half = _middle(pen, actor), actor.size
    top, colour = 0.2, COLOURS[actor.colour]
    bottom = top + 2 * half
    pen.line((x, 0.0), (x, top), 0.02, _DARK)
    pen.shape([(x - half * 0.35, top), (x + half * 0.35, top), (x + half, bottom), (x - half, bottom)], colour)
    pen.ellipse(x, top + half * 0.1, half * 0.35, half * 0.25, colour)
    pen.box(x - half * 1.08, bottom - half * 0.16, x + half * 1.08, bottom, _shade(colour, 0.75))
    away = math.sin(_until(actor, time) * math.pi / 2)
    hammer = (x + half * 1.08 + 0.03 + away * 0.16, bottom - half * 0.3)
    pen.line((hammer[0] + 0.14, hammer[1] - 0.12), hammer, 0.022, _DARK)
    pen.ellipse(*hammer, 0.035, 0.035, _DARK)


def _draw_lamp(pen: _Pen, actor: Actor, time: float) -> None:
    x, half = _middle(pen, actor), actor.size
    colour = COLOURS[actor.colour]
    lit = any(event.time <= time < event.time + event.seconds for event in actor.events)
    bulb = GROUND_LEVEL - 0.42
    if lit:
        pen.ellipse(x, bulb, half * 1.5, half * 1.5, (255, 244, 190))
    pen.line((x, bulb), (x, GROUND_LEVEL), 0.03, _DARK)
    pen.ellipse(x, GROUND_LEVEL, half * 0.7, 0.025, _DARK)
    pen.shape(
        [
            (x - half * 0.5, bulb - half * 0.7),
            (x + half * 0.5, bulb - half * 0.7),
            (x + half, bulb + half * 0.4),
            (x - half, bulb + half * 0.4),
        ],
        colour if not lit else _shade(colour, 1.15),
    )
    pen.ellipse(x, bulb + half * 0.45, half * 0.35, half * 0.25, (255, 252, 226) if lit else (120, 120, 124))


def _draw_face(pen: _Pen, actor: Actor, time: float) -> None:
    x, radius = _middle(pen, actor), actor.size
    y, colour = GROUND_LEVEL - 0.12 - radius, COLOURS[actor.colour]
    pen.box(x - radius * 0.35, y + radius * 0.8, x + radius * 0.35, GROUND_LEVEL, _shade(colour, 0.75))
    pen.ellipse(x, y, radius, radius * 1.1, colour)
    for side in (-1, 1):
        pen.ellipse(x + side * radius * 0.38, y - radius * 0.3, radius * 0.13, radius * 0.17, _DARK)
    opened, round_ = mouth_at(actor, time)
    wide = radius * (0.42 - 0.2 * round_ * opened)
    pen.ellipse(x, y + radius * 0.48, wide, radius * (0.05 + 0.32 * opened), _DARK)


def mouth_at(actor: Actor, time: float) -> tuple[float, float]:
    """How far a mouth is open, 0 to 1, and how round it is, 0 or 1."""
    for event in actor.events:
        since = time - event.time
        if 0 <= since < event.seconds:
            edge = min(since, event.seconds - since) / 0.05
            return min(edge, 1.0) * 0.7 + 0.3, 1.0 if event.sound == "oo" else 0.0
    return 0.0, 0.0


def _draw_sparks(pen: _Pen, actor: Actor, time: float) -> None:
    """Short strokes where something was just struck."""
    for event in actor.events:
        since = time - event.time
        if event.seconds or not 0 <= since < SPARK_SECONDS:
            continue
        x, y = _struck_at(pen, actor)
        reach = actor.size * (0.5 + 0.5 * event.strength)
        for turn in (-0.9, -0.45, 0.0, 0.45, 0.9):
            direction = (math.sin(turn * math.pi / 2), -0.55 * math.cos(turn * math.pi / 2))
            first = (x + direction[0] * (actor.size + 0.03), y + direction[1] * 0.1)
            second = (first[0] + direction[0] * reach, first[1] + direction[1] * reach)
            pen.line(first, second, 0.02, (255, 255, 250))


def _struck_at(pen: _Pen, actor: Actor) -> tuple[float, float]:
    x = _middle(pen, actor)
    if actor.kind == "drum":
        return x, GROUND_LEVEL - 1.5 * actor.size
    if actor.kind == "bell":
        return x + 1.08 * actor.size, 0.2 + 1.7 * actor.size
    return x, GROUND_LEVEL


_DRAW = {
    "ball": _draw_ball,
    "box": _draw_box,
    "bell": _draw_bell,
    "drum": _draw_drum,
    "lamp": _draw_lamp,
    "face": _draw_face,
}
