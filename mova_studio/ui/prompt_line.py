"""The line over Create's prompt: its length, and Enhance with its undo. What the person typed is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from mova_studio.errors import Cancelled, StudioError
from mova_studio.library.origin import PromptOrigin
from mova_studio.prompting.workflow import Enhanced
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.prompt_backend import BackendChoice, read_choice
from mova_studio.ui.prompt_html import backend_name, progress_html, said_html
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Swap
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box


class PromptLine:
    """Drawn in two places, around the prompt: `draw_over` and `draw_under`."""

    def draw_over(self, words: Wording) -> None:
        """The length and the button."""
        link: dict[str, Any] = {"size": "sm", "min_width": 0, "scale": 0, "elem_classes": "m-linkbutton"}
        with gr.Row(elem_classes="m-promptline"):
            self.meter = html_box(elem_id="prompt-meter")
            self.start = words.make(gr.Button, {"value": "enhance.go"}, elem_id="enhance", **link)
            self.stop = words.make(gr.Button, {"value": "enhance.stop"}, elem_id="enhance-stop", visible=False, **link)

    def draw_under(self, words: Wording) -> None:
        """What came of it."""
        link: dict[str, Any] = {"size": "sm", "min_width": 0, "scale": 0, "elem_classes": "m-linkbutton"}
        self.said = html_box(visible=False, elem_id="enhance-said", elem_classes="m-place")
        with gr.Row(visible=False, elem_classes="m-row m-promptacts", elem_id="enhance-acts") as self.acts:
            self.swap = gr.Button("", elem_id="enhance-undo", **link)
            self.open = words.make(gr.Button, {"value": "enhance.lab"}, elem_id="enhance-lab", **link)

    def wire(
        self,
        page: gr.State,
        lab: gr.State,
        prompt: gr.Textbox,
        first_frame: gr.Image,
        backend: BackendChoice,
        rewriter: Rewriter,
        meter: TokenMeter,
    ) -> None:
        """Connect everything but "Open in Prompt lab", which is the lab's."""
        self.prompt, self.rewriter, self.tokens = prompt, rewriter, meter
        prompt.change(self.count, [page, prompt], self.meter, trigger_mode="always_last", **QUIET)
        self.start.click(
            self.enhance,
            [page, lab, prompt, first_frame, *backend.inputs],
            [self.said, self.start, self.stop],
            preprocess=False,
            **QUIET,
        ).then(self.settle, [page, lab, prompt], [prompt, self.said, self.acts, self.swap], **QUIET)
        self.stop.click(self.halt, lab, None, queue=False, **QUIET)
        self.swap.click(self.swapped, [page, lab, prompt], [prompt, self.said, self.acts, self.swap], **QUIET)

    @property
    def spoken(self) -> list[Any]:
        """What `words_of` may change."""
        return [self.said, self.swap]

    def words_of(self, page: PageState, lab: LabState) -> dict[Any, Any]:
        """The button in the page's language; what was said last is taken back."""
        return {self.said: gr.update(value="", visible=False), self.swap: self._swap_word(page.language, lab.swap)}

    async def count(self, page: PageState, prompt: Any) -> str:
        """The prompt's length."""
        return await self.tokens.html(page.language, prompt)

    async def enhance(
        self, request: gr.Request, page: PageState, lab: LabState, prompt: Any, picture: Any, *backend: Any
    ) -> AsyncIterator[dict[Any, Any]]:
        """Rewrite what stands in the prompt; the field is left alone until the end, and on every error."""
        language, lab.latest, lab.stopped = page.language, None, False
        busy = {self.start: gr.update(visible=False), self.stop: gr.update(visible=True)}
        idle = {self.start: gr.update(visible=True), self.stop: gr.update(visible=False)}
        try:
            choice = read_choice(language, *backend)
            wanted = await asyncio.to_thread(
                self.rewriter.wanted, request, str(prompt or ""), picture, None, choice, language
            )
            name = backend_name(language, wanted.backend)
            async with aclosing(self.rewriter.follow(lab, wanted, language)) as steps:
                async for progress in steps:
                    lab.latest = progress.enhanced
                    yield busy | {self.said: gr.update(value=progress_html(language, progress, name), visible=True)}
        except Cancelled:
            said = said_html(say(language, "enhance.stopped"))
            yield idle | {self.said: gr.update(value=said, visible=True)}
            return
        except StudioError as error:
            said = said_html(translate(language, error.message), "m-error")
            yield idle | {self.said: gr.update(value=said, visible=True)}
            return
        yield idle

    async def settle(self, page: PageState, lab: LabState, prompt: Any) -> dict[Any, Any]:
        """Put the rewrite into the prompt, unless the person has changed it meanwhile; then it waits."""
        enhanced, language, shown = lab.latest, page.language, str(prompt or "")
        if enhanced is None:
            return {self.swap: gr.skip()}
        lab.latest = None
        lab.note(enhanced)
        origin = origin_of(enhanced)
        if enhanced.rewritten == shown:
            page.origin, lab.swap = origin, None
            return self._told(language, lab, say(language, "enhance.same"))
        if shown != enhanced.original:
            lab.swap = Swap(enhanced.rewritten, origin, rewritten_shown=False)
            return self._told(language, lab, say(language, "enhance.waits"))
        page.origin, lab.swap = origin, Swap(shown, origin, rewritten_shown=True)
        name, faults = backend_name(language, enhanced.backend), len(enhanced.checks)
        key = "enhance.faults" if faults else "enhance.holds"
        told = say(language, key, backend=name, **({"count": faults} if faults else {}))
        return self._told(language, lab, told) | {self.prompt: enhanced.rewritten}

    async def swapped(self, page: PageState, lab: LabState, prompt: Any) -> dict[Any, Any]:
        """Undo, or its opposite. What stood in the prompt is kept behind the button, edits included."""
        if lab.swap is None:
            return {self.swap: gr.skip()}
        behind, undone, origin = lab.swap.behind, lab.swap.rewritten_shown, lab.swap.origin
        page.origin = None if undone else origin
        lab.swap = Swap(str(prompt or ""), origin, rewritten_shown=not undone)
        told = say(page.language, "enhance.undone" if undone else "enhance.redone")
        return self._told(page.language, lab, told) | {self.prompt: behind}

    async def halt(self, lab: LabState) -> None:
        """End the rewriting."""
        lab.stop()

    def _told(self, language: str, lab: LabState, text: str) -> dict[Any, Any]:
        return {
            self.said: gr.update(value=said_html(text), visible=True),
            self.acts: gr.update(visible=True),
            self.swap: self._swap_word(language, lab.swap),
        }

    def _swap_word(self, language: str, swap: Swap | None) -> Any:
        if swap is None:
            return gr.update(visible=False)
        return gr.update(visible=True, value=say(language, "enhance.undo" if swap.rewritten_shown else "enhance.redo"))


def origin_of(enhanced: Enhanced) -> PromptOrigin:
    """What a take's record says of its prompt."""
    frame = None if enhanced.frame is None else enhanced.frame.to_dict()
    return PromptOrigin(enhanced.original, enhanced.rewritten, enhanced.backend, frame)
