"""From any of Pillow's modes and colour profiles to sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

_PROFILE_SPACE = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_MODE_NAMES = {
    "1": "black and white",
    "L": "grey",
    "LA": "grey",
    "La": "grey",
    "P": "a palette",
    "PA": "a palette",
    "CMYK": "CMYK",
    "YCbCr": "YCbCr",
    "LAB": "Lab",
    "HSV": "HSV",
    "I": "deep grey",
    "F": "floating-point grey",
}


def split(image: Image.Image) -> tuple[Image.Image, Image.Image | None, list[str]]:
    """(colours as RGB, L or CMYK, alpha as L or None, notes) of a loaded image in any mode."""
    mode = image.mode
    deep = mode in ("I", "F") or mode.startswith("I;16")
    name = "16-bit grey" if mode.startswith("I;16") else _MODE_NAMES.get(mode)
    notes = [f"It was converted from {name} to RGB."] if name else []
    alpha: Image.Image | None = None
    if deep:
        base, stretched = _eight_bits(image)
        if stretched:
            notes.append("Its brightness was stretched from its own darkest to its own lightest value.")
        key = image.info.get("transparency")
        if isinstance(key, int):
            alpha = Image.fromarray(np.where(np.asarray(image) == key, 0, 255).astype(np.uint8))
        return base, alpha, notes
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        base = image.convert("L") if mode in ("L", "LA", "La", "1") else rgba.convert("RGB")
    elif mode in _PROFILE_SPACE:
        base = image
    elif mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        base = ImageCms.applyTransform(image, to_rgb) or image
    else:
        base = image.convert("L" if mode == "1" else "RGB")
    return base, alpha, notes


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, list[str]]:
    """`image` (RGB, L or CMYK) as RGB in sRGB, by its embedded ICC `profile` where there is a usable one."""
    if not profile:
        return image.convert("RGB"), []
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip() or "its own profile"
        if source.profile.xcolor_space != _PROFILE_SPACE[image.mode]:
            return image.convert("RGB"), [f"Its colour profile ({name}) does not fit its colours and was ignored."]
        if image.mode == "RGB" and "srgb" in name.lower():
            return image, []
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        return image.convert("RGB"), [f"Its colour profile cannot be read and was ignored ({error})."]
    return converted or image.convert("RGB"), [f"Its colours were converted from {name} to sRGB."]


def _eight_bits(image: Image.Image) -> tuple[Image.Image, bool]:
    """(L image, whether it was stretched) of a 16-bit, 32-bit or floating-point grey image.

    65535 becomes 255 for whole numbers and 1.0 becomes 255 for fractions. Values outside those
    ranges have no agreed white, so the image's own range is stretched over 0..255.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    white = 1.0 if image.mode == "F" else 65535.0
    low, high = float(values.min()), float(values.max())
    stretched = low < 0.0 or high > white
    values = (values - low) / max(high - low, 1e-12) if stretched else values / white
    return Image.fromarray(np.round(values * 255).astype(np.uint8)), stretched
