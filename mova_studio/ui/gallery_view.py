"""The Gallery: search and filters left, takes with their sound right, one of them large or two compared on top."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.presets import preset_for
from mova_studio.library.query import SORTS, Query
from mova_studio.ui import gallery_html as html
from mova_studio.ui.access import Access
from mova_studio.ui.caller import Caller
from mova_studio.ui.compare_view import CompareView
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.gallery_acts import CHANGES, GalleryActs
from mova_studio.ui.gallery_data import MAX_SHOWN, GalleryData, Overview
from mova_studio.ui.take_details import large_view
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.timeline_html import sent
from mova_studio.ui.wording import QUIET, Wording, html_box

PAGE_TAKES = 24
MAX_SEARCH = 200
_ATTACH_JS = "window.movaGallery.{part}(element, trigger, watch, server);"
# Every press of a key counts, also while the answer to the one before is on its way.
_EVERY: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}


@dataclass
class GalleryState:
    """What one open page shows of the library. Changed in place, on the event loop only.

    Attributes:
        spoken: the language of the search field; it is written anew only for another one.
    """

    query: Query = field(default_factory=Query)
    limit: int = PAGE_TAKES
    spoken: str = ""


class GalleryView:
    """The view and what its parts do. Changes are for the owner, see `GalleryActs`."""

    def __init__(
        self,
        data: GalleryData,
        access: Access,
        compare: CompareView,
        model: Callable[[], str],
        timelines: TimelineDesk,
    ) -> None:
        self.data, self.access, self.compare, self._model = data, access, compare, model
        self._timelines = timelines
        self._acts = GalleryActs(data)
        self._change = access.owner_only(self._change_take)

    def draw(self, words: Wording) -> None:
        """Draw the view."""

        def posters(take_ids: list[str]) -> dict[str, str]:
            """Asked for by the page, for cards in view."""
            return self.data.posters(str(name) for name in take_ids[:PAGE_TAKES])

        with gr.Row(elem_classes="m-gallery", equal_height=False):
            with gr.Column(elem_classes="m-panel m-gallery-left", min_width=200):
                self.search = html_box(elem_id="gallery-search", js_on_load=_ATTACH_JS.format(part="search"))
                self.panel = html_box(elem_id="gallery-panel", js_on_load=_ATTACH_JS.format(part="clicks"))
                self.sort = words.make(
                    gr.Dropdown,
                    {"label": "gallery.sort"},
                    {sort: f"gallery.sort.{sort}" for sort in SORTS},
                    value="newest",
                    filterable=False,
                    elem_id="gallery-sort",
                    elem_classes="m-choice",
                )
                self.stars = words.make(
                    gr.Dropdown,
                    {"label": "gallery.stars"},
                    {str(count): f"gallery.stars.{count}" for count in range(6)},
                    value="0",
                    filterable=False,
                    elem_id="gallery-stars",
                    elem_classes="m-choice",
                )
                self.flawless = words.make(gr.Checkbox, {"label": "gallery.flawless"}, elem_id="gallery-flawless")
                self.trashed = words.make(gr.Checkbox, {"label": "gallery.trash"}, elem_id="gallery-trash")
                self.keys = html_box(elem_id="gallery-keys")
            with gr.Column(elem_classes="m-panel m-takes", min_width=300):
                with gr.Row(elem_classes="m-row m-between"):
                    self.title = html_box(elem_id="gallery-title", js_on_load=_ATTACH_JS.format(part="clicks"))
                    self.refresh = words.make(
                        gr.Button,
                        {"value": "gallery.refresh"},
                        size="sm",
                        scale=0,
                        min_width=90,
                        elem_id="takes-refresh",
                    )
                self.said = html_box(
                    elem_id="takes-said", elem_classes="m-place", js_on_load=_ATTACH_JS.format(part="said")
                )
                self.grid = html_box(
                    elem_id="takes",
                    js_on_load=_ATTACH_JS.format(part="grid"),
                    server_functions=[posters],
                )
                self.more = words.make(
                    gr.Button, {"value": "gallery.more"}, size="sm", visible=False, elem_id="takes-more"
                )
            self.large = html_box(elem_id="take-large", js_on_load=_ATTACH_JS.format(part="large"))
            self.compare.draw()
        self.state = gr.State(GalleryState())

    @property
    def filters(self) -> list[Any]:
        return [self.sort, self.stars, self.flawless, self.trashed]

    @property
    def shown(self) -> list[Any]:
        """What `listing` may change."""
        return [self.search, self.panel, self.trashed, self.keys, self.title, self.said, self.grid, self.more]

    def wire(self, page: gr.State, form: Form, tabs: gr.Tabs, tab: gr.Tab) -> None:
        """Connect everything."""
        self._form, self._tabs = form, tabs
        here = [page, self.state]
        tab.select(self.listing, here, self.shown, **QUIET)
        self.refresh.click(self.listing, here, self.shown, **QUIET)
        self.more.click(self.show_more, here, self.shown, **QUIET)
        asked = [*here, *self.filters]
        self.search.input(self.find, here, self.shown, **QUIET, trigger_mode="always_last")
        for component in self.filters:
            component.input(self.filter, asked, self.shown, **QUIET, trigger_mode="always_last")
        acted = [*self.shown, self.large, self.compare.box, tabs]
        for part in (self.panel, self.title, self.said, self.grid, self.large):
            part.select(self.act, here, acted, **_EVERY)
        # Apart, so that no other button touches a field that a person may be typing into.
        self.grid.clear(self.clear, here, [*self.shown, *self.filters], **QUIET)
        self.large.submit(self.reuse, here, [*self.shown, self.large, tabs, *form.inputs], **QUIET)
        self.compare.wire(page)

    async def filter(
        self,
        page: PageState,
        state: GalleryState,
        sort: str,
        stars: str,
        flawless: bool,
        trashed: bool,
        request: gr.Request,
    ) -> dict[Any, Any]:
        """Other takes, as the fields say."""
        state.query = dataclasses.replace(
            state.query,
            sort=str(sort) if sort in SORTS else "newest",
            min_stars=int(stars) if str(stars) in "012345" else 0,
            flawless=bool(flawless),
            trashed=bool(trashed),
        )
        state.limit = PAGE_TAKES
        return await self.listing(page, state, request)

    async def find(
        self, page: PageState, state: GalleryState, event: gr.EventData, request: gr.Request
    ) -> dict[Any, Any]:
        """Takes that hold the words which stand in the search field."""
        state.query = dataclasses.replace(state.query, search=str(getattr(event, "value", ""))[:MAX_SEARCH])
        state.limit = PAGE_TAKES
        return await self.listing(page, state, request)

    async def show_more(self, page: PageState, state: GalleryState, request: gr.Request) -> dict[Any, Any]:
        """As many again."""
        state.limit = min(state.limit + PAGE_TAKES, MAX_SHOWN)
        return await self.listing(page, state, request)

    async def act(
        self, page: PageState, state: GalleryState, event: gr.EventData, request: gr.Request
    ) -> dict[Any, Any]:
        """A button or a key: `event` has the name of what to do, and of which take."""
        name, act, value = (str(getattr(event, field, "")) for field in ("id", "act", "value"))
        try:
            if act in CHANGES:
                told = await self._change(page.language, act, name, value, request)
                if act == "star":
                    # The card shows them already; where they decide what is listed, it stays until the next look.
                    return {self.said: gr.skip()}
                return await self.listing(page, state, request) | self._say(told)
            if act == "timeline":
                caller = Caller(self.access.is_owner(request), page.language)
                _timeline_id, title = await asyncio.to_thread(self._timelines.append, name, caller)
                return self._say(html.fresh(sent(page.language, title)))
            if act in ("open", "info"):
                return {self.large: await self._large(page, name, request, info=act == "info")}
            if act == "compare":
                return {self.compare.box: await self.compare.open(page, name.split())}
            if act in ("shot", "tag"):
                self._narrow(state, act, name)
                return await self.listing(page, state, request)
            if act == "create":
                return {self._tabs: gr.Tabs(selected="create")}
        except StudioError as error:
            told = self._say(html.said(page.language, "m-error", error.message))
            return await self.listing(page, state, request) | told
        return {self.said: gr.skip()}

    @staticmethod
    def _narrow(state: GalleryState, act: str, name: str) -> None:
        query, state.limit = state.query, PAGE_TAKES
        if act == "shot":
            state.query = dataclasses.replace(query, shot_id=name or None)
        else:
            tags = tuple(tag for tag in query.tags if tag != name)
            state.query = dataclasses.replace(query, tags=tags if len(tags) < len(query.tags) else (*tags, name))

    async def clear(self, page: PageState, state: GalleryState, request: gr.Request) -> dict[Any, Any]:
        """All takes, in the same order."""
        state.query, state.limit = Query(sort=state.query.sort), PAGE_TAKES
        emptied = dict(zip(self.filters, (state.query.sort, "0", False, False), strict=True))
        return await self.listing(page, state, request) | emptied

    async def reuse(
        self, page: PageState, state: GalleryState, event: gr.EventData, request: gr.Request
    ) -> dict[Any, Any]:
        """The form as it was for a take."""
        try:
            take = (await asyncio.to_thread(self.data.store.get, str(getattr(event, "id", "")))).take
        except StudioError as error:
            return await self.listing(page, state, request) | self._say(
                html.said(page.language, "m-error", error.message)
            )
        page.know(take.shot.origin, take.shot.frame_origin, take.shot.first_frame)
        values = self._form.shot_values(take.shot, take.seed, preset_for(self._model()))
        return values | {self._tabs: gr.Tabs(selected="create"), self.large: ""}

    async def _change_take(self, language: str, act: str, name: str, value: str, request: gr.Request) -> Any:
        return await asyncio.to_thread(self._acts.do, language, act, name, value)

    async def _large(self, page: PageState, name: str, request: gr.Request, *, info: bool) -> str:
        shown = await asyncio.to_thread(self.data.shown, name)
        owner = self.access.is_owner(request)
        if shown.kept.trashed is not None and not owner:
            raise InputError("That take is in the trash; ask the owner to restore it.")
        plan = await asyncio.to_thread(self.data.plan, shown.kept)
        return html.fresh(large_view(page.language, shown, plan, info=info, may_change=owner))

    def _say(self, text: str) -> dict[Any, Any]:
        return {self.said: gr.update(value=text)}

    async def listing(self, page: PageState, state: GalleryState, request: gr.Request) -> dict[Any, Any]:
        """The takes of the page's query, in its language."""
        owner = self.access.is_owner(request)
        if not owner and state.query.trashed:
            state.query = dataclasses.replace(state.query, trashed=False)
        query = state.query
        found = await asyncio.to_thread(self.data.listing, query, state.limit)
        overview = await asyncio.to_thread(self.data.overview)
        language = page.language
        cards = "".join(html.take_card(language, shown, may_change=owner) for shown in found.takes)
        field = {}
        if state.spoken != language:
            state.spoken = language
            field = {self.search: html.fresh(html.search_field(language, query.search, MAX_SEARCH))}
        return field | {
            self.panel: html.panel(language, overview, query),
            self.trashed: gr.update(visible=owner),
            self.keys: html.keys_hint(language, owner=owner),
            self.title: html.title(language, overview, query, len(found.takes), found.total, owner=owner),
            self.said: gr.update(value=""),
            self.grid: html.grid(language, cards) if cards else self._empty(language, query, overview),
            self.more: gr.update(visible=len(found.takes) < min(found.total, MAX_SHOWN)),
        }

    @staticmethod
    def _empty(language: str, query: Query, overview: Overview) -> str:
        if query.trashed and not overview.trashed:
            return html.empty_grid(language, "notrash")
        total = overview.trashed if query.trashed else overview.total
        return html.empty_grid(language, "nomatch" if total else "none", total)
