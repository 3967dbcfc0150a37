"""Scouting, asked for: reading its fields, saying what it will cost, and queueing the grid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.scouting import Axis, seeds_axis
from mova_studio.library.presets import preset_for
from mova_studio.ui.catalogue import say
from mova_studio.ui.cost import scout_seconds
from mova_studio.ui.desk import Desk, PageState
from mova_studio.ui.form_events import FormEvents, shown_settings
from mova_studio.ui.painter import Painter
from mova_studio.ui.plan_words import about
from mova_studio.ui.reading import Order, read_order
from mova_studio.ui.scout_reading import GRID_SHARES, SHARES, read_axes, read_scout_count, read_share
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET

_ORDER_JS = "(page, length, ...fields) => [page, window.movaStudio.lengthField, ...fields]"
_ORDERED_JS = "(jobs) => { window.movaStudio.ordered(jobs); }"
Read = Callable[[Order], tuple[list[Axis], float]]


class ScoutEvents:
    """Listeners of the controls of scouting. A grid that is queued opens the Scouts view.

    Args:
        page: the session's `PageState`.
        jobs_text: the page's job ids as text, for the browser's own memory of this tab.
    """

    def __init__(self, desk: Desk, painter: Painter, form_events: FormEvents, page: gr.State, jobs_text: gr.Textbox):
        self.desk, self.painter, self.form_events = desk, painter, form_events
        self.page, self.jobs_text, self.form = page, jobs_text, painter.view.form
        self.length_text = gr.Textbox("num_frames", visible=False)

    def wire(self, tabs: gr.Tabs) -> None:
        """Connect everything."""
        form, scout, grid, page = self.form, self.form.scout, self.form.grid, self.page
        self.tabs = tabs
        told = [
            *self.painter.view.painted,
            *form.places.values(),
            *form.notes.values(),
            form.advanced,
            scout.place,
            grid.place,
            self.jobs_text,
            tabs,
        ]
        begin = [page, self.length_text]
        for button, handler, more in (
            (scout.button, self.scout, [scout.count, scout.share]),
            (grid.button, self.compare, grid.inputs),
        ):
            button.click(handler, [*begin, *more, *form.inputs], told, preprocess=False, js=_ORDER_JS, **QUIET).then(
                None, self.jobs_text, None, js=_ORDERED_JS, **QUIET
            )
        gr.on(
            [form.cost.change, scout.count.input, scout.share.input],
            self.cost,
            [page, scout.count, scout.share],
            [scout.cost, scout.button],
            preprocess=False,
            trigger_mode="always_last",
            **QUIET,
        )

    async def scout(
        self, request: gr.Request, page: PageState, length: str, count: Any, share: Any, *values: Any
    ) -> dict[Any, Any]:
        """Queue the first steps of several seeds of what stands in the form."""

        def read(order: Order) -> tuple[list[Axis], float]:
            number, part = read_scout_count(count, page.language), read_share(share, SHARES, page.language)
            return [seeds_axis(number, order.seed)], part

        return await self._add(request, page, length, values, read, self.form.scout.place)

    async def compare(
        self,
        request: gr.Request,
        page: PageState,
        length: str,
        first: Any,
        second: Any,
        first_values: Any,
        second_values: Any,
        share: Any,
        *values: Any,
    ) -> dict[Any, Any]:
        """Queue one take for every value of a setting, or for every pair of two."""

        def read(_order: Order) -> tuple[list[Axis], float]:
            axes = read_axes((first, second), (first_values, second_values), page.language)
            return axes, read_share(share, GRID_SHARES, page.language)

        return await self._add(request, page, length, values, read, self.form.grid.place)

    async def _add(
        self,
        request: gr.Request,
        page: PageState,
        length: str,
        values: tuple[Any, ...],
        read: Read,
        place: gr.HTML,
    ) -> dict[Any, Any]:
        form, language, studio = self.form, page.language, self.desk.studio
        named = dict(zip(form.names, values, strict=True))
        updates: dict[Any, Any] = form.quiet_places()
        updates |= {each: gr.update(value="", visible=False) for each in (form.scout.place, form.grid.place)}
        try:
            preset = preset_for(studio.model)
            order = await asyncio.to_thread(
                read_order, named, studio.model, preset, language, length, page.origin, page.made_frame
            )
        except StudioError as error:
            return updates | form.complaint(language, error) | await self.painter.paint(page)
        try:
            axes, share = read(order)
            scout = await asyncio.to_thread(
                studio.scout,
                order.shot,
                axes,
                order.seed,
                share=share,
                asked_by=request.username or "",
                notes=order.notes,
            )
            jobs = await asyncio.to_thread(studio.scouts.jobs, scout.scout_id)
        except (StudioError, TypeError) as error:
            text = escape(translate(language, str(error)))
            shown = gr.update(value=f'<p class="m-error" role="alert">{text}</p>', visible=True)
            return updates | {place: shown} | await self.painter.paint(page)
        page.add_jobs(job.job_id for job in jobs)
        page.scout, page.pinned, page.idle_looks = scout.scout_id, None, 0
        self.desk.changed()
        updates |= {self.jobs_text: " ".join(page.jobs), self.tabs: gr.Tabs(selected="scouts")}
        return updates | await self.painter.paint(page)

    async def cost(self, page: PageState, count: Any, share: Any) -> dict[Any, Any]:
        """The line under the buttons, and the number on the button of Scout."""
        scout, language = self.form.scout, page.language
        try:
            number, part = read_scout_count(count, language), read_share(share, SHARES, language)
        except StudioError as error:
            return {scout.cost: f'<p class="m-error">{escape(error.message)}</p>', scout.button: gr.skip()}
        settings = shown_settings(page, self.desk.studio.model)
        steps = settings["num_inference_steps"]
        if not steps or steps < 1:
            return {scout.cost: "", scout.button: gr.skip()}
        seconds = await asyncio.to_thread(self._seconds, settings)
        time = say(language, "scout.cost.none")
        if seconds is not None:
            time = say(language, "scout.cost.about", time=about(language, seconds * part * number))
        step = max(1, math.ceil(part * steps))
        line = say(language, "scout.cost", count=number, step=step, steps=round(steps), time=time)
        return {
            scout.cost: f"<p>{escape(line)}</p>",
            scout.button: gr.update(value=say(language, "scout.button", count=number)),
        }

    def _seconds(self, settings: dict[str, Any]) -> float | None:
        """Of denoising one whole take, by the library's takes or by the plan."""
        studio, advisor = self.desk.studio, self.form_events.advisor
        guessed = {name: value for name, value in settings.items() if name != "frame_rate"}
        try:
            seconds = scout_seconds(studio.takes(), model=studio.model, **guessed)
        except StudioError:
            return None
        if seconds is None and advisor.ready:
            advice = advisor.advise_quietly(settings)
            if advice is not None and advice.chosen is not None:
                seconds = advice.chosen["predicted"]["step_seconds"] * settings["num_inference_steps"]
        return seconds
