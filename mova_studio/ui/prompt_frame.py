"""A first frame made of its description, beside the description: asked for, looked at, used or not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import Cancelled, StudioError
from mova_studio.jobs.enhancing import SERVER
from mova_studio.library.origin import FrameOrigin
from mova_studio.library.presets import preset_for
from mova_studio.media.images import open_image
from mova_studio.prompting.first_frame import MadePicture
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import MadeFrame, PageState, digest_of
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form
from mova_studio.ui.prompt_backend import BackendChoice, read_choice
from mova_studio.ui.prompt_html import backend_name, said_html
from mova_studio.ui.prompt_key import server_of
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.served import address, cached_file
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

_LONGEST = 400


class FrameMaker:
    """Shown where a server is chosen; whether it has a model that makes pictures, it says itself."""

    def draw(self, words: Wording) -> None:
        """Draw it, hidden."""
        with gr.Column(visible=False, elem_id="lab-make", elem_classes="m-field m-make") as self.box:
            self.model = words.make(
                gr.Textbox,
                {"label": "made.model.label", "placeholder": "made.model.hint"},
                max_lines=1,
                max_length=_LONGEST,
                elem_id="image-model",
            )
            with gr.Row(elem_classes="m-row m-labacts"):
                self.go = words.make(gr.Button, {"value": "made.go"}, size="sm", scale=0, elem_id="lab-make-go")
                self.stop = words.make(
                    gr.Button, {"value": "enhance.stop"}, size="sm", scale=0, elem_id="lab-make-stop", visible=False
                )
            self.said = html_box(visible=False, elem_id="lab-make-said", elem_classes="m-place")
            self.shown = html_box(visible=False, elem_id="lab-made")
            self.use = words.make(
                gr.Button, {"value": "made.use"}, size="sm", scale=0, elem_id="lab-made-use", visible=False
            )

    def wire(
        self,
        page: gr.State,
        lab: gr.State,
        sheet: list[Any],
        first_frame: gr.Image,
        form: Form,
        filling: Filling,
        backend: BackendChoice,
        rewriter: Rewriter,
    ) -> None:
        """Connect everything.

        Args:
            sheet: the fields of a `Sheet`.
            first_frame: of the lab, which is Create's too.
        """
        self.form, self.filling, self.rewriter, self.first_frame = form, filling, rewriter, first_frame
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        sides = [form.fields["width"], form.fields["height"]]
        at_work = [self.go, self.stop, self.said, self.shown, self.use]
        self.go.click(self.make, [page, lab, self.model, *sides, *backend.inputs, *sheet], at_work, **raw)
        self.stop.click(self.halt, lab, None, queue=False, **QUIET)
        filled = [*form.inputs, *filling.outputs, first_frame, self.said]
        self.use.click(self.used, [page, lab, *form.inputs], filled, **raw)

    @property
    def chosen(self) -> list[Any]:
        """What changes with the server and with the language."""
        return [self.box, self.model, self.said]

    async def choose(self, page: PageState, kind: Any, url: Any) -> dict[Any, Any]:
        """Shown to the owner with a server; the model that its preset names stands in grey."""
        try:
            server = server_of(str(kind or ""), str(url or ""))
        except StudioError:
            server = None
        known = "" if server is None else server.image_model
        return {
            self.box: gr.update(visible=page.owner and str(kind or "").startswith(SERVER)),
            self.model: gr.update(placeholder=known or say(page.language, "made.model.hint")),
        }

    async def make(
        self, request: gr.Request, page: PageState, lab: LabState, model: Any, width: Any, height: Any, *values: Any
    ) -> AsyncIterator[dict[Any, Any]]:
        """Have it made. What was made before stays until there is another one."""
        language = page.language
        lab.stopped, said = False, ""
        busy = {self.go: gr.update(visible=False), self.stop: gr.update(visible=True)}
        try:
            choice, sheet = read_choice(language, *values[:4]), Sheet.of(*values[4:])
            wanted = self.rewriter.frame_wanted(request, sheet, (width, height), choice, str(model or ""), language)
            name, since = backend_name(language, wanted.backend), time.monotonic()
            async with aclosing(self.rewriter.make_frame(lab, wanted, language)) as looks:
                async for progress in looks:
                    lab.made = progress.made or lab.made
                    words = say(language, "made.busy", backend=name, seconds=int(time.monotonic() - since))
                    yield busy | {self.said: gr.update(value=_busy(words), visible=True)}
        except Cancelled:
            said = said_html(say(language, "made.stopped"))
        except StudioError as error:
            said = said_html(translate(language, error.message), "m-error")
        shown = "" if lab.made is None else await asyncio.to_thread(made_html, language, lab.made)
        yield {
            self.go: gr.update(visible=True),
            self.stop: gr.update(visible=False),
            self.said: gr.update(value=said, visible=bool(said)),
            self.shown: gr.update(value=shown, visible=bool(shown)),
            self.use: gr.update(visible=bool(shown)),
        }

    async def used(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """The picture as Create's first frame, whole: Create cuts it to the shot's size, whatever that will be."""
        made, language = lab.made, page.language
        if made is None:
            return {self.said: gr.update(value="", visible=False)}
        shown = dict(zip(self.form.names, values, strict=True))
        page.made_frame = MadeFrame(digest_of(made.png), FrameOrigin(made.backend, made.model, made.description))
        filled = self.filling.fill(
            language,
            shown,
            preset_for(self.rewriter.studio.model),
            {},
            said=[say(language, "made.filled")],
            frames={"first_frame": made.png},
        )
        path = await asyncio.to_thread(cached_file, made.png, "first_frame.png")
        said = said_html(say(language, "made.used"))
        return filled | {self.first_frame: str(path), self.said: gr.update(value=said, visible=True)}

    async def halt(self, lab: LabState) -> None:
        """End it."""
        lab.stop()


def made_html(language: str, made: MadePicture) -> str:
    """The picture, its size and its model. Slow the first time."""
    width, height = open_image(made.png).image.size
    source = escape(address(cached_file(made.png, "first_frame.png")))
    name = escape(made.model)
    alt = escape(say(language, "made.alt", model=made.model))
    return (
        f'<figure class="m-made"><img src="{source}" width="{width}" height="{height}" alt="{alt}">'
        f'<figcaption><span class="m-mono">{width}x{height}</span> · <bdi>{name}</bdi></figcaption></figure>'
    )


def _busy(words: str) -> str:
    return f'<p class="m-words" role="status"><span class="m-busy" aria-hidden="true"></span>{escape(words)}</p>'
