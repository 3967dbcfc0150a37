"""The Models view, for the owner: which checkpoint is in use, another one, and downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import load_render_presets, preset_for
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.create import heading
from mova_studio.ui.desk import PageState
from mova_studio.ui.downloads import Downloads
from mova_studio.ui.form import Form
from mova_studio.ui.header import Header
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box


class ModelsView:
    """Everything here is refused to guests on the server, whoever calls it."""

    def __init__(self, studio: Studio, access: Access, downloads: Downloads) -> None:
        self.studio, self.downloads = studio, downloads
        self.use = access.owner_only(self.use)  # type: ignore[method-assign]
        self.fetch = access.owner_only(self.fetch)  # type: ignore[method-assign]
        self.stop = access.owner_only(self.stop)  # type: ignore[method-assign]
        self.show = access.owner_only(self.show)  # type: ignore[method-assign]

    def draw(self, words: Wording) -> None:
        """Draw the view. Nothing of this machine is in it until the owner opens it."""
        with gr.Column(elem_classes="m-models"):
            with gr.Column(elem_classes="m-panel"):
                self.current = html_box(elem_id="model-current")
            with gr.Column(elem_classes="m-panel m-field"):
                self.choose_title = words.make(html_box, {"value": "models.choose.title"}, elem_classes="m-title2")
                with gr.Row(elem_classes="m-row m-end"):
                    self.model = words.make(
                        gr.Dropdown,
                        {"label": "models.choose.label"},
                        choices=_known_models(),
                        value=None,
                        allow_custom_value=True,
                        elem_id="model",
                        scale=4,
                    )
                    self.use_button = words.make(
                        gr.Button, {"value": "models.choose.button"}, variant="primary", elem_id="use-model", scale=1
                    )
                self.said = html_box(visible=False, elem_id="model-said", elem_classes="m-place")
            with gr.Column(elem_classes="m-panel m-field"):
                words.make(html_box, {"value": "models.download.title"}, elem_classes="m-title2")
                words.make(html_box, {"value": "models.download.text"}, elem_classes="m-hint")
                with gr.Row(elem_classes="m-row m-end"):
                    self.hub_id = words.make(
                        gr.Dropdown,
                        {"label": "models.download.label"},
                        choices=[name for name in _known_models() if name != "demo"],
                        value=_known_models()[-1],
                        allow_custom_value=True,
                        elem_id="hub-id",
                        scale=4,
                    )
                    self.fetch_button = words.make(
                        gr.Button, {"value": "models.download.button"}, elem_id="download-model", scale=1
                    )
                    self.stop_button = words.make(
                        gr.Button, {"value": "models.download.stop"}, elem_id="stop-download", scale=1
                    )
                self.fetched = html_box(visible=False, elem_id="download-said", elem_classes="m-place")

    def wire(self, page: gr.State, form: Form, header: Header, tab: gr.Tab) -> None:
        """Connect everything."""
        self._form, self._header = form, header
        tab.select(self.show, page, [self.current, self.model], **QUIET)
        outputs = [self.current, self.said, header.machine, *form.inputs]
        self.use_button.click(self.use, [page, self.model], outputs, preprocess=False, **QUIET)
        self.fetch_button.click(self.fetch, [page, self.hub_id], self.fetched, preprocess=False, **QUIET)
        self.stop_button.click(self.stop, page, self.fetched, **QUIET)

    async def show(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """The checkpoint in use."""
        return {self.current: self.current_html(page.language), self.model: self.studio.model}

    async def use(self, page: PageState, model: Any, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """Check a checkpoint and make it the one in use."""
        language, named = page.language, str(model or "").strip()
        if not named:
            yield {self.said: _said(say(language, "models.empty"), error=True)}
            return
        yield {self.said: _said(say(language, "models.checking", model=named))}
        try:
            await asyncio.to_thread(self.studio.use_model, named)
        except StudioError as error:
            yield {self.said: _said(translate(language, error.message), error=True)}
            return
        preset = preset_for(self.studio.model)
        yield {
            self.current: self.current_html(language),
            self.said: _said(say(language, "models.used", model=named)),
            self._header.machine: self._header.machine_html(language, named, opens=True),
            **self._form.preset_values(preset, language),
        }

    async def fetch(self, page: PageState, hub_id: Any, request: gr.Request) -> AsyncIterator[Any]:
        """Download a checkpoint, telling how far it is."""
        language, named = page.language, str(hub_id or "").strip()
        if not named:
            yield _said(say(language, "models.empty"), error=True)
            return
        yield _said(say(language, "models.download.start", model=named))
        try:
            async for text in self.downloads.fetch(named):
                yield _said(text)
        except StudioError as error:
            yield _said(translate(language, error.message), error=True)
            return
        key = "models.download.stopped" if self.downloads.stopped else "models.download.done"
        yield _said(say(language, key, model=named))

    async def stop(self, page: PageState, request: gr.Request) -> Any:
        """Stop the download."""
        stopped = await self.downloads.stop()
        return _said(say(page.language, "models.download.stopped")) if stopped else gr.skip()

    def current_html(self, language: str) -> str:
        """What is in use, for the owner's eyes."""
        model, preset = self.studio.model, preset_for(self.studio.model)
        about = say(
            language,
            "models.size",
            width=preset.width,
            height=preset.height,
            frames=preset.num_frames,
            steps=preset.num_inference_steps,
        )
        demo = f"<p>{escape(say(language, 'models.current.demo'))}</p>" if model == "demo" else ""
        return (
            heading(escape(say(language, "models.current")))
            + f'<p class="m-big m-mono">{escape(model)}</p><p class="m-mono">{escape(about)}</p>{demo}'
        )


def _known_models() -> list[str]:
    return [preset.checkpoint for preset in load_render_presets().values()]


def _said(text: str, *, error: bool = False) -> Any:
    kind, role = ("m-error", "alert") if error else ("m-note", "status")
    return gr.update(value=f'<p class="{kind}" role="{role}">{escape(text)}</p>', visible=True)
