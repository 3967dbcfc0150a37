"""More functions for programs, see `api.py`: the library's takes. Guests list and vote; changes are the owner's."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.library.query import Query
from mova_studio.library.votes import VoteStore
from mova_studio.ui.access import Access
from mova_studio.ui.gallery_acts import read_stars
from mova_studio.ui.gallery_data import GalleryData

MAX_LISTED = 1000


class GalleryApi:
    """The named endpoints of the Gallery."""

    def __init__(self, data: GalleryData, votes: VoteStore, access: Access) -> None:
        self.data, self.votes, self.access = data, votes, access

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        gr.api(self.takes, api_name="takes")
        gr.api(self.vote, api_name="vote")
        for change in (self.delete_take, self.restore_take, self.star_take, self.tag_take):
            gr.api(self.access.owner_only(change), api_name=change.__name__)

    async def takes(self, limit: int = 24, search: str = "", sort: str = "newest", min_stars: int = 0) -> list[dict]:
        """Takes of the library, without those in the trash and those whose file is missing.

        Args:
            limit: at most this many, up to 1000.
            search: words that the prompt, a tag or the seed must hold.
            sort: newest, oldest, rating, sync, align, loudness or seed.
            min_stars: 0 to 5.

        Returns:
            A list of what is known of each: id, name, seed, size, frames, loudness, measures, stars, tags, shot, and
            the url of its mp4, relative to the page.
        """
        return await self._answered(self._takes, int(limit), str(search), str(sort), min_stars)

    def _takes(self, limit: int, search: str, sort: str, min_stars: object) -> list[dict]:
        query = Query(search=search[:200], sort=sort, min_stars=read_stars(min_stars))
        found = self.data.listing(query, min(max(limit, 1), MAX_LISTED))
        return [self.data.info(shown.kept) | {"url": shown.url} for shown in found.takes if not shown.missing]

    async def delete_take(self, take_id: str, request: gr.Request) -> dict:
        """Owner only. Move a take into the trash, from which `restore_take` brings it back.

        Args:
            take_id: as `takes` gives it.

        Returns:
            The id of the deleted take.
        """
        await self._answered(self.data.trash, str(take_id))
        return {"deleted": take_id}

    async def restore_take(self, take_id: str, request: gr.Request) -> dict:
        """Owner only. Bring a take back from the trash.

        Args:
            take_id: as `takes` gave it.

        Returns:
            The id of the restored take.
        """
        await self._answered(self.data.store.restore, [str(take_id)])
        return {"restored": take_id}

    async def star_take(self, take_id: str, stars: int, request: gr.Request) -> dict:
        """Owner only. Rate a take.

        Args:
            take_id: as `takes` gives it.
            stars: 0 to 5.

        Returns:
            The id and its stars.
        """
        given = await self._answered(read_stars, stars)
        await self._answered(self.data.store.set_stars, str(take_id), given)
        return {"id": take_id, "stars": given}

    async def tag_take(self, take_id: str, tags: list[str], request: gr.Request) -> dict:
        """Owner only. Give a take these tags and no others.

        Args:
            take_id: as `takes` gives it.
            tags: up to 20 of up to 40 characters.

        Returns:
            The id and its tags as they are kept.
        """
        await self._answered(self.data.store.set_tags, str(take_id), [str(tag) for tag in tags])
        kept = await self._answered(self.data.store.get, str(take_id))
        return {"id": take_id, "tags": list(kept.tags)}

    async def vote(self, take_a: str, take_b: str, winner: str, request: gr.Request, blind: bool = False) -> dict:
        """Say which of two takes is better. Only blind votes count for the ratings of settings.

        Args:
            take_a, take_b: as `takes` gives them.
            winner: a, b or tie.
            blind: whether the one who judged could not know which take was which.

        Returns:
            For each setting that blind votes compared: its values with rating, 95 % interval and number of votes.
        """
        user = request.username or ""
        await self._answered(self.votes.record_vote, str(take_a), str(take_b), str(winner), bool(blind), user)
        rankings = await self._answered(self.votes.rankings)
        return {ranking.setting: [row._asdict() for row in ranking.rows] for ranking in rankings}

    @staticmethod
    async def _answered(call: Callable[..., Any], *values: Any) -> Any:
        try:
            return await asyncio.to_thread(call, *values)
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error
