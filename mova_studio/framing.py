"""How a picture is fitted to the size of a take."""

from __future__ import annotations

from PIL import Image


def crop_box(source: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The largest centred box of aspect width : height in a picture of size `source`: left, top, right, bottom."""
    source_width, source_height = source
    if source_width * height > source_height * width:
        crop_width, crop_height = int(source_height * width / height), source_height
    else:
        crop_width, crop_height = source_width, int(source_width * height / width)
    crop_width, crop_height = max(crop_width, 1), max(crop_height, 1)
    left, top = (source_width - crop_width) // 2, (source_height - crop_height) // 2
    return left, top, left + crop_width, top + crop_height


def crop_and_resize(image: Image.Image, height: int, width: int) -> Image.Image:
    """Cut the centre of `image` to the aspect of width x height, then resize (bicubic). Never stretches."""
    return image.crop(crop_box(image.size, width, height)).resize((width, height))
