"""A film in the making: picture and sound side by side, then joined."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from mova_studio.atomic import output_error
from mova_studio.errors import Cancelled
from mova_studio.timeline import encoders
from mova_studio.timeline.export_preset import ExportPreset
from mova_studio.timeline.film_file import Found, join, read_back, read_back_animation
from mova_studio.timeline.graph import Look
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.picture_file import Encoding, burned_captions, encode_picture, prepare
from mova_studio.timeline.sound_track import write_sound
from mova_studio.timeline.upscaling import Upscale, upscaled

_WAIT_SECONDS = 0.05
_PARTING_SECONDS = 0.5


@dataclass(frozen=True)
class Film:
    """What is to be made.

    Attributes:
        timeline, preset: from which, and as what.
        size: width and height of the picture.
        encoder: one that works here; "" without picture.
        burn: whether captions are drawn into the picture.
        key_frames: frames between two key frames at most; None for the encoder's usual distance.
        out: the file that the person asked for, named in errors.
        upscale: makes sources larger that are smaller than the film; None leaves them to Lanczos.
    """

    timeline: Timeline
    preset: ExportPreset
    size: tuple[int, int]
    encoder: str
    burn: bool
    key_frames: int | None
    out: Path
    upscale: Upscale | None = None

    def made(self, folder: Path, beside: Path, on_frame: Callable[[int], None], cancelled: Callable[[], bool]) -> Found:
        """Write the film to `beside`, by files in `folder`, which must be on the same disk, and measure it.

        Raises:
            InputError: a source has gone or is damaged, or no font has the letters of a title or caption.
            OutputError: the disk is full, ffmpeg died, or the file is not what it should be.
            Cancelled: `cancelled()` said so.
        """
        sound = _InThread(lambda stop: self._sound(folder, stop), cancelled) if self.preset.audio else None
        picture = heard = None
        try:
            if self.preset.video:
                picture = self._picture(folder, on_frame, lambda: cancelled() or (sound is not None and sound.failed()))
            heard = sound.result() if sound else None
        except Cancelled:
            if sound and sound.failed() and not cancelled():
                sound.result()
            raise
        finally:
            if sound:
                sound.stop()
        if picture and heard:
            try:
                join(picture, heard, beside, self.preset.container)
            except av.FFmpegError as error:
                raise output_error(self.out, OSError(error.errno, error.strerror)) from error
        elif picture or heard:
            (picture or heard or beside).replace(beside)
        if self.preset.container in ("gif", "webp"):
            return read_back_animation(beside, self.timeline, self.out)
        return read_back(beside, self.timeline, self.out, picture=picture is not None, sound=heard is not None)

    def _sound(self, folder: Path, cancelled: Callable[[], bool]) -> Path:
        audio = self.preset.audio
        assert audio is not None
        return write_sound(self.timeline, audio.codec, audio.target_lufs, audio.ceiling_dbtp, folder, cancelled)

    def _picture(self, folder: Path, on_frame: Callable[[int], None], cancelled: Callable[[], bool]) -> Path:
        video = self.preset.video
        assert video is not None
        chosen = encoders.ENCODERS[self.encoder]
        look = Look(*self.size, pixel_format=chosen.pixel_format, policy=video.fit)
        captions = burned_captions(self.timeline, self.size, folder) if self.burn else None
        timeline = self.timeline
        if self.upscale is not None:
            timeline = upscaled(timeline, self.size, self.upscale, folder, cancelled)
        material = prepare(timeline, look, folder, captions, cancelled)
        asked = video.quality, video.speed
        quality, speed = asked if self.encoder == video.encoder else encoders.STAND_IN
        gap = self.key_frames or round(chosen.gap * self.timeline.frame_rate)
        encoding = Encoding(self.encoder, quality, speed, gap)
        written = folder / f"picture.{self.preset.container}"
        encode_picture(
            timeline, look, encoding, material, written, out=self.out, on_frame=on_frame, cancelled=cancelled
        )
        return written


class _InThread:
    """A part of the work beside the rest; what it raises is raised by `result`."""

    def __init__(self, work: Callable[[Callable[[], bool]], Path], cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._stopped = threading.Event()
        self._found: Path | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[Callable[[], bool]], Path]) -> None:
        try:
            self._found = work(lambda: self._stopped.is_set() or self._cancelled())
        except BaseException as error:  # noqa: BLE001 (raised again by `result`)
            self._error = error

    def result(self) -> Path:
        while self._thread.is_alive():
            self._thread.join(_WAIT_SECONDS)
            if self._cancelled():
                raise Cancelled()
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found

    def failed(self) -> bool:
        """Whether it has ended with an error, so that the rest is for nothing."""
        return self._error is not None

    def stop(self) -> None:
        """Ask it to end. An encoding that is under way goes on for a moment, and then writes nothing."""
        self._stopped.set()
        self._thread.join(_PARTING_SECONDS)
