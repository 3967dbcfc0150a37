"""The Takes view: every finished take with its picture, its sound and its seed."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.library.presets import preset_for
from mova_studio.ui.access import Access
from mova_studio.ui.cards import take_card
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.shelf import Shelf
from mova_studio.ui.stage import ACTIONS_JS
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

PAGE_TAKES = 24
DELETE_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-ask], [data-keep]');
  if (!button) return;
  const box = button.closest('.m-delete');
  const asking = 'ask' in button.dataset;
  box.querySelector('[data-ask]').hidden = asking;
  box.querySelector('.m-sure').hidden = !asking;
  box.querySelector(asking ? '[data-keep]' : '[data-ask]').focus();
});
"""


class TakesView:
    """The grid and what its buttons do. Deleting is for the owner."""

    def __init__(self, shelf: Shelf, access: Access) -> None:
        self.shelf, self.access = shelf, access
        self._delete = access.owner_only(self._delete_take)

    def draw(self, words: Wording) -> None:
        """Draw the view."""
        with gr.Column(elem_classes="m-panel m-takes"):
            with gr.Row(elem_classes="m-row m-between"):
                self.title = html_box(elem_id="takes-title")
                self.refresh = words.make(
                    gr.Button, {"value": "takes.refresh"}, size="sm", scale=0, min_width=90, elem_id="takes-refresh"
                )
            self.said = html_box(visible=False, elem_id="takes-said", elem_classes="m-place")
            self.grid = html_box(elem_id="takes", elem_classes="m-grid", js_on_load=ACTIONS_JS + DELETE_JS)
            self.more = words.make(gr.Button, {"value": "takes.more"}, size="sm", visible=False, elem_id="takes-more")
        self.limit = gr.State(PAGE_TAKES)

    @property
    def shown(self) -> list[Any]:
        return [self.title, self.said, self.grid, self.more, self.limit]

    def wire(self, page: gr.State, form: Form, tabs: gr.Tabs, tab: gr.Tab) -> None:
        """Connect everything."""
        self._form, self._tabs = form, tabs
        tab.select(self.show, page, self.shown, **QUIET)
        self.refresh.click(self.show, page, self.shown, **QUIET)
        self.more.click(self.show_more, [page, self.limit], self.shown, **QUIET)
        self.grid.select(self.click, [page, self.limit], [*self.shown, tabs, *form.inputs], **QUIET)

    async def show(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """The newest takes."""
        return await self.listing(page, PAGE_TAKES, request)

    async def show_more(self, page: PageState, limit: int, request: gr.Request) -> dict[Any, Any]:
        """As many again."""
        return await self.listing(page, limit + PAGE_TAKES, request)

    async def click(self, page: PageState, limit: int, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """A button of a card."""
        name, act = str(getattr(event, "id", "")), str(getattr(event, "act", ""))
        try:
            if act == "delete":
                await self._delete(name, request)
                said = say(page.language, "takes.deleted", name=name)
                return await self.listing(page, limit, request) | self._say("m-note", said)
            if act == "reuse":
                take = await self.shelf.find(name)
                preset = preset_for(self.shelf.studio.model)
                return self._form.shot_values(take.shot, take.seed, preset) | {self._tabs: gr.Tabs(selected="create")}
        except StudioError as error:
            return await self.listing(page, limit, request) | self._say(
                "m-error", translate(page.language, error.message)
            )
        return {self.said: gr.skip()}

    async def _delete_take(self, name: str, request: gr.Request) -> None:
        await self.shelf.delete(name)

    def _say(self, kind: str, text: str) -> dict[Any, Any]:
        return {self.said: gr.update(value=f'<p class="{kind}" role="status">{escape(text)}</p>', visible=True)}

    async def listing(self, page: PageState, limit: int, request: gr.Request) -> dict[Any, Any]:
        """The newest `limit` takes in the language of the page."""
        language = page.language
        takes = await self.shelf.takes(limit)
        owner = self.access.is_owner(request)
        cards = "".join(
            take_card(language, take, served, self.shelf.name(take), may_delete=owner) for take, served in takes
        )
        empty = (
            f'<div class="m-empty m-wide"><div><h3>{escape(say(language, "takes.empty.title"))}</h3>'
            f"<p>{escape(say(language, 'takes.empty.text'))}</p></div></div>"
        )
        return {
            self.title: f'<h2 class="m-heading">{escape(say(language, "takes.title"))}</h2>',
            self.said: gr.update(value="", visible=False),
            self.grid: cards or empty,
            self.more: gr.update(visible=len(takes) == limit),
            self.limit: limit,
        }
