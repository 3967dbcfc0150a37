"""What a timeline needs to know of a media file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from mova_studio.errors import InputError
from mova_studio.media.probe import open_media, probe
from mova_studio.media.rate import exact_rate
from mova_studio.timeline.clip import SAMPLE_RATE, Source


def source_of(path: Path, take: str = "", name: str = "") -> Source:
    """Measure a media file; every frame is counted.

    Args:
        take: its id in the library.
        name: what people call it; the file's name by default.

    Raises:
        InputError: missing, damaged, or neither picture nor sound.
    """
    info = probe(path)
    rate = exact_rate(info.frame_rate) if info.frame_rate else Fraction(24)
    width, height = info.width or 0, info.height or 0
    if width and _lies_on_its_side(path):
        width, height = height, width
    return Source(
        path=str(path.expanduser().absolute()),
        num_frames=info.num_frames,
        frame_rate=rate,
        width=width,
        height=height,
        num_samples=round(info.audio_seconds * SAMPLE_RATE),
        take=take,
        name=(name or path.name)[:200],
    )


def _lies_on_its_side(path: Path) -> bool:
    with open_media(path) as container:
        frame = next(container.decode(video=0), None)
        return frame is not None and frame.rotation % 180 != 0


def check_source(source: Source) -> None:
    """That the file is still what the timeline knows.

    Raises:
        InputError: it has gone, or holds fewer frames or less sound than when it was measured.
    """
    path = Path(source.path)
    if not path.is_file():
        raise InputError(
            f"{source.name or path.name} is no longer at {path}; put it back, or replace or remove its clips.",
            field="source",
        )
    now = source_of(path)
    if now.num_frames < source.num_frames or now.num_samples < source.num_samples:
        raise InputError(
            f"{path} was changed: it has {now.num_frames} frames, and {source.num_frames} are expected; replace its "
            "clips.",
            field="source",
        )
