"""Export presets: what file a film becomes. One JSON file each in presets/export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mova_studio.errors import InputError
from mova_studio.faults import first_fault
from mova_studio.library.preset_file import MAX_BYTES, MAX_NAME, Words
from mova_studio.media.bounded_json import parse_json
from mova_studio.settings import PRESETS
from mova_studio.timeline.checks import check_film_size
from mova_studio.timeline.encoders import ENCODERS
from mova_studio.timeline.model import Timeline

FORMAT = 1
SHIPPED = PRESETS / "export"
Container = Literal["mp4", "mov", "gif", "webp", "png", "wav", "flac", "m4a"]
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
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


class Video(BaseModel):
    """The picture.

    Attributes:
        encoder: one of `encoders.ENCODERS`.
        quality: the encoder's own number: crf, cq, qscale, or 0 to 100 for webp.
        speed: the encoder's own name or number of a preset; "" where it has none.
        size: width and height; None keeps the timeline's.
        longest: the timeline's size is made smaller until its longer side has so many pixels.
        fit: "clip" fits each clip as it says itself; "letterbox" and "crop" fit all of them so.
    """

    model_config = _STRICT

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


class Audio(BaseModel):
    """The sound, always stereo at 48 kHz.

    Attributes:
        codec: "aac", "pcm_s16le", "pcm_s24le" or "flac".
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.
    """

    model_config = _STRICT

    codec: Literal["aac", "pcm_s16le", "pcm_s24le", "flac"]
    target_lufs: Annotated[float, Field(ge=-40, le=-8)] | None
    ceiling_dbtp: Annotated[float, Field(ge=-20, le=-1)] = -1.0


class ExportPreset(BaseModel):
    """What an export preset's file holds.

    Attributes:
        format: `FORMAT`.
        name, about: for the list.
        container: the kind of file; its suffix, except that "png" stands for a .zip or a folder of stills.
        video: None for sound alone.
        audio: None for a picture alone.
    """

    model_config = _STRICT

    format: int
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


def check_preset(values: Any) -> ExportPreset:
    """The preset in a JSON value.

    Raises:
        InputError: a newer version wrote it, or a field is unknown, missing, of another type or out of range.
    """
    version = values.get("format") if isinstance(values, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise InputError(f"The format is {version} and this version reads {FORMAT}; update MOVA Studio.")
    try:
        preset = ExportPreset.model_validate(values)
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        parts: dict[Any, type[BaseModel]] = {"video": Video, "audio": Audio, "name": Words, "about": Words}
        known = parts.get(place[0], ExportPreset) if len(place) > 1 else ExportPreset
        raise InputError(first_fault(error, known.model_fields)) from error
    if preset.format != FORMAT:
        raise InputError(f"The format is {preset.format}, but must be {FORMAT}.")
    return preset


def read_preset(path: Path) -> ExportPreset:
    """The preset in a file.

    Raises:
        InputError: the file cannot be read, is no JSON, or is wrong as `check_preset` says; it names the file.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"it has {size} bytes and at most {MAX_BYTES} are read.")
        return check_preset(parse_json(path.read_text("utf-8"), "The preset"))
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", field=error.field) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}).") from error


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
