"""Captions as they lie on disks: bytes in whatever encoding somebody's editor wrote."""

from __future__ import annotations

import codecs
import unicodedata

from mova_studio.errors import InputError

MAX_BYTES = 100_000
_MARKS = (
    # UTF-32's little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def decode_caption(written: bytes) -> str:
    """The text of a caption, stripped: UTF-8, UTF-16 or UTF-32 with a byte order mark, GB18030, or Windows-1252.

    GB18030 takes nearly any bytes. Those are taken for it whose characters have both bytes above 0x80, as those of
    Chinese texts do; an accented letter between plain ones is Windows-1252.

    Raises:
        InputError: it is empty, too long, or no text.
    """
    if len(written) > MAX_BYTES:
        raise InputError(
            f"The caption has {len(written)} bytes and at most {MAX_BYTES} are read; shorten it.", field="caption"
        )
    text = _decoded(written)
    if text is None or any(unicodedata.category(letter) == "Cc" and not letter.isspace() for letter in text):
        raise InputError(
            "The caption is no text in UTF-8, UTF-16 with a byte order mark or GB18030; save it as UTF-8.",
            field="caption",
        )
    if not text.strip():
        raise InputError("The caption is empty; write what can be seen and heard.", field="caption")
    return text.strip()


def _decoded(written: bytes) -> str | None:
    marked = next((name for mark, name in _MARKS if written.startswith(mark)), None)
    for encoding in [marked] if marked else ["utf-8", "gb18030", "cp1252"]:
        try:
            text = written.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "gb18030" or _both_high(text):
            return text
    return None


def _both_high(text: str) -> bool:
    """Whether most characters of a text that was read as GB18030 have a second byte above 0x80."""
    wide = [letter.encode("gb18030") for letter in text if letter > "\x7f"]
    return 2 * sum(each[1] > 0x80 for each in wide) > len(wide)
