"""The record of how a take was made, inside a PNG: the text that an mp4 carries, in an iTXt chunk."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mova_studio.errors import InputError
from mova_studio.media.provenance import Provenance, pack, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"mova_studio"
# Two first frames of 2048 x 2048 that nothing compresses, in base64.
MAX_TEXT = 40 * 2**20
_MAX_CHUNKS = 100_000
_FOREIGN = {
    b"parameters": "AUTOMATIC1111",
    b"workflow": "ComfyUI",
    b"prompt": "ComfyUI",
    b"invokeai_metadata": "InvokeAI",
}


def embed(png: bytes, provenance: Provenance) -> bytes:
    """The PNG file `png` with a record in it.

    Raises:
        InputError: the bytes are no PNG, or the record holds something that JSON cannot hold.
    """
    if not png.startswith(SIGNATURE):
        raise InputError("The picture is no PNG file and cannot carry a record.")
    text = zlib.compress(pack(provenance).encode("ascii"))
    chunk = b"iTXt" + KEYWORD + b"\0\1\0\0\0" + text
    written = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    behind_header = len(SIGNATURE) + 12 + 13
    return png[:behind_header] + written + png[behind_header:]


def read_png_record(path: Path) -> Provenance | None:
    """What `embed` put into a PNG; None if nothing of ours is there.

    Raises:
        InputError: no PNG, cut short, damaged, a record of another program or of a newer version, or a text that
            unpacks to more than any record of ours has.
    """
    foreign = ""
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise InputError(f"{path.name} is no PNG file.")
        for kind, data in _chunks(file, path.name):
            keyword = data.partition(b"\0")[0]
            if kind == b"iTXt" and keyword == KEYWORD:
                return unpack(_text(data, path.name), path.name)
            if kind in (b"tEXt", b"zTXt", b"iTXt"):
                foreign = foreign or _FOREIGN.get(keyword, "")
    if foreign:
        raise InputError(
            f"{path.name} holds settings of another program ({foreign}); only those of MOVA Studio can be restored."
        )
    return None


def _chunks(file: IO[bytes], name: str) -> Iterator[tuple[bytes, bytes]]:
    """(kind, data) of the text chunks, their checksums compared; other chunks are skipped over."""
    for _count in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise InputError(f"{name} is damaged or cut short; copy or download it again.")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            file.seek(length + 4, 1)
            continue
        body = file.read(min(length, MAX_TEXT + 1024) + 4)
        if len(body) != length + 4 or zlib.crc32(kind + body[:-4]) != int.from_bytes(body[-4:], "big"):
            raise InputError(f"{name} is damaged or cut short; copy or download it again.")
        yield kind, body[:-4]
    raise InputError(f"{name} has more than {_MAX_CHUNKS} parts; it is no file of ours.")


def _text(data: bytes, name: str) -> str:
    _keyword, _end, rest = data.partition(b"\0")
    compressed, parts = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    text = parts[2] if len(parts) == 3 else b""
    try:
        if compressed:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(text, MAX_TEXT + 1)
        if len(text) > MAX_TEXT:
            raise InputError(
                f"The record in {name} unpacks to more than {MAX_TEXT // 2**20} MiB; it is no record of ours."
            )
        return text.decode("ascii")
    except (zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"The settings kept in {name} are damaged and cannot be read.") from error
