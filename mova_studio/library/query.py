"""Which takes to show, in which order, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mova_studio.errors import InputError
from mova_studio.library.kept import KeptTake
from mova_studio.library.shots import fold

# Takes of the same rank: the newest first, of one second the last added.
_NEWEST = "t.created DESC, t.rowid DESC"
SORTS = {
    "newest": _NEWEST,
    "oldest": "t.created, t.rowid",
    "rating": f"t.stars DESC, {_NEWEST}",
    "sync": f"abs(t.offset_ms) ASC NULLS LAST, {_NEWEST}",
    "align": f"t.av_align DESC NULLS LAST, {_NEWEST}",
    "loudness": f"t.integrated_lufs DESC NULLS LAST, {_NEWEST}",
    "seed": f"t.seed, {_NEWEST}",
}


@dataclass(frozen=True)
class Query:
    """What to look for.

    Attributes:
        search: words; the prompt, a tag or the beginning of the seed must hold each of them.
        shot_id: only takes of this shot.
        min_stars: 0 to 5.
        tags: all of which a take must have.
        flawless: only takes that were measured and have no flaw.
        trashed: those in the trash, in place of all others.
        sort: newest | oldest | rating | sync (smallest offset first, unknown last) | align (highest first) |
            loudness (loudest first) | seed.

    Raises:
        InputError: the sort is unknown.
    """

    search: str = ""
    shot_id: str | None = None
    min_stars: int = 0
    tags: tuple[str, ...] = ()
    flawless: bool = False
    trashed: bool = False
    sort: str = "newest"

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise InputError(f"Takes cannot be sorted by {self.sort!r}; the orders are {', '.join(SORTS)}.")


@dataclass(frozen=True)
class Page:
    """Some of the takes that a query found, and how many there are in all."""

    takes: tuple[KeptTake, ...]
    total: int


@dataclass(frozen=True)
class ShotEntry:
    """A shot that has takes: how many, and when the newest was made (UTC, ISO 8601)."""

    shot_id: str
    prompt: str
    count: int
    newest: str


def where(query: Query) -> tuple[str, list[Any]]:
    """The condition on `takes AS t`, with its values."""
    terms = [f"t.trashed IS {'NOT ' if query.trashed else ''}NULL"]
    values: list[Any] = []
    for word in _folded(query.search).split():
        held = [
            "t.shot IN (SELECT shot FROM shots WHERE instr(folded, ?))",
            "t.take IN (SELECT take FROM tags WHERE instr(folded, ?))",
        ]
        values += [word, word]
        if word.isascii() and word.isdigit():
            held.append("instr(t.seed, ?) = 1")
            values.append(word)
        terms.append(f"({' OR '.join(held)})")
    if query.shot_id is not None:
        terms.append("t.shot = ?")
        values.append(query.shot_id)
    if query.min_stars > 0:
        terms.append("t.stars >= ?")
        values.append(query.min_stars)
    for tag in query.tags:
        terms.append("t.take IN (SELECT take FROM tags WHERE folded = ?)")
        values.append(_folded(tag))
    if query.flawless:
        terms.append("t.flaws = 0")
    return " AND ".join(terms), values


def _folded(text: str) -> str:
    # Half of a surrogate pair can come in from a page, and SQLite takes none.
    return fold(text.encode("utf-8", "replace").decode("utf-8"))
