"""What happens in the Prompt lab. Every handler runs on the event loop; what takes time goes to a thread."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from mova_studio.errors import Cancelled, InputError, StudioError
from mova_studio.library.presets import preset_for
from mova_studio.media.images import open_image
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.workflow import Enhanced
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form
from mova_studio.ui.prompt_backend import read_choice
from mova_studio.ui.prompt_html import backend_name, history_html, progress_html, said_html
from mova_studio.ui.prompt_judge import LabJudge
from mova_studio.ui.prompt_lab import FRAME_PARTS, LabView, template_choices, template_prompt
from mova_studio.ui.prompt_line import origin_of
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.reading import uploaded
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET

_ALL, _FRAME = "all", "frame"


class LabEvents:
    """Listeners of the view."""

    def __init__(self, view: LabView, form: Form, filling: Filling, rewriter: Rewriter, meter: TokenMeter) -> None:
        self.view, self.form, self.filling = view, form, filling
        self.rewriter, self.judge = rewriter, LabJudge(view, meter)

    def wire(self, page: gr.State, lab: gr.State, tabs: gr.Tabs, tab: gr.Tab, opened: gr.Button) -> None:
        """Connect everything.

        Args:
            opened: Create's "Open in Prompt lab".
        """
        view, form, self.tabs = self.view, self.form, tabs
        sheet, state = view.fields, [page, lab]
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        at_work = [view.place, view.stream, view.run, view.stop, view.again]
        changed = [*sheet, view.place, view.stream, view.history]
        for button, mode in ((view.run, _ALL), (view.again, _FRAME)):
            button.click(
                self.runner(mode), [*state, view.first_frame, *view.backend.inputs, *sheet], at_work, **raw
            ).then(self.settle, [*state, *sheet], changed, **raw)
        view.stop.click(self.halt, lab, None, queue=False, **QUIET)
        self.judge.wire(page, lab)
        view.undo.click(self.undo, [*state, *sheet], [*sheet, view.place], **raw)
        view.redo.click(self.redo, [*state, *sheet], [*sheet, view.place], **raw)
        view.template.input(self.from_template, [*state, view.template, *sheet], [*sheet, view.place], **raw)
        view.history.select(self.from_history, [*state, *sheet], [*sheet, view.place], **raw)
        filled = [*form.inputs, *self.filling.outputs, tabs, view.place]
        view.use.click(self.use, [page, lab, *sheet, *form.inputs], filled, **raw)
        view.as_is.click(self.use_as_is, [page, *sheet, *form.inputs], filled, **raw)
        frames = [view.first_frame, form.fields["first_frame"]]
        gr.on(
            [view.first_frame.upload, view.first_frame.clear],
            self.share_frame,
            [page, view.first_frame],
            [*frames, view.place],
            **raw,
        )
        shared = [*state, frames[1], form.fields["prompt"], view.original]
        tab.select(self.entered, shared, [view.first_frame, view.original, view.history], **raw)
        opened.click(self.open, [*state, form.fields["prompt"], *sheet], [*sheet, tabs, view.place], **raw)

    @property
    def spoken(self) -> list[Any]:
        """What `words_of` changes."""
        view = self.view
        return [view.history, view.template, view.place, view.again, *view.judged]

    async def words_of(self, page: PageState, lab: LabState, sheet: Sheet) -> dict[Any, Any]:
        """The view in the page's language."""
        view = self.view
        return await self.judge.judge(page, lab, *dataclasses.astuple(sheet)) | {
            view.history: history_html(page.language, lab.history),
            view.template: gr.update(choices=template_choices(page.language)),
            view.place: gr.update(value="", visible=False),
            view.again: gr.update(visible=page.owner),
        }

    def runner(self, mode: str) -> Any:
        """A listener that asks the backend: for everything, or for the frame alone."""

        async def run(
            request: gr.Request, page: PageState, lab: LabState, picture: Any, *values: Any
        ) -> AsyncIterator[dict[Any, Any]]:
            view, language = self.view, page.language
            lab.latest, lab.stopped = None, False
            backend, sheet = values[:4], Sheet.of(*values[4:])
            busy = {
                view.run: gr.update(visible=False),
                view.stop: gr.update(visible=True),
                view.again: gr.update(interactive=False),
                view.place: gr.update(value="", visible=False),
            }
            said = ""
            try:
                choice = read_choice(language, *backend)
                if mode == _FRAME and not picture:
                    raise InputError(say(language, "error.frame.none"), field="first_frame")
                known = sheet.frame if mode == _ALL else None
                wanted = await asyncio.to_thread(
                    self.rewriter.wanted, request, sheet.original, picture, known, choice, language
                )
                name = backend_name(language, wanted.backend)
                async with aclosing(self.rewriter.follow(lab, wanted, language)) as steps:
                    async for progress in steps:
                        lab.latest = progress.enhanced
                        if mode == _FRAME and (progress.frame is not None or progress.ended):
                            frame = progress.frame or FrameDescription()
                            lab.latest = Enhanced(sheet.original, frame, sheet.rewritten, (), wanted.backend, 0)
                            if frame.empty:
                                said = said_html(say(language, "lab.blind", backend=name), "m-note")
                            break
                        stream = progress_html(language, progress, name)
                        yield busy | {view.stream: gr.update(value=stream, visible=True)}
            except Cancelled:
                said = said_html(say(language, "enhance.stopped"))
            except StudioError as error:
                said = said_html(translate(language, error.message), "m-error")
            yield {
                view.run: gr.update(visible=True),
                view.stop: gr.update(visible=False),
                view.again: gr.update(interactive=True),
                view.place: gr.update(value=said, visible=bool(said)),
                view.stream: gr.update(value="", visible=False),
            }

        return run

    async def settle(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """Put what came into the fields; what stands there now comes back with Undo."""
        enhanced, view, shown = lab.latest, self.view, Sheet.of(*values)
        if enhanced is None:
            return {view.history: gr.skip()}
        lab.latest = None
        described = {} if enhanced.frame is None else enhanced.frame.to_dict()
        if enhanced.attempts == 0:
            sheet = dataclasses.replace(shown, **described) if any(described.values()) else shown
        else:
            lab.note(enhanced)
            sheet = Sheet(enhanced.original, **(described or _parts_of(shown)), rewritten=enhanced.rewritten)
        if sheet != shown:
            lab.keep(shown)
        return self._filled(sheet) | {view.history: history_html(page.language, lab.history)}

    async def undo(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """The fields as they were before the last rewrite, template or restoring."""
        return self._moved(lab.undo(Sheet.of(*values)))

    async def redo(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """What was undone."""
        return self._moved(lab.redo(Sheet.of(*values)))

    async def from_template(self, page: PageState, lab: LabState, key: Any, *values: Any) -> dict[Any, Any]:
        """A template's words as the person's own. Gradio also asks when the list is left as it was; then nothing
        moves."""
        key, before = str(key or ""), lab.template
        lab.template = key
        shown, prompt = Sheet.of(*values), template_prompt(page.language, key)
        if not prompt or key == before:
            return self._moved(None)
        lab.keep(shown)
        return self._moved(dataclasses.replace(shown, original=prompt, rewritten=""))

    async def from_history(self, page: PageState, lab: LabState, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        """An earlier rewrite, with its prompt and its frame."""
        name = str(getattr(event, "id", ""))
        if not name.isdecimal() or int(name) >= len(lab.history):
            return self._moved(None)
        kept = lab.history[int(name)]
        lab.keep(Sheet.of(*values))
        frame = (kept.frame or FrameDescription()).to_dict()
        said = said_html(say(page.language, "lab.history.restored"))
        filled = self._filled(Sheet(kept.original, **frame, rewritten=kept.rewritten))
        return filled | {self.view.place: gr.update(value=said, visible=True)}

    async def use(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """The rewritten prompt into Create."""
        sheet, language = Sheet.of(*values[:6]), page.language
        if not sheet.rewritten.strip():
            said = said_html(say(language, "lab.use.empty"), "m-error")
            return {self.view.place: gr.update(value=said, visible=True)}
        made = next((kept for kept in reversed(lab.history) if kept.original == sheet.original), None)
        page.origin = None if made is None else dataclasses.replace(origin_of(made), frame=_frame_of(sheet))
        return self._into_form(language, sheet.rewritten, values[6:], "lab.used")

    async def use_as_is(self, page: PageState, *values: Any) -> dict[Any, Any]:
        """The person's own words into Create."""
        page.origin = None
        return self._into_form(page.language, Sheet.of(*values[:6]).original, values[6:], "lab.used.original")

    async def share_frame(self, page: PageState, value: Any) -> dict[Any, Any]:
        """The picture that was dropped here is Create's too; one that cannot be read is neither's."""
        both, place = [self.view.first_frame, self.form.fields["first_frame"]], self.view.place
        try:
            path = uploaded(value, "first_frame", page.language)
            if path is not None:
                await asyncio.to_thread(open_image, path, field="first_frame")
        except InputError as error:
            said = said_html(translate(page.language, error.message), "m-error")
            return {both[0]: None, place: gr.update(value=said, visible=True)}
        shown = None if path is None else str(path)
        return dict.fromkeys(both, shown) | {place: gr.update(value="", visible=False)}

    async def entered(self, page: PageState, lab: LabState, value: Any, prompt: Any, original: Any) -> dict[Any, Any]:
        """Create's first frame and rewrites, and its prompt where none stands here."""
        try:
            path = uploaded(value, "first_frame", page.language)
        except InputError:
            path = None
        updates: dict[Any, Any] = {self.view.first_frame: None if path is None else str(path)}
        updates[self.view.history] = history_html(page.language, lab.history)
        if not str(original or "").strip() and str(prompt or "").strip():
            updates[self.view.original] = str(prompt)
        return updates

    async def open(self, page: PageState, lab: LabState, prompt: Any, *values: Any) -> dict[Any, Any]:
        """Create's latest rewrite in the lab, as it stands in the prompt now."""
        shown, tab = Sheet.of(*values), {self.tabs: gr.Tabs(selected="lab")}
        if not lab.history:
            return tab
        kept, own = lab.history[-1], str(prompt or "")
        lab.keep(shown)
        rewritten = kept.rewritten if own == kept.original else own
        frame = (kept.frame or FrameDescription()).to_dict()
        return self._moved(Sheet(kept.original, **frame, rewritten=rewritten)) | tab

    async def halt(self, lab: LabState) -> None:
        """End the rewriting."""
        lab.stop()

    def _filled(self, sheet: Sheet) -> dict[Any, Any]:
        return dict(zip(self.view.fields, dataclasses.astuple(sheet), strict=True))

    def _moved(self, sheet: Sheet | None) -> dict[Any, Any]:
        quiet = {self.view.place: gr.update(value="", visible=False)}
        return quiet if sheet is None else quiet | self._filled(sheet)

    def _into_form(self, language: str, prompt: str, values: tuple[Any, ...], key: str) -> dict[Any, Any]:
        if not prompt.strip():
            said = said_html(translate(language, "The prompt is empty; describe the scene and its sound."), "m-error")
            return {self.view.place: gr.update(value=said, visible=True)}
        shown = dict(zip(self.form.names, values, strict=True))
        render = preset_for(self.rewriter.studio.model)
        filled = self.filling.fill(language, shown, render, {"prompt": prompt}, said=[say(language, key)])
        return filled | {self.tabs: gr.Tabs(selected="create"), self.view.place: gr.update(value="", visible=False)}


def _parts_of(sheet: Sheet) -> dict[str, str]:
    return {name: getattr(sheet, name) for name in FRAME_PARTS}


def _frame_of(sheet: Sheet) -> dict[str, str] | None:
    return None if sheet.frame is None else sheet.frame.to_dict()
