"""What the Gallery asks of the library: takes with the addresses of their files, and takes that belong together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.library.kept import KeptTake
from mova_studio.library.query import Query, ShotEntry
from mova_studio.library.shots import fold
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take
from mova_studio.media.provenance import read_provenance
from mova_studio.ui.served import ServedTakes, address
from mova_studio.ui.words import short_model

MAX_SHOWN = 480
MAX_SIBLINGS = 12
SHOTS_LISTED = 40
_CANDIDATES = 200
_BLIND_NAME = "take.mp4"


@dataclass(frozen=True)
class Shown:
    """A take of a page.

    Attributes:
        kept: the take.
        url: of its mp4, relative to the page; "" if the file is missing.
        poster: address of its first picture; "" until it has been made.
    """

    kept: KeptTake
    url: str = ""
    poster: str = ""

    @property
    def missing(self) -> bool:
        return not self.url


@dataclass(frozen=True)
class Listing:
    """Some of the takes that a query found, and how many there are in all."""

    takes: tuple[Shown, ...]
    total: int


@dataclass(frozen=True)
class Overview:
    """What there is to choose from.

    Attributes:
        shots, tags: with their numbers of takes.
        total, trashed: takes outside the trash and in it.
        differs: settings that tell shots of one prompt apart, by shot.
    """

    shots: tuple[ShotEntry, ...]
    tags: tuple[tuple[str, int], ...]
    total: int
    trashed: int
    differs: dict[str, dict[str, Any]]


class GalleryData:
    """Reads takes for the page. Touches the files of those that are shown, and of no others."""

    def __init__(self, store: TakeStore, served: ServedTakes) -> None:
        self.store, self.served = store, served
        self._shots: dict[str, dict[str, Any]] = {}

    def listing(self, query: Query, limit: int) -> Listing:
        """The first takes of a query; `limit` is kept within 1 and 480."""
        page = self.store.page(query, min(max(limit, 1), MAX_SHOWN), 0)
        return Listing(tuple(self._shown(kept) for kept in page.takes), page.total)

    def overview(self) -> Overview:
        """Shots and tags with their numbers of takes."""
        shots = self.store.shots()
        total, trashed = (self.store.page(Query(trashed=trashed), 1).total for trashed in (False, True))
        return Overview(shots, self.store.tags(), total, trashed, self._differs(shots[:SHOTS_LISTED]))

    def _differs(self, shots: tuple[ShotEntry, ...]) -> dict[str, dict[str, Any]]:
        alike: dict[str, list[str]] = {}
        for entry in shots:
            alike.setdefault(fold(entry.prompt), []).append(entry.shot_id)
        found: dict[str, dict[str, Any]] = {}
        for names in alike.values():
            if len(names) > 1:
                settings = {name: self._settings(name) for name in names}
                varied = [key for key in settings[names[0]] if len({str(of.get(key)) for of in settings.values()}) > 1]
                found |= {name: {key: of[key] for key in varied if key in of} for name, of in settings.items()}
        return found

    def _settings(self, shot_id: str) -> dict[str, Any]:
        """A shot never changes, so what was read once holds."""
        if shot_id not in self._shots:
            takes = self.store.page(Query(shot_id=shot_id), 1).takes
            if not takes:
                return {}
            self._shots[shot_id] = settings_of(takes[0])
        return self._shots[shot_id]

    def shown(self, take_id: str) -> Shown:
        """One take.

        Raises:
            InputError: there is none.
        """
        return self._shown(self.store.get(take_id))

    def _shown(self, kept: KeptTake) -> Shown:
        try:
            path = kept.take.path
            return Shown(kept, address(self.served.link(path)), self.served.known_poster(path))
        except InputError:
            return Shown(dataclasses.replace(kept, missing=True))

    def handed(self, take: Take) -> tuple[Path, dict[str, Any]]:
        """A finished take's file in the cache, and what is known of it for programs.

        Raises:
            InputError: it is not a take of this library, or has gone.
        """
        kept = self.store.find_path(take.path)
        if kept is None:
            raise InputError(f"{take.path.name} is not a take of this library; list its takes.")
        return self.served.link(take.path), self.info(kept)

    def info(self, kept: KeptTake) -> dict[str, Any]:
        """A take as JSON for programs: everything but pictures, and folders other than the library's own."""
        values = kept.take.to_dict()
        settings = settings_of(kept)
        has = {f"has_{frame}": settings.pop(frame) for frame in ("first_frame", "last_frame")}
        del values["path"]
        own = {
            "id": kept.take_id,
            "name": kept.take.path.relative_to(self.store.root).as_posix(),
            "shot_id": kept.shot_id,
            "stars": kept.stars,
            "tags": list(kept.tags),
        }
        return own | values | {"shot": settings | has}

    def posters(self, take_ids: Iterable[str]) -> dict[str, str]:
        """The addresses of the posters of these takes, made where they are not yet; those without one are left out."""
        made = {}
        for take_id in list(take_ids)[:MAX_SHOWN]:
            try:
                made[take_id] = self.served.poster(self.store.get(take_id).take.path)
            except InputError:
                continue
        return {take_id: poster for take_id, poster in made.items() if poster}

    def blind_url(self, kept: KeptTake) -> str:
        """The address of a take's mp4 that says nothing about it.

        Raises:
            InputError: the file has gone.
        """
        return address(self.served.link(kept.take.path, _BLIND_NAME))

    def siblings(self, *take_ids: str) -> tuple[str, ...]:
        """The given takes and the newest others of the same prompts, 12 in all, of which the files are there.

        Raises:
            InputError: one of the given takes does not exist.
        """
        given = [self.store.get(take_id) for take_id in take_ids]
        prompts = {fold(kept.take.shot.prompt) for kept in given}
        found = list(take_ids)
        for prompt in dict.fromkeys(kept.take.shot.prompt for kept in given):
            # A few words find the candidates; a search for all of a long prompt would be slow.
            alike = self.store.page(Query(search=" ".join(prompt.split()[:12])), _CANDIDATES, 0).takes
            found += [
                kept.take_id
                for kept in alike
                if fold(kept.take.shot.prompt) in prompts and kept.take_id not in found and not kept.missing
            ]
        return tuple(found[:MAX_SIBLINGS])

    def trash(self, take_id: str) -> KeptTake:
        """Move a take into the trash, and its file out of the cache.

        Raises:
            InputError: there is no such take.
            OutputError: the file cannot be moved.
        """
        kept = self.store.get(take_id)
        self.store.trash([take_id])
        self.served.withdraw(kept.take.path)
        return kept

    def empty_trash(self) -> int:
        """Delete what is in the trash for good; returns how many takes that were.

        Raises:
            OutputError: a file cannot be deleted.
        """
        total = self.store.page(Query(trashed=True), 1).total
        pages = (
            self.store.page(Query(trashed=True), _CANDIDATES, start).takes for start in range(0, total, _CANDIDATES)
        )
        paths = [kept.take.path for takes in pages for kept in takes]
        gone = self.store.empty_trash()
        for path in paths:
            self.served.withdraw(path)
        return gone

    def plan(self, kept: KeptTake) -> dict[str, Any]:
        """How the take was made, from its file; {} if that cannot be read."""
        try:
            provenance = read_provenance(kept.take.path)
        except InputError:
            return {}
        plan = provenance.record.get("plan") if provenance is not None else None
        return plan if isinstance(plan, dict) else {}


def settings_of(kept: KeptTake) -> dict[str, Any]:
    """A take's shot for a person to read: everything but its pictures and the folders above its checkpoint."""
    shot = kept.take.shot
    names = [field.name for field in dataclasses.fields(shot) if field.name not in ("origin", "frame_origin")]
    values = {name: getattr(shot, name) for name in names}
    for name in ("first_frame", "last_frame"):
        values[name] = values[name] is not None
    return values | {"model": short_model(shot.model), "adapters": [use.to_dict() for use in shot.adapters]}
