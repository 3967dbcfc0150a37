"""The library's takes by short names that say nothing of this machine's folders."""

from __future__ import annotations

import asyncio
from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.studio import Studio
from mova_studio.library.take import Take
from mova_studio.ui.served import Served, ServedTakes
from mova_studio.ui.words import short_model

MAX_LISTED = 1000


class Shelf:
    """Lists, finds and deletes takes for the page and for programs."""

    def __init__(self, studio: Studio, served: ServedTakes) -> None:
        self.studio, self.served = studio, served

    def name(self, take: Take) -> str:
        """ "2026-02-08/101500-7.mp4": the file's place below the library."""
        return take.path.relative_to(self.studio.root).as_posix()

    async def takes(self, limit: int) -> list[tuple[Take, Served]]:
        """The newest takes and their files in the cache, newest first."""
        return await asyncio.to_thread(self._takes, min(max(limit, 1), MAX_LISTED))

    def _takes(self, limit: int) -> list[tuple[Take, Served]]:
        found = []
        for take in self.studio.takes(limit):
            try:
                found.append((take, self.served.serve(take.path)))
            except InputError:
                continue  # deleted since it was listed
        return found

    async def find(self, name: str) -> Take:
        """The take of a name.

        Raises:
            InputError: there is none.
        """
        kept = await asyncio.to_thread(self.studio.store.find_path, self.studio.root / name)
        if kept is None or kept.trashed or kept.missing:
            raise InputError(f"{name[:80]!r} is not a take of this library; reload the page.")
        return kept.take

    async def delete(self, name: str) -> None:
        """Delete a take from the library and from the cache. Callers see to it that the owner asks.

        Raises:
            InputError: there is no such take.
            OutputError: the file cannot be deleted.
        """
        take = await self.find(name)
        kept = await asyncio.to_thread(self.studio.store.find_path, take.path)
        if kept is not None:
            await asyncio.to_thread(self.studio.store.trash, [kept.take_id])
        await asyncio.to_thread(self.served.withdraw, take.path)

    def info(self, take: Take) -> dict[str, Any]:
        """A take as JSON for programs: everything but folders and pictures."""
        values = take.to_dict()
        shot = values.pop("shot")
        del values["path"]
        has = {f"has_{name}": shot.pop(name) is not None for name in ("first_frame", "last_frame")}
        return {"name": self.name(take), **values, "shot": {**shot, "model": short_model(shot["model"]), **has}}
