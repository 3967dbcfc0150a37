"""What the graph needs to know of a source's picture beyond its size and rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mova_studio.errors import InputError
from mova_studio.media.probe import open_media

_UNTAGGED = 2  # AVCOL_SPC_UNSPECIFIED
_HD_LINES = 720  # players take untagged colours for BT.709 from here on, and for BT.601 below
_SEEKABLE = ("mov", "matroska")  # their index is of key frames


@dataclass(frozen=True)
class PictureTraits:
    """A source's picture.

    Attributes:
        width, height: pixels as they are stored, before rotation.
        square: its pixels are, and it is stored upright.
        untagged_hd: it does not say how its colours are coded, and is large enough for BT.709.
        seekable: reading can begin at a key frame in the middle.
    """

    width: int
    height: int
    square: bool
    untagged_hd: bool
    seekable: bool


def traits_of(path: Path) -> PictureTraits:
    """Read a file's header and its first picture.

    Raises:
        InputError: not a media file, damaged, or without picture.
    """
    with open_media(path) as container:
        if not container.streams.video:
            raise InputError(f"{path.name} has no picture.", field="source")
        stream = container.streams.video[0]
        context = stream.codec_context
        frame = next(container.decode(stream), None)
        if frame is None:
            raise InputError(f"{path.name} has a picture track without any picture in it.", field="source")
        aspect = stream.sample_aspect_ratio
        return PictureTraits(
            width=frame.width,
            height=frame.height,
            square=(aspect is None or aspect in (0, 1)) and frame.rotation % 360 == 0,
            untagged_hd=frame.colorspace == _UNTAGGED and context.height >= _HD_LINES,
            seekable=container.format.name.startswith(_SEEKABLE),
        )
