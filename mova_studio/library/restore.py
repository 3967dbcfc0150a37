"""Settings out of a file that a person drops: a take, a still of a take, or JSON that the program wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mova_studio.adapter_use import AdapterUse
from mova_studio.bounded_json import parse_json
from mova_studio.errors import InputError
from mova_studio.library.origin import FrameOrigin, PromptOrigin
from mova_studio.library.preset_file import check_preset
from mova_studio.library.presets import RenderPreset
from mova_studio.library.provenance import origins_of, shot_of
from mova_studio.library.shot import MAX_SIDE, SEED_LIMIT, Shot
from mova_studio.media.images import open_image
from mova_studio.media.png_record import SIGNATURE, read_png_record
from mova_studio.media.provenance import Provenance, read_provenance, unpack

MAX_FILE = 64 * 2**20
MAX_JSON = 48 * 2**20
FRAMES = ("first_frame", "last_frame")
_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")  # what an mp4 may begin with
_LEFT_OUT = "The file names pictures but does not hold them; drop them in by hand."


@dataclass(frozen=True)
class Restored:
    """What a file says of the settings, all of it checked.

    Attributes:
        settings: by the names of `Shot`, the prompt included, without model and pictures. What is absent is unsaid.
        frames: PNG files' bytes by name; None says that there was no such picture, absence says nothing.
        seed: None if the file has none.
        model: as the file names it; "" if it does not.
        origin: what the prompt was before it was rewritten; None if the file does not say.
        frame_origin: what the first frame was made of, in the same way.
        adapters: on the network; None if the file does not say.
        prompts: of a preset, in the languages of the page.
        notes: what could not be restored.
    """

    settings: dict[str, Any]
    frames: dict[str, bytes | None] = field(default_factory=dict)
    seed: int | None = None
    model: str = ""
    origin: PromptOrigin | None = None
    frame_origin: FrameOrigin | None = None
    adapters: tuple[AdapterUse, ...] | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def restore_from(path: Path) -> Restored:
    """The settings in an mp4, a PNG or a JSON file; what a file is, its content says and not its name.

    Raises:
        InputError: nothing of ours is inside, or it is damaged, too large, or of a newer version.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError(f"{path.name} is empty (0 bytes); choose another file.")
        if size > MAX_FILE:
            raise InputError(
                f"{path.name} has {size / 2**20:.0f} MiB and at most {MAX_FILE // 2**20} are read; "
                "give the output of inspect --json instead."
            )
        with path.open("rb") as file:
            start = file.read(64)
        if start.startswith(SIGNATURE):
            return _checked(_of_record(read_png_record(path), path.name))
        if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _checked(_of_json(_text(path, size), path.name))
        if start[4:8] not in _ATOMS:
            raise InputError(f"{path.name} is no mp4, PNG or JSON file, or it is damaged.")
        return _checked(_of_record(_media_record(path), path.name))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _media_record(path: Path) -> Provenance | None:
    try:
        return read_provenance(path)
    except InputError as error:
        raise InputError(error.message.replace(str(path), path.name)) from error


def _text(path: Path, size: int) -> str:
    if size > MAX_JSON:
        raise InputError(f"{path.name} has {size / 2**20:.0f} MiB and at most {MAX_JSON // 2**20} of JSON are read.")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text in UTF-8.") from error


def _of_record(provenance: Provenance | None, name: str) -> Restored:
    if provenance is None:
        raise InputError(f"{name} holds no settings of MOVA Studio; other programs may have removed them.")
    try:
        shot = shot_of(provenance)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The settings kept in {name} are damaged: there is no shot.") from error
    return _of_shot(shot, (*provenance.record["shot"], *FRAMES), provenance.record.get("seed"))


def _of_json(text: str, name: str) -> Restored:
    values = parse_json(text, name)
    if isinstance(values, list):
        raise InputError(f"{name} is a list of {len(values)} things; drop a file with one of them.")
    if "mova_studio" in values:
        return _of_record(unpack(text, name), name)
    if "media" in values and "provenance" in values:  # inspect --json
        record = values["provenance"]
        restored = _of_record(Provenance(record) if isinstance(record, dict) else None, name)
        images = values.get("images")
        return _without_frames(restored, {frame: isinstance(images, dict) and frame in images for frame in FRAMES})
    if "kind" in values and "settings" in values:
        return _of_preset(values, name)
    if "checkpoint" in values and "limits" in values and "shot" not in values:
        return _of_render_preset(values, name)
    if isinstance(values.get("shot"), dict):  # a take as the API tells it, or a record
        return _of_shot_values(values["shot"] | origins_of(values), values.get("seed"))
    if "prompt" in values:
        return _of_shot_values({key: value for key, value in values.items() if key != "seed"}, values.get("seed"))
    raise InputError(
        f"{name} is JSON but holds no settings of MOVA Studio: neither a shot, nor a preset, nor a prompt."
    )


def _of_preset(values: dict[str, Any], name: str) -> Restored:
    try:
        preset = check_preset(values)
    except InputError as error:
        raise InputError(f"{name}: {error.message}") from error
    prompts = {} if preset.prompt is None else preset.prompt.model_dump()
    return Restored(preset.settings, prompts=prompts)


def _of_render_preset(values: dict[str, Any], name: str) -> Restored:
    try:
        preset = RenderPreset.model_validate(values)
    except ValueError as error:
        raise InputError(f"{name} is no whole render preset ({str(error).splitlines()[0]}).") from error
    return Restored(preset.settings(), model=preset.checkpoint)


def _of_shot_values(values: dict[str, Any], seed: Any) -> Restored:
    stated = dict(values)
    has = {frame: bool(stated.pop(f"has_{frame}", False)) for frame in FRAMES}
    unsaid = [frame for frame in FRAMES if f"has_{frame}" in values or frame not in values]
    restored = _of_shot(Shot.from_dict(stated), tuple(stated), seed)
    return _without_frames(restored, has) if unsaid else restored


def _without_frames(restored: Restored, has: dict[str, bool]) -> Restored:
    """As it is where pictures are only named: those that were there are missed, the others are none."""
    return Restored(
        restored.settings,
        {name: png for name, png in restored.frames.items() if not has[name]},
        restored.seed,
        restored.model,
        restored.origin,
        restored.frame_origin,
        restored.adapters,
        notes=(_LEFT_OUT,) if any(has.values()) else (),
    )


def _of_shot(shot: Shot, stated: tuple[str, ...], seed: Any) -> Restored:
    values = {name: getattr(shot, name) for name in stated if hasattr(shot, name)}
    frames = {name: values.pop(name) for name in FRAMES if name in values}
    model = str(values.pop("model", ""))
    for name in ("origin", "frame_origin", "adapters"):
        values.pop(name, None)
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT):
        raise InputError(f"The seed in the file is {str(seed)[:40]}, but must be from 0 to {SEED_LIMIT - 1}.")
    # A whole record without adapters had none; a handful of settings does not say.
    adapters = shot.adapters if shot.adapters or "width" in stated else None
    return Restored(values, frames, seed, model, shot.origin, shot.frame_origin, adapters)


def _checked(restored: Restored) -> Restored:
    """With pictures that are whole, and of a size that a shot may have."""
    for name, png in restored.frames.items():
        if png is None:
            continue
        width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
        if not png.startswith(SIGNATURE) or not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise InputError(f"The {name.replace('_', ' ')} in the file is no PNG of up to {MAX_SIDE} pixels a side.")
        open_image(png, field=name)
    return restored
