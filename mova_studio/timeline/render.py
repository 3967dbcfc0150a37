"""A timeline into one finished file: picture by one filter graph, sound beside it, joined, read back, renamed in."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from mova_studio.atomic import check_writable, output_error, replacing
from mova_studio.errors import Cancelled, InputError, OutputError
from mova_studio.media.loudness import Loudness
from mova_studio.timeline import encoders
from mova_studio.timeline.checks import check_film_size
from mova_studio.timeline.export_preset import ExportPreset
from mova_studio.timeline.film import Film
from mova_studio.timeline.graph import Look
from mova_studio.timeline.layout import film_frames, film_samples, film_seconds
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.obstacles import check_all
from mova_studio.timeline.scratch import remove_abandoned, scratch
from mova_studio.timeline.stills import write_stills
from mova_studio.timeline.subtitles import write_srt, write_vtt
from mova_studio.timeline.upscaling import Upscale

Captions = Literal["none", "burn", "files"]
CAPTIONS: tuple[Captions, ...] = ("none", "burn", "files")
_PICTURE_SHARE = 0.95
_SOUND_BYTES = {"aac": 0.4, "pcm_s16le": 4.0, "pcm_s24le": 6.0, "flac": 1.0}  # a sample of both channels, at least


@dataclass(frozen=True)
class Progress:
    """How far a render is.

    Attributes:
        share: 0 to 1.
        stage: "picture", "stills", "sound" when all pictures are there, and "done".
        frame, frames: pictures encoded, and all of them.
        seconds_left: None until it can be told.
    """

    share: float
    frame: int
    frames: int
    seconds_left: float | None
    stage: str = "picture"


@dataclass(frozen=True)
class Rendered:
    """A finished film, as measured in its file.

    Attributes:
        path: the file, or folder of stills.
        frames: pictures in it; of stills, how many; 0 for sound alone.
        frame_rate: frames per second.
        seconds: length of the film.
        audio_seconds: length of its sound; None without sound.
        width, height: of the picture; 0 for sound alone.
        loudness: of the decoded sound; None without sound.
        encoder: of the picture; "" for sound alone.
        caption_files: written beside the film.
    """

    path: Path
    frames: int
    frame_rate: Fraction
    seconds: float
    audio_seconds: float | None
    width: int
    height: int
    loudness: Loudness | None
    encoder: str
    caption_files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the rate as a number and as a fraction."""
        return {
            "path": str(self.path.absolute()),
            "frames": self.frames,
            "frame_rate": float(self.frame_rate),
            "exact_frame_rate": str(self.frame_rate),
            "seconds": self.seconds,
            "audio_seconds": self.audio_seconds,
            "width": self.width,
            "height": self.height,
            "loudness": None if self.loudness is None else self.loudness.to_dict(),
            "encoder": self.encoder,
            "caption_files": [str(path.absolute()) for path in self.caption_files],
        }


def render(
    timeline: Timeline,
    preset: ExportPreset,
    out: Path,
    *,
    size: tuple[int, int] | None = None,
    captions: Captions = "none",
    key_frames: int | None = None,
    upscale: Upscale | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Rendered:
    """Make the film.

    The picture is encoded while the sound is mixed and levelled; both are joined without encoding again. The file
    appears under its name only when it is whole and was measured; until then, and if anything fails, what was there
    before stays.

    Args:
        out: the file; for stills a folder that is not there yet, or a .zip.
        size: width and height in the place of the preset's.
        key_frames: frames between two key frames at most; by default two seconds.
        upscale: a learned upscaler, see `upscaling.Upscale`; None leaves small takes to Lanczos.
        captions: "burn" draws them into the picture, "files" writes SRT and VTT beside the film.
        on_progress: called several times a second.
        cancelled: asked several times a second.

    Raises:
        InputError: no clips, sources that have gone, a size or suffix that cannot be used; every source is named.
        OutputError: folder missing or read-only, disk full, ffmpeg died.
        Cancelled: `cancelled()` said so; nothing is left behind.
    """
    width, height = size or preset.size_for(timeline)
    check_film_size(width, height)
    _check_name(preset, out)
    check_all(timeline, burn=captions == "burn" and preset.video is not None)
    remove_abandoned(out.absolute().parent)
    if preset.container == "png":
        look = Look(width, height, encoders.ENCODERS["png"].pixel_format)
        count = write_stills(timeline, look, out, lambda done, of: on_progress(_told(done, of)), cancelled)
        rate, seconds = timeline.frame_rate, film_seconds(timeline)
        return Rendered(out, count, rate, seconds, None, width, height, None, "png")
    check_writable(out)
    encoder = encoders.chosen(preset.video.encoder) if preset.video else ""
    _check_room(timeline, preset, encoder, (width, height), out)
    frames = film_frames(timeline)
    film = Film(timeline, preset, (width, height), encoder, captions == "burn", key_frames, out, upscale)
    first: list[tuple[int, float]] = []

    def told(frame: int) -> None:
        if frame and not first:
            first.append((frame, time.monotonic()))
        left = _left(*first[0], frame, frames) if first else None
        stage = "picture" if preset.video and frame < frames else "sound"
        on_progress(Progress(_PICTURE_SHARE * min(frame / frames, 1.0), frame, frames, left, stage))

    told(0)
    try:
        with scratch(out) as folder:
            whole = folder / f"film{out.suffix}"
            found = film.made(folder, whole, told, cancelled)
            if cancelled():
                raise Cancelled()
            with replacing(out) as beside:
                whole.replace(beside)
    except OSError as error:
        raise output_error(out, error) from error
    files = _caption_files(timeline, out) if captions == "files" else ()
    on_progress(Progress(1.0, frames, frames, 0.0, "done"))
    shown = (width, height) if preset.video else (0, 0)
    return Rendered(
        out,
        frames if preset.video else 0,
        timeline.frame_rate,
        film_seconds(timeline),
        found.audio_seconds,
        *shown,
        found.loudness,
        encoder,
        files,
    )


def _left(first: int, since: float, frame: int, frames: int) -> float | None:
    """Seconds for the remaining frames at the pace since the first ones came: what goes before them is not pace."""
    if frame <= first:
        return None
    return (time.monotonic() - since) / (frame - first) * (frames - frame)


def _told(done: int, of: int) -> Progress:
    return Progress(done / of, done, of, None, "stills")


def _check_name(preset: ExportPreset, out: Path) -> None:
    allowed = ("", ".zip") if preset.container == "png" else (preset.suffix,)
    if out.suffix.lower() not in allowed:
        raise InputError(
            f"{out.name} cannot hold this preset's {preset.container}; end the name in {preset.suffix}.", field="out"
        )


def _check_room(timeline: Timeline, preset: ExportPreset, encoder: str, size: tuple[int, int], out: Path) -> None:
    """That the disk has room for the smallest file that is likely, which is there twice for a moment."""
    needed = 0.0
    if encoder:
        needed += film_frames(timeline) * size[0] * size[1] * encoders.ENCODERS[encoder].bits / 8
    if preset.audio:
        needed += film_samples(timeline) * _SOUND_BYTES[preset.audio.codec]
    free = shutil.disk_usage(out.absolute().parent).free
    if 2 * needed > free:
        raise OutputError(
            f"{out} needs about {2 * needed / 1e6:.0f} MB or more while it is made, and its disk has {free / 1e6:.0f} "
            "MB free; free some space or choose another folder.",
            field="out",
        )


def _caption_files(timeline: Timeline, out: Path) -> tuple[Path, ...]:
    files = []
    for suffix, write in ((".srt", write_srt), (".vtt", write_vtt)):
        write(timeline, out.with_suffix(suffix))
        files.append(out.with_suffix(suffix))
    return tuple(files)
