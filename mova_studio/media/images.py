"""Pictures that a person brings, made into plain RGB, with a note for everything that was changed."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mova_studio.errors import InputError
from mova_studio.media import colour

MAX_PIXELS = 100_000_000
_REMEDY = "save it as PNG, JPEG or WebP and try again"
# Only formats that Pillow decodes by itself: EPS, for one, would start Ghostscript on a stranger's file.
_FORMATS = ["AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP"]
_ANIMATED = ("AVIF", "GIF", "PNG", "WEBP")
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class OpenedImage:
    """A picture ready for use.

    Attributes:
        image: fully loaded, mode RGB, upright, without metadata.
        notes: one plain sentence for each change that was made, in the order they were made.
    """

    image: Image.Image
    notes: tuple[str, ...]


def open_image(source: Path | bytes, *, field: str = "first_frame") -> OpenedImage:
    """Read a picture file and make it upright RGB.

    EXIF rotation is applied; other modes (CMYK, palette, grey, 16-bit, floating point, Lab) become
    RGB; an embedded colour profile is converted to sRGB; transparency is laid on white; of several
    pictures in one file the first is used. Each of these leaves a note.

    Args:
        source: a file's path, or a file's bytes.
        field: the input to name in an error.

    Raises:
        InputError: missing, a folder, empty, not a picture, damaged, cut short, or over 100
            megapixels, which is read from the header before any pixel is decoded.
    """
    name = source.name if isinstance(source, Path) else "The picture"
    with _readable(name, field):
        if isinstance(source, Path) and source.is_dir():
            raise IsADirectoryError(name)
        if (len(source) if isinstance(source, bytes) else source.stat().st_size) == 0:
            raise InputError(f"{name} is empty (0 bytes); choose another picture.", field=field)
        with _open_header(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            _check_pixels(name, image.width * image.height, f"{image.width}x{image.height}, ", field)
            return _upright_rgb(image)


def encode_png(image: Image.Image) -> bytes:
    """`image` as a PNG file's bytes, lossless and without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


@contextmanager
def _readable(name: str, field: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist; check its path or choose another picture.", field=field) from error
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder; choose a picture inside it.", field=field) from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read by this account; change its permissions.", field=field) from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture in a known format; {_REMEDY}.", field=field) from error
    except Image.DecompressionBombError as error:
        stated = re.search(r"\((\d+) pixels\)", str(error))
        _check_pixels(name, int(stated[1]) if stated else 2 * MAX_PIXELS, "", field)
    except Exception as error:  # a decoder given a damaged file may raise anything at all
        raise InputError(f"{name} is damaged or cut short and cannot be decoded; {_REMEDY}.", field=field) from error


def _check_pixels(name: str, pixels: int, size: str, field: str) -> None:
    if pixels > MAX_PIXELS:
        raise InputError(
            f"{name} is too large ({size}{pixels / 1e6:.1f} megapixels) and at most "
            f"{MAX_PIXELS / 1e6:.0f} are taken; make it smaller first.",
            field=field,
        )


def _open_header(source: Path | io.BytesIO) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow warns from 89 megapixels on; our own limit speaks for itself.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        Image.init()
        return Image.open(source, formats=[name for name in _FORMATS if name in Image.OPEN])


def _upright_rgb(image: Image.Image) -> OpenedImage:
    notes: list[str] = []
    count = getattr(image, "n_frames", 1)
    if count > 1:
        kind = "an animation of" if image.format in _ANIMATED else "a file with"
        notes.append(f"It is {kind} {count} pictures; the first one is used.")
    if any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())) and not image.mode.startswith("I"):
        notes.append("Its 16 bits per colour were reduced to 8.")
    turned = _orientation(image)
    image.load()
    upright = image
    if turned is not None:
        # A TIFF turns itself while loading and drops the tag.
        upright = ImageOps.exif_transpose(image) if _orientation(image) else image
        notes.append("It was turned upright as its EXIF orientation says.")
    base, alpha, mode_notes = colour.split(upright)
    rgb, profile_notes = colour.to_srgb(base, upright.info.get("icc_profile"))
    notes += [*mode_notes, *profile_notes]
    if alpha is not None and np.asarray(alpha).min() < 255:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)
        notes.append("Its transparent parts were laid on white.")
    plain = rgb.copy()
    plain.info = {}
    return OpenedImage(plain, tuple(notes))


def _orientation(image: Image.Image) -> int | None:
    """The EXIF orientation if it asks for a turn; None if it does not, or if the EXIF block is broken."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - a broken EXIF block must not cost a person a good picture
        return None
    return value if value in range(2, 9) else None
