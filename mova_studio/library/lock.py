"""One studio works on a library at a time; the system itself ends its claim when its process ends."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

_LOCK, _HOLDER = ".lock", ".lock.holder.json"
_PATIENCE_SECONDS = 1.0  # a command of an instant is no other studio


class LibraryLock:
    """The claim to run a library's queue.

    Args:
        root: the library's folder, which exists.
    """

    def __init__(self, root: Path) -> None:
        self._holder = root / _HOLDER
        self._lock = FileLock(str(root / _LOCK))

    def acquire(self) -> bool:
        """Take the claim; False if another process has it, or where nothing can be written."""
        try:
            self._lock.acquire(timeout=_PATIENCE_SECONDS)
        except (Timeout, OSError):
            return False
        with suppress(OSError):
            since = datetime.now().astimezone().isoformat(timespec="seconds")
            self._holder.write_text(json.dumps({"pid": os.getpid(), "since": since}), "utf-8")
        return True

    def holder(self) -> str:
        """ "process 4711, since 2026-11-21T10:00:00+01:00" of whoever took the claim last; "" if unknown."""
        known = self._read()
        return "" if known is None else f"process {known[0]}, since {known[1]}"

    def abandoned(self) -> bool:
        """Whoever took the claim last no longer lives; asked without touching the claim."""
        known = self._read()
        return known is None or not psutil.pid_exists(known[0])

    def _read(self) -> tuple[int, str] | None:
        try:
            known = json.loads(self._holder.read_text("utf-8"))
            return int(known["pid"]), str(known["since"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def release(self) -> None:
        """Give the claim back."""
        self._lock.release()
