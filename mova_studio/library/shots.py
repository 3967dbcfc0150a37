"""Shots in the library: kept once, however many jobs and takes come from them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import lru_cache

from mova_studio.errors import InputError
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot

_FRAMES = ("first_frame", "last_frame")


def fold(text: str) -> str:
    """The form in which prompts are compared: without case, width and other marks of writing."""
    return unicodedata.normalize("NFKC", text).casefold()


def shot_id(shot: Shot) -> str:
    """A name made of everything that is asked for; equal shots have equal names."""
    content = json.dumps(shot.to_dict(), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:32]


class ShotStore:
    """Shots by id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parsed = lru_cache(maxsize=256)(self._load)

    def keep(self, shot: Shot) -> str:
        """Keep a shot; returns its id. Joins the transaction at hand.

        Raises:
            OutputError: as `Database.writing`.
        """
        name = shot_id(shot)
        settings = shot.to_dict()
        with self._database.writing() as connection:
            frames = {}
            for field in _FRAMES:
                png = getattr(shot, field)
                del settings[field]
                frames[field] = None if png is None else hashlib.sha256(png).hexdigest()
                if png is not None:
                    connection.execute("INSERT OR IGNORE INTO frames VALUES (?, ?)", (frames[field], png))
            connection.execute(
                "INSERT OR IGNORE INTO shots VALUES (?, ?, ?, ?, ?, ?)",
                (
                    name,
                    json.dumps(settings),
                    frames["first_frame"],
                    frames["last_frame"],
                    shot.prompt,
                    fold(shot.prompt),
                ),
            )
        return name

    def get(self, name: str) -> Shot:
        """The shot of an id.

        Raises:
            KeyError: there is none.
            InputError: it was written by a newer version, or is damaged.
        """
        return self._parsed(name)

    def _load(self, name: str) -> Shot:
        rows = self._database.read(
            "SELECT settings, a.png AS first_frame, b.png AS last_frame FROM shots "
            "LEFT JOIN frames AS a ON a.frame = first_frame LEFT JOIN frames AS b ON b.frame = last_frame "
            "WHERE shot = ?",
            (name,),
        )
        if not rows:
            raise KeyError(name)
        try:
            settings = json.loads(rows[0]["settings"])
        except ValueError as error:
            raise InputError(f"The library's record of shot {name} is damaged ({error}).") from error
        return Shot.from_dict(settings).with_frames(rows[0]["first_frame"], rows[0]["last_frame"])
