"""Pictures at a steady rate and mono sound at 48 kHz, both counted from the first picture's time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mova_studio.errors import InputError
from mova_studio.media.aac import SAMPLE_RATE
from mova_studio.media.probe import decode_audio, open_media, probe

FRAME_RATE = Fraction(24)
Media = Path | IO[bytes]
Fit = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
_MAX_PAUSE = 60  # seconds between two pictures; more is a broken clock
# What share of a picture's time must be left at the end of a film for one more: clocks of milliseconds are a bit off.
_LEAST_TAIL = Fraction(1, 4)
_SURROUND = np.array([1.0, 1.0, 1.0, 0.0, 0.7071, 0.7071], np.float32)  # 5.1 to mono, without the low effects


@dataclass(frozen=True)
class Clip:
    """Pictures and sound that start together.

    Attributes:
        frames: uint8 RGB [F, H, W, 3], upright, with square pixels.
        audio: float32 [round(48,000 F / frame_rate)], mono at 48 kHz.
        frame_rate: frames per second.
    """

    frames: NDArray[np.uint8]
    audio: NDArray[np.float32]
    frame_rate: Fraction = FRAME_RATE

    @property
    def seconds(self) -> float:
        return float(len(self.frames) / self.frame_rate)


def read_clip(
    media: Media,
    most_frames: int,
    fit: Fit = lambda pixels: pixels,
    *,
    start: Fraction = Fraction(0),
    frame_rate: Fraction = FRAME_RATE,
    film_sound: NDArray[np.float32] | None = None,
) -> Clip:
    """The first `most_frames` pictures from `start` on, or as many as there are, with their sound.

    The sound is cut, or led out with silence, to the pictures' length.

    Args:
        fit: what is done to each picture as soon as it is decoded, so that large ones are never held.
        start: seconds after the first picture.
        film_sound: what `sound` gave for this film, where it is known.

    Raises:
        InputError: no picture, no sound, damaged or cut short.
    """
    if film_sound is None:
        _rewind(media)
        probe(media)
        film_sound = sound(media)
    steady = pictures(media, start=start, frame_rate=frame_rate)
    frames = [fit(pixels) for pixels in itertools.islice(steady, most_frames)]
    if not frames:
        raise InputError(f"There is no picture {float(start):.2f} s after the first one.")
    if len({pixels.shape for pixels in frames}) > 1:
        raise InputError("The picture's size changes within the clip; encode it again at one size.")
    begin = round(start * SAMPLE_RATE)
    return Clip(np.stack(frames), fitted_sound(film_sound[begin:], len(frames), frame_rate), frame_rate)


def fitted_sound(samples: NDArray[np.float32], num_frames: int, frame_rate: Fraction) -> NDArray[np.float32]:
    """`samples` [n] cut, or led out with silence, to the length of `num_frames` pictures."""
    length = round(SAMPLE_RATE * num_frames / frame_rate)
    cut = samples[:length]
    return np.pad(cut, (0, length - cut.size))


def sound(media: Media) -> NDArray[np.float32]:
    """All of a film's sound, mono at 48 kHz, float32 [n]; sample 0 sounds with the first picture.

    A sound that begins later is led in with silence. Channels are averaged; of 5.1 without the low effects and with
    the surround at -3 dB.

    Raises:
        InputError: no picture, no sound, or damaged.
    """
    with _opened(media) as container:
        stream = _picture_stream(container)
        first = next(_timed(container, stream), None)
        if first is None:
            raise InputError("There is a picture track without any picture in it.")
        ahead = first[0] - max(Fraction(container.start_time or 0, av.time_base), Fraction(0))
    _rewind(media)
    channels, rate = decode_audio(media)
    weights = _SURROUND if len(channels) == 6 else np.ones(len(channels), np.float32)
    mono = (weights / weights.sum()) @ channels
    if rate != SAMPLE_RATE:
        common = math.gcd(rate, SAMPLE_RATE)
        mono = resample_poly(mono, SAMPLE_RATE // common, rate // common)
    lead = -round(ahead * SAMPLE_RATE)
    return np.pad(mono[max(-lead, 0) :], (max(lead, 0), 0)).astype(np.float32)


def pictures(
    media: Media, *, start: Fraction = Fraction(0), frame_rate: Fraction = FRAME_RATE
) -> Iterator[NDArray[np.uint8]]:
    """Pictures at a steady rate, uint8 RGB [H, W, 3], upright and with square pixels.

    Each is the one whose time is nearest, of two the earlier; what the film's own rate is, or whether it has one, does
    not matter.

    Args:
        start: seconds after the first picture.

    Raises:
        InputError: no picture, or damaged.
    """
    with _opened(media) as container:
        stream = _picture_stream(container)
        stream.thread_type = "AUTO"
        shape = _Shape(stream)
        timed = _timed(container, stream)
        first = next(timed, None)
        if first is None:
            return
        begin = first[0] + start
        timed = itertools.chain([first], timed)
        if start > 0:
            timed = _sought(container, stream, begin)
        shown = None
        for frame in _steady(timed, begin, frame_rate):
            if frame is not shown:
                shown, pixels = frame, shape.pixels(frame)
            yield pixels


class _Shape:
    """Makes decoded frames upright RGB with square pixels."""

    def __init__(self, stream: Any) -> None:
        self._aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        self._converter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width = max(round(frame.width * self._aspect), 1)
        rgb = self._converter.reformat(
            frame, width=width, height=frame.height, format="rgb24", interpolation="BICUBIC"
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(rgb, frame.rotation // 90))


def _steady(
    timed: Iterator[tuple[Fraction, av.VideoFrame]], begin: Fraction, frame_rate: Fraction
) -> Iterator[av.VideoFrame]:
    """Of frames with rising times, those nearest to `begin`, `begin` + 1 / `frame_rate` and so on."""
    index, gap = 0, 1 / frame_rate
    held: tuple[Fraction, av.VideoFrame] | None = None
    for time, frame in timed:
        if held is not None:
            gap = time - held[0]
            while 2 * (begin + index / frame_rate) <= time + held[0]:
                yield held[1]
                index += 1
        held = time, frame
    if held is None:
        return
    last = held[1]
    if last.duration and last.time_base:
        gap = last.duration * last.time_base
    while begin + (index + _LEAST_TAIL) / frame_rate <= held[0] + gap:
        yield last
        index += 1


def _timed(container: InputContainer, stream: Any) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Frames with their times in seconds on the file's clock, rising; one that goes back in time is left out."""
    last: Fraction | None = None
    usual = 1 / Fraction(stream.average_rate or FRAME_RATE)
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise InputError("A picture in it is damaged; copy or download it again.")
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base
        else:
            time = Fraction(0) if last is None else last + usual
        if last is not None and time <= last:
            continue
        if last is not None and time - last > _MAX_PAUSE:
            raise InputError(f"Its clock jumps by {float(time - last):.0f} s between two pictures; encode it again.")
        last = time
        yield time, frame


def _sought(container: InputContainer, stream: Any, begin: Fraction) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Frames from one before `begin` on; from the first on where the file cannot be entered there."""
    try:
        container.seek(int(begin / stream.time_base), stream=stream, backward=True)
        timed = _timed(container, stream)
        first = next(timed, None)
    except av.FFmpegError:
        first = None
    if first is None or first[0] > begin:
        container.seek(0, backward=True)
        return _timed(container, stream)
    return itertools.chain([first], timed)


def _picture_stream(container: InputContainer) -> Any:
    if not container.streams.video:
        raise InputError("There is no picture in it.")
    return container.streams.video[0]


def _opened(media: Media) -> Any:
    _rewind(media)
    return open_media(media)


def _rewind(media: Media) -> None:
    if not isinstance(media, Path):
        media.seek(0)
