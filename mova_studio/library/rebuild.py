"""The library made anew from its files: every take's mp4 says itself what it is."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mova_studio.errors import Cancelled, InputError
from mova_studio.library.database import Database
from mova_studio.library.places import FILMS, TRAININGS, UPLOADS, is_there, trash_place
from mova_studio.library.provenance import read_take, read_take_id
from mova_studio.library.take import Take
from mova_studio.media.measures import measure_file

# Looking at a file is quick, reading a new take is not.
_LOOKING_SHARE = 0.1


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        added: takes that the library did not know.
        found_again: known takes whose files had been moved or were missing.
        passed_over: files that are not takes of it, each with the reason.
    """

    added: int
    found_again: int
    passed_over: tuple[tuple[str, str], ...]


class Rebuild:
    """One pass over a library's files.

    Args:
        database, root: of the library.
        add: keeps a take under an id; `TakeStore.add`.
        measure: whether new takes are measured whose record does not say it, which decodes them whole.
        on_progress: called with the share done, 0 to 1.
        cancelled: asked before every file.
    """

    def __init__(
        self,
        database: Database,
        root: Path,
        add: Callable[[Take, str], object],
        *,
        measure: bool,
        on_progress: Callable[[float], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._database, self._root, self._add, self._measure = database, root, add, measure
        self._report = on_progress or (lambda share: None)
        self._cancelled = cancelled or (lambda: False)
        self._passed_over: list[tuple[str, str]] = []

    def run(self) -> Rebuilt:
        """Do it.

        Raises:
            Cancelled: `cancelled()` said so; what was added until then stays.
            OutputError: the database cannot be written.
        """
        rows = {row["take"]: row for row in self._database.read("SELECT * FROM takes")}
        found, unknown = self._assign(rows, self._identify(rows))
        found_again = self._update(rows, found)
        added = 0
        for count, (take_id, place) in enumerate(unknown.items()):
            self._step(_LOOKING_SHARE + (1 - _LOOKING_SHARE) * count / len(unknown))
            added += self._read(take_id, place)
        self._report(1.0)
        return Rebuilt(added, found_again, tuple(sorted(self._passed_over)))

    def _identify(self, rows: dict[str, sqlite3.Row]) -> dict[str, list[str]]:
        """The places of every take that lies somewhere below the folder."""
        at = {row["path"]: row for row in rows.values()}
        places: dict[str, list[str]] = {}
        files = list(self._files())
        for count, file in enumerate(files):
            self._step(_LOOKING_SHARE * count / len(files))
            place = file.relative_to(self._root).as_posix()
            try:
                known, stat = at.get(place), file.stat()
                if known is not None and (stat.st_size, stat.st_mtime_ns) == (known["size"], known["modified"]):
                    take_id = known["take"]
                else:
                    take_id = read_take_id(file)
            except (InputError, OSError) as error:
                self._pass_over(file, str(error))
                continue
            if take_id is None:
                self._pass_over(file, "It is no take: it has no record of how it was made.")
            else:
                places.setdefault(take_id, []).append(place)
        return places

    def _assign(
        self, rows: dict[str, sqlite3.Row], places: dict[str, list[str]]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """One place each for the takes that are known, and for those that are not."""
        found: dict[str, str] = {}
        unknown: dict[str, str] = {}
        for take_id, candidates in places.items():
            row = rows.get(take_id)
            if row is not None and row["trashed"] is not None and is_there(self._root / trash_place(take_id)):
                for place in candidates:
                    self._pass_over(self._root / place, "Another copy of this take is in the trash.")
                continue
            chosen = row["path"] if row is not None and row["path"] in candidates else candidates[0]
            (unknown if row is None else found)[take_id] = chosen
            for place in candidates:
                if place != chosen:
                    self._pass_over(self._root / place, f"It is another copy of {chosen}.")
        return found, unknown

    def _update(self, rows: dict[str, sqlite3.Row], found: dict[str, str]) -> int:
        """Bring the rows of known takes to their files; returns how many were elsewhere or missing."""
        moved = {name: place for name, place in found.items() if rows[name]["path"] != place}
        back = [name for name in found if name not in moved and rows[name]["missing"]]
        lost = [
            name
            for name, row in rows.items()
            if name not in found and row["path"] is not None and not is_there(self._root / row["path"])
        ]
        with self._database.writing() as connection:
            for place in moved.values():
                connection.execute("UPDATE takes SET path = NULL, missing = 1 WHERE path = ?", (place,))
            for name, place in moved.items():
                connection.execute(
                    "UPDATE takes SET path = ?, home = ?, trashed = NULL WHERE take = ?", (place, place, name)
                )
            for name in lost:
                connection.execute("UPDATE takes SET missing = 1 WHERE take = ?", (name,))
            for name, place in found.items():
                # It may have been moved on since it was looked at; a page that shows it will notice.
                with suppress(OSError):
                    stat = (self._root / place).stat()
                    connection.execute(
                        "UPDATE takes SET missing = 0, size = ?, modified = ? WHERE take = ?",
                        (stat.st_size, stat.st_mtime_ns, name),
                    )
        return len(moved) + len(back)

    def _read(self, take_id: str, place: str) -> bool:
        file = self._root / place
        try:
            take = read_take(file)
            if take is None:
                raise InputError("It was replaced in the meantime.")
            if self._measure and take.measures is None:
                take = dataclasses.replace(take, measures=measure_file(file))
        except (InputError, OSError) as error:
            self._pass_over(file, str(error))
            return False
        self._add(take, take_id)
        return True

    def _files(self) -> Iterator[Path]:
        """Every mp4; nothing hidden, because a file being written is, no link, nothing of a timeline or a training."""
        no_takes = (self._root / UPLOADS, self._root / FILMS, self._root / TRAININGS)

        def refused(error: OSError) -> None:
            self._pass_over(Path(error.filename), f"It may not be read ({error.strerror}).")

        for folder, folders, names in os.walk(self._root, onerror=refused):
            if Path(folder) in no_takes:
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if name.startswith(".") or file.suffix.lower() != ".mp4":
                    continue
                if file.is_symlink():
                    self._pass_over(file, "It is a link to another file.")
                elif not name.isprintable():
                    self._pass_over(file, "Its name has characters that cannot be shown; rename it.")
                else:
                    yield file

    def _pass_over(self, file: Path, reason: str) -> None:
        shown = str(file).encode("utf-8", "replace").decode("utf-8")
        self._passed_over.append((shown, reason))

    def _step(self, share: float) -> None:
        if self._cancelled():
            raise Cancelled()
        self._report(share)
