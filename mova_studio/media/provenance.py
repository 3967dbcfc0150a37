"""What made a take, kept inside its mp4.

One JSON object in the container's `synopsis` tag (the `ldes` atom of an mp4), which `ffmpeg -c copy`
carries from mp4 to mp4 by itself; tags under names of our own would be dropped there unless the copier
asked for them. A copy into another container may lose it. All of it is plain ASCII, so no prompt can break it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mova_studio.bounded_json import parse_json
from mova_studio.errors import InputError
from mova_studio.media.probe import open_media

FORMAT = 1
_TAG = "synopsis"
_OPENING = '{"mova_studio": '
_COMMENT = "Made with MOVA Studio. To see how: python -m mova_studio inspect FILE.mp4"
_MAX_TITLE = 200


@dataclass(frozen=True)
class Provenance:
    """Everything needed to repeat a take.

    Attributes:
        record: JSON-able settings, identities and measurements.
        images: PNG files' bytes by name, for example "first_frame".
    """

    record: dict[str, Any]
    images: dict[str, bytes] = field(default_factory=dict)


def to_tags(provenance: Provenance | None, title: str) -> dict[str, str]:
    """The container tags for a file with this provenance.

    Raises:
        InputError: the record holds something that JSON cannot hold, such as NaN.
    """
    one_line = " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())
    if len(one_line) > _MAX_TITLE:
        one_line = one_line[: _MAX_TITLE - 1] + "…"
    tags = {"title": one_line} if one_line else {}
    if provenance is not None:
        tags |= {"comment": _COMMENT, _TAG: pack(provenance)}
    return tags


def pack(provenance: Provenance) -> str:
    """The provenance as one ASCII text with a checksum.

    Raises:
        InputError: the record holds something that JSON cannot hold, such as NaN.
    """
    content = {
        "record": provenance.record,
        "images": {name: base64.b64encode(data).decode("ascii") for name, data in provenance.images.items()},
    }
    try:
        digest = _digest(content)
    except (TypeError, ValueError) as error:
        raise InputError(f"This take's settings cannot be kept in its file: {error}.") from error
    return json.dumps({"mova_studio": FORMAT, "sha256": digest, **content})


def read_provenance(path: Path) -> Provenance | None:
    """What `to_tags` put into the file; None if nothing of ours is there.

    Raises:
        InputError: not a media file, or the record is damaged or of a newer format.
    """
    with open_media(path) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
    text = tags.get(_TAG, "")
    return unpack(text, str(path)) if text.startswith(_OPENING) else None


def unpack(text: str, name: str) -> Provenance:
    """The inverse of `pack`.

    Args:
        name: of the file that the text was in.

    Raises:
        InputError: the text is damaged or of a newer format.
    """
    try:
        stored = parse_json(text, f"The record in {name}")
        version = stored.pop("mova_studio")
        if version != FORMAT:
            raise InputError(f"{name} was written by a newer version of MOVA Studio; update to read its settings.")
        if stored.pop("sha256") != _digest(stored):
            raise InputError(f"The settings kept in {name} are damaged: their checksum does not fit.")
        images = {image: base64.b64decode(data, validate=True) for image, data in stored["images"].items()}
        return Provenance(dict(stored["record"]), images)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The settings kept in {name} are damaged and cannot be read.") from error


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode("ascii")).hexdigest()
