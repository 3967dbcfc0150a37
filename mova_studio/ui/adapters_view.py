"""Adapters under Models, for the owner: what is installed, what it changes, importing and removing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.network.adapter_shelf import EXPERTS, InstalledAdapter
from mova_studio.ui.access import Access
from mova_studio.ui.adapters_data import InstalledAdapters
from mova_studio.ui.adapters_form import editor
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.model_cards import size_words
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

_LIST_JS = "window.movaQueue.head(element, trigger, watch);"


class AdaptersView:
    """Everything here is refused to guests on the server, save the list to choose from in the form."""

    def __init__(self, installed: InstalledAdapters, access: Access) -> None:
        self.installed = installed
        for name in ("show", "upload", "take_in", "click"):
            setattr(self, name, access.owner_only(getattr(self, name)))

    def draw(self, words: Wording) -> None:
        """Draw the panel. Nothing of this machine is in it until the owner opens it."""
        with gr.Column(elem_classes="m-panel m-field", elem_id="adapters-panel"):
            words.make(html_box, {"value": "adapters.title"}, elem_classes="m-title2")
            words.make(html_box, {"value": "adapters.text"}, elem_classes="m-hint")
            self.said = html_box(visible=False, elem_id="adapters-said", elem_classes="m-place")
            self.list = html_box(elem_id="installed-adapters", js_on_load=_LIST_JS)
            with gr.Row(elem_classes="m-row m-end"):
                self.name = words.make(
                    gr.Textbox, {"label": "adapters.name"}, max_lines=1, elem_id="adapter-name", scale=2, min_width=160
                )
                self.experts = words.make(
                    gr.Dropdown,
                    {"label": "adapters.experts"},
                    {choice: f"adapters.experts.{choice}" for choice in EXPERTS},
                    value=EXPERTS[0],
                    filterable=False,
                    elem_id="adapter-experts",
                    elem_classes="m-choice",
                    scale=2,
                    min_width=160,
                )
                self.pick = words.make(
                    gr.UploadButton,
                    {"label": "adapters.upload"},
                    file_types=[".safetensors", ".pt", ".pth", ".bin"],
                    elem_id="adapter-file",
                    scale=0,
                )
            with gr.Row(elem_classes="m-row m-end"):
                self.path = words.make(
                    gr.Textbox, {"label": "adapters.path"}, max_lines=1, elem_id="adapter-path", scale=4, min_width=200
                )
                self.import_button = words.make(
                    gr.Button, {"value": "adapters.path.button"}, elem_id="import-adapter", scale=0
                )

    @property
    def shown(self) -> list[Any]:
        """What follows the language of the page."""
        return [self.list, self.said]

    def wire(self, page: gr.State, form: Form, tab: gr.Tab, create_tab: gr.Tab, models: gr.HTML) -> None:
        """Connect everything.

        Args:
            tab, create_tab: where adapters are listed; read anew when these open.
            models: the list of checkpoints, which changes when another is used.
        """
        self._form = form
        seen = [*self.shown, form.adapters]
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        gr.on([tab.select, models.change], self.show, page, self.shown, **QUIET)
        create_tab.select(self.choices, page, form.adapters, **QUIET)
        asked: list[Any] = [self.name, self.experts]
        changed = [*seen, self.name, self.path, self.pick]
        self.pick.upload(self.upload, [page, self.pick, *asked], changed, **raw)
        gr.on([self.import_button.click, self.path.submit], self.take_in, [page, self.path, *asked], changed, **raw)
        self.list.select(self.click, page, seen, **QUIET)

    async def show(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """What is installed."""
        return await self._seen(page.language) | {self.said: gr.update(value="", visible=False)}

    async def choices(self, page: PageState) -> str:
        """The form's list with what is installed now."""
        return editor(page.language, await asyncio.to_thread(self.installed.entries))

    async def spoken(self, page: PageState) -> dict[Any, Any]:
        """The list in the page's language."""
        return await self._seen(page.language) | {self.said: gr.update(value="", visible=False)}

    async def upload(
        self, page: PageState, file: Any, name: Any, experts: Any, request: gr.Request
    ) -> AsyncIterator[dict[Any, Any]]:
        """Install an uploaded file."""
        async for updates in self._import(page.language, file, name, experts):
            yield updates

    async def take_in(
        self, page: PageState, path: Any, name: Any, experts: Any, request: gr.Request
    ) -> AsyncIterator[dict[Any, Any]]:
        """Install a file of this machine."""
        async for updates in self._import(page.language, str(path or "").strip(), name, experts):
            yield updates

    async def click(self, page: PageState, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """The button of an adapter."""
        language, name = page.language, str(getattr(event, "id", ""))
        try:
            await asyncio.to_thread(self.installed.remove, name)
            said = _said(say(language, "adapters.removed", name=name))
        except StudioError as error:
            said = _said(translate(language, error.message), error=True)
        return await self._seen(language) | {self.said: said, self._form.adapters: await self.choices(page)}

    async def _import(self, language: str, file: Any, name: Any, experts: Any) -> AsyncIterator[dict[Any, Any]]:
        yield {self.said: _said(say(language, "adapters.reading"))}
        done: dict[Any, Any] = {self.pick: None}
        try:
            entry, _fault = await asyncio.to_thread(self._taken_in, language, file, str(name or ""), str(experts))
        except StudioError as error:
            yield done | {self.said: _said(translate(language, error.message), error=True)}
            return
        entries = await asyncio.to_thread(self.installed.entries)
        yield done | {
            self.list: adapter_cards(language, entries),
            self._form.adapters: editor(language, entries),
            self.said: _said(say(language, "adapters.imported", name=entry.name)),
            self.name: "",
            self.path: "",
        }

    def _taken_in(self, language: str, file: Any, name: str, experts: str) -> tuple[InstalledAdapter, str]:
        if not isinstance(file, str) or not file:
            return self.installed.take_in(file, language, name, experts)
        path = Path(file).expanduser()
        if not path.is_absolute():
            raise InputError(say(language, "adapters.path.whole", path=file[:200]), field="adapters")
        return self.installed.take_in_path(path, name, experts)

    async def _seen(self, language: str) -> dict[Any, Any]:
        return {self.list: adapter_cards(language, await asyncio.to_thread(self.installed.entries))}


def adapter_cards(language: str, entries: Sequence[tuple[InstalledAdapter, str]]) -> str:
    """The installed adapters, each with what it changes and whether it fits."""
    if not entries:
        title, text = say(language, "adapters.empty.title"), say(language, "adapters.empty.text")
        return f'<div class="m-teach"><h3>{escape(title)}</h3><p class="m-hint">{escape(text)}</p></div>'
    return "".join(_card(language, entry, fault) for entry, fault in entries)


def _card(language: str, entry: InstalledAdapter, fault: str) -> str:
    state = "damaged" if fault else "whole"
    badge = say(language, "adapters.misfit" if fault else "adapters.fits")
    parts = ", ".join(f"{say(language, f'adapters.part.{part}')} {count}" for part, count in entry.parts.items())
    facts = [
        say(language, "adapters.layers", parts=parts),
        say(language, "adapters.rank", ranks=", ".join(map(str, entry.ranks))),
        size_words(entry.bytes),
        say(language, "adapters.from", source=entry.source),
    ]
    why = f'<p class="m-error">{escape(translate(language, fault))}</p>' if fault else ""
    remove, sure, keep = (escape(say(language, f"adapters.remove{end}")) for end in ("", ".sure", ".keep"))
    return (
        f'<article class="m-model" data-adapter="{escape(entry.name)}">'
        f'<header><b class="m-big">{escape(entry.name)}</b>'
        f'<span class="m-badge m-badge-{state}">{escape(badge)}</span></header>'
        f'<p class="m-hint">{escape(" · ".join(facts))}</p>{why}'
        f'<p class="m-actions"><span class="m-asks"><button type="button" class="m-button" data-ask>{remove}</button>'
        f'<span class="m-sure" hidden><button type="button" class="m-button m-bad" data-act="remove" '
        f'data-id="{escape(entry.name)}">{sure}</button> '
        f'<button type="button" class="m-button" data-keep>{keep}</button></span></span></p></article>'
    )


def _said(text: str, *, error: bool = False) -> Any:
    kind, role = ("m-error", "alert") if error else ("m-note", "status")
    return gr.update(value=f'<p class="{kind}" role="{role}">{escape(text)}</p>', visible=True)
