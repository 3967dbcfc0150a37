"""A first frame as models take it: small enough to send, and RGB."""

from __future__ import annotations

import base64
import io

from PIL import Image

from mova_studio.media.images import open_image

MAX_SIDE = 1024
_QUALITY = 92


def small_picture(png: bytes) -> Image.Image:
    """The picture with sides of at most 1024 pixels.

    Raises:
        InputError: it is no picture, or damaged.
    """
    picture = open_image(png).image
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture


def data_url(png: bytes) -> str:
    """The same as a JPEG in a data URL."""
    packed = io.BytesIO()
    small_picture(png).save(packed, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode('ascii')}"
