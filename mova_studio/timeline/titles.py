"""Titles: words in the middle of a plain ground, drawn by moviepy."""

from __future__ import annotations

import textwrap
import unicodedata

import numpy as np
from moviepy import ColorClip, CompositeVideoClip, TextClip
from PIL import Image

from mova_studio.timeline.clip import Title
from mova_studio.timeline.fonts import font_for

_LETTER_SHARE = 1 / 10  # of the height
_WIDTH_SHARE, _HEIGHT_SHARE = 0.86, 0.8
_LINE_LETTERS = 36  # Latin ones; a Chinese one is as wide as two
_SMALLEST = 6


def draw_title(title: Title, width: int, height: int) -> Image.Image:
    """The title at its clearest, RGB of width x height.

    Lines are kept; a long one is folded, and all of it is made smaller until it fits.

    Raises:
        InputError: no installed font has its letters; it names the package to install.
    """
    ground = ColorClip((width, height), color=_rgb(title.ground), duration=1)
    text = "\n".join(folded for line in title.text.splitlines() for folded in _folded(line))
    if not text.strip():
        return Image.fromarray(np.asarray(ground.get_frame(0), np.uint8))
    font = str(font_for(text).path)
    size = max(round(height * _LETTER_SHARE), _SMALLEST)
    words = _words(text, font, size, title.ink)
    fit = min(1.0, width * _WIDTH_SHARE / words.w, height * _HEIGHT_SHARE / words.h)
    if fit < 1:
        words = _words(text, font, max(int(size * fit), _SMALLEST), title.ink)
    film = CompositeVideoClip([ground, words.with_position("center")], size=(width, height))
    return Image.fromarray(np.asarray(film.get_frame(0), np.uint8))


def _words(text: str, font: str, size: int, ink: str) -> TextClip:
    # The margin keeps the feet of letters, which moviepy's own measure of a line cuts off.
    return TextClip(
        font=font,
        text=text,
        font_size=size,
        color=ink,
        text_align="center",
        interline=size // 4,
        margin=(size // 2, size // 2),
        duration=1,
    )


def _folded(line: str) -> list[str]:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
    if wide * 2 > len(line):
        step = _LINE_LETTERS // 2
        return [line[begin : begin + step] for begin in range(0, len(line), step)] or [""]
    return textwrap.wrap(line, _LINE_LETTERS) or [""]


def _rgb(colour: str) -> tuple[int, int, int]:
    digits = colour.removeprefix("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
