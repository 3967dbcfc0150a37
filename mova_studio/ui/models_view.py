"""The Models view, for the owner: the checkpoints of this machine, a folder, and downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.background import Outcome
from mova_studio.jobs.checkpoints import Checkpoints
from mova_studio.library.presets import load_render_presets, preset_for
from mova_studio.ui.access import Access
from mova_studio.ui.adapters_view import AdaptersView
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.header import Header
from mova_studio.ui.model_cards import COPY_JS, model_cards, progress_html
from mova_studio.ui.room_words import room_html
from mova_studio.ui.stage import ACTIONS_JS
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

TICK_SECONDS = 0.7
CACHE, FOLDER = "cache", "folder"


class ModelsView:
    """Everything here is refused to guests on the server, whoever calls it."""

    def __init__(self, checkpoints: Checkpoints, access: Access) -> None:
        self.checkpoints, self.studio = checkpoints, checkpoints.studio
        for name in ("show", "tick", "click", "use", "fetch", "stop", "room"):
            setattr(self, name, access.owner_only(getattr(self, name)))

    def draw(self, words: Wording, adapters: AdaptersView) -> None:
        """Draw the view, with the panel of adapters. Nothing of this machine is in it until the owner opens it."""
        with gr.Column(elem_classes="m-models"):
            with gr.Column(elem_classes="m-panel"):
                with gr.Row(elem_classes="m-row m-between"):
                    words.make(html_box, {"value": "models.title"}, elem_classes="m-title2")
                    self.refresh = words.make(
                        gr.Button, {"value": "models.refresh"}, size="sm", scale=0, min_width=96, elem_id="look-again"
                    )
                self.said = html_box(visible=False, elem_id="model-said", elem_classes="m-place")
                self.list = html_box(elem_id="checkpoints", js_on_load=ACTIONS_JS + COPY_JS)
            with gr.Column(elem_classes="m-panel m-field"):
                words.make(html_box, {"value": "models.download.title"}, elem_classes="m-title2")
                words.make(html_box, {"value": "models.download.text"}, elem_classes="m-hint")
                with gr.Row(elem_classes="m-row m-end m-fetch"):
                    self.hub_id = words.make(
                        gr.Dropdown,
                        {"label": "models.download.label"},
                        choices=[name for name in _known_models() if name != "demo"],
                        value="OpenMOSS-Team/MOVA-360p",
                        allow_custom_value=True,
                        elem_id="hub-id",
                        elem_classes="m-choice",
                    )
                    self.place = words.make(
                        gr.Dropdown,
                        {"label": "models.download.place"},
                        {CACHE: "models.download.cache", FOLDER: "models.download.folder"},
                        value=CACHE,
                        filterable=False,
                        elem_id="download-place",
                        elem_classes="m-choice",
                    )
                self.to = words.make(
                    gr.Textbox, {"label": "models.download.to"}, visible=False, max_lines=1, elem_id="download-to"
                )
                self.room_line = html_box(elem_id="download-room", elem_classes="m-cost")
                with gr.Row(elem_classes="m-row m-end m-send-row"):
                    self.stop_button = words.make(
                        gr.Button,
                        {"value": "models.download.stop"},
                        elem_id="stop-download",
                        scale=0,
                        interactive=False,
                    )
                    self.fetch_button = words.make(
                        gr.Button,
                        {"value": "models.download.button"},
                        variant="primary",
                        elem_id="download-model",
                        scale=0,
                    )
                self.fetched = html_box(visible=False, elem_id="download-said", elem_classes="m-place")
            with gr.Column(elem_classes="m-panel m-field"):
                words.make(html_box, {"value": "models.choose.title"}, elem_classes="m-title2")
                words.make(html_box, {"value": "models.choose.text"}, elem_classes="m-hint")
                with gr.Row(elem_classes="m-row m-end"):
                    self.model = words.make(
                        gr.Textbox, {"label": "models.choose.label"}, max_lines=1, elem_id="model", scale=4
                    )
                    self.use_button = words.make(
                        gr.Button, {"value": "models.choose.button"}, elem_id="use-model", scale=1
                    )
            adapters.draw(words)
        self.timer = gr.Timer(TICK_SECONDS, active=False)

    @property
    def shown(self) -> list[Any]:
        """What follows the language of the page."""
        return [self.list, self.said, self.fetched, self.room_line, self.to, self.timer, self.stop_button]

    def wire(self, page: gr.State, form: Form, header: Header, tab: gr.Tab) -> None:
        """Connect everything."""
        self._form, self._header = form, header
        place: list[Any] = [self.hub_id, self.place, self.to]
        used = [*self.shown, header.machine, *form.inputs]
        tab.select(self.show, [page, *place], self.shown, preprocess=False, **QUIET)
        self.refresh.click(self.show, [page, *place], self.shown, preprocess=False, **QUIET)
        self.timer.tick(self.tick, page, self.shown, **QUIET)
        self.list.select(self.click, page, used, **QUIET)
        self.use_button.click(self.use, [page, self.model], used, preprocess=False, **QUIET)
        self.model.submit(self.use, [page, self.model], used, preprocess=False, **QUIET)
        self.fetch_button.click(self.fetch, [page, *place], self.shown, preprocess=False, **QUIET)
        self.stop_button.click(self.stop, page, self.shown, **QUIET)
        # The list changes with what is on the disk and with the language, and what is still to fetch with both.
        for changed in (*(component.input for component in place), self.list.change):
            changed(
                self.room,
                [page, *place],
                [self.room_line, self.to],
                preprocess=False,
                trigger_mode="always_last",
                **QUIET,
            )

    async def show(
        self, page: PageState, hub_id: Any, place: Any, to: Any, request: gr.Request
    ) -> AsyncIterator[dict[Any, Any]]:
        """What is here, and what is going on."""
        yield {self.said: _said(say(page.language, "models.looking"))}
        updates = await self._seen(page.language)
        updates |= {self.said: gr.update(value="", visible=False)}
        yield updates | {self.room_line: await self._room(page.language, hub_id, place, to)}

    async def tick(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """How far it is."""
        return await self._seen(page.language)

    async def click(self, page: PageState, event: gr.EventData, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """A button of a checkpoint."""
        model, act = str(getattr(event, "id", "")), str(getattr(event, "act", ""))
        language, checkpoints = page.language, self.checkpoints
        if act == "use":
            async for updates in self._use(language, model):
                yield updates
            return
        said = gr.update(value="", visible=False)
        try:
            if act == "verify":
                await asyncio.to_thread(checkpoints.start_check, model)
            elif act == "unverify":
                await asyncio.to_thread(checkpoints.check.stop)
            elif act == "resume":
                await asyncio.to_thread(checkpoints.resume, model)
            elif act == "mend":
                await asyncio.to_thread(checkpoints.mend, model)
            elif act == "halt":
                await asyncio.to_thread(checkpoints.download.stop)
            elif act == "forget":
                await asyncio.to_thread(checkpoints.forget, model)
                said = _said(say(language, "models.forgotten", model=model))
        except StudioError as error:
            said = _said(translate(language, error.message), error=True)
        yield await self._seen(language) | {self.said: said}

    async def use(self, page: PageState, model: Any, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """Check a checkpoint and make it the one in use."""
        named = str(model or "").strip()
        if not named:
            yield {self.said: _said(say(page.language, "models.empty"), error=True)}
            return
        async for updates in self._use(page.language, named):
            yield updates

    async def fetch(self, page: PageState, hub_id: Any, place: Any, to: Any, request: gr.Request) -> dict[Any, Any]:
        """Start a download; the timer tells how far it is."""
        language, named = page.language, str(hub_id or "").strip()
        folder = str(to or "").strip() if place == FOLDER else ""
        if not named or (place == FOLDER and not folder):
            return {self.fetched: _said(say(language, "models.empty"), error=True)}
        try:
            await asyncio.to_thread(self.checkpoints.start_download, named, folder)
        except StudioError as error:
            return {self.fetched: _said(translate(language, error.message), error=True)}
        return await self._seen(language)

    async def stop(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """Stop the download; what has arrived is kept."""
        stopped = await asyncio.to_thread(self.checkpoints.download.stop)
        if not stopped:
            return {self.fetched: _said(say(page.language, "models.download.nothing"))}
        return await self._seen(page.language)

    async def room(self, page: PageState, hub_id: Any, place: Any, to: Any, request: gr.Request) -> dict[Any, Any]:
        """What the download needs and what is free, before it is started."""
        line = await self._room(page.language, hub_id, place, to)
        hint = say(page.language, "models.download.to.hint", example=str(Path.home() / "MOVA-360p"))
        return {self.room_line: line, self.to: gr.update(visible=place == FOLDER, placeholder=hint)}

    async def spoken(self, page: PageState) -> dict[Any, Any]:
        """The list in the page's language."""
        return await self._seen(page.language) | {self.said: gr.update(value="", visible=False)}

    async def _use(self, language: str, model: str) -> AsyncIterator[dict[Any, Any]]:
        yield {self.said: _said(say(language, "models.checking", model=model))}
        try:
            await asyncio.to_thread(self.studio.use_model, model)
        except StudioError as error:
            yield {self.said: _said(translate(language, error.message), error=True)}
            return
        preset = preset_for(self.studio.model)
        yield {
            **await self._seen(language),
            self.said: _said(say(language, "models.used", model=model)),
            self._header.machine: self._header.machine_html(language, model, opens=True),
            **self._form.preset_values(preset, language),
        }

    async def _seen(self, language: str) -> dict[Any, Any]:
        checkpoints = self.checkpoints
        entries = await asyncio.to_thread(checkpoints.entries)
        download, check = checkpoints.download, checkpoints.check
        cards = model_cards(language, entries, checkpoints.in_use(entries), download.command, check.command)
        return {
            self.list: cards,
            self.fetched: self._fetched(language),
            self.timer: gr.Timer(active=download.running or check.running),
            self.stop_button: gr.update(interactive=download.running),
        }

    def _fetched(self, language: str) -> Any:
        command = self.checkpoints.download.command
        if command is None:
            return gr.update(value="", visible=False)
        model = command.about["model"]
        if command.error is not None:
            return _said(translate(language, command.error.message), error=True)
        if command.outcome is Outcome.RUNNING:
            start = say(language, "models.download.start", model=model)
            return gr.update(value=progress_html(language, command, start), visible=True)
        key = "models.download.stopped" if command.outcome is Outcome.STOPPED else "models.download.done"
        return _said(say(language, key, model=model))

    async def _room(self, language: str, hub_id: Any, place: Any, to: Any) -> str:
        folder = str(to or "").strip() if place == FOLDER else ""
        if place == FOLDER and not folder:
            return ""
        return await asyncio.to_thread(room_html, language, self.checkpoints, str(hub_id or "").strip(), folder)


def _known_models() -> list[str]:
    return list(dict.fromkeys(preset.checkpoint for preset in load_render_presets().values()))


def _said(text: str, *, error: bool = False) -> Any:
    kind, role = ("m-error", "alert") if error else ("m-note", "status")
    return gr.update(value=f'<p class="{kind}" role="{role}">{escape(text)}</p>', visible=True)
