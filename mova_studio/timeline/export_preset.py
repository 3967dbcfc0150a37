"""Export presets: what file a film becomes. One JSON file each in presets/export."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mova_studio.errors import InputError
from mova_studio.library.preset_file import MAX_BYTES, MAX_NAME, Words
from mova_studio.settings import PRESETS
from mova_studio.timeline.checks import check_film_size
from mova_studio.timeline.encoders import ENCODERS
from mova_studio.timeline.model import Timeline
from mova_studio.versioned_json import Part, Versioned, VersionedJson

FORMAT = 1
SHIPPED = PRESETS / "export"
Container = Literal["mp4", "mov", "gif", "webp", "png", "wav", "flac", "m4a"]
_SOUND_ALONE = ("wav", "flac", "m4a")
_SILENT = ("gif", "webp", "png")
_CODECS = {
    "mp4": ("aac",),
    "m4a": ("aac",),
    "mov": ("aac", "pcm_s16le", "pcm_s24le"),
    "wav": ("pcm_s16le", "pcm_s24le"),
    "flac": ("flac",),
}
_ENCODERS = {
    "mp4": ("h264", "h265", "av1", "h264-nvenc", "h265-nvenc"),
    "mov": ("h264", "h265", "prores"),
    "gif": ("gif",),
    "webp": ("webp",),
    "png": ("png",),
}


class Video(Part):
    """The picture.

    Attributes:
        encoder: one of `encoders.ENCODERS`.
        quality: the encoder's own number: crf, cq, qscale, or 0 to 100 for webp.
        speed: the encoder's own name or number of a preset; "" where it has none.
        size: width and height; None keeps the timeline's.
        longest: the timeline's size is made smaller until its longer side has so many pixels.
        fit: "clip" fits each clip as it says itself; "letterbox" and "crop" fit all of them so.
    """

    encoder: str
    quality: Annotated[int, Field(ge=0, le=100)] = 0
    speed: Annotated[str, Field(max_length=20, pattern="^[a-z0-9]*$")] = ""
    size: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    longest: Annotated[int, Field(ge=16, le=8192)] | None = None
    fit: Literal["clip", "letterbox", "crop"] = "clip"

    @field_validator("encoder")
    @classmethod
    def _known(cls, encoder: str) -> str:
        if encoder not in ENCODERS:
            raise InputError(f"video.encoder is {encoder!r}, but must be one of {', '.join(ENCODERS)}.")
        return encoder

    @field_validator("size")
    @classmethod
    def _even(cls, size: list[int] | None) -> list[int] | None:
        if size is not None:
            check_film_size(*size)
        return size

    @model_validator(mode="after")
    def _one_size(self) -> Video:
        if self.size is not None and self.longest is not None:
            raise InputError("video has both a size and a longest side; give one of them.")
        return self


class Audio(Part):
    """The sound, always stereo at 48 kHz.

    Attributes:
        codec: "aac", "pcm_s16le", "pcm_s24le" or "flac".
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.
    """

    codec: Literal["aac", "pcm_s16le", "pcm_s24le", "flac"]
    target_lufs: Annotated[float, Field(ge=-40, le=-8)] | None
    ceiling_dbtp: Annotated[float, Field(ge=-20, le=-1)] = -1.0


class ExportPreset(Versioned):
    """What an export preset's file holds.

    Attributes:
        format: `FORMAT`.
        name, about: for the list.
        container: the kind of file; its suffix, except that "png" stands for a .zip or a folder of stills.
        video: None for sound alone.
        audio: None for a picture alone.
    """

    name: Words
    about: Words
    container: Container
    video: Video | None = None
    audio: Audio | None = None

    @field_validator("name")
    @classmethod
    def _short(cls, name: Words) -> Words:
        for text in (name.en, name.zh):
            if not 0 < len(text.strip()) <= MAX_NAME:
                raise InputError(f"The name has {len(text.strip())} characters, but must have 1 to {MAX_NAME}.")
        return name

    @model_validator(mode="after")
    def _fits_the_container(self) -> ExportPreset:
        if (self.video is None) is not (self.container in _SOUND_ALONE):
            raise InputError(f"A {self.container} file {'must have no' if self.video else 'needs a'} video.")
        if self.container in _SILENT and self.audio is not None:
            raise InputError(f"A {self.container} file must have no audio.")
        if self.container in _SOUND_ALONE and self.audio is None:
            raise InputError(f"A {self.container} file needs an audio.")
        if self.video is not None and self.video.encoder not in _ENCODERS[self.container]:
            allowed = ", ".join(_ENCODERS[self.container])
            raise InputError(f"video.encoder of a {self.container} file must be one of {allowed}.")
        if self.audio is not None and self.audio.codec not in _CODECS[self.container]:
            allowed = ", ".join(_CODECS[self.container])
            raise InputError(f"audio.codec of a {self.container} file must be one of {allowed}.")
        return self

    @property
    def suffix(self) -> str:
        """Of the file; stills are many files in one."""
        return ".zip" if self.container == "png" else f".{self.container}"

    def size_for(self, timeline: Timeline) -> tuple[int, int]:
        """Width and height of the picture."""
        size = self.video.size if self.video else None
        if size is not None:
            return size[0], size[1]
        width, height = timeline.width, timeline.height
        longest = self.video.longest if self.video else None
        if longest is None or max(width, height) <= longest:
            return width, height
        scale = longest / max(width, height)
        return max(round(width * scale / 2) * 2, 16), max(round(height * scale / 2) * 2, 16)


_FILE = VersionedJson(ExportPreset, FORMAT, "The preset", MAX_BYTES)
check_preset, read_preset = _FILE.check, _FILE.read


def export_presets() -> dict[str, ExportPreset]:
    """The presets that come with the program, by id."""
    return {path.stem: read_preset(path) for path in sorted(SHIPPED.glob("*.json"))}


def export_preset(preset_id: str) -> ExportPreset:
    """The preset of an id.

    Raises:
        InputError: there is none; it names those that there are.
    """
    presets = export_presets()
    if preset_id not in presets:
        raise InputError(
            f"There is no export preset {preset_id[:40]!r}; choose one of {', '.join(presets)}.", field="preset"
        )
    return presets[preset_id]
