"""Many ideas, one a line, as shots in the queue: wildcards multiply, and each may be rewritten first."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from mova_studio.errors import Cancelled, InputError, StudioError
from mova_studio.library.origin import PromptOrigin
from mova_studio.library.presets import preset_for
from mova_studio.prompting.wildcards import all_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form
from mova_studio.ui.painter import Painter
from mova_studio.ui.prompt_backend import BackendChoice, read_choice
from mova_studio.ui.prompt_html import said_html
from mova_studio.ui.prompt_line import origin_of
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState
from mova_studio.ui.reading import Order, read_order
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

MAX_SHOTS = 100
_FORM_JS = "(page, lab, length, ...fields) => [page, lab, window.movaStudio.lengthField, ...fields]"
_ORDERED_JS = "(jobs) => { window.movaStudio.ordered(jobs); }"
Ideas = list[tuple[int, str]]
_Origins = list[PromptOrigin | None]


class PromptBatch:
    """The list, its count and its button."""

    def draw(self, words: Wording) -> None:
        """Draw it."""
        with words.make(gr.Accordion, {"label": "batch.title"}, open=False, elem_id="batch"):
            self.lines = words.make(
                gr.Textbox,
                {"label": "batch.label", "placeholder": "batch.hint"},
                lines=5,
                max_lines=14,
                elem_id="batch-lines",
            )
            self.enhance = words.make(gr.Checkbox, {"label": "batch.enhance"}, value=True, elem_id="batch-enhance")
            self.count = html_box(count_html("en", ""), elem_id="batch-count", elem_classes="m-place")
            self.said = html_box(visible=False, elem_id="batch-said", elem_classes="m-place")
            with gr.Row(elem_classes="m-row m-labacts"):
                self.go = gr.Button(say("en", "batch.go.none"), interactive=False, size="md", elem_id="batch-go")
                self.stop = words.make(
                    gr.Button, {"value": "enhance.stop"}, size="md", elem_id="batch-stop", visible=False
                )

    @property
    def spoken(self) -> list[Any]:
        """What `counted` changes."""
        return [self.count, self.said, self.go]

    def wire(
        self,
        page: gr.State,
        lab: gr.State,
        form: Form,
        backend: BackendChoice,
        rewriter: Rewriter,
        painter: Painter,
        jobs_text: gr.Textbox,
    ) -> None:
        """Connect everything."""
        self.form, self.rewriter, self.painter, self.jobs_text = form, rewriter, painter, jobs_text
        self.desk = painter.desk
        self.length_text = gr.Textbox("num_frames", visible=False)
        self.lines.change(self.counted, [page, self.lines], self.spoken, trigger_mode="always_last", **QUIET)
        self.go.click(
            self.queue,
            [page, lab, self.length_text, self.lines, self.enhance, *backend.inputs, *form.inputs],
            [self.said, self.go, self.stop, jobs_text, *painter.view.painted],
            preprocess=False,
            js=_FORM_JS,
            **QUIET,
        ).then(None, jobs_text, None, js=_ORDERED_JS, **QUIET)
        self.stop.click(self.halt, lab, None, queue=False, **QUIET)

    async def counted(self, page: PageState, lines: Any) -> dict[Any, Any]:
        """How many shots the lines make, or which line is wrong."""
        language, text = page.language, str(lines or "")
        number = 0
        try:
            number = len(read_ideas(language, text))
        except InputError as error:
            said = said_html(translate(language, error.message), "m-error")
        else:
            said = count_html(language, text, number)
        word = say(language, "batch.go", count=number) if number else say(language, "batch.go.none")
        quiet = gr.update(value="", visible=False)
        return {self.count: said, self.said: quiet, self.go: gr.update(value=word, interactive=number > 0)}

    async def halt(self, lab: LabState) -> None:
        """End the batch."""
        lab.stop()

    async def queue(
        self,
        request: gr.Request,
        page: PageState,
        lab: LabState,
        length: str,
        lines: Any,
        rewrite: Any,
        *values: Any,
    ) -> AsyncIterator[dict[Any, Any]]:
        """Rewrite each, if wanted, and queue all with Create's settings; nothing is queued before all are ready."""
        language = page.language
        backend, fields = values[:4], dict(zip(self.form.names, values[4:], strict=True))
        idle = {self.go: gr.update(visible=True), self.stop: gr.update(visible=False)}
        busy = {self.go: gr.update(visible=False), self.stop: gr.update(visible=True)}
        lab.stopped, done, asked = False, 0, list[str]()
        try:
            ideas = read_ideas(language, str(lines or ""))
            if not ideas:
                raise InputError(say(language, "batch.empty", most=MAX_SHOTS))
            origins: _Origins = [None] * len(ideas)
            if rewrite:
                for done, (line, idea) in enumerate(ideas):
                    said = said_html(say(language, "batch.progress", done=done + 1, count=len(ideas)))
                    yield busy | {self.said: gr.update(value=said, visible=True)}
                    origins[done] = await self._rewritten(request, page, lab, line, idea, fields, backend)
            orders = await asyncio.to_thread(self._orders, page, fields, ideas, origins, length)
            for order in orders:
                job = await asyncio.to_thread(
                    self.desk.submit, order.shot, order.seed, request.username or "", order.notes
                )
                asked.append(job.job_id)
        except Cancelled:
            said = said_html(say(language, "batch.stopped", done=done, count=len(ideas)))
        except StudioError as error:
            reason = translate(language, error.message)
            if asked:
                reason = say(
                    language, "batch.some", done=len(asked), count=len(ideas), line=ideas[len(asked)][0], reason=reason
                )
            said = said_html(reason, "m-error")
        else:
            said = said_html(say(language, "batch.queued", count=len(asked)))
        page.add_jobs(asked)
        page.idle_looks = 0
        told = {self.said: gr.update(value=said, visible=True), self.jobs_text: " ".join(page.jobs)}
        yield idle | told | await self.painter.paint(page)

    async def _rewritten(
        self,
        request: gr.Request,
        page: PageState,
        lab: LabState,
        line: int,
        idea: str,
        fields: dict[str, Any],
        backend: tuple[Any, ...],
    ) -> PromptOrigin:
        """One idea's rewrite: of this try, or kept from one that was stopped."""
        language = page.language
        choice = read_choice(language, *backend)
        known = lab.batch.get((idea, choice.backend))
        if known is not None:
            return origin_of(known)
        try:
            wanted = await asyncio.to_thread(
                self.rewriter.wanted, request, idea, fields["first_frame"], None, choice, language
            )
            async with aclosing(self.rewriter.follow(lab, wanted, language)) as steps:
                async for progress in steps:
                    enhanced = progress.enhanced
        except Cancelled:
            raise
        except StudioError as error:
            reason = translate(language, error.message)
            raise InputError(say(language, "batch.line", line=line, reason=reason), field="prompt") from error
        assert enhanced is not None
        if len(lab.batch) >= 2 * MAX_SHOTS:
            lab.batch.clear()
        lab.batch[idea, choice.backend] = enhanced
        return origin_of(enhanced)

    def _orders(
        self, page: PageState, fields: dict[str, Any], ideas: Ideas, origins: _Origins, length: str
    ) -> list[Order]:
        """A shot for each idea. The settings are read once, for the first; only the prompt differs.

        Raises:
            InputError: a setting in Create is wrong, or a line's prompt is.
        """
        model, language = self.desk.studio.model, page.language
        first = fields | {"prompt": ideas[0][1]}
        common = read_order(first, model, preset_for(model), language, length, frame=page.made_frame)
        orders = []
        for (line, idea), origin in zip(ideas, origins, strict=True):
            prompt = idea if origin is None else origin.rewritten
            try:
                shot = dataclasses.replace(common.shot, prompt=prompt, origin=origin)
            except InputError as error:
                reason = translate(language, error.message)
                raise InputError(say(language, "batch.line", line=line, reason=reason), field="prompt") from error
            orders.append(dataclasses.replace(common, shot=shot))
        return orders


def read_ideas(language: str, text: str) -> Ideas:
    """(line, prompt) of every shot that the lines stand for.

    Raises:
        InputError: there are more than 100, or a line's wildcards cannot be read; it names the line.
    """
    ideas: Ideas = []
    for line, idea in enumerate(text.splitlines(), 1):
        if not idea.strip():
            continue
        try:
            ideas += [(line, prompt) for prompt in all_of(idea.strip(), MAX_SHOTS + 1 - len(ideas))]
        except InputError as error:
            reason = translate(language, error.message)
            raise InputError(say(language, "batch.line", line=line, reason=reason), field="prompt") from error
        if len(ideas) > MAX_SHOTS:
            raise InputError(say(language, "batch.many", line=line, most=MAX_SHOTS), field="prompt")
    return ideas


def count_html(language: str, text: str, number: int = 0) -> str:
    """How many shots the lines make; without any, how wildcards are written."""
    if not text.strip() or not number:
        return f'<p class="m-hint">{say(language, "batch.empty", most=MAX_SHOTS)}</p>'
    return f'<p class="m-words" role="status">{say(language, "batch.count", count=number)}</p>'
