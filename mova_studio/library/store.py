"""The library of takes: SQLite knows them, plain mp4 files are them."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from mova_studio.atomic import output_error
from mova_studio.errors import InputError, StudioError
from mova_studio.library.database import Database
from mova_studio.library.kept import COLUMNS, KeptTake, kept_of, row_of
from mova_studio.library.naming import DEFAULT_TEMPLATE, check_template, fill_template
from mova_studio.library.places import TRASH, free_place, is_there, place_of
from mova_studio.library.query import SORTS, Page, Query, ShotEntry, where
from mova_studio.library.rebuild import Rebuild, Rebuilt
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.tags import clean_tags
from mova_studio.library.take import Take, is_take_id
from mova_studio.library.trash import Trash, unknown_take

log = logging.getLogger(__name__)
MAX_PAGE = 1000
_TEMPLATE = "filename_template"


class TakeStore:
    """The takes of one library.

    Args:
        database: of the library.
        root: the library's folder; every take's file lies below it.
        shots: of the same database.
    """

    def __init__(self, database: Database, root: Path, shots: ShotStore) -> None:
        self.root = root.expanduser().resolve()
        self._database = database
        self._shots = shots
        self._trash = Trash(database, self.root)
        if database.writable:
            self._trash.settle()

    @property
    def template(self) -> str:
        """How the files of new takes are named, see `naming`."""
        rows = self._database.read("SELECT value FROM settings WHERE name = ?", (_TEMPLATE,))
        try:
            return check_template(json.loads(rows[0]["value"])) if rows else DEFAULT_TEMPLATE
        except (ValueError, AttributeError, TypeError) as error:
            log.warning("The library's own filename template is not used: %s", error)
            return DEFAULT_TEMPLATE

    def set_template(self, template: str) -> None:
        """Name the files of new takes by another template.

        Raises:
            InputError: names made from it could be unsafe; see `naming.check_template`.
        """
        kept = check_template(template)
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_TEMPLATE, json.dumps(kept)))

    def new_path(self, shot: Shot, seed: int, now: datetime | None = None) -> Path:
        """A free path for a take that is about to be written; its folder is made.

        Raises:
            OutputError: the folder cannot be made, or the library is gone or read-only.
        """
        name = fill_template(self.template, shot, seed, now or datetime.now().astimezone())
        # Where the library's disk is not connected, no folder is made in its place.
        with self._database.writing() as connection:
            path = self.root / free_place(self.root, str(name), connection.execute)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise output_error(path.parent, error) from error
        return path

    def add(self, take: Take, take_id: str | None = None) -> KeptTake:
        """Keep what is known of a take whose file lies in the library. Joins the transaction at hand.

        A take with an id that is known already gets these facts and keeps its stars and tags.

        Args:
            take_id: as in the file's record; None makes one.

        Raises:
            InputError: the file lies outside the library, or the id cannot be a file's name.
        """
        name = secrets.token_hex(16) if take_id is None else take_id
        if not is_take_id(name):
            raise InputError(f"{name[:80]!r} cannot name a take; take 1 to 64 letters, digits, - and _.")
        place = place_of(self.root, take.path)
        facts = row_of(take)
        with self._database.writing() as connection:
            facts |= {"take": name, "shot": self._shots.keep(take.shot)}
            facts |= self._where(connection, place, name)
            columns = ", ".join(facts)
            changes = ", ".join(f"{column} = excluded.{column}" for column in facts)
            connection.execute(
                f"INSERT INTO takes ({columns}) VALUES ({', '.join(f':{column}' for column in facts)}) "  # noqa: S608
                f"ON CONFLICT (take) DO UPDATE SET {changes}",
                facts,
            )
            row = connection.execute(f"SELECT {COLUMNS} FROM takes AS t WHERE take = ?", (name,)).fetchone()  # noqa: S608
        return kept_of(row, take.shot, self.root)

    def get(self, take_id: str) -> KeptTake:
        """The take of an id.

        Raises:
            InputError: there is none.
        """
        found = self._select("t.take = ?", (take_id,)) if is_take_id(take_id) else []
        if not found:
            raise unknown_take(take_id)
        return found[0]

    def find_path(self, path: Path) -> KeptTake | None:
        """The take whose file lies there, also in the trash; None if the library knows of none."""
        try:
            place = place_of(self.root, path)
        except InputError:
            return None
        found = self._select("t.path = ?", (place,))
        return found[0] if found else None

    def page(self, query: Query = Query(), limit: int = 24, offset: int = 0) -> Page:  # noqa: B008 - it is frozen
        """Takes of a query, at most 1,000; for those returned, their files are looked for."""
        condition, values = where(query)
        source = f"FROM takes AS t WHERE {condition}"
        most = min(max(limit, 0), MAX_PAGE)
        wanted = self._database.read(
            f"SELECT t.take {source} ORDER BY {SORTS[query.sort]} LIMIT ? OFFSET ?", (*values, most, offset)
        )
        total = len(wanted)
        if offset or total == most:
            total = self._database.read(f"SELECT count(*) AS total {source}", values)[0]["total"]
        names = [row["take"] for row in wanted]
        marks = ", ".join("?" * len(names))
        found = {kept.take_id: kept for kept in self._select(f"t.take IN ({marks})", names)}
        return Page(tuple(found[name] for name in names if name in found), total)

    def shots(self, limit: int = 200) -> tuple[ShotEntry, ...]:
        """Shots with takes outside the trash, the one with the newest take first."""
        rows = self._database.read(
            "SELECT shot, prompt, count, newest FROM (SELECT shot, count(*) AS count, max(created) AS newest, "
            "max(rowid) AS last FROM takes WHERE trashed IS NULL GROUP BY shot) JOIN shots USING (shot) "
            "ORDER BY newest DESC, last DESC LIMIT ?",
            (limit,),
        )
        return tuple(ShotEntry(row["shot"], row["prompt"], row["count"], row["newest"]) for row in rows)

    def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag outside the trash and how many takes have it, the most used first."""
        rows = self._database.read(
            "SELECT min(tag) AS tag, count(*) AS count FROM tags WHERE take NOT IN "
            "(SELECT take FROM takes WHERE trashed IS NOT NULL) GROUP BY folded ORDER BY count DESC, folded"
        )
        return tuple((row["tag"], row["count"]) for row in rows)

    def set_stars(self, take_id: str, stars: int) -> None:
        """Rate a take.

        Raises:
            InputError: there is no such take, or not 0 to 5 stars.
        """
        if stars not in range(6):
            raise InputError(f"{stars} stars cannot be given; give 0 to 5.", field="stars")
        self._change(take_id, "UPDATE takes SET stars = ? WHERE take = ?", (int(stars), take_id))

    def set_tags(self, take_id: str, tags: Iterable[str]) -> None:
        """Give a take these tags and no others; blanks are trimmed, the same tag twice is one.

        Raises:
            InputError: there is no such take, more than 20 tags, or one of more than 40 characters.
        """
        cleaned = clean_tags(tags)
        with self._database.writing() as connection:
            self._change(take_id, "UPDATE takes SET take = take WHERE take = ?", (take_id,))
            connection.execute("DELETE FROM tags WHERE take = ?", (take_id,))
            connection.executemany(
                "INSERT INTO tags VALUES (?, ?, ?)", [(take_id, folded, tag) for folded, tag in cleaned.items()]
            )

    def trash(self, take_ids: Iterable[str]) -> None:
        """Move takes to ROOT/.trash; those that are there already stay.

        Raises:
            InputError: a take is not known; none is moved then.
            OutputError: a file cannot be moved; its take stays where it was, the others are in the trash.
        """
        self._trash.put(take_ids)

    def restore(self, take_ids: Iterable[str]) -> None:
        """Move takes back to their old places, or beside them if other files lie there now.

        Raises:
            InputError: a take is not known; none is moved then.
            OutputError: a file cannot be moved; its take stays in the trash.
        """
        self._trash.restore(take_ids)

    def empty_trash(self) -> int:
        """Delete what is in the trash for good; returns how many takes that were.

        Raises:
            OutputError: a file cannot be deleted; its take stays in the trash.
        """
        return self._trash.empty()

    def rebuild(
        self,
        on_progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        measure: bool = True,
    ) -> Rebuilt:
        """Bring the library to what its files say; see `Rebuild`.

        Raises:
            Cancelled: `cancelled()` said so; what was added until then stays.
            OutputError: the database cannot be written.
        """
        rebuilding = Rebuild(
            self._database, self.root, self.add, measure=measure, on_progress=on_progress, cancelled=cancelled
        )
        return rebuilding.run()

    def forget(self, take_id: str) -> None:
        """Let go of a take whose file is missing.

        Raises:
            InputError: there is no such take, or its file is there.
        """
        kept = self.get(take_id)
        if not kept.missing:
            raise InputError(f"{kept.take.path} is there; put its take into the trash instead.")
        self._change(take_id, "DELETE FROM takes WHERE take = ?", (take_id,))

    def _select(self, condition: str, values: Iterable[str]) -> list[KeptTake]:
        rows = self._database.read(f"SELECT {COLUMNS} FROM takes AS t WHERE {condition}", tuple(values))  # noqa: S608
        found, moved = [], []
        for row in rows:
            there = row["path"] is not None and is_there(self.root / row["path"])
            if there == bool(row["missing"]):
                moved.append((int(not there), row["take"]))
            try:
                kept = kept_of(row, self._shots.get(row["shot"]), self.root)
            except (StudioError, ValueError, KeyError, TypeError) as error:
                log.warning("The take %s is passed over: %s", row["take"], error)
                continue
            found.append(KeptTake(**(vars(kept) | {"missing": not there})))
        if moved and self._database.writable:
            with suppress(StudioError), self._database.writing() as connection:
                connection.executemany("UPDATE takes SET missing = ? WHERE take = ?", moved)
        return found

    def _change(self, take_id: str, statement: str, values: tuple) -> None:
        with self._database.writing() as connection:
            if connection.execute(statement, values).rowcount == 0:
                raise unknown_take(take_id)

    @staticmethod
    def _where(connection: sqlite3.Connection, place: str, take_id: str) -> dict[str, str | None]:
        """The columns that say where a take is. Another one whose file had this place is somewhere else now.

        Raises:
            InputError: the place is in the trash, and the take is not.
        """
        if not place.startswith(f"{TRASH}/"):
            connection.execute(
                "UPDATE takes SET path = NULL, missing = 1 WHERE path = ? AND take != ?", (place, take_id)
            )
            return {"path": place, "home": place, "trashed": None}
        row = connection.execute("SELECT path, home, trashed FROM takes WHERE take = ?", (take_id,)).fetchone()
        if row is None or row["path"] != place:
            raise InputError(f"{place} is in the trash; a take is added from a place outside it.", field="library")
        return dict(row)
