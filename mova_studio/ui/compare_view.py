"""Compare on the page: opens two takes, runs a round of blind votes, shows what votes say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.kept import KeptTake
from mova_studio.library.votes import VoteStore
from mova_studio.ui.blind_round import WINNERS, BlindRound
from mova_studio.ui.catalogue import say
from mova_studio.ui.compare_html import Side, blind_compare, open_compare, revealed
from mova_studio.ui.desk import PageState
from mova_studio.ui.gallery_data import GalleryData
from mova_studio.ui.gallery_html import fresh, said
from mova_studio.ui.served import address
from mova_studio.ui.wording import QUIET, html_box

_ATTACH_JS = "window.movaCompare(element, trigger, watch);"


@dataclass
class CompareState:
    """What one open page compares. Changed in place, on the event loop only."""

    pair: tuple[str, ...] = ()
    round: BlindRound | None = None


class CompareView:
    """The dialog of two takes. Everyone may compare and vote; a vote is kept under the login."""

    def __init__(self, data: GalleryData, votes: VoteStore) -> None:
        self.data, self.votes = data, votes

    def draw(self) -> None:
        """Draw the dialog's place, empty."""
        self.box = html_box(elem_id="compare", js_on_load=_ATTACH_JS)
        self.state = gr.State(CompareState())

    def wire(self, page: gr.State) -> None:
        """Connect its buttons."""
        self.box.select(self.act, [page, self.state], self.box, **QUIET)

    async def open(self, page: PageState, take_ids: list[str]) -> str:
        """Two takes with their names.

        Raises:
            InputError: these are not two takes, or the file of one has gone.
        """
        if len(set(take_ids)) != 2:
            raise InputError(say(page.language, "compare.gone"))
        sides = await asyncio.to_thread(self._sides, page.language, tuple(take_ids), blind=False)
        return fresh(open_compare(page.language, sides, await asyncio.to_thread(self.votes.rankings)))

    async def act(self, page: PageState, state: CompareState, event: gr.EventData, request: gr.Request) -> str:
        """A button or a key of the dialog."""
        return fresh(await self._acted(page, state, event, request))

    async def _acted(self, page: PageState, state: CompareState, event: gr.EventData, request: gr.Request) -> str:
        act, value = str(getattr(event, "act", "")), str(getattr(event, "value", ""))
        try:
            if act == "blind":
                members = await asyncio.to_thread(self.data.siblings, *value.split()[:2])
                state.round = BlindRound(members)
            elif act == "vote" and state.round is not None and state.round.pair is not None and value in WINNERS:
                take_a, take_b = state.round.pair
                user = request.username or ""
                await asyncio.to_thread(self.votes.record_vote, take_a, take_b, value, blind=True, user=user)
                state.round.judge(value)
            elif act == "reveal" and state.round is not None:
                return await self._reveal(page.language, state.round)
            if state.round is None:
                return ""
            if state.round.pair is None:
                return await self._reveal(page.language, state.round)
            sides = await asyncio.to_thread(self._sides, page.language, state.round.pair, blind=True)
            return blind_compare(page.language, sides, state.round)
        except StudioError as error:
            return f'<dialog class="m-dialog m-revealed">{said(page.language, "m-error", error.message)}</dialog>'

    async def _reveal(self, language: str, state: BlindRound) -> str:
        takes = await asyncio.to_thread(self._known, state.members)
        return revealed(language, state, takes, await asyncio.to_thread(self.votes.rankings))

    def _known(self, take_ids: tuple[str, ...]) -> dict[str, KeptTake]:
        known = {}
        for take_id in take_ids:
            try:
                known[take_id] = self.data.store.get(take_id)
            except InputError:
                continue
        return known

    def _sides(self, language: str, pair: tuple[str, ...], *, blind: bool) -> list[Side]:
        sides = []
        for slot, take_id in zip(("a", "b"), pair, strict=True):
            kept = self.data.store.get(take_id)
            if kept.missing or kept.trashed is not None:
                raise InputError(say(language, "compare.gone"))
            path = kept.take.path
            url = self.data.blind_url(kept) if blind else address(self.data.served.link(path))
            sides.append(Side(slot, kept, url))
        return sides
