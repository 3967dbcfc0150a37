"""Files are written beside their place and renamed in, so that a crash never leaves half of one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mova_studio.errors import OutputError

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "this account may not write there; choose another folder or change its permissions",
    errno.EPERM: "this account may not write there; choose another folder or change its permissions",
    errno.ENOENT: "the folder does not exist; create it or choose another one",
    errno.ENOTDIR: "a part of that path is a file, not a folder; choose another folder",
    errno.EISDIR: "that path is a folder; give a file name inside it",
    errno.ENAMETOOLONG: "the name is too long for this disk; choose a shorter one",
}


def output_error(path: Path, error: OSError) -> OutputError:
    """The `OutputError` that names `path`, the system's reason and the remedy."""
    remedy = _REMEDIES.get(error.errno or 0, "choose another folder")
    return OutputError(f"Cannot write {path}: {remedy} ({error.strerror or error}).", field="out")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary file keeps the suffix of `path`, because muxers choose the container by it. If the
    block raises, whatever was there before stays untouched and the temporary file is removed.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    beside = path.with_name(f".{path.stem[:100]}.{secrets.token_hex(4)}{path.suffix}")
    try:
        with beside.open("xb"):
            pass
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """A new name survives a power cut only once its folder is on disk; Windows has no way to ask for that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_writable(path: Path) -> None:
    """Find out now, and not after an hour of work, whether `path` can be written.

    Raises:
        OutputError: the folder is missing or read-only, or `path` is a folder.
    """
    if path.is_dir():
        raise output_error(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    beside = path.with_name(f".{secrets.token_hex(8)}.probe")
    try:
        with beside.open("xb") as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
