"""Encoded picture and sound into one finished file, and what that file really holds."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from PIL import Image

from mova_studio.errors import InputError, OutputError
from mova_studio.media.aac import FRAME_SAMPLES
from mova_studio.media.loudness import Loudness, measure
from mova_studio.media.probe import decode_audio, probe
from mova_studio.timeline.clip import SAMPLE_RATE
from mova_studio.timeline.layout import film_frames, film_seconds
from mova_studio.timeline.model import Timeline

# Movie clock in ticks per second: the default of 1000 would round the sound's length to milliseconds.
_MUXER = {"movflags": "+faststart", "movie_timescale": str(SAMPLE_RATE)}

_TICK_SECONDS = 0.001  # a WebP's clock; each of its pictures is rounded by half of one
_CLOCK_SECONDS = 0.2  # the last picture's length is guessed by its writer


@dataclass(frozen=True)
class Found:
    """What was measured in a finished file; None where it has no such track.

    Attributes:
        frames: pictures.
        video_seconds, audio_seconds: lengths as played.
        loudness: of the decoded sound.
    """

    frames: int | None
    video_seconds: float | None
    audio_seconds: float | None
    loudness: Loudness | None


def join(picture: Path, sound: Path, out: Path, container: str) -> None:
    """Write both into `out` without encoding them again, its index in front.

    Raises:
        OSError, av.FFmpegError: it cannot be written.
    """
    with (
        av.open(str(picture.absolute())) as seen,
        av.open(str(sound.absolute())) as heard,
        av.open(str(out.absolute()), "w", format=container, options=dict(_MUXER)) as film,
    ):
        streams = _packets(seen, "video", film), _packets(heard, "audio", film)
        for packet in heapq.merge(*streams, key=lambda each: (each.dts or 0) * each.time_base):
            film.mux(packet)


def _packets(source: InputContainer, kind: str, film: OutputContainer) -> Iterator[av.Packet]:
    track = source.streams.get({kind: 0})[0]
    stream = film.add_stream_from_template(track, opaque=True)

    def each() -> Iterator[av.Packet]:
        for packet in source.demux(track):
            if packet.size:
                packet.stream = stream
                yield packet

    return each()


def read_back(written: Path, timeline: Timeline, out: Path, *, picture: bool, sound: bool) -> Found:
    """Measure a finished film.

    Args:
        out: how the person calls it.

    Raises:
        OutputError: it cannot be read, or does not hold exactly the timeline's frames and length.
    """
    try:
        info = probe(written)
        loudness = measure(*decode_audio(written)) if sound else None
    except InputError as error:
        raise OutputError(f"{out} could not be read back after writing ({error}); try again.", field="out") from error
    frames, seconds = film_frames(timeline), film_seconds(timeline)
    found = Found(
        info.num_frames if picture else None,
        info.video_seconds if picture else None,
        info.audio_seconds if sound else None,
        loudness,
    )
    late = abs(info.audio_seconds - seconds) if sound else 0.0
    if (picture and info.num_frames != frames) or late >= FRAME_SAMPLES / SAMPLE_RATE:
        raise OutputError(
            f"{out} came out with {info.num_frames} of {frames} frames and its sound {late:.3f} s from their length; "
            "check the sources, and try again.",
            field="out",
        )
    return found


def read_back_animation(written: Path, timeline: Timeline, out: Path) -> Found:
    """Measure a finished GIF or WebP. A WebP keeps pictures that are alike as one, so that only its length is sure.

    Raises:
        OutputError: it cannot be read, or does not hold exactly the timeline's frames or length.
    """
    frames, seconds = film_frames(timeline), film_seconds(timeline)
    try:
        with Image.open(written) as film:
            count, shown = getattr(film, "n_frames", 1), 0.0
            for index in range(count):
                film.seek(index)
                film.load()
                shown += film.info.get("duration", 0) / 1000
    except (OSError, ValueError) as error:
        raise OutputError(f"{out} could not be read back after writing ({error}); try again.", field="out") from error
    exact = film.format != "GIF" or count == frames
    if not exact or abs(shown - seconds) > _CLOCK_SECONDS + frames * _TICK_SECONDS:
        raise OutputError(
            f"{out} came out with {count} of {frames} frames and {shown:.3f} s of {seconds:.3f} s; check the "
            "sources, and try again.",
            field="out",
        )
    return Found(frames, shown, None, None)
