"""The whole page: header, views, and what happens when it opens or changes its language."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mova_studio.jobs.checkpoints import Checkpoints
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.ui.access import Access
from mova_studio.ui.adapters_data import InstalledAdapters
from mova_studio.ui.adapters_view import AdaptersView
from mova_studio.ui.advice import Advisor
from mova_studio.ui.api import Api
from mova_studio.ui.api_create import CreateApi
from mova_studio.ui.api_gallery import GalleryApi
from mova_studio.ui.api_models import ModelsApi
from mova_studio.ui.api_prompt import PromptApi
from mova_studio.ui.api_queue import QueueApi
from mova_studio.ui.api_timeline import TimelineApi
from mova_studio.ui.api_train import TrainApi
from mova_studio.ui.catalogue import LANGUAGES, language_of
from mova_studio.ui.compare_view import CompareView
from mova_studio.ui.create import draw_create
from mova_studio.ui.desk import Desk, PageState
from mova_studio.ui.form import prompt_hint, size_choices
from mova_studio.ui.form_events import FormEvents
from mova_studio.ui.gallery_data import GalleryData
from mova_studio.ui.gallery_view import GalleryState, GalleryView
from mova_studio.ui.header import THEME_JS, Header
from mova_studio.ui.models_view import ModelsView
from mova_studio.ui.painter import Painter
from mova_studio.ui.prompt_room import PromptRoom
from mova_studio.ui.queue_events import QueueEvents
from mova_studio.ui.restore_view import too_large
from mova_studio.ui.result_events import ResultEvents
from mova_studio.ui.run_events import RunEvents
from mova_studio.ui.scout_events import ScoutEvents
from mova_studio.ui.scouts_view import ScoutsView
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.system_view import SystemView
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.timeline_view import TimelineView
from mova_studio.ui.train_view import TrainView
from mova_studio.ui.wording import QUIET, Wording

# What this tab of the browser remembers: its jobs until it is closed, the language for good.
_RECALL_JS = "() => [null, sessionStorage.getItem('mova-jobs') || '', localStorage.getItem('mova-language') || '']"
_SPEAK_JS = "(language) => { window.movaStudio.speak(language); }"


def build_page(studio: Studio, access: Access) -> gr.Blocks:
    """Build the page on a studio. Nothing heavy is imported and no weights are touched."""
    preset = preset_for(studio.model)
    desk, served, checkpoints, words = Desk(studio), ServedTakes(), Checkpoints(studio), Wording()
    header = Header()
    advisor = Advisor(studio)
    models_view, adapters_view = ModelsView(checkpoints, access), AdaptersView(InstalledAdapters(studio), access)
    data = GalleryData(studio.store, served)
    timelines = TimelineDesk(studio.store, served, studio.read_only)
    gallery_view = GalleryView(data, access, CompareView(data, studio.votes), lambda: studio.model, timelines)
    system_view = SystemView(studio, access, advisor)
    train_view = TrainView(studio, access, served, adapters_view)
    scouts_view = ScoutsView(desk, served, advisor)
    prompts = PromptRoom(studio, access)
    timeline_view = TimelineView(timelines, access)
    with gr.Blocks(title="MOVA Studio", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as blocks:
        # Made first, so that no listener of the page takes one of their names; drawn last, as nobody looks at them.
        with gr.Column(visible=False, render=False) as for_programs:
            Api(desk, data, access, advisor).register()
            GalleryApi(data, studio.votes, access).register()
            ModelsApi(checkpoints, access).register()
            CreateApi(studio).register()
            QueueApi(desk, access).register()
            PromptApi(prompts.rewriter).register()
            TimelineApi(timelines, access).register()
            TrainApi(studio, access).register()
        page = gr.State(PageState())
        jobs_text, language_text = gr.Textbox(visible=False), gr.Textbox(visible=False)
        header.draw(words, studio.model)
        with gr.Tabs(selected="create", elem_id="views") as tabs:
            with words.make(gr.Tab, {"label": "tab.create"}, id="create") as create_tab:
                view = draw_create(words, preset, header)
            with words.make(gr.Tab, {"label": "tab.scouts"}, id="scouts") as scouts_tab:
                scouts_view.draw(words)
            with words.make(gr.Tab, {"label": "tab.takes"}, id="takes") as takes_tab:
                gallery_view.draw(words)
            with words.make(gr.Tab, {"label": "tab.timeline"}, id="timeline") as timeline_tab:
                timeline_view.draw()
            with words.make(gr.Tab, {"label": "tab.lab"}, id="lab") as lab_tab:
                prompts.draw(words)
            with words.make(gr.Tab, {"label": "tab.train"}, id="train", visible=False) as train_tab:
                train_view.draw(words)
            with words.make(gr.Tab, {"label": "tab.models"}, id="models", visible=False) as models_tab:
                models_view.draw(words, adapters_view)
            with words.make(gr.Tab, {"label": "tab.system"}, id="system", visible=False) as system_tab:
                system_view.draw(words)
        for_programs.render()
        painter = Painter(desk, served, view)
        form = view.form
        form_events = FormEvents(studio, form, header, advisor)
        form_events.wire(page)
        run_events = RunEvents(desk, painter, form_events, page, jobs_text)
        view.filling.wire(page, form)
        run_events.wire()
        view.presets.wire(studio, access, page, form, view.filling, create_tab)
        view.restore.wire(studio, page, form, view.filling)
        QueueEvents(desk, painter, page, jobs_text).wire()
        ScoutEvents(desk, painter, form_events, page, jobs_text).wire(tabs)
        scouts_view.wire(page, jobs_text, tabs, scouts_tab)
        ResultEvents(desk, view, timelines).wire(page)
        gallery_view.wire(page, form, tabs, takes_tab)
        prompts.wire(page, painter, tabs, lab_tab, jobs_text)
        timeline_view.wire(page, timeline_tab)
        models_view.wire(page, form, header, models_tab)
        adapters_view.wire(page, form, models_tab, create_tab, models_view.list)
        system_view.wire(page, form_events, header, tabs, system_tab)
        train_view.wire(page, form, train_tab)
        owners = (train_tab, models_tab, system_tab)
        everything = unique(
            [
                *words.components,
                *view.painted,
                *form.inputs,
                form.cost,
                form.adapters,
                *owners,
                language_text,
                *view.presets.opening,
                view.restore.large,
                timeline_view.stage,
            ]
        )

        async def worded(state: PageState) -> dict[Any, Any]:
            """Every word of the page in its language."""
            language = state.language
            updates = words.updates(language)
            _merge(updates, form.fields["prompt"], placeholder=prompt_hint(language))
            _merge(updates, form.fields["size"], choices=size_choices(preset_for(studio.model), language))
            updates[form.adapters] = await adapters_view.choices(state)
            updates[form.cost] = await form_events.cost_line(state, planned=advisor.ready)
            _merge_all(updates, await view.presets.opened_updates(state))
            updates[view.restore.large] = too_large(language)
            updates |= timeline_view.worded(language)
            state.sent.clear()
            _merge_all(updates, await painter.paint(state, live=False))
            return updates | {language_text: language}

        async def open_page(state: PageState, jobs: str, chosen: str, request: gr.Request) -> dict[Any, Any]:
            """A page that opens, or that was reloaded and finds its jobs again."""
            accepted = language_of(request.headers.get("accept-language"))
            state.language = chosen if chosen in LANGUAGES else accepted
            state.owner = access.is_owner(request)
            state.jobs = desk.known(str(jobs or "").split(), request.username or "")
            restored = run_events.restore(state)
            updates = await worded(state)
            _merge_all(updates, restored)
            for tab in owners:
                _merge(updates, tab, visible=state.owner)
            return updates

        async def change_language(
            state: PageState, gallery: GalleryState, request: gr.Request, *training: Any
        ) -> dict[Any, Any]:
            state.language = LANGUAGES[1 - LANGUAGES.index(state.language)]
            updates = await worded(state)
            if access.is_owner(request):
                _merge_all(updates, await models_view.spoken(state))
                _merge_all(updates, await adapters_view.spoken(state))
                _merge_all(updates, await system_view.spoken(state))
                _merge_all(updates, await train_view.spoken(state, training))
            _merge_all(updates, await scouts_view.spoken(state))
            _merge_all(updates, await gallery_view.listing(state, gallery, request))
            return updates

        opened = blocks.load(open_page, [page, jobs_text, language_text], everything, js=_RECALL_JS, **QUIET)
        opened.then(None, language_text, None, js=_SPEAK_JS, **QUIET)
        opened.then(form_events.told, page, [form.cost, header.machine], **QUIET)
        shown_later = [
            *scouts_view.shown,
            *models_view.shown,
            *adapters_view.shown,
            *gallery_view.shown,
            *system_view.shown,
            *train_view.shown,
        ]
        asked: list[Any] = [page, gallery_view.state, *train_view.form.inputs]
        changed = header.language.click(change_language, asked, unique([*everything, *shown_later]), **QUIET)
        changed.then(None, language_text, None, js=_SPEAK_JS, **QUIET)
        for event in (opened, changed):
            event.then(prompts.spoken, [page, *prompts.asked], unique(prompts.shown), preprocess=False, **QUIET)
        header.theme.click(None, None, None, js=THEME_JS, **QUIET)
    _keep_light(blocks, page)
    return blocks


def _keep_light(blocks: gr.Blocks, page: gr.State) -> None:
    """Let no component be told how far a call of a listener is.

    Nothing shows it, and the browser has less than half the work where it is not told to every output again
    (benchmarks/page_work.py).
    """
    for listener in blocks.fns.values():
        listener.show_progress_on = [page]


def unique(components: list[Any]) -> list[Any]:
    """Each component once, in order."""
    return list({component._id: component for component in components}.values())


def _merge_all(updates: dict[Any, Any], more: dict[Any, Any]) -> None:
    for component, update in more.items():
        if isinstance(update, dict):
            _merge(updates, component, **update)
        else:
            updates[component] = update


def _merge(updates: dict[Any, Any], component: Any, **values: Any) -> None:
    known = updates.get(component)
    updates[component] = (known if isinstance(known, dict) else gr.update()) | values
