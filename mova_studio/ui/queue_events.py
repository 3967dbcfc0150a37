"""Clicks in the queue and on the stage: one job's buttons, the whole queue's, and editing a job that waits."""

from __future__ import annotations

import asyncio
import secrets
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.presets import preset_for
from mova_studio.ui.cards import title_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Desk, PageState, in_view
from mova_studio.ui.painter import Painter
from mova_studio.ui.queue_acts import act
from mova_studio.ui.reading import ANY_SEED, Order
from mova_studio.ui.result_events import STAGE_QUEUE_ACTS
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET

_EVERY: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}
_REMEMBER_JS = "(jobs) => { window.movaStudio.ordered(jobs); }"


class QueueEvents:
    """Listeners of the queue. An act that is refused is said under the list, and the list shows what is true.

    Args:
        page: the session's `PageState`.
        jobs_text: the page's job ids as text, for the browser's own memory of this tab.
    """

    def __init__(self, desk: Desk, painter: Painter, page: gr.State, jobs_text: gr.Textbox) -> None:
        self.desk, self.painter, self.page, self.jobs_text = desk, painter, page, jobs_text
        self.view, self.form = painter.view, painter.view.form

    def wire(self) -> None:
        """Connect everything."""
        view, form, page, filling = self.view, self.form, self.page, self.view.filling
        told = [*view.painted, view.queue_said, self.jobs_text]
        fields = [*form.inputs, *filling.outputs]
        view.queue.select(self.click, [page, *form.inputs], [*told, *fields], preprocess=False, **_EVERY).then(
            None, self.jobs_text, None, js=_REMEMBER_JS, **QUIET
        )
        view.queue_head.select(self.whole, page, told, **_EVERY)
        view.stage.select(self.stage, page, told, **_EVERY)
        form.leave.click(self.leave, [page, filling.before], list(dict.fromkeys([*told, *fields])), **QUIET)

    async def click(self, page: PageState, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        """A button of one job, or a job dropped somewhere else."""
        name, job_id = str(getattr(event, "act", "")), str(getattr(event, "id", ""))
        if name == "edit":
            return await self._edit(page, job_id, dict(zip(self.form.names, values, strict=True)))
        return await self._act(page, name, job_id, str(getattr(event, "value", "")))

    async def whole(self, page: PageState, event: gr.EventData) -> dict[Any, Any]:
        return await self._act(page, str(getattr(event, "act", "")), "")

    async def stage(self, page: PageState, event: gr.EventData) -> dict[Any, Any]:
        """Resume and Retry; the other buttons of the stage are `ResultEvents`'."""
        name, shown = str(getattr(event, "act", "")), in_view(page, page.seen)
        if name not in STAGE_QUEUE_ACTS or shown is None:
            return {self.view.progress: gr.skip()}
        return await self._act(page, name, shown.job_id)

    async def _act(self, page: PageState, name: str, job_id: str, value: str = "") -> dict[Any, Any]:
        said = {self.view.queue_said: gr.update(value="", visible=False)}
        try:
            await asyncio.to_thread(act, self.desk, page, name, job_id, value)
        except StudioError as error:
            said = self._complaint(page, error)
        page.idle_looks = 0
        return said | {self.jobs_text: " ".join(page.jobs)} | await self.painter.paint(page)

    def _complaint(self, page: PageState, error: StudioError) -> dict[Any, Any]:
        text = escape(translate(page.language, self.desk.without_folder(error.message)))
        return {self.view.queue_said: gr.update(value=f'<p class="m-error" role="alert">{text}</p>', visible=True)}

    async def _edit(self, page: PageState, job_id: str, shown: dict[str, Any]) -> dict[Any, Any]:
        """Put a waiting job's settings into the form; what stood there comes back with Undo, or when it is left."""
        language = page.language
        try:
            self.desk.require(page, job_id)
            job = await asyncio.to_thread(self.desk.studio.snapshot, job_id)
            if job.cell is not None:
                raise InputError(say(language, "queue.edit.cell"))
        except StudioError as error:
            return self._complaint(page, error) | await self.painter.paint(page)
        shot = job.shot
        assert shot is not None, "the queue knows what every job makes"
        page.editing = job_id
        page.know(shot.origin, shot.frame_origin, shot.first_frame)
        settings = {name: getattr(shot, name) for name in self.form.names if hasattr(shot, name)}
        frames = {name: settings.pop(name) for name in ("first_frame", "last_frame")}
        render = preset_for(self.desk.studio.model)
        said = [say(language, "queue.editing", title=title_of(shot.prompt))]
        updates = self.view.filling.fill(language, shown, render, settings, said=said, frames=frames)
        updates[self.form.fields["seed"]] = str(job.seed if job.seed_given else ANY_SEED)
        updates[self.view.queue_said] = gr.update(value="", visible=False)
        return updates | await self.painter.paint(page)

    async def leave(self, page: PageState, before: dict[str, Any]) -> dict[Any, Any]:
        """The job stays as it was, and so does what had been typed before."""
        page.editing = None
        return self.view.filling.restored(before) | await self.painter.paint(page)


def save_edit(desk: Desk, page: PageState, order: Order) -> None:
    """Give the job that is being edited what stands in the form. Slow: call it in a thread.

    Raises:
        InputError: it has begun meanwhile, is no longer this page's, or has ended.
    """
    job_id, page.editing = page.editing or "", None
    desk.require(page, job_id)
    job = desk.studio.queue.get(job_id)
    seed = order.seed
    if seed is None and job.seed_given:
        seed = secrets.randbelow(2**31)
    try:
        desk.studio.edit(job_id, order.shot, seed, order.notes)
    except InputError as error:
        raise InputError(say(page.language, "queue.edit.late")) from error
    desk.changed()
