"""Everything about prompts on the page, put together: the line in Create, the lab, the batch."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mova_studio.jobs.studio import Studio
from mova_studio.ui.access import Access
from mova_studio.ui.desk import PageState
from mova_studio.ui.painter import Painter
from mova_studio.ui.prompt_lab import LabView
from mova_studio.ui.prompt_lab_events import LabEvents
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.wording import SETTLES, Wording


class PromptRoom:
    """Draws and connects its parts, and words them anew when the language changes."""

    def __init__(self, studio: Studio, access: Access) -> None:
        self.rewriter, self.meter, self.lab = Rewriter(studio, access), TokenMeter(studio), LabView()

    def draw(self, words: Wording) -> None:
        """Draw the lab; the line is drawn with the form."""
        self.lab.draw(words)
        self.state = gr.State(LabState())

    def wire(self, page: gr.State, painter: Painter, tabs: gr.Tabs, tab: gr.Tab, jobs_text: gr.Textbox) -> None:
        """Connect everything."""
        view, lab, backend = painter.view, self.lab, self.lab.backend
        form = view.form
        self.line = form.line
        fields = form.fields
        self.prompt = fields["prompt"]
        self.line.wire(page, self.state, self.prompt, fields["first_frame"], backend, self.rewriter, self.meter)
        self.events = LabEvents(lab, form, view.filling, self.rewriter, self.meter)
        self.events.wire(page, self.state, tabs, tab, self.line.open)
        backend.wire(page, self.rewriter.access)
        server = [page, backend.kind, backend.url]
        gr.on(backend.changed, self.choose, server, self.chosen, preprocess=False, **SETTLES)
        lab.maker.wire(page, self.state, lab.fields, lab.first_frame, form, view.filling, backend, self.rewriter)
        lab.batch.wire(page, self.state, form, backend, self.rewriter, painter, jobs_text)

    @property
    def asked(self) -> list[Any]:
        """What `spoken` takes, in its order."""
        lab = self.lab
        return [self.state, self.prompt, lab.batch.lines, *lab.backend.inputs, *lab.fields]

    @property
    def chosen(self) -> list[Any]:
        """What `choose` changes."""
        return [*self.lab.backend.shown, *self.lab.maker.chosen]

    async def choose(self, page: PageState, kind: Any, url: Any) -> dict[Any, Any]:
        """What follows from the choice of who rewrites.

        A key that was typed goes only with the server that it is for, and what was said of it with the language too:
        the same choice is answered more than once, and late.
        """
        chosen = str(kind or ""), str(url or ""), page.language
        before, page.server = page.server, chosen
        key, maker = self.lab.backend.key, self.lab.maker
        updates = await self.lab.backend.choose(page, kind, url) | await maker.choose(page, kind, url)
        if chosen[:2] != before[:2]:
            updates[key.key] = gr.update(value="")
        if chosen != before:
            updates |= {said: gr.update(value="", visible=False) for said in (key.said, maker.said)}
        return updates

    @property
    def shown(self) -> list[Any]:
        """What `spoken` changes."""
        return [self.line.meter, *self.line.spoken, *self.chosen, *self.lab.batch.spoken, *self.events.spoken]

    async def spoken(self, page: PageState, state: LabState, prompt: Any, lines: Any, *values: Any) -> dict[Any, Any]:
        """All of it in the page's language, and what this person may use."""
        updates = self.line.words_of(page, state)
        if prompt:  # while the page opens a count of nothing could come after the first one of what is typed
            updates[self.line.meter] = await self.line.count(page, prompt)
        updates |= await self.choose(page, *values[:2])
        updates |= await self.lab.batch.counted(page, lines)
        return updates | await self.events.words_of(page, state, Sheet.of(*values[4:]))
