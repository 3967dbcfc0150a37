"""A clip before it is decoded: where its video lies, and its caption."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mova_studio.errors import InputError
from mova_studio.training.clips.captions import decode_caption

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".ts", ".flv", ".3gp"})
_PIECE = 1 << 20


@dataclass(frozen=True)
class ClipSource:
    """A video that can be read, with its caption.

    Attributes:
        name: what people know it by: its path below the folder, or the shard and the key in it.
        caption: what can be seen and heard; "" where there is none.
        no_caption: why there is none, in a sentence; "" where there is one.
        file: the video, or the shard that holds it.
        span: (offset, bytes) of the video in a shard; None if it is the whole file.
    """

    name: str
    caption: str
    no_caption: str
    file: Path
    span: tuple[int, int] | None = None

    def media(self) -> Path | IO[bytes]:
        """What `media.probe` opens.

        Raises:
            InputError: the shard can no longer be read.
        """
        return self.file if self.span is None else io.BytesIO(b"".join(self._pieces()))

    def digest(self) -> str:
        """SHA-256 of the video's bytes, hexadecimal.

        Raises:
            InputError: it cannot be read.
        """
        digest = hashlib.sha256()
        for piece in self._pieces():
            digest.update(piece)
        return digest.hexdigest()

    def _pieces(self) -> Iterator[bytes]:
        offset, left = self.span or (0, 1 << 62)
        try:
            with self.file.open("rb") as stream:
                stream.seek(offset)
                while left and (piece := stream.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise InputError(f"{self.name} cannot be read ({error.strerror or error}).") from error


@dataclass(frozen=True)
class Skipped:
    """What is not used.

    Attributes:
        name: what people know it by.
        reason: a sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All clips of a place, in an order that does not change, and what in it was passed over."""

    clips: tuple[ClipSource, ...]
    skipped: tuple[Skipped, ...]


def joined(listings: list[Listing]) -> Listing:
    """One after the other."""
    return Listing(
        tuple(clip for listing in listings for clip in listing.clips),
        tuple(skipped for listing in listings for skipped in listing.skipped),
    )


def read_caption(written: bytes | None, where: str) -> tuple[str, str]:
    """A caption and why there is none; see `ClipSource`.

    Args:
        written: None where there is no caption.
        where: what would have held it.
    """
    if written is None:
        return "", f"It has no caption; write one into {where}."
    try:
        return decode_caption(written), ""
    except InputError as error:
        return "", f"{where}: {error.message}"
