"""A folder beside a film for what is only needed on the way; what a killed process left of one is removed later."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock

_PREFIX, _LOCK = ".film-", "in-use.lock"
_SETTLED_SECONDS = 10.0  # between a new folder and its lock lies an instant


@contextmanager
def scratch(out: Path) -> Iterator[Path]:
    """A folder on the disk of `out`, as long as the block runs.

    A lock of the operating system lies on a file in it. The system lets go of that lock when the process ends, however
    it ends, so that nobody has to ask whether a process of some number still lives, or is another one by now.
    """
    parent = out.absolute().parent
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        lock = FileLock(Path(name) / _LOCK)
        with suppress(OSError):  # a disk without locks: the folder is never taken for an abandoned one
            lock.acquire(timeout=0)
        try:
            yield Path(name)
        finally:
            lock.release()


def remove_abandoned(parent: Path) -> None:
    """Remove the scratch folders in `parent` whose processes have died; others, and what cannot be removed, stay."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if (folder / _LOCK).is_file() and time.time() - folder.stat().st_mtime > _SETTLED_SECONDS:
                with FileLock(folder / _LOCK, timeout=0):
                    pass
                _end_encoders(folder.resolve())
                shutil.rmtree(folder, ignore_errors=True)


def _end_encoders(folder: Path) -> None:
    """An ffmpeg whose starter was killed would encode its film to the end, for nobody."""
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["cwd"] == str(folder) and "ffmpeg" in (process.info["name"] or ""):
            with suppress(psutil.Error):
                process.kill()
