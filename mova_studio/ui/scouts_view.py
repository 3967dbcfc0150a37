"""The Scouts view: every grid with its moving previews, to keep, drop and finish."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.scouting import Scout
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.ui.advice import Advisor
from mova_studio.ui.cost import guess_seconds, scout_seconds
from mova_studio.ui.desk import Desk, PageState
from mova_studio.ui.form_events import COST_FIELDS
from mova_studio.ui.plan_words import take_seconds
from mova_studio.ui.scouts_html import Shown, empty_scouts, scout_grid, scout_head, scout_list
from mova_studio.ui.served import Served, ServedTakes
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

POLL_SECONDS = 1.0
LISTED = 40
_ATTACH_JS = "window.movaQueue.{part}(element, trigger, watch);"
_REMEMBER_JS = "(jobs) => { window.movaStudio.ordered(jobs); }"


class ScoutsView:
    """The owner sees all grids of the library, a guest those that this page asked for."""

    def __init__(self, desk: Desk, served: ServedTakes, advisor: Advisor) -> None:
        self.desk, self.served, self.advisor = desk, served, advisor

    def draw(self, words: Wording) -> None:
        """Draw the view, empty until it is opened."""
        with gr.Row(elem_classes="m-scoutsview", equal_height=False):
            with gr.Column(elem_classes="m-panel m-scoutside", min_width=200):
                self.list = html_box(elem_id="scout-list", js_on_load=_ATTACH_JS.format(part="clicks"))
            with gr.Column(elem_classes="m-panel m-takes", min_width=300):
                self.head = html_box(elem_id="scout-head", js_on_load=_ATTACH_JS.format(part="clicks"))
                self.said = html_box(visible=False, elem_id="scout-said", elem_classes="m-place")
                self.grid = html_box(empty_scouts("en"), elem_id="scouts", js_on_load=_ATTACH_JS.format(part="scouts"))
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    @property
    def shown(self) -> list[Any]:
        """What `look` may change."""
        return [self.list, self.head, self.grid, self.timer]

    def wire(self, page: gr.State, jobs_text: gr.Textbox, tabs: gr.Tabs, tab: gr.Tab) -> None:
        """Connect everything."""
        self.tabs, self.jobs_text = tabs, jobs_text
        tab.select(self.look, page, self.shown, **QUIET)
        self.timer.tick(self.look, page, self.shown, **QUIET)
        for part in (self.list, self.head, self.grid):
            part.select(
                self.act, page, [*self.shown, self.said, tabs, jobs_text], **QUIET, trigger_mode="multiple"
            ).then(None, jobs_text, None, js=_REMEMBER_JS, **QUIET)

    async def look(self, page: PageState) -> dict[Any, Any]:
        """What has changed since the last look; what was seen last stays while nothing can be read."""
        try:
            entries = await asyncio.to_thread(self._entries, page)
            chosen = next((entry[0] for entry in entries if entry[0].scout_id == page.scout), None)
            if chosen is None and entries:
                chosen = entries[0][0]
            shown = None if chosen is None else await asyncio.to_thread(self._shown, chosen)
        except StudioError:
            return {self.timer: gr.skip()}
        language, may = page.language, not self.desk.studio.read_only
        if shown is None:
            wanted = {self.list: "", self.head: "", self.grid: empty_scouts(language)}
        else:
            wanted = {
                self.list: scout_list(language, entries, shown.scout.scout_id),
                self.head: scout_head(language, shown, may_act=may),
                self.grid: scout_grid(language, shown, may_act=may),
            }
        changes: dict[Any, Any] = {
            part: text for part, text in wanted.items() if page.sent.get(f"scouts {part._id}") != text
        }
        page.sent |= {f"scouts {part._id}": text for part, text in changes.items()}
        watching = shown is not None and shown.busy
        if page.sent.get("scouts watching") != watching:
            page.sent["scouts watching"] = watching
            changes[self.timer] = gr.Timer(active=watching)
        return changes or {self.timer: gr.skip()}

    async def spoken(self, page: PageState) -> dict[Any, Any]:
        """The view in the page's language."""
        return await self.look(page)

    async def act(self, page: PageState, event: gr.EventData) -> dict[Any, Any]:
        """Keep, drop, undo, finish, or another grid."""
        name, job_id = str(getattr(event, "act", "")), str(getattr(event, "id", ""))
        said: dict[Any, Any] = {self.said: gr.update(value="", visible=False)}
        if name == "create":
            return {self.tabs: gr.Tabs(selected="create")}
        try:
            await asyncio.to_thread(self._do, page, name, job_id)
        except StudioError as error:
            text = escape(translate(page.language, self.desk.without_folder(error.message)))
            said = {self.said: gr.update(value=f'<p class="m-error" role="alert">{text}</p>', visible=True)}
        self.desk.changed()
        page.idle_looks = 0
        return said | {self.jobs_text: " ".join(page.jobs)} | await self.look(page)

    def _do(self, page: PageState, name: str, job_id: str) -> None:
        studio = self.desk.studio
        if name == "choose":
            page.scout = job_id
            return
        if name == "finish":
            for job in studio.scouts.jobs(job_id):
                if job.kept and job.scouted:
                    self.desk.require(page, job.job_id)
                    studio.resume(job.job_id)
                    page.add_jobs([job.job_id])
            return
        self.desk.require(page, job_id)
        job = studio.queue.get(job_id)
        if job.cell is None:
            raise InputError(f"Job {job_id} is not part of a grid.", field="job")
        if name == "keep":
            studio.queue.keep(job_id, not job.kept)
        elif name == "drop":
            studio.drop(job_id)
        elif name == "undo":
            studio.resume(job_id)

    def _entries(self, page: PageState) -> list[tuple[Scout, str, int, int]]:
        """The grids that this page may see: (scout, prompt, cells there, cells in all)."""
        studio = self.desk.studio
        scouts = studio.scouts.newest(LISTED)
        if not page.owner:
            own = {job.cell.scout for job in studio.queue.some(page.jobs).values() if job.cell is not None}
            scouts = [scout for scout in scouts if scout.scout_id in own]
        entries = []
        for scout in scouts:
            jobs = studio.scouts.jobs(scout.scout_id)
            if jobs:
                there = sum(job.scouted or job.state is JobState.DONE for job in jobs)
                entries.append((scout, studio.queue.shot(jobs[0]).prompt, there, len(jobs)))
        return entries

    def _shown(self, scout: Scout) -> Shown:
        studio = self.desk.studio
        cells = [job.job_id for job in studio.scouts.jobs(scout.scout_id)]
        jobs = tuple(self.desk.fit(snapshot) for snapshot in studio.snapshots(cells))
        films = {}
        for job in jobs:
            film = self._film(job)
            if film is not None:
                films[job.job_id] = film
        shown = Shown(scout, jobs, films)
        return Shown(scout, jobs, films, self._finish_seconds(shown.unfinished_kept))

    def _film(self, job: JobSnapshot) -> Served | None:
        """The take, or the preview of a cell that has stopped."""
        path = job.take.path if job.take is not None else None
        if path is None and not job.state.ended and job.state is not JobState.RUNNING:
            path = self.desk.studio.scout_preview(job.job_id)
        try:
            return None if path is None else self.served.serve(path)
        except InputError:
            return None

    def _predicted(self, settings: dict[str, Any]) -> tuple[float | None, float | None]:
        """By the plan: of a whole take, and of its denoising; (None, None) until a plan can be had."""
        advice = self.advisor.advise_quietly(settings) if self.advisor.ready else None
        if advice is None or advice.chosen is None:
            return None, None
        step = advice.chosen["predicted"]["step_seconds"]
        return take_seconds(advice.chosen), step * settings["num_inference_steps"]

    def _finish_seconds(self, kept: list[JobSnapshot]) -> float | None:
        """For the steps that kept cells have left, and for decoding them."""
        if not kept:
            return None
        takes, total = self.desk.studio.takes(), 0.0
        for job in kept:
            shot = job.shot
            assert shot is not None, "the queue knows what every job makes"
            settings = {name: getattr(shot, name) for name in COST_FIELDS}
            guessed = {name: value for name, value in settings.items() if name != "frame_rate"} | {"model": shot.model}
            whole, denoising = guess_seconds(takes, **guessed), scout_seconds(takes, **guessed)
            if whole is None or denoising is None:
                whole, denoising = self._predicted(settings)
            if whole is None or denoising is None:
                return None
            total += whole - denoising * job.step / job.steps
        return total
