"""The Prompt lab: what it looks like. Left the picture and the person's words, then the three steps."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mova_studio.library.preset_file import shipped_presets
from mova_studio.ui.catalogue import say
from mova_studio.ui.prompt_backend import BackendChoice
from mova_studio.ui.prompt_batch import PromptBatch
from mova_studio.ui.prompt_diff import diff_html
from mova_studio.ui.prompt_frame import FrameMaker
from mova_studio.ui.prompt_html import history_html
from mova_studio.ui.stage import ACTIONS_JS
from mova_studio.ui.wording import Wording, html_box

FRAME_PARTS = ("style", "camera", "elements", "text")


class LabView:
    """The components of the view."""

    def draw(self, words: Wording) -> None:
        """Draw them."""
        self.backend, self.batch = BackendChoice(), PromptBatch()
        with gr.Row(elem_classes="m-lab", equal_height=False):
            with gr.Column(elem_classes="m-panel m-lableft", min_width=280):
                self._draw_source(words)
            with gr.Column(elem_classes="m-panel m-step m-step1", min_width=240):
                self._draw_frame(words)
            with gr.Column(elem_classes="m-panel m-step m-step2", min_width=280):
                self._draw_rewritten(words)
            with gr.Column(elem_classes="m-panel m-step m-step3", min_width=220):
                self.check_title = words.make(gr.HTML, {"value": "lab.step.check"}, **_TITLE)
                self.report = html_box(elem_id="lab-report")
                self.history_title = words.make(gr.HTML, {"value": "lab.history"}, **_TITLE)
                self.history = html_box(history_html("en", []), elem_id="lab-history", js_on_load=ACTIONS_JS)
            with gr.Column(elem_classes="m-panel m-labbatch", min_width=280):
                self.batch.draw(words)

    def _draw_source(self, words: Wording) -> None:
        self.first_frame = words.make(
            gr.Image,
            {"label": "lab.frame.label", "placeholder": "frame.drop"},
            type="filepath",
            image_mode=None,
            sources=["upload", "clipboard"],
            height=132,
            buttons=[],
            elem_id="lab-frame",
            elem_classes="m-picture",
        )
        with gr.Column(elem_classes="m-field"):
            with gr.Row(elem_classes="m-promptline"):
                self.meter = html_box(elem_id="lab-meter")
            self.original = words.make(
                gr.Textbox,
                {"label": "lab.original.label", "placeholder": "lab.original.hint"},
                lines=6,
                max_lines=12,
                elem_id="lab-original",
            )
        self.template = words.make(
            gr.Dropdown,
            {"label": "lab.template.label"},
            choices=template_choices("en"),
            value="",
            filterable=False,
            elem_id="lab-template",
            elem_classes="m-choice",
        )
        with gr.Column(elem_classes="m-field"):
            self.backend.draw(words)
        self.place = html_box(visible=False, elem_id="lab-said", elem_classes="m-place")
        with gr.Row(elem_classes="m-row m-labacts"):
            self.run = words.make(gr.Button, {"value": "lab.run"}, variant="primary", elem_id="lab-run", min_width=110)
            self.stop = words.make(
                gr.Button, {"value": "enhance.stop"}, elem_id="lab-stop", visible=False, min_width=110
            )
            beside: dict[str, Any] = {"scale": 0, "min_width": 70, "interactive": False}
            self.undo = words.make(gr.Button, {"value": "lab.undo"}, elem_id="lab-undo", **beside)
            self.redo = words.make(gr.Button, {"value": "lab.redo"}, elem_id="lab-redo", **beside)

    def _draw_frame(self, words: Wording) -> None:
        words.make(gr.HTML, {"value": "lab.step.frame"}, **_TITLE)
        self.parts = {
            name: words.make(
                gr.Textbox,
                {"label": f"lab.{name}.label", "placeholder": f"lab.{name}.hint"},
                lines=2,
                max_lines=6,
                elem_id=f"lab-{name}",
            )
            for name in FRAME_PARTS
        }
        with gr.Row(elem_classes="m-row m-labacts"):
            self.again = words.make(gr.Button, {"value": "lab.again"}, size="sm", elem_id="lab-again", scale=0)
        self.maker = FrameMaker()
        self.maker.draw(words)

    def _draw_rewritten(self, words: Wording) -> None:
        words.make(gr.HTML, {"value": "lab.step.rewritten"}, **_TITLE)
        self.stream = html_box(visible=False, elem_id="lab-stream")
        with gr.Column(elem_classes="m-field"):
            with gr.Row(elem_classes="m-promptline"):
                self.rewritten_meter = html_box(elem_id="lab-rewritten-meter")
            self.rewritten = words.make(
                gr.Textbox,
                {"label": "lab.rewritten.label", "placeholder": "lab.rewritten.hint"},
                lines=10,
                max_lines=18,
                elem_id="lab-rewritten",
            )
        with gr.Row(elem_classes="m-row m-labacts"):
            self.use = words.make(gr.Button, {"value": "lab.use"}, elem_id="lab-use", scale=0)
            self.as_is = words.make(gr.Button, {"value": "lab.as_is"}, elem_id="lab-as-is", scale=0)
        words.make(gr.HTML, {"value": "lab.diff.title"}, **_TITLE)
        self.diff = html_box(diff_html("en", "", ""), elem_id="lab-diff")

    @property
    def fields(self) -> list[Any]:
        """Those of a `Sheet`, in its order."""
        return [self.original, *self.parts.values(), self.rewritten]

    @property
    def judged(self) -> list[Any]:
        """What follows from the fields."""
        return [self.diff, self.report, self.meter, self.rewritten_meter, self.undo, self.redo]


def template_choices(language: str) -> list[tuple[str, str]]:
    """The shots that come with the program, by name."""
    shots = {key: preset for key, preset in shipped_presets().items() if preset.kind == "shot"}
    named = [(preset.name.said(language), key) for key, preset in shots.items()]
    return [(say(language, "lab.template.none"), ""), *named]


def template_prompt(language: str, key: str) -> str:
    """The words of a template; "" if there is none."""
    preset = shipped_presets().get(key)
    return "" if preset is None or preset.prompt is None else preset.prompt.said(language)


_TITLE: dict[str, Any] = {"apply_default_css": False, "elem_classes": "m-title2"}
