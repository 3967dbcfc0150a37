"""WebDataset shards: tar files in which members of one key belong together."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from mova_studio.errors import InputError
from mova_studio.training.clips.captions import MAX_BYTES
from mova_studio.training.clips.source import VIDEO_SUFFIXES, ClipSource, Listing, Skipped, read_caption

MAX_VIDEO_BYTES = 4 << 30  # a clip in a shard is read into memory
_CAPTION_KEYS = ("caption", "text", "txt")


def list_shard(file: Path) -> Listing:
    """The clips of a plain .tar: KEY.mp4 (or another video) with KEY.txt, or KEY.json that has a "caption".

    A key is a member's name up to the first dot of its last part. Nothing is unpacked, and no name becomes a path.

    Raises:
        InputError: it is no tar, or a compressed one.
    """
    videos: dict[str, tuple[str, int, int]] = {}
    captions: dict[str, bytes] = {}
    skipped: list[Skipped] = []
    try:
        with tarfile.open(file, "r:") as shard:
            try:
                for member in shard:
                    _take(shard, member, videos, captions, skipped)
            except (tarfile.ReadError, EOFError):
                skipped.append(Skipped(file.name, "It is cut short; the clips before the cut are used. Copy it again."))
    except (tarfile.TarError, OSError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise InputError(
            f"{file} cannot be read as a plain tar ({reason}); unpack it if it is compressed, or copy it again.",
            field="clips",
        ) from error
    end = file.stat().st_size
    clips = []
    for key, (member_name, offset, size) in videos.items():
        name = f"{file.name}/{member_name}"
        if offset + size > end:
            skipped.append(Skipped(name, f"The shard ends within it, after {max(end - offset, 0)} of {size} bytes."))
        elif size > MAX_VIDEO_BYTES:
            skipped.append(Skipped(name, f"It has {size / 2**30:.1f} GiB and at most 4 are taken; cut it first."))
        else:
            caption = read_caption(captions.get(key), f"{key}.txt")
            clips.append(ClipSource(name, *caption, file, (offset, size)))
    return Listing(tuple(clips), tuple(skipped))


def _take(
    shard: tarfile.TarFile,
    member: tarfile.TarInfo,
    videos: dict[str, tuple[str, int, int]],
    captions: dict[str, bytes],
    skipped: list[Skipped],
) -> None:
    folder, slash, last = member.name.rpartition("/")
    stem, _, suffix = last.partition(".")
    key, suffix = f"{folder}{slash}{stem}", f".{suffix.lower()}"
    if not member.isreg() or member.issparse() or not stem:
        return
    if suffix in VIDEO_SUFFIXES:
        if key in videos:
            skipped.append(Skipped(f"{Path(str(shard.name)).name}/{member.name}", "Its key has a video already."))
        else:
            videos[key] = member.name, member.offset_data, member.size
    elif suffix in (".txt", ".json"):
        stream = shard.extractfile(member)
        written = b"" if stream is None else stream.read(MAX_BYTES + 1)
        if suffix == ".txt":
            captions[key] = written
        elif key not in captions:
            found = _of_json(written)
            if found is not None:
                captions[key] = found


def _of_json(written: bytes) -> bytes | None:
    try:
        record = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    texts = [record[name] for name in _CAPTION_KEYS if isinstance(record.get(name), str)]
    return texts[0].encode("utf-8", "surrogatepass") if texts else None
