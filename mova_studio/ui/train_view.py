"""The Train view, for the owner: begin a run, watch it, stop it, go on with it, and use what it gave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.training_order import look_at_clips
from mova_studio.jobs.training_snapshot import TrainingSnapshot
from mova_studio.library.presets import load_render_presets
from mova_studio.ui.access import Access
from mova_studio.ui.adapters_view import AdaptersView
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.model_cards import COPY_JS
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.train_cost import cost_words
from mova_studio.ui.train_curves import curves_html
from mova_studio.ui.train_form import RECIPES, TrainForm, found_words, paragraph, read, usual_kinds
from mova_studio.ui.train_html import list_html, run_html, samples_html
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, SETTLES, Wording, html_box
from mova_studio.ui.words import short_model

TICK_SECONDS = 1.0
_ACTS_JS = "window.movaQueue.head(element, trigger, watch);"


class TrainView:
    """Everything here is refused to guests on the server, whoever calls it."""

    def __init__(self, studio: Studio, access: Access, served: ServedTakes, adapters: AdaptersView) -> None:
        self.studio, self.trainings, self.served, self.adapters = studio, studio.trainings, served, adapters
        self.form = TrainForm()
        for name in ("show", "tick", "look", "choose", "tell", "start", "click", "install"):
            setattr(self, name, access.owner_only(getattr(self, name)))

    def draw(self, words: Wording) -> None:
        """Draw the view. Nothing of this machine is in it until the owner opens it."""
        with gr.Row(elem_classes="m-train", equal_height=False):
            with gr.Column(elem_classes="m-panel m-trainform", min_width=300):
                self.form.draw(words)
                with gr.Column(elem_classes="m-trainsend"):
                    self.cost = html_box(elem_id="train-cost", elem_classes="m-cost")
                    self.button = words.make(
                        gr.Button, {"value": "train.start"}, variant="primary", elem_id="train-start"
                    )
                    self.said = html_box(elem_id="train-said", elem_classes="m-place")
            with gr.Column(elem_classes="m-trainside", min_width=300):
                with gr.Column(elem_classes="m-panel"):
                    self.run = html_box(elem_id="train-run", js_on_load=_ACTS_JS + COPY_JS)
                    self.curves = html_box(elem_id="train-curves", visible=False)
                    with gr.Row(elem_classes="m-row m-end m-install", visible=False) as self.installing:
                        self.adapter = words.make(
                            gr.Textbox, {"label": "train.install.name"}, max_lines=1, elem_id="train-adapter", scale=3
                        )
                        self.install_button = words.make(
                            gr.Button, {"value": "train.install.button"}, elem_id="train-install", scale=0
                        )
                    self.acted = html_box(elem_id="train-acted", elem_classes="m-place")
                    self.samples = html_box(elem_id="train-samples", visible=False)
                with gr.Column(elem_classes="m-panel", visible=False) as self.others:
                    self.list = html_box(elem_id="train-runs", js_on_load=_ACTS_JS)
        self.timer = gr.Timer(TICK_SECONDS, active=False)

    @property
    def watched(self) -> list[Any]:
        """What a tick may change."""
        parts = [self.run, self.curves, self.samples, self.others, self.list, self.installing, self.adapter]
        return [*parts, self.timer, self.button]

    @property
    def shown(self) -> list[Any]:
        """What follows the language of the page."""
        return [*self.watched, *self.form.shown, self.cost, self.said, self.acted, self.form.kinds]

    def wire(self, page: gr.State, shot: Form, tab: gr.Tab) -> None:
        """Connect everything."""
        self._shot = shot
        form = self.form
        asked = [page, *form.inputs]
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        tab.select(self.show, asked, self.shown, **raw)
        self.timer.tick(self.tick, page, self.watched, **QUIET)
        # One after another: a cost that is slow to tell would else be shown over that of a later look at the clips.
        latest: dict[str, Any] = {**raw, **SETTLES, "concurrency_id": "train_form"}
        gr.on([form.clips.blur, form.clips.submit], self.look, asked, self.shown, **latest)
        numbers = [form.steps, form.batch, form.samples, form.rate, form.rank]
        form.recipe.input(self.choose, asked, [form.about, *numbers, self.cost, *form.places.values()], **latest)
        gr.on([form.steps.input, form.batch.input], self.tell, asked, self.cost, **latest)
        self.button.click(self.start, asked, self.shown, **raw)
        for part in (self.run, self.list):
            part.select(self.click, page, [*self.watched, self.acted], **QUIET)
        given: list[Any] = [page, self.adapter]
        done = [self.acted, shot.adapters]
        gr.on([self.install_button.click, self.adapter.submit], self.install, given, done, **raw)

    async def show(self, request: gr.Request, page: PageState, *values: Any) -> dict[Any, Any]:
        """The view as it opens."""
        quiet = {self.said: "", self.acted: ""}
        usual = {usual_kinds(preset.checkpoint) for preset in load_render_presets().values()}
        own = values[1] and values[1] not in usual
        kinds = {} if own else {self.form.kinds: usual_kinds(self.studio.model)}
        return quiet | kinds | self._spoken(page, values) | await self._cost(page, values) | await self._news(page)

    async def tick(self, page: PageState, request: gr.Request) -> dict[Any, Any]:
        """How far it is."""
        return await self._news(page)

    async def look(self, request: gr.Request, page: PageState, *values: Any) -> AsyncIterator[dict[Any, Any]]:
        """What lies in the folder that was named."""
        form, language, place = self.form, page.language, form_clips(values)
        if not place:
            page.clips = None
            yield {form.places["clips"]: "", form.raw: gr.update(visible=False)} | await self._cost(page, values)
            return
        yield {form.places["clips"]: paragraph(say(language, "train.clips.looking"))}
        try:
            page.clips = await asyncio.to_thread(look_at_clips, place)
        except StudioError as error:
            page.clips = None
            yield form.complaint(language, error) | await self._cost(page, values)
            return
        words = {form.places["clips"]: found_words(language, page.clips)}
        yield words | {form.raw: gr.update(visible=not page.clips.encoded)} | await self._cost(page, values)

    async def choose(self, request: gr.Request, page: PageState, *values: Any) -> dict[Any, Any]:
        """Another recipe: its own numbers. Gradio also asks when the list is left as it was; then what was typed
        stays."""
        recipe = values[2] if values[2] in RECIPES else RECIPES[0]
        if recipe == (page.recipe or RECIPES[0]):
            return {self.form.places["recipe"]: ""}
        page.recipe = recipe
        filled = self.form.filled(page.language, recipe)
        rank = filled[self.form.rank]["value"]
        numbers = [filled[part] for part in (self.form.steps, self.form.batch, self.form.samples, self.form.rate)]
        now = (*values[:3], *numbers, rank, values[-1])
        return filled | {self.form.places["recipe"]: ""} | await self._cost(page, now)

    async def tell(self, request: gr.Request, page: PageState, *values: Any) -> dict[Any, Any]:
        """What it costs with other numbers."""
        return await self._cost(page, values)

    async def start(self, request: gr.Request, page: PageState, *values: Any) -> AsyncIterator[dict[Any, Any]]:
        """Begin a run; an error appears beside its cause, and what was typed stays."""
        form, language = self.form, page.language
        quiet = form.quiet() | {self.said: "", self.acted: ""}
        yield quiet | {self.said: paragraph(say(language, "train.clips.looking"))}
        try:
            order = read(values, language)
            page.clips = await asyncio.to_thread(look_at_clips, order.clips)
            page.training = await asyncio.to_thread(self.trainings.start, order, self.studio.model)
        except StudioError as error:
            found = page.clips if error.field != "clips" else None
            shown = {} if found is None else {form.raw: gr.update(visible=not found.encoded)}
            beside = form.complaint(language, error)
            words = "" if beside else paragraph(translate(language, error.message), kind="m-error")
            yield quiet | shown | {self.said: words} | beside | await self._news(page)
            return
        said = {form.places["clips"]: found_words(language, page.clips)}
        yield quiet | said | await self._news(page)

    async def click(self, page: PageState, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """A button of a run, or a run of the list."""
        act, run_id = str(getattr(event, "act", "")), str(getattr(event, "id", ""))
        language, trainings, said = page.language, self.trainings, ""
        try:
            if act == "show":
                page.training = run_id
            elif act in ("stop", "end"):
                await asyncio.to_thread(trainings.stop, run_id, at_once=act == "end")
            elif act == "resume":
                await asyncio.to_thread(trainings.resume, run_id)
            elif act == "remove":
                await asyncio.to_thread(trainings.remove, run_id)
                page.training = None
                said = paragraph(say(language, "train.removed"), kind="m-good")
        except StudioError as error:
            said = paragraph(translate(language, error.message), kind="m-error")
        return await self._news(page) | {self.acted: said}

    async def install(self, page: PageState, name: Any, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """Put the run's adapter among the installed ones."""
        language = page.language
        run, _runs = await asyncio.to_thread(self._look, page)
        if run is None or run.trained is None or run.asked.mode == "full":
            return
        yield {self.acted: paragraph(say(language, "train.install.reading"))}
        try:
            take_in = self.adapters.installed.take_in_path
            entry, _fault = await asyncio.to_thread(take_in, run.trained, str(name or "").strip(), "both")
        except StudioError as error:
            yield {self.acted: paragraph(translate(language, error.message), kind="m-error")}
            return
        words = paragraph(say(language, "train.install.done", name=entry.name), kind="m-good")
        yield {self.acted: words, self._shot.adapters: await self.adapters.choices(page)}

    async def spoken(self, page: PageState, values: tuple[Any, ...]) -> dict[Any, Any]:
        """The view in the page's language."""
        found = "" if page.clips is None else found_words(page.language, page.clips)
        quiet = self.form.quiet() | {self.said: "", self.acted: "", self.form.places["clips"]: found}
        told = self._spoken(page, values) | await self._cost(page, values)
        return quiet | told | await self._news(page)

    def _spoken(self, page: PageState, values: tuple[Any, ...]) -> dict[Any, Any]:
        recipe = values[2] if values[2] in RECIPES else RECIPES[0]
        return self.form.spoken(page.language, short_model(self.studio.model), recipe)

    async def _cost(self, page: PageState, values: tuple[Any, ...]) -> dict[Any, Any]:
        def told() -> str:
            runs, model = self.trainings.all(), self.studio.model
            return cost_words(page.language, model, values, page.clips, runs, self.trainings.root)

        return {self.cost: await asyncio.to_thread(told)}

    def _look(self, page: PageState) -> tuple[TrainingSnapshot | None, list[TrainingSnapshot]]:
        """The run in view, and all of them."""
        runs = self.trainings.all()
        chosen = next((run for run in runs if run.run_id == page.training), None)
        return chosen or next(iter(runs), None), runs

    async def _news(self, page: PageState) -> dict[Any, Any]:
        """What has changed, all in one answer: of two that arrive together, the page may show the later one alone.
        The films come first, as they take time: what was seen leaves at once, or a later look would overtake it."""
        films = await self._filmed(page)
        return films | await self._seen(page)

    async def _seen(self, page: PageState) -> dict[Any, Any]:
        """What has changed since the page was last told."""
        async with page.painting:
            run, runs = await asyncio.to_thread(self._look, page)
            language = page.language
            listed = list_html(language, runs, None if run is None else run.run_id)
            curves = "" if run is None else curves_html(language, run.curve)
            at_work = any(each.stage.at_work for each in runs)
            adapter = run is not None and run.trained is not None and not run.stage.at_work and run.asked.mode != "full"
            wanted: dict[Any, tuple[object, Any]] = {
                self.timer: (at_work, gr.Timer(active=at_work)),
                self.button: (at_work, gr.update(interactive=not (at_work or self.studio.read_only))),
                self.installing: (adapter, gr.update(visible=adapter)),
                self.others: (bool(listed), gr.update(visible=bool(listed))),
            }
            text = run_html(language, run)
            wanted |= {self.run: (text, text), self.list: (listed, listed)}
            wanted[self.curves] = (curves, gr.update(value=curves, visible=bool(curves)))
            if run is not None and adapter:
                wanted[self.adapter] = ((run.run_id, language), gr.update(value=run.asked.name))
            return page.only_changed(wanted)

    async def _filmed(self, page: PageState) -> dict[Any, Any]:
        """The samples, if they have changed; each is decoded for its first picture and sound."""
        run, _runs = await asyncio.to_thread(self._look, page)
        key: object = None if run is None else (run.run_id, page.language, run.samples)
        if page.sent.get(str(self.samples._id), self) == key:
            return {self.samples: gr.skip()}
        films = "" if run is None else await asyncio.to_thread(samples_html, page.language, run, self.served)
        page.sent[str(self.samples._id)] = key
        return {self.samples: gr.update(value=films, visible=bool(films))}


def form_clips(values: tuple[Any, ...]) -> str:
    """The place of clips among the values of `TrainForm.inputs`."""
    return str(values[0] or "").strip()
