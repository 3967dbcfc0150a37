"""A font that has every character of a text: by fontconfig, or by looking into the usual folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont

from mova_studio.errors import InputError

_SECONDS = 20
_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
_PLAIN_STYLES = ("Regular", "Book", "Roman", "Normal", "Medium")
_DRAWN_BY_NO_FONT = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs"}
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
# Families that read well on a picture, the best first; the CJK ones draw Latin letters too, but not as well.
_LATIN = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "Helvetica", "Segoe UI")
_HAN = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei")
_KANA = ("Noto Sans CJK JP", "Source Han Sans", "Hiragino Sans", "Yu Gothic", "Meiryo")
_HANGUL = ("Noto Sans CJK KR", "Source Han Sans K", "Apple SD Gothic Neo", "Malgun Gothic")


@dataclass(frozen=True)
class Font:
    """A font file.

    Attributes:
        path: the file.
        family: the name by which subtitle renderers find it.
        index: which font of a collection (.ttc).
    """

    path: Path
    family: str
    index: int = 0


def font_for(text: str) -> Font:
    """An upright sans-serif font that has every character of `text`, if there is one; else any that has them.

    Raises:
        InputError: no installed font has them all; it names the package that has.
    """
    needed = sorted({char for char in text if _is_drawn(char)} or {"A"})
    fonts = list(_listed(needed) if shutil.which("fc-list") else _searched(needed))
    if not fonts:
        raise _not_covered(needed)
    preferred = _families(needed)
    return min(fonts, key=lambda each: (_rank(each, preferred), str(each[0].path), each[0].index))[0]


def _is_drawn(char: str) -> bool:
    return unicodedata.category(char) not in _DRAWN_BY_NO_FONT and ord(char) not in _VARIATION_SELECTORS


def _families(needed: Iterable[str]) -> tuple[str, ...]:
    blocks = {_block(char) for char in needed}
    if "hangul" in blocks:
        return _HANGUL
    if "kana" in blocks:
        return _KANA
    return _HAN if "han" in blocks else _LATIN


def _rank(found: tuple[Font, str], preferred: tuple[str, ...]) -> tuple[int, int, int]:
    font, style = found
    words = f"{font.family} {style}"
    odd = sum(word in words for word in ("Mono", "Serif", "Condensed", "Narrow", "Italic", "Oblique", "Bold", "Math"))
    plain = 0 if any(style.startswith(name) for name in _PLAIN_STYLES) else 1
    place = preferred.index(font.family) if font.family in preferred else len(preferred)
    return place + 10 * plain, odd, len(style)


def _listed(needed: list[str]) -> Iterator[tuple[Font, str]]:
    """By fontconfig, with their styles. Bitmap fonts and colour fonts cannot be drawn with an outline."""
    wanted = ":scalable=true:color=false:charset=" + " ".join(f"{ord(char):x}" for char in needed)
    command = ["fc-list", wanted, "--format", "%{file}\t%{family[0]}\t%{style[0]}\t%{index}\t%{variable}\n"]
    try:
        told = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        yield from _searched(needed)
        return
    for line in told.decode("utf-8", "replace").splitlines():
        path, family, style, index, variable = (*line.split("\t"), "", "", "", "", "")[:5]
        if Path(path).suffix.lower() in _SUFFIXES and variable != "True":
            yield Font(Path(path), family, int(index or 0) & 0xFFFF), style


def _searched(needed: list[str]) -> Iterator[tuple[Font, str]]:
    for folder in _folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in _SUFFIXES:
                continue
            for index in range(16 if path.suffix.lower() in (".ttc", ".otc") else 1):
                try:
                    opened = ImageFont.truetype(str(path), 24, index=index)
                except (OSError, ValueError):
                    break
                if _has(opened, needed):
                    family, style = opened.getname()
                    yield Font(path, family or path.stem, index), style or ""


def _has(font: ImageFont.FreeTypeFont, needed: list[str]) -> bool:
    """Whether a font draws each character as something else than its box for unknown ones."""
    unknown = _drawn(font, "\U0010fffe")
    return all(_drawn(font, char) != unknown for char in needed)


def _drawn(font: ImageFont.FreeTypeFont, char: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        folders = [
            Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",
            home / "AppData/Local/Microsoft/Windows/Fonts",
        ]
    elif sys.platform == "darwin":
        folders = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    else:
        folders = [
            home / ".fonts",
            home / ".local/share/fonts",
            Path("/usr/local/share/fonts"),
            Path("/usr/share/fonts"),
        ]
    return [folder for folder in folders if folder.is_dir()]


def _not_covered(needed: list[str]) -> InputError:
    if len(needed) == 1:
        missing = needed
    elif shutil.which("fc-list"):
        missing = [char for char in needed if not any(True for _ in _listed([char]))]
    else:
        missing = []
    if not missing:
        return InputError(
            f"No one font here has all of {_shown(needed)}; install a wider one (Debian, Ubuntu: {_packages(needed)}), "
            "or write in one script.",
            field="text",
        )
    if any(_block(char) == "emoji" for char in missing):
        return InputError(
            f"No font here can draw {_shown(missing)}; take emoji out of the text, or install fonts-symbola (colour "
            "emoji fonts have no outlines to draw).",
            field="text",
        )
    return InputError(
        f"No font here has {_shown(missing)}; install {_packages(missing)} (Debian, Ubuntu), or another font that has "
        "them.",
        field="text",
    )


def _shown(chars: list[str]) -> str:
    named = ", ".join(f"{char} (U+{ord(char):04X})" for char in chars[:5])
    return named + (f" and {len(chars) - 5} more" if len(chars) > 5 else "")


def _packages(chars: list[str]) -> str:
    packages = {
        "han": "fonts-noto-cjk",
        "kana": "fonts-noto-cjk",
        "hangul": "fonts-noto-cjk",
        "latin": "fonts-dejavu-core",
        "emoji": "fonts-symbola",
    }
    return " and ".join(sorted({packages.get(_block(char), "fonts-noto-core") for char in chars}))


def _block(char: str) -> str:
    point = ord(char)
    for name, ranges in _BLOCKS.items():
        if any(low <= point <= high for low, high in ranges):
            return name
    return ""


_BLOCKS = {
    "latin": ((0x21, 0x52F), (0x1E00, 0x20CF)),
    "kana": ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "han": (
        *((0x2E80, 0x303F), (0x3100, 0x312F), (0x3190, 0x9FFF), (0xF900, 0xFAFF)),
        *((0xFE30, 0xFE4F), (0xFF00, 0xFF65), (0x20000, 0x3FFFF)),
    ),
    "emoji": ((0x2600, 0x27BF), (0x1F000, 0x1FAFF)),
}
