"""The System view, for the owner: this machine, the plan, what plans may use, and other machines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import CheckpointError, StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.placement.machine import GIB
from mova_studio.ui.access import Access
from mova_studio.ui.advice import Advice, Advisor, shot_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form_events import FormEvents, shown_settings
from mova_studio.ui.header import Header
from mova_studio.ui.imagine_view import ImagineView
from mova_studio.ui.limits_form import FIELDS, LimitsForm, limits_of
from mova_studio.ui.machine_html import machine_html
from mova_studio.ui.plan_html import last_run_html, others_html, plan_html, settings_words
from mova_studio.ui.plan_words import gb
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

AT_ONCE_SECONDS = 0.3


class SystemView:
    """Everything here is refused to guests on the server, whoever calls it."""

    def __init__(self, studio: Studio, access: Access, advisor: Advisor) -> None:
        self.studio, self.advisor = studio, advisor
        self.limits, self.imagine = LimitsForm(), ImagineView(studio, access, advisor)
        for name in ("show", "open", "refresh", "apply", "reset", "unload"):
            setattr(self, name, access.owner_only(getattr(self, name)))

    def draw(self, words: Wording) -> None:
        """Draw the view. Nothing of this machine is in it until the owner opens it."""
        with gr.Row(elem_classes="m-system", equal_height=False):
            with gr.Column(elem_classes="m-side", min_width=300):
                with gr.Column(elem_classes="m-panel"):
                    with gr.Row(elem_classes="m-row m-between"):
                        words.make(html_box, {"value": "machine.title"}, elem_classes="m-title2")
                        self.refresh_button = words.make(
                            gr.Button, {"value": "machine.refresh"}, size="sm", scale=0, min_width=90, elem_id="refresh"
                        )
                        self.unload_button = words.make(
                            gr.Button, {"value": "machine.unload"}, size="sm", scale=0, min_width=120, elem_id="unload"
                        )
                    self.machine = html_box(elem_id="machine-facts")
                    self.unloaded = html_box(visible=False, elem_id="unload-said", elem_classes="m-place")
                with gr.Column(elem_classes="m-panel"):
                    self.plan = html_box(elem_id="plan")
                with gr.Column(elem_classes="m-panel"):
                    self.last = html_box(elem_id="last-run")
                with gr.Column(elem_classes="m-panel"):
                    self.others = html_box(elem_id="others")
            with gr.Column(elem_classes="m-side", min_width=300):
                with gr.Column(elem_classes="m-panel", elem_id="limits"):
                    words.make(html_box, {"value": "limits.title"}, elem_classes="m-title2")
                    self.limits.draw(words)
                    with gr.Row(elem_classes="m-row"):
                        self.apply_button = words.make(
                            gr.Button,
                            {"value": "limits.apply"},
                            variant="primary",
                            elem_id="apply-limits",
                            min_width=120,
                        )
                        self.reset_button = words.make(
                            gr.Button, {"value": "limits.reset"}, elem_id="reset-limits", min_width=90
                        )
                    self.said = html_box(visible=False, elem_id="limits-said", elem_classes="m-place")
                with gr.Column(elem_classes="m-panel", elem_id="imagine"):
                    self.imagine.draw(words)

    @property
    def shown(self) -> list[Any]:
        """What follows the language of the page."""
        imagined = [self.imagine.vram, self.imagine.result]
        return [self.machine, self.plan, self.last, self.others, self.unloaded, self.said, *imagined]

    def wire(self, page: gr.State, events: FormEvents, header: Header, tabs: gr.Tabs, tab: gr.Tab) -> None:
        """Connect everything."""
        self._events, self._tabs, self._header = events, tabs, header
        seen = [*self.shown, *self.limits.outputs]
        costs = [events.form.cost, header.machine]
        tab.select(self.show, page, seen, **QUIET)
        header.machine.select(self.open, page, [*seen, tabs], **QUIET)
        self.refresh_button.click(self.refresh, page, seen, **QUIET)
        self.unload_button.click(self.unload, page, seen, **QUIET)
        self.apply_button.click(self.apply, [page, *self.limits.inputs], [*seen, *costs], preprocess=False, **QUIET)
        self.reset_button.click(self.reset, page, [*seen, *costs], **QUIET)
        self.imagine.wire(page)

    async def open(self, page: PageState, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """From the pill in the header."""
        # With the first answer, not before it: of two that come at once, the page may apply the last one alone.
        first: dict[Any, Any] = {self._tabs: gr.Tabs(selected="system")}
        async for updates in self._look(page):
            yield updates | first
            first = {}

    async def show(self, page: PageState, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """The machine at once, then the plan."""
        async for updates in self._look(page):
            yield updates

    async def refresh(self, page: PageState, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """The same anew; what was typed and not yet applied stays."""
        async for updates in self._look(page):
            yield updates

    async def apply(self, request: gr.Request, page: PageState, *values: Any) -> AsyncIterator[dict[Any, Any]]:
        """Keep what stands in the fields; an error appears beside its cause and nothing is kept then."""
        language, named = page.language, dict(zip(FIELDS, values, strict=True))
        try:
            limits = limits_of(named, language)
            advice = await asyncio.to_thread(self._tried, shown_settings(page, self.studio.model), limits)
            await asyncio.to_thread(self.studio.set_limits, limits)
        except StudioError as error:
            yield self.limits.quiet() | self._say("") | self.limits.complaint(language, error)
            return
        updates = self.limits.quiet() | self._say(say(language, "limits.kept"))
        if advice is not None and advice.shortage:
            updates |= self.limits.complaint(language, StudioError(advice.shortage, field="size"))
        yield updates | await self._changed(page)

    async def reset(self, page: PageState, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """Everything automatic."""
        await asyncio.to_thread(self.studio.set_limits, {})
        updates = self._say(say(page.language, "limits.forgotten"))
        yield updates | await self._fields() | await self._changed(page)

    async def unload(self, page: PageState, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """End an idle worker."""
        held = self.studio.worker_memory()
        try:
            await asyncio.to_thread(self.studio.unload)
        except StudioError as error:
            text = f'<p class="m-error" role="alert">{escape(translate(page.language, error.message))}</p>'
        else:
            key = "machine.unloaded" if held else "machine.nothing"
            words = say(page.language, key, held=gb(held / GIB)) if held else say(page.language, key)
            text = f'<p class="m-hint" role="status">{escape(words)}</p>'
        async for updates in self._look(page):
            yield updates | {self.unloaded: gr.update(value=text, visible=True)}

    async def spoken(self, page: PageState) -> dict[Any, Any]:
        """The view in the page's language, if it can be had without waiting."""
        if not self.advisor.ready:
            return {}
        return await self._machine(page) | await self._planned(page) | self.imagine.spoken(page)

    async def _look(self, page: PageState) -> AsyncIterator[dict[Any, Any]]:
        self.advisor.forget()
        updates = await self._machine(page)
        if not page.looked:
            page.looked = True
            updates |= await self._fields() | {self.imagine.vram: gr.update(value=None)}
        if not self.advisor.ready:
            waiting = f'<p class="m-hint" role="status">{escape(say(page.language, "plan.waiting"))}</p>'
            yield updates | {self.plan: waiting}
            said = time.monotonic()
            planned = await self._planned(page)
            # Of two answers that come at once the page may apply the last alone; later, what is typed by then stays.
            yield planned if time.monotonic() - said > AT_ONCE_SECONDS else updates | planned
            return
        yield updates | await self._planned(page)

    async def _fields(self) -> dict[Any, Any]:
        machine = await asyncio.to_thread(self.advisor.machine)
        return self.limits.show(self.studio.limits, gpu=machine.gpu is not None)

    async def _machine(self, page: PageState) -> dict[Any, Any]:
        machine = await asyncio.to_thread(self.advisor.machine)
        facts = machine_html(page.language, machine, self.studio.worker_memory())
        quiet = gr.update(value="", visible=False)
        return {
            self.machine: facts,
            self.last: last_run_html(page.language, self.studio.last_run),
            self.unloaded: quiet,
            self.said: quiet,
        }

    async def _planned(self, page: PageState) -> dict[Any, Any]:
        language, settings = page.language, shown_settings(page, self.studio.model)
        title = say(language, "plan.title")
        try:
            shot = shot_of(settings, self.studio.model)
            advice = await asyncio.to_thread(self.advisor.advise, shot)
        except StudioError as error:
            said = escape(translate(language, error.message))
            wrong = f'<h2 class="m-heading">{escape(title)}</h2><p class="m-error" role="alert">{said}</p>'
            return {self.plan: wrong, self.others: ""}
        return {
            self.plan: plan_html(language, title, settings_words(language, shot), advice),
            self.others: others_html(language, advice.report),
        }

    async def _changed(self, page: PageState) -> dict[Any, Any]:
        """The plan under limits that have just changed, here and above Generate."""
        self.advisor.forget()
        updates = await self._planned(page)
        updates[self._events.form.cost] = await self._events.cost_line(page)
        pill = self._header.machine_html(page.language, self.studio.model, page.plan, opens=page.owner)
        return updates | {self._header.machine: pill}

    def _tried(self, settings: dict[str, Any], limits: dict[str, Any]) -> Advice | None:
        """The plan under `limits`; None if something else than they is wrong.

        Raises:
            InputError: a pin is impossible here.
        """
        try:
            shot = shot_of(settings, self.studio.model)
        except StudioError:
            return None
        try:
            return self.advisor.advise(shot, limits)
        except CheckpointError:
            return None

    def _say(self, text: str) -> dict[Any, Any]:
        shown = f'<p class="m-hint" role="status">{escape(text)}</p>' if text else ""
        return {self.said: gr.update(value=shown, visible=bool(shown))}
