"""What of a page has changed since it was last told: stage, queue, buttons, banner."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.ui.cards import small_card
from mova_studio.ui.catalogue import say
from mova_studio.ui.create import POLL_SECONDS, CreateView, heading
from mova_studio.ui.desk import Desk, PageState, Sight, in_view
from mova_studio.ui.queue_html import banner_html, queue_head, queue_list, queue_pill
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.stage import empty_stage, ended_stage, has_sound, progress_line, running_stage, take_stage
from mova_studio.ui.translated import translate

STRIP_TAKES = 4
IDLE_LOOKS = 4
IDLE_SECONDS = 3.0


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
            return await self._changes(page, live)

    async def repaint(self, page: PageState) -> dict[Any, Any]:
        """As `paint`, and once more what has left since the last repainting: answers that leave close together may be
        shown in either order. What the page shows already does not change by it."""
        async with page.painting:
            await self._changes(page, live=True)
            again, page.recent = page.recent, {}
            return again

    async def _changes(self, page: PageState, live: bool) -> dict[Any, Any]:
        try:
            changes = await self._paint(page, live)
        except BaseException:
            # What did not leave counts as not sent.
            page.sent.clear()
            raise
        page.said(changes)
        return changes

    async def _paint(self, page: PageState, live: bool) -> dict[Any, Any]:
        view, language = self.view, page.language
        sight = self.desk.look(page)
        shown = in_view(page, sight)
        # A few looks more than needed: a job that is queued just as the last one ends must not be overlooked.
        page.idle_looks = 0 if sight.busy else page.idle_looks + 1
        seconds = POLL_SECONDS if page.idle_looks < IDLE_LOOKS else IDLE_SECONDS
        wanted: dict[Any, tuple[object, Any]] = {view.timer: (seconds, gr.Timer(value=seconds, active=True))}
        wanted |= self._buttons(page, sight, shown)
        line = progress_line(language, shown)
        shown_id = shown.job_id if shown is not None else None
        kind, sentence = banner_html(sight)
        banner = ""
        if kind:
            banner = f'<p class="m-banner" role="alert" data-kind="{kind}">{escape(translate(language, sentence))}</p>'
        for component, text in (
            (view.progress, line),
            (view.queue, queue_list(language, sight, shown_id, page.editing)),
            (view.queue_head, queue_head(language, sight, owner=page.owner)),
            (view.header.queue, queue_pill(language, sight)),
            (view.header.banner, banner),
        ):
            wanted[component] = (text, gr.update(value=text, visible=bool(text)))
        wanted[view.strip_title] = (language, heading(say(language, "takes.latest")))
        model = self.desk.studio.model
        pill = view.header.machine_html(language, model, page.plan, opens=page.owner)
        wanted[view.header.machine] = (pill, pill)
        changes = page.only_changed(wanted)
        changes |= await self._stage(page, sight, shown, live)
        changes |= await self._strip(page, sight)
        return changes

    def _buttons(
        self, page: PageState, sight: Sight, shown: JobSnapshot | None
    ) -> dict[Any, tuple[object, dict[str, Any]]]:
        form, language, may = self.view.form, page.language, not sight.read_only
        key = "queue.save" if page.editing else "generate.more" if sight.busy else "generate"
        cancels = may and self.to_cancel(page, sight, shown) is not None and page.editing is None
        return {
            form.cancel: (cancels, gr.update(visible=cancels)),
            form.generate: ((key, language, may), gr.update(value=say(language, key), interactive=may)),
            form.leave: (bool(page.editing), gr.update(visible=bool(page.editing))),
            form.scout.button: ((may, bool(page.editing)), gr.update(interactive=may, visible=not page.editing)),
            form.grid.button: (may, gr.update(interactive=may)),
        }

    def to_cancel(self, page: PageState, sight: Sight, shown: JobSnapshot | None) -> JobSnapshot | None:
        """The job that Cancel would end: the one in view, else this page's at work."""
        if shown is not None and not shown.state.ended and not shown.scouted:
            return shown
        at_work = (JobState.RUNNING, JobState.WAITING)
        return next((job for job in sight.line if job.job_id in sight.own and job.state in at_work), None)

    async def _stage(self, page: PageState, sight: Sight, shown: JobSnapshot | None, live: bool) -> dict[Any, Any]:
        key: object = (None, page.language)
        if shown is not None:
            waiting = shown.ahead if shown.state is JobState.WAITING else None
            preview = shown.preview_step, shown.preview is None
            key = (shown.job_id, shown.state, *preview, waiting, page.language, bool(sight.read_only))
        before = page.sent.get("stage")
        if before == key:
            return {}
        page.sent["stage"] = key
        if shown is None:
            return {self.view.stage: empty_stage(page.language)}
        watched = isinstance(before, tuple) and before[0] == shown.job_id and not before[1].ended
        may_act = not sight.read_only
        html = await self._stage_html(page, shown, play=live and watched, may_act=may_act)
        return {self.view.stage: html, self.view.form.reuse: gr.update(interactive=page.last_seed is not None)}

    async def _stage_html(self, page: PageState, snapshot: JobSnapshot, *, play: bool, may_act: bool) -> str:
        if not snapshot.state.ended:
            if snapshot.preview is not None and has_sound(snapshot.preview):
                page.sounded = snapshot.job_id
            sounded = page.sounded == snapshot.job_id
            return running_stage(page.language, snapshot, may_act=may_act, sounded=sounded)
        take = snapshot.take
        if take is None:
            if snapshot.state is JobState.DONE:
                return empty_stage(page.language)
            return ended_stage(page.language, snapshot, may_act=may_act)
        page.last_seed = take.seed
        try:
            served = await asyncio.to_thread(self.served.serve, take.path)
        except InputError:
            return empty_stage(page.language)
        said = dict.fromkeys((*snapshot.asked_notes, *snapshot.notes, *take.notes))
        # The badge of an untrained checkpoint says so already.
        notes = [translate(page.language, note) for note in said if not (take.untrained and "untrained" in note)]
        return take_stage(page.language, take, served, notes, play=play, owner=page.owner)

    async def _strip(self, page: PageState, sight: Sight) -> dict[Any, Any]:
        done = tuple(job.job_id for job in sight.ended if job.state is JobState.DONE)
        key = (done, page.language)
        if page.sent.get("strip") == key:
            return {}
        try:
            strip = await self.strip_html(page.language)
        except StudioError:
            return {}
        page.sent["strip"] = key
        return {self.view.strip: strip}

    async def strip_html(self, language: str) -> str:
        """The latest takes of the library.

        Raises:
            StudioError: the library cannot be read.
        """
        takes = await asyncio.to_thread(self.desk.studio.takes, STRIP_TAKES)
        cards = []
        for take in takes:
            try:
                served = await asyncio.to_thread(self.served.serve, take.path)
            except InputError:
                continue
            cards.append(small_card(language, take, served))
        return "".join(cards) or f'<p class="m-hint">{say(language, "takes.empty.text")}</p>'
