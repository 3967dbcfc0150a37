"""The trash: takes wait in ROOT/.trash under their ids until it is emptied.

The database is written first and the file is moved after it, so that a crash in between leaves a take whose
file is at the other end of its way; `Trash.settle` then finishes the move.
"""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError, OutputError
from mova_studio.library.database import Database
from mova_studio.library.places import TRASH, free_place, is_there, trash_place

log = logging.getLogger(__name__)
_Moves = list[tuple[sqlite3.Row, str]]


class Trash:
    """Moves takes into the trash, back, and out of the world.

    Args:
        database: of the library.
        root: the library's folder.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root

    def put(self, take_ids: Iterable[str]) -> None:
        """See `TakeStore.trash`."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        moves: _Moves = []
        with self._database.writing() as connection:
            for row in _rows(connection, take_ids):
                if row["trashed"] is None:
                    moves.append((row, trash_place(row["take"])))
                    connection.execute(
                        "UPDATE takes SET trashed = ?, path = ? WHERE take = ?", (now, moves[-1][1], row["take"])
                    )
        self._move_all(moves)

    def restore(self, take_ids: Iterable[str]) -> None:
        """See `TakeStore.restore`."""
        moves: _Moves = []
        with self._database.writing() as connection:
            for row in _rows(connection, take_ids):
                if row["trashed"] is not None:
                    moves.append((row, self._home(connection, row)))
                    connection.execute(
                        "UPDATE takes SET trashed = NULL, path = ?, home = ? WHERE take = ?",
                        (moves[-1][1], moves[-1][1], row["take"]),
                    )
        self._move_all(moves)

    def empty(self) -> int:
        """See `TakeStore.empty_trash`."""
        self.settle()
        kept: list[OSError] = []
        gone = 0
        with self._database.writing() as connection:
            rows = connection.execute("SELECT take FROM takes WHERE trashed IS NOT NULL").fetchall()
            places = {self._root / trash_place(row["take"]): row["take"] for row in rows}
            # Files whose rows were lost with a damaged database are emptied as well.
            known = {row["take"] for row in connection.execute("SELECT take FROM takes")}
            places |= {path: None for path in (self._root / TRASH).glob("*.mp4") if path.stem not in known}
            for path, take_id in places.items():
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    kept.append(error)
                    continue
                if take_id is not None:
                    connection.execute("DELETE FROM takes WHERE take = ?", (take_id,))
                    gone += 1
        if kept:
            raise output_error(self._root / TRASH, kept[0]) from kept[0]
        return gone

    def settle(self) -> None:
        """Finish the moves that a crash, or a transaction undone, left halfway."""
        with self._database.writing() as connection:
            try:
                for row in connection.execute("SELECT * FROM takes WHERE trashed IS NOT NULL").fetchall():
                    target = self._root / trash_place(row["take"])
                    if not is_there(target) and self._is_at_home(connection, row):
                        _move(self._root / row["home"], target)
                for path in (self._root / TRASH).glob("*.mp4"):
                    self._bring_back(connection, path)
            except (OSError, OutputError) as error:
                log.warning("The trash of %s could not be put in order: %s", self._root, error)

    def _bring_back(self, connection: sqlite3.Connection, path: Path) -> None:
        row = connection.execute("SELECT * FROM takes WHERE take = ? AND trashed IS NULL", (path.stem,)).fetchone()
        if row is None or (row["path"] is not None and self._is_unchanged(row, row["path"])):
            return
        place = row["path"]
        if place is None or (self._root / place).exists():
            place = self._home(connection, row)
            connection.execute("UPDATE takes SET path = ?, home = ? WHERE take = ?", (place, place, row["take"]))
        _move(path, self._root / place)

    def _is_at_home(self, connection: sqlite3.Connection, row: sqlite3.Row) -> bool:
        """Whether the file at its old place is this take's and nobody else's."""
        if connection.execute("SELECT 1 FROM takes WHERE path = ?", (row["home"],)).fetchone():
            return False
        return self._is_unchanged(row, row["home"])

    def _is_unchanged(self, row: sqlite3.Row, place: str) -> bool:
        """Whether the file there is the one that was added, by its size and time."""
        try:
            stat = (self._root / place).stat()
        except OSError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (row["size"], row["modified"])

    def _home(self, connection: sqlite3.Connection, row: sqlite3.Row) -> str:
        """Its old place, or one beside it if that is taken."""
        home = str(row["home"])
        taken = connection.execute("SELECT 1 FROM takes WHERE path = ?", (home,)).fetchone()
        if taken is None and not (self._root / home).exists():
            return home
        return free_place(self._root, home.removesuffix(".mp4"), connection.execute)

    def _move_all(self, moves: _Moves) -> None:
        """Move the files. What cannot be moved stays where it is, in the database too.

        Raises:
            OutputError: for the first that could not be moved, after the others were.
        """
        failed: list[tuple[sqlite3.Row, OSError | OutputError]] = []
        missing: list[str] = []
        for row, place in moves:
            target = self._root / place
            try:
                if row["path"] is None or not _move(self._root / row["path"], target):
                    missing.append(row["take"])
            except (OSError, OutputError) as error:
                failed.append((row, error))
        if not failed and not missing:
            return
        with self._database.writing() as connection:
            for take_id in missing:
                connection.execute("UPDATE takes SET missing = 1 WHERE take = ?", (take_id,))
            for row, _ in failed:
                connection.execute(
                    "UPDATE takes SET trashed = ?, path = ?, home = ? WHERE take = ?",
                    (row["trashed"], row["path"], row["home"], row["take"]),
                )
        if failed:
            row, cause = failed[0]
            raise cause if isinstance(cause, OutputError) else output_error(self._root / row["path"], cause) from cause


def _rows(connection: sqlite3.Connection, take_ids: Iterable[str]) -> list[sqlite3.Row]:
    rows = []
    for take_id in dict.fromkeys(take_ids):
        row = connection.execute("SELECT * FROM takes WHERE take = ?", (take_id,)).fetchone()
        if row is None:
            raise unknown_take(take_id)
        rows.append(row)
    return rows


def unknown_take(take_id: str) -> InputError:
    """The sentence for an id that no take has."""
    return InputError(f"The library has no take {take_id[:80]!r}; reload the page, or list its takes.")


def _move(source: Path, target: Path) -> bool:
    """Move a file, onto another disk too; False if it is not there (another process may have moved it)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except FileNotFoundError:
        return is_there(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(target) as beside:
            shutil.copy2(source, beside)
        source.unlink()
    return True
