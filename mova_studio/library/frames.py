"""From a file that a person dropped to the PNG inside a shot."""

from __future__ import annotations

from pathlib import Path

from mova_studio.framing import crop_and_resize, crop_box
from mova_studio.media.images import encode_png, open_image


def prepare_frame(
    source: Path | bytes, width: int, height: int, *, field: str = "first_frame"
) -> tuple[bytes, tuple[str, ...]]:
    """Open a picture, cut it to the shape of the take and encode it.

    Args:
        source: a file or its bytes.
        width, height: of the take, pixels.
        field: "first_frame" or "last_frame", for messages.

    Returns:
        PNG bytes of a width x height RGB picture, exactly what the network is given, and notes on every
        change that was made.

    Raises:
        InputError: the picture cannot be read.
    """
    opened = open_image(source, field=field)
    notes = list(opened.notes)
    left, top, right, bottom = crop_box(opened.image.size, width, height)
    lost = 1 - (right - left) * (bottom - top) / (opened.image.width * opened.image.height)
    if lost > 0.005:
        side = "sides" if right - left < opened.image.width else "top and bottom"
        notes.append(f"cropped to {width}:{height}; {lost:.0%} was cut off at the {side}")
    if right - left < width:
        notes.append(f"enlarged from {right - left}x{bottom - top} to {width}x{height}; it may look soft")
    named = field.replace("_", " ")
    return encode_png(crop_and_resize(opened.image, height, width)), tuple(f"{named}: {note}" for note in notes)
