"""A library as a studio finds it: to work on, or to read only and why."""

from __future__ import annotations

from pathlib import Path

from mova_studio.errors import OutputError
from mova_studio.library.database import Database
from mova_studio.library.lock import LibraryLock


def open_library(root: Path) -> tuple[Database, LibraryLock, str]:
    """The library in a folder, the claim to run its queue, and why it can only be read ("" where that is not so).

    Raises:
        InputError: it was written by a newer version, or is damaged.
        OutputError: there is none and none can be made.
    """
    lock = LibraryLock(root)
    try:
        database = Database(root)
    except OutputError as error:
        if not root.is_dir():
            raise
        return Database(root, writable=False), lock, f"{error.message} It is open to read only."
    if lock.acquire():
        return database, lock, ""
    database.close()
    holder = lock.holder()
    reason = (
        f"This library is open in another MOVA Studio{f' ({holder})' if holder else ''}; here it can only be read. "
        "Close the other one, or start this one with another --library."
    )
    return Database(root, writable=False), lock, reason
