"""What happens in the Create view around a run: ordering, watching, cancelling."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.presets import preset_for
from mova_studio.ui.catalogue import say
from mova_studio.ui.create import CreateView
from mova_studio.ui.desk import Desk, PageState, in_view
from mova_studio.ui.form import PLACES, Form, size_choice
from mova_studio.ui.form_events import COST_FIELDS, FormEvents, length_notes, size_notes
from mova_studio.ui.painter import Painter
from mova_studio.ui.queue_events import save_edit
from mova_studio.ui.reading import ANY_SEED, Order, read_count, read_order
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET

# Which of the two linked length fields was changed last, and whether Shift was held, is only known in the browser.
_ORDER_JS = (
    "(page, length, front, ...fields) => [page, window.movaStudio.lengthField, window.movaQueue.first(), ...fields]"
)
_ORDERED_JS = "(jobs) => { window.movaStudio.ordered(jobs); }"


class RunEvents:
    """Listeners of the view. Every one runs on the event loop; what takes time goes to a thread.

    Args:
        page: the session's `PageState`.
        jobs_text: the page's job ids as text, for the browser's own memory of this tab.
    """

    def __init__(
        self, desk: Desk, painter: Painter, form_events: FormEvents, page: gr.State, jobs_text: gr.Textbox
    ) -> None:
        self.desk, self.painter, self.form_events = desk, painter, form_events
        self.view: CreateView = painter.view
        self.page, self.jobs_text = page, jobs_text
        self.length_text = gr.Textbox("num_frames", visible=False)
        self.front_text = gr.Textbox("", visible=False)
        self.form: Form = self.view.form

    def wire(self) -> None:
        """Connect everything."""
        form, view, page, fields = self.form, self.view, self.page, self.form.fields
        everything = [
            *view.painted,
            *form.places.values(),
            *form.notes.values(),
            form.advanced,
            *form.inputs,
            form.cost,
            self.jobs_text,
            *view.filling.outputs,
        ]
        form.generate.click(
            self.order,
            [page, self.length_text, self.front_text, *form.inputs],
            everything,
            preprocess=False,
            trigger_mode="multiple",
            js=_ORDER_JS,
            **QUIET,
        ).then(None, self.jobs_text, None, js=_ORDERED_JS, **QUIET)
        watched = [*view.painted, *form.places.values(), form.advanced, form.cost]
        view.timer.tick(self.tick, page, watched, **QUIET)
        view.pulse.tick(self.beat, page, watched, trigger_mode="multiple", **QUIET)
        form.cancel.click(self.cancel, page, view.painted, **QUIET)
        form.dice.click(lambda: str(ANY_SEED), None, fields["seed"], **QUIET)
        form.reuse.click(self.reuse_seed, page, fields["seed"], **QUIET)

    async def order(
        self, request: gr.Request, page: PageState, length: str, front: str, *values: Any
    ) -> dict[Any, Any]:
        """Queue what stands in the fields, or save it into the job that is being edited.

        An error appears beside its cause and nothing else changes.

        Args:
            front: "front" puts it first in line, which only the owner may.
        """
        form, language = self.form, page.language
        named = dict(zip(form.names, values, strict=True))
        model = self.desk.studio.model
        updates: dict[Any, Any] = form.quiet_places()
        asked: list[str] = []
        count = 1
        try:
            preset = preset_for(model)
            order = await asyncio.to_thread(
                read_order, named, model, preset, language, length, page.origin, page.made_frame
            )
            if page.editing is not None:
                await asyncio.to_thread(save_edit, self.desk, page, order)
                return updates | self.view.filling.quiet() | await self.painter.paint(page)
            count = read_count(named["count"], language)
            user, first = request.username or "", front == "front" and page.owner
            # The last that is put before all others runs first.
            seeds = [order.seed, *[None] * (count - 1)]
            for seed in seeds[::-1] if first else seeds:
                queued = await asyncio.to_thread(self.desk.submit, order.shot, seed, user, order.notes, front=first)
                asked.append(queued.job_id)
        except StudioError as error:
            if not asked:
                return updates | form.complaint(language, error) | await self.painter.paint(page)
            reason = translate(language, error.message)
            some = say(language, "count.some", done=len(asked), count=count, reason=reason)
            updates |= form.complaint(language, InputError(some, field="count"))
        page.add_jobs(asked)
        page.pinned = None
        page.last_sides = order.shot.width, order.shot.height
        page.last_length = seconds_of(order.shot.num_frames, order.shot.frame_rate), order.shot.num_frames
        page.idle_looks = 0
        updates |= self._settled(named, order, language, size_choice(preset, order.shot.width, order.shot.height))
        return updates | {self.jobs_text: " ".join(page.jobs)} | await self.painter.paint(page)

    def _settled(self, named: dict[str, Any], order: Order, language: str, choice: str) -> dict[Any, Any]:
        """What was typed and not yet moved to what can be made, and the notes on it."""
        shot = order.shot
        seconds = seconds_of(shot.num_frames, shot.frame_rate)
        used = {"size": choice, "width": shot.width, "height": shot.height}
        used |= {"num_frames": shot.num_frames, "seconds": seconds}
        updates: dict[Any, Any] = {
            self.form.fields[name]: value for name, value in used.items() if named[name] != value
        }
        updates |= self.form.note("size", size_notes(language, *order.sides))
        return updates | self.form.note("length", length_notes(language, order.length, seconds))

    async def tick(self, page: PageState) -> dict[Any, Any]:
        """What has changed since the last look."""
        cost = await self._cost(page)
        return self._news(page, cost | await self.painter.paint(page))

    async def beat(self, page: PageState) -> dict[Any, Any]:
        """The same, with what an answer that was lost had to say."""
        cost = await self._cost(page, again=self.view.strip in page.recent)
        return self._news(page, cost | await self.painter.repaint(page))

    async def _cost(self, page: PageState, *, again: bool = False) -> dict[Any, Any]:
        """The cost line by the takes that the page shows. Slow, so it comes before the painting: what is painted
        leaves at once, or a later painting would overtake it."""
        shown = page.sent.get("strip")
        if page.sent.get("cost") == shown and not again:
            return {}
        page.sent["cost"] = shown
        return {self.form.cost: await self.form_events.cost_line(page, planned=self.form_events.advisor.ready)}

    def _news(self, page: PageState, updates: dict[Any, Any]) -> dict[Any, Any]:
        if self.view.stage in updates:
            updates |= self._failure(page)
        return updates or {self.form.cost: gr.skip()}

    def _failure(self, page: PageState) -> dict[Any, Any]:
        """What went wrong with the job in view, beside the field that caused it."""
        shown = in_view(page, page.seen)
        error = shown.error if shown is not None else None
        if error is None or error.get("field") not in PLACES:
            return {}
        return self.form.complaint(page.language, StudioError(str(error["message"]), field=error["field"]))

    async def cancel(self, page: PageState) -> dict[Any, Any]:
        """Stop the job that is in view, or this page's running one."""
        sight = self.desk.look(page)
        target = self.painter.to_cancel(page, sight, in_view(page, sight))
        if target is not None:
            with suppress(StudioError):
                await asyncio.to_thread(self.desk.studio.cancel, target.job_id)
            self.desk.changed()
        return await self.painter.paint(page) or {self.view.progress: gr.skip()}

    async def reuse_seed(self, page: PageState) -> Any:
        return gr.skip() if page.last_seed is None else str(page.last_seed)

    def restore(self, page: PageState) -> dict[Any, Any]:
        """The fields of a reloaded page, as they were for its latest job."""
        sight = self.desk.look(page)
        known = {job.job_id: job for job in sight.jobs}
        latest = next((known[job_id] for job_id in reversed(page.jobs) if job_id in known), None)
        if latest is None or latest.shot is None:
            return {}
        page.cost_of = {name: getattr(latest.shot, name) for name in COST_FIELDS}
        page.know(latest.shot.origin, latest.shot.frame_origin, latest.shot.first_frame)
        seed = latest.seed if latest.seed_given and latest.cell is None else None
        return self.form.shot_values(latest.shot, seed, preset_for(self.desk.studio.model))
