"""What a take's mp4 says of itself: everything needed to make it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take, is_take_id
from mova_studio.media.loudness import measure
from mova_studio.media.measures import TakeMeasures
from mova_studio.media.probe import decode_audio, probe
from mova_studio.media.provenance import Provenance, read_provenance

FORMAT = 1
_FRAMES = ("first_frame", "last_frame")


def describe_take(
    shot: Shot,
    seed: int,
    *,
    checkpoint: str,
    untrained: bool,
    plan: dict[str, Any],
    seconds: dict[str, float],
    program: str,
    created: str,
    notes: tuple[str, ...],
    take_id: str | None = None,
    measures: TakeMeasures | None = None,
) -> Provenance:
    """The provenance to write into a take's mp4.

    Args:
        plan: how the network was placed: device, dtype, attention.
        seconds: per stage, as far as they are over when the file is written.
        take_id: the take's name in the library, by which it is known again wherever its file goes.
        measures: of the sound and pictures as they were made, which levelling hides from those who read the file.
    """
    settings = shot.to_dict()
    images = {name: getattr(shot, name) for name in _FRAMES if getattr(shot, name) is not None}
    for name in _FRAMES:
        settings.pop(name)
    enhanced, made = settings.pop("origin", None), settings.pop("frame_origin", None)
    record = {
        "format": FORMAT,
        "program": program,
        "created": created,
        "seed": seed,
        "shot": settings,
        "checkpoint": checkpoint,
        "untrained": untrained,
        "plan": plan,
        "seconds": seconds,
        "notes": list(notes),
    }
    if enhanced is not None:
        record["enhanced"] = enhanced
    if made is not None:
        record["first_frame_made"] = made
    if take_id is not None:
        record["take"] = take_id
    if measures is not None:
        record["measures"] = measures.to_dict()
    return Provenance(record=record, images=images)


def take_id_of(provenance: Provenance) -> str:
    """The name of a take in the library; from its whole record where it was not given one."""
    given = provenance.record.get("take")
    if isinstance(given, str) and is_take_id(given):
        return given
    content = {
        "record": provenance.record,
        "images": {name: hashlib.sha256(png).hexdigest() for name, png in provenance.images.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()[:32]


def read_take_id(path: Path) -> str | None:
    """The name of the take in an mp4, nothing of it decoded; None if the file is not one of ours.

    Raises:
        InputError: the file is no media file, or its record is damaged or newer.
    """
    provenance = read_provenance(path)
    return None if provenance is None else take_id_of(provenance)


def shot_of(provenance: Provenance) -> Shot:
    """The shot that a provenance describes, its frames included.

    Raises:
        InputError: the record was written by a newer version or is damaged.
    """
    if provenance.record.get("format") != FORMAT:
        raise InputError(
            f"This take's record has format {provenance.record.get('format')!r} and this version reads {FORMAT}; "
            "update MOVA Studio."
        )
    settings = provenance.record["shot"]
    shot = Shot.from_dict(settings | origins_of(provenance.record))
    return shot.with_frames(provenance.images.get("first_frame"), provenance.images.get("last_frame"))


def origins_of(record: dict[str, Any]) -> dict[str, Any]:
    """Where the prompt and the first frame came from, by the names of `Shot`, as far as the record says."""
    named = {"origin": record.get("enhanced"), "frame_origin": record.get("first_frame_made")}
    return {name: origin for name, origin in named.items() if origin is not None}


def read_take(path: Path) -> Take | None:
    """The take in an mp4, its sound measured again; None if the file is not one of ours.

    Raises:
        InputError: the file is no media file, or its record is damaged or newer.
    """
    provenance = read_provenance(path)
    if provenance is None:
        return None
    info = probe(path)
    if info.width is None or info.height is None or info.frame_rate is None:
        raise InputError(f"{path} has a take's record but no picture; it is damaged.")
    loudness = measure(*decode_audio(path))
    record = provenance.record
    try:
        return Take(
            path=path.resolve(),
            shot=shot_of(provenance),
            seed=int(record["seed"]),
            width=info.width,
            height=info.height,
            num_frames=info.num_frames,
            frame_rate=info.frame_rate,
            audio_seconds=info.audio_seconds,
            integrated_lufs=loudness.integrated_lufs,
            true_peak_dbtp=loudness.true_peak_dbtp,
            seconds=dict(record["seconds"]),
            checkpoint=str(record["checkpoint"]),
            untrained=bool(record["untrained"]),
            program=str(record["program"]),
            created=str(record["created"]),
            notes=tuple(record["notes"]),
            measures=TakeMeasures.from_dict(record["measures"]) if record.get("measures") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its record of how it was made is damaged ({error}).") from error
