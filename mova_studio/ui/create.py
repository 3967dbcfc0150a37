"""The Create view: what it looks like, and one way of bringing it up to date."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mova_studio.errors import InputError
from mova_studio.jobs.snapshot import JobSnapshot, JobState
from mova_studio.library.presets import RenderPreset
from mova_studio.ui.cards import queue_list, small_card
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Desk, PageState, Ticket, at_work, in_view
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form, draw_form
from mova_studio.ui.header import Header
from mova_studio.ui.presets_view import PresetsView
from mova_studio.ui.restore_view import RestoreView
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.stage import ACTIONS_JS, empty_stage, ended_stage, progress_line, running_stage, take_stage
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording, html_box

STRIP_TAKES = 4
POLL_SECONDS = 0.5
IDLE_LOOKS = 4


@dataclass(frozen=True)
class CreateView:
    """The components of the view."""

    form: Form
    stage: gr.HTML
    progress: gr.HTML
    strip_title: gr.HTML
    strip: gr.HTML
    queue_title: gr.HTML
    queue: gr.HTML
    timer: gr.Timer
    header: Header
    presets: PresetsView
    restore: RestoreView
    filling: Filling

    @property
    def painted(self) -> list[Any]:
        """What `Painter.paint` may change."""
        form = self.form
        return [
            self.stage,
            self.progress,
            self.strip_title,
            self.strip,
            self.queue_title,
            self.queue,
            self.timer,
            self.header.queue,
            self.header.machine,
            form.generate,
            form.cancel,
            form.reuse,
        ]


def draw_create(words: Wording, preset: RenderPreset, header: Header) -> CreateView:
    """Draw the view: fields left, result in the middle, the page's queue right."""
    with gr.Row(elem_classes="m-create", equal_height=False):
        with gr.Column(elem_classes="m-panel m-left", min_width=300):
            presets, restore, filling = PresetsView(), RestoreView(), Filling()
            with gr.Column(elem_classes="m-field m-from"):
                presets.draw(words)
                restore.draw(words)
                filling.draw(words)
            form = draw_form(words, preset)
        with gr.Column(elem_classes="m-middle", min_width=300):
            with gr.Column(elem_classes="m-panel"):
                stage = html_box(empty_stage("en"), elem_id="stage", js_on_load=ACTIONS_JS)
                progress = html_box(elem_id="progress", visible=False)
            with gr.Column(elem_classes="m-panel m-strip-panel"):
                strip_title = html_box(heading(say("en", "takes.latest")))
                strip = html_box(elem_id="strip", elem_classes="m-strip")
        with gr.Column(elem_classes="m-panel m-right", min_width=200):
            queue_title = html_box(heading(say("en", "queue.title")))
            queue = html_box(queue_list("en", [], None), elem_id="queue", js_on_load=ACTIONS_JS)
    timer = gr.Timer(POLL_SECONDS, active=False)
    return CreateView(
        form, stage, progress, strip_title, strip, queue_title, queue, timer, header, presets, restore, filling
    )


def heading(text: str) -> str:
    return f'<h2 class="m-heading">{text}</h2>'


class Painter:
    """Says what of a page has changed since it was last told."""

    def __init__(self, desk: Desk, served: ServedTakes, view: CreateView) -> None:
        self.desk, self.served, self.view = desk, served, view

    async def paint(self, page: PageState, *, live: bool = True) -> dict[Any, Any]:
        """Updates for `CreateView.painted`, without those that would change nothing.

        Args:
            live: the page has been watching; a take that is done starts to play.
        """
        async with page.painting:
            return await self._paint(page, live)

    async def _paint(self, page: PageState, live: bool) -> dict[Any, Any]:
        view, language = self.view, page.language
        jobs = self.desk.look(page)
        running, shown = at_work(jobs), in_view(page, jobs)
        unfinished = sum(not snapshot.state.ended for _ticket, snapshot in jobs)
        # A few looks more than needed: a job that is queued just as the last one ends must not be overlooked.
        page.idle_looks = 0 if running else page.idle_looks + 1
        looking = bool(jobs) and page.idle_looks < IDLE_LOOKS
        wanted: dict[Any, tuple[object, Any]] = {
            view.timer: (looking, gr.Timer(active=looking)),
            view.form.cancel: (running is not None, gr.update(visible=running is not None)),
            view.form.generate: (
                (running is not None, language),
                gr.update(value=say(language, "generate.more" if running else "generate")),
            ),
        }
        line = progress_line(language, shown[1] if shown else None)
        queue = queue_list(language, jobs, shown[0].job_id if shown else None)
        pill = f'<span class="m-pill">{say(language, "header.queue", count=unfinished)}</span>' if unfinished else ""
        for component, text in ((view.progress, line), (view.queue, queue), (view.header.queue, pill)):
            wanted[component] = (text, gr.update(value=text, visible=bool(text)))
        for component, key in ((view.strip_title, "takes.latest"), (view.queue_title, "queue.title")):
            wanted[component] = (language, heading(say(language, key)))
        model = self.desk.studio.model
        pill = view.header.machine_html(language, model, page.plan, opens=page.owner)
        wanted[view.header.machine] = (pill, pill)
        changes = self._only_changed(page, wanted)
        changes |= await self._stage(page, shown, live)
        changes |= await self._strip(page, jobs)
        return changes

    def _only_changed(self, page: PageState, wanted: dict[Any, tuple[object, Any]]) -> dict[Any, Any]:
        changes = {}
        for component, (key, update) in wanted.items():
            name = str(component._id)
            if page.sent.get(name, self) != key:
                page.sent[name] = key
                changes[component] = update
        return changes

    async def _stage(self, page: PageState, shown: tuple[Ticket, JobSnapshot] | None, live: bool) -> dict[Any, Any]:
        if shown is None:
            key: object = (None, page.language)
        else:
            snapshot = shown[1]
            waiting = snapshot.ahead if snapshot.state is JobState.WAITING else None
            key = (
                snapshot.job_id,
                snapshot.state,
                snapshot.preview_step,
                snapshot.preview is None,
                waiting,
                page.language,
            )
        before = page.sent.get("stage")
        if before == key:
            return {}
        page.sent["stage"] = key
        if shown is None:
            return {self.view.stage: empty_stage(page.language)}
        watched = isinstance(before, tuple) and before[0] == shown[0].job_id and before[1] is JobState.RUNNING
        return {self.view.stage: await self._stage_html(page, *shown, play=live and watched)}

    async def _stage_html(self, page: PageState, ticket: Ticket, snapshot: JobSnapshot, *, play: bool) -> str:
        if not snapshot.state.ended:
            return running_stage(page.language, ticket, snapshot)
        take = snapshot.take
        if take is None:
            return ended_stage(page.language, snapshot)
        page.last_seed = take.seed
        try:
            served = await asyncio.to_thread(self.served.serve, take.path)
        except InputError:
            return empty_stage(page.language)
        said = dict.fromkeys((*ticket.notes, *snapshot.notes, *take.notes))
        # The badge of an untrained checkpoint says so already.
        notes = [translate(page.language, note) for note in said if not (take.untrained and "untrained" in note)]
        return take_stage(page.language, take, served, notes, play=play)

    async def _strip(self, page: PageState, jobs: list[tuple[Ticket, JobSnapshot]]) -> dict[Any, Any]:
        done = tuple(ticket.job_id for ticket, snapshot in jobs if snapshot.state is JobState.DONE)
        key = (done, page.language)
        if page.sent.get("strip") == key:
            return {}
        page.sent["strip"] = key
        form = self.view.form
        return {
            self.view.strip: await self.strip_html(page.language),
            form.reuse: gr.update(interactive=page.last_seed is not None),
        }

    async def strip_html(self, language: str) -> str:
        """The latest takes of the library."""
        takes = await asyncio.to_thread(self.desk.studio.takes, STRIP_TAKES)
        cards = []
        for take in takes:
            try:
                served = await asyncio.to_thread(self.served.serve, take.path)
            except InputError:
                continue
            cards.append(small_card(language, take, served))
        return "".join(cards) or f'<p class="m-hint">{say(language, "takes.empty.text")}</p>'
