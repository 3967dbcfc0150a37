"""Bringing the colours of a clip to those with which the clip before ended; for takes that extend one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import Cancelled, InputError
from mova_studio.media.probe import open_media
from mova_studio.timeline.clip import Source
from mova_studio.timeline.model import Timeline

FRAMES = 5  # that are compared, on each side of the cut
MIN_GAIN, MAX_GAIN = 0.8, 1.25
MAX_OFFSET = 24.0
_STEP = 7  # every so many pixels are enough to know an average
_FLAT = 1.0  # a channel that varies less has no contrast to match
_Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class ColourMatch:
    """Value v of a channel becomes v * gain + offset; red, green, blue of 0 to 255."""

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]

    def filter(self) -> str:
        """As a filter of ffmpeg."""
        tables = [
            f"{channel}='clip(val*{gain:.5f}+{offset:.4f},0,255)'"
            for channel, gain, offset in zip("rgb", self.gain, self.offset, strict=True)
        ]
        return f"format=gbrp,lutrgb={':'.join(tables)},scale=out_color_matrix=bt709:out_range=tv"

    def then(self, before: ColourMatch | None) -> ColourMatch:
        """This one for a clip whose neighbour was itself changed by `before`, kept within the same limits."""
        if before is None:
            return self
        gain = [own * theirs for own, theirs in zip(self.gain, before.gain, strict=True)]
        offset = [
            own * theirs + shift for own, theirs, shift in zip(self.offset, before.gain, before.offset, strict=True)
        ]
        return _limited(np.array(gain), np.array(offset))


def match_colours(before: _Frames, after: _Frames) -> ColourMatch:
    """What brings mean and spread of each channel of `after` to those of `before`, within mild limits.

    Args:
        before, after: uint8 RGB [n, 3], or of any shape that ends in 3.
    """
    first = np.asarray(before, np.float64).reshape(-1, 3)
    second = np.asarray(after, np.float64).reshape(-1, 3)
    spread = np.where(second.std(0) < _FLAT, 1.0, first.std(0) / np.maximum(second.std(0), _FLAT))
    gain = np.clip(spread, MIN_GAIN, MAX_GAIN)
    return _limited(gain, first.mean(0) - gain * second.mean(0))


def colour_matches(timeline: Timeline, cancelled: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """The filter for each clip that is to match the one before, by its id. Titles match nothing.

    Raises:
        InputError: a source has gone or is damaged.
        Cancelled: `cancelled()` said so between two clips.
    """
    found: dict[str, ColourMatch] = {}
    for before, clip in zip(timeline.clips, timeline.clips[1:], strict=False):
        if cancelled():
            raise Cancelled()
        if not clip.match_colour or not isinstance(clip.source, Source) or not isinstance(before.source, Source):
            continue
        end = shown_pixels(before.source, max(before.start, before.stop - FRAMES), before.stop)
        begin = shown_pixels(clip.source, clip.start, min(clip.start + FRAMES, clip.stop))
        found[clip.clip_id] = match_colours(end, begin).then(found.get(before.clip_id))
    return {clip_id: match.filter() for clip_id, match in found.items()}


def shown_pixels(source: Source, start: int, stop: int) -> _Frames:
    """A sample of the pixels of frames `start` to `stop` of a source, uint8 RGB [n, 3].

    Raises:
        InputError: it has gone, is damaged, or has no such frame.
    """
    pixels = []
    with open_media(Path(source.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for index, frame in enumerate(container.decode(stream)):
            if index >= stop:
                break
            if index >= start:
                pixels.append(frame.to_ndarray(format="rgb24")[::_STEP, ::_STEP].reshape(-1, 3))
    if not pixels:
        raise InputError(f"{source.name or source.path} has no frame {start}; replace its clips.", field="source")
    return np.concatenate(pixels)


def _limited(gain: NDArray[np.float64], offset: NDArray[np.float64]) -> ColourMatch:
    red, green, blue = (float(value) for value in np.clip(gain, MIN_GAIN, MAX_GAIN))
    shifts = tuple(float(value) for value in np.clip(offset, -MAX_OFFSET, MAX_OFFSET))
    return ColourMatch((red, green, blue), (shifts[0], shifts[1], shifts[2]))
