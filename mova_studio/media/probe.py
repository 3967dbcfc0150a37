"""What is inside a media file, and its sound and pictures in exact time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from mova_studio.errors import InputError

# Self-contained containers only: a playlist or a concat script could make ffmpeg read other files or addresses.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav,w64,aiff,mp3,aac,flac,ogg,mpegts,flv"


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds. A stream that is not there has None in its fields, and 0 frames or seconds.

    Attributes:
        container: ffmpeg's name of the format.
        num_frames: pictures that a player shows.
        frame_rate: mean frames per second.
        video_seconds, audio_seconds: lengths as played, encoder delay and padding left out.
        sample_rate: in Hz.
        video_codec, audio_codec, pixel_format: ffmpeg's names, for example h264, aac, yuv420p.
    """

    container: str
    width: int | None
    height: int | None
    num_frames: int
    frame_rate: float | None
    video_seconds: float
    audio_seconds: float
    sample_rate: int | None
    channels: int | None
    video_codec: str | None
    audio_codec: str | None
    pixel_format: str | None

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def probe(source: Path | IO[bytes]) -> MediaInfo:
    """Read a file's streams and count every frame, without decoding.

    Raises:
        InputError: missing, a folder, empty, not a media file, or cut short.
    """
    with open_media(source) as container:
        video = container.streams.video[0] if container.streams.video else None
        audio = container.streams.audio[0] if container.streams.audio else None
        counted = {stream.index: 0 for stream in (video, audio) if stream is not None}
        stored = dict(counted)
        ends = {index: Fraction(0) for index in counted}
        for packet in container.demux([stream for stream in (video, audio) if stream is not None]):
            if packet.size == 0:
                continue
            index = packet.stream_index
            # A mov counts each sample of plain PCM as a piece, and a packet holds many.
            pieces = (packet.duration or 1) if packet.stream.codec_context.name.startswith("pcm_") else 1
            stored[index] += 0 if packet.is_corrupt else pieces
            counted[index] += not packet.is_discard
            # A transport stream stamps only the first of several sound packets in a row.
            begin = packet.pts * packet.time_base if packet.pts is not None else ends[index]
            ends[index] = max(ends[index], begin + (packet.duration or 0) * packet.time_base)
        for stream in (video, audio):
            if stream is not None and stored[stream.index] < stream.frames:
                raise InputError(
                    f"{_name(source)} is cut short: {stored[stream.index]} of {stream.frames} pieces of {stream.type} "
                    "are left; copy or download it again."
                )
        return MediaInfo(
            container=container.format.name,
            width=video.width if video else None,
            height=video.height if video else None,
            num_frames=counted[video.index] if video else 0,
            frame_rate=float(video.average_rate) if video and video.average_rate else None,
            video_seconds=_seconds(container, video, ends) if video else 0.0,
            audio_seconds=_seconds(container, audio, ends) if audio else 0.0,
            sample_rate=audio.sample_rate if audio else None,
            channels=audio.channels if audio else None,
            video_codec=video.codec_context.name if video else None,
            audio_codec=audio.codec_context.name if audio else None,
            pixel_format=video.codec_context.pix_fmt if video else None,
        )


def decode_audio(source: Path | IO[bytes]) -> tuple[NDArray[np.float32], int]:
    """The first sound stream as (float32 [channels, n], sample rate in Hz), on the picture's clock.

    Sample 0 sounds with time 0 of the file: encoder delay is taken off, a sound that starts later is
    led in with silence, and the padding of the last packet is cut where the file states a length.

    Raises:
        InputError: not a media file, damaged, or without sound.
    """
    with open_media(source) as container:
        if not container.streams.audio:
            raise InputError(f"{_name(source)} has no sound.")
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp")
        start = Fraction(0)
        pieces: list[NDArray[Any]] = []
        for frame in container.decode(stream):
            if not pieces and frame.pts is not None and frame.time_base is not None:
                start = frame.pts * frame.time_base
            pieces += [piece.to_ndarray() for piece in resampler.resample(frame)]
        if not pieces:
            raise InputError(f"{_name(source)} has a sound track without any sound in it.")
        rate, channels = stream.sample_rate, pieces[0].shape[0]
        lead = round((start - _origin(container)) * rate)
        samples = np.concatenate([np.zeros((channels, max(lead, 0)), np.float32), *pieces], axis=1)[:, max(-lead, 0) :]
        length = _stated_length(container, stream)
        return samples if length is None else samples[:, : max(lead, 0) + round(length * rate)], rate


def decode_frames(source: Path | IO[bytes]) -> NDArray[np.uint8]:
    """Every picture of the first video stream as uint8 RGB [F, H, W, 3], upright, by its own colour tags.

    Raises:
        InputError: not a media file, damaged, or without pictures.
    """
    with open_media(source) as container:
        if not container.streams.video:
            raise InputError(f"{_name(source)} has no picture.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = []
        for frame in container.decode(stream):
            array = frame.to_ndarray(format="rgb24", interpolation="BICUBIC")
            frames.append(np.rot90(array, frame.rotation // 90) if frame.rotation % 360 else array)
        if not frames:
            raise InputError(f"{_name(source)} has a picture track without any picture in it.")
        return np.stack(frames)


@contextmanager
def open_media(source: Path | IO[bytes]) -> Iterator[InputContainer]:
    """Open a self-contained media file; everything ffmpeg says against it becomes an `InputError`."""
    name = _name(source)
    try:
        if isinstance(source, Path) and source.stat().st_size == 0:
            raise InputError(f"{name} is empty (0 bytes); choose another file.")
        target = str(source.absolute()) if isinstance(source, Path) else source
        with av.open(target, "r", options={"format_whitelist": _FORMATS}) as container:
            if not (container.streams.video or container.streams.audio):
                raise InputError(f"{name} holds neither picture nor sound that can be read; choose another file.")
            yield container
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist; check its path.") from error
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder; choose a file inside it.") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read by this account; change its permissions.") from error
    except (av.FFmpegError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is damaged or not a video or sound file ({error.__class__.__name__}).") from error


def _name(source: Path | IO[bytes]) -> str:
    return str(source) if isinstance(source, Path) else "The file"


def _origin(container: InputContainer) -> Fraction:
    """When the file's clock starts, in seconds: transport streams, for one, start well after 0."""
    return max(Fraction(container.start_time or 0, av.time_base), Fraction(0))


def _stated_length(container: InputContainer, stream: Any) -> Fraction | None:
    """The stream's length in seconds where the file states it; elsewhere ffmpeg guesses, and guesses too little."""
    if stream.duration is None or not container.format.name.startswith("mov"):
        return None
    return stream.duration * stream.time_base


def _seconds(container: InputContainer, stream: Any, ends: dict[int, Fraction]) -> float:
    stated = _stated_length(container, stream)
    if stated is not None:
        return float(stated)
    return float(ends[stream.index] - max((stream.start_time or 0) * stream.time_base, Fraction(0)))
