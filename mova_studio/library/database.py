"""The library's memory: one SQLite file in its folder, in WAL mode, brought up to date by numbered migrations."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, OutputError, StudioError

log = logging.getLogger(__name__)
NAME = "library.sqlite"
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10.0
_DAMAGED = ("malformed", "not a database", "corrupt")


class Database:
    """SQL on one library, from any thread and from several processes.

    Args:
        root: the library's folder; made if it does not exist and may be written.
        writable: False opens what is there and never changes it. Where nothing can be read in place (there
            is no file yet, or it needs a migration), an empty or a migrated copy in memory stands in for it.

    Raises:
        InputError: the file was written by a newer version, or is damaged.
        OutputError: the folder cannot be made or written.
    """

    def __init__(self, root: Path, *, writable: bool = True) -> None:
        self.root, self.writable = root, writable
        self.file = root / NAME
        self._locks = {"write": threading.RLock(), "read": threading.RLock()}
        self._depth = 0
        self._writing_thread: int | None = None
        with self._said():
            if writable:
                self._open()
            else:
                self._open_to_read()

    def read(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """The rows of a SELECT: as of the last commit, or as the thread's own open transaction has them.

        Raises:
            OutputError: the disk is gone.
            InputError: the file is damaged.
        """
        if self._writing_thread == threading.get_ident():
            return self._writer.execute(sql, values).fetchall()
        with self._locks["read"], self._said():
            return self._reader.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on disk when the block ends, undone if it raises. A block inside another joins it.

        Raises:
            OutputError: the library is read-only here, the disk is full or read-only, or the folder is gone.
            InputError: the file is damaged.
        """
        if not self.writable:
            raise OutputError(
                f"The library {self.root} is open to read only here; close the other MOVA Studio that has it, or "
                "choose another folder with --library.",
                field="library",
            )
        with self._locks["write"], self._said():
            if self._depth == 0:
                self._check_place()
                self._writer.execute("BEGIN IMMEDIATE")
                self._writing_thread = threading.get_ident()
            self._depth += 1
            try:
                yield self._writer
                if self._depth == 1:
                    self._writer.execute("COMMIT")
            except BaseException:
                if self._depth == 1:
                    with suppress(sqlite3.Error):
                        self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._writing_thread = None

    def changed_by_others(self) -> int:
        """A number that differs from the last one if another process has written in between."""
        with self._locks["write"], self._said():
            return int(self._writer.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        with self._locks["write"], self._locks["read"]:
            self._writer.close()
            self._reader.close()

    def _open(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.root, error) from error
        self._writer = self._connect(str(self.file))
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        migrate(self._writer, self.file, keep_copy=True)
        self._reader = self._connect(str(self.file))
        self._reader.execute("PRAGMA query_only = ON")
        self._inode = self.file.stat().st_ino

    def _open_to_read(self) -> None:
        self._reader = self._connect(":memory:")
        if self.file.exists():
            source = self._connect_read_only()
            if _version(source) == len(_steps()):
                self._reader.close()
                self._reader = source
                self._writer = source
                return
            source.backup(self._reader)
            source.close()
        migrate(self._reader, self.file, keep_copy=False)
        self._writer = self._reader

    def _connect_read_only(self) -> sqlite3.Connection:
        address = self.file.resolve().as_uri()
        try:
            connection = self._connect(f"{address}?mode=ro")
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            # A file in WAL mode wants to write beside itself, which a read-only disk does not allow.
            connection = self._connect(f"{address}?mode=ro&immutable=1")
            connection.execute("SELECT count(*) FROM sqlite_master")
        return connection

    @staticmethod
    def _connect(address: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            address,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=address.startswith("file:"),
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _check_place(self) -> None:
        """SQLite goes on writing into a file that was deleted under it; nothing of that would be kept."""
        try:
            there = self.file.stat().st_ino == self._inode
        except OSError:
            there = False
        if not there:
            raise OutputError(
                f"The library's file {self.file} is gone: its folder was moved or deleted, or its disk is not "
                "connected. Bring it back, or start again with another --library.",
                field="library",
            )

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except StudioError:
            raise
        except sqlite3.Error as error:
            raise _sentence(self.file, error) from error


def migrate(connection: sqlite3.Connection, file: Path, *, keep_copy: bool) -> None:
    """Bring a database up to date, each step in a transaction.

    Args:
        file: where it is, for messages.
        keep_copy: leave a copy as it was beside `file`.

    Raises:
        InputError: it was written by a newer version.
    """
    steps = _steps()
    version = _version(connection)
    if version > len(steps):
        raise InputError(
            f"{file} was written by a newer MOVA Studio: its form is {version} and this version knows {len(steps)}. "
            "Update, or choose another folder with --library.",
            field="library",
        )
    if keep_copy and 0 < version < len(steps):
        copy = file.with_name(f"{file.stem}.before-{len(steps)}.sqlite")
        copy.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(copy),))
    for number, step in enumerate(steps[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been quicker.
            if _version(connection) < number:
                for statement in _statements(step.read_text("utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _steps() -> list[Path]:
    return sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def _sentence(file: Path, error: sqlite3.Error) -> StudioError:
    text = str(error)
    if any(word in text for word in _DAMAGED):
        return InputError(
            f"{file} is damaged ({text}). Move it away: the takes beside it are whole, and a new one is made from "
            "them at the next start.",
            field="library",
        )
    if "full" in text:
        return OutputError(f"{file} cannot be written: the disk is full; free some space.", field="library")
    if "readonly" in text or not os.access(file.parent, os.W_OK):
        return OutputError(f"{file} cannot be written: it is read-only here.", field="library")
    if "locked" in text:
        return OutputError(f"{file} was busy for {BUSY_SECONDS:g} s; try again.", field="library")
    return OutputError(f"{file} cannot be used ({text}); check that its disk is connected.", field="library")
