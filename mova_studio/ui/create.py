"""The Create view: what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from mova_studio.library.presets import RenderPreset
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Sight
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form, draw_form
from mova_studio.ui.header import Header
from mova_studio.ui.presets_view import PresetsView
from mova_studio.ui.queue_html import queue_head, queue_list
from mova_studio.ui.restore_view import RestoreView
from mova_studio.ui.stage import ACTIONS_JS, empty_stage
from mova_studio.ui.wording import Wording, html_box

POLL_SECONDS = 0.5
PULSE_SECONDS = 5.0
# The part of `queue.js` that the queue and its head attach to.
_QUEUE_JS = "window.movaQueue.{part}(element, trigger, watch);"


@dataclass(frozen=True)
class CreateView:
    """The components of the view.

    Attributes:
        timer: asks for what has changed, as long as its last question has been answered.
        pulse: asks more seldom and in any case: an answer to the timer that never comes must not stop the page.
    """

    form: Form
    stage: gr.HTML
    progress: gr.HTML
    strip_title: gr.HTML
    strip: gr.HTML
    queue_head: gr.HTML
    queue: gr.HTML
    queue_said: gr.HTML
    timer: gr.Timer
    pulse: gr.Timer
    header: Header
    presets: PresetsView
    restore: RestoreView
    filling: Filling

    @property
    def painted(self) -> list[Any]:
        """What `Painter.paint` may change."""
        form = self.form
        return [
            self.stage,
            self.progress,
            self.strip_title,
            self.strip,
            self.queue_head,
            self.queue,
            self.timer,
            self.header.queue,
            self.header.machine,
            self.header.banner,
            form.generate,
            form.cancel,
            form.reuse,
            form.leave,
            form.scout.button,
            form.grid.button,
        ]


def draw_create(words: Wording, preset: RenderPreset, header: Header) -> CreateView:
    """Draw the view: fields left, result in the middle, the queue right."""
    with gr.Row(elem_classes="m-create", equal_height=False):
        with gr.Column(elem_classes="m-panel m-left", min_width=300):
            presets, restore, filling = PresetsView(), RestoreView(), Filling()
            with gr.Column(elem_classes="m-field m-from"):
                presets.draw(words)
                restore.draw(words)
                filling.draw(words)
            form = draw_form(words, preset)
        with gr.Column(elem_classes="m-middle", min_width=300):
            with gr.Column(elem_classes="m-panel"):
                stage = html_box(empty_stage("en"), elem_id="stage", js_on_load=ACTIONS_JS)
                progress = html_box(elem_id="progress", visible=False)
            with gr.Column(elem_classes="m-panel m-strip-panel"):
                strip_title = html_box(heading(say("en", "takes.latest")))
                strip = html_box(elem_id="strip", elem_classes="m-strip")
        with gr.Column(elem_classes="m-panel m-right", min_width=200, elem_id="queue-panel"):
            queue_head_box = html_box(
                queue_head("en", Sight(), owner=False), elem_id="queue-head", js_on_load=_QUEUE_JS.format(part="head")
            )
            queue = html_box(queue_list("en", Sight(), None), elem_id="queue", js_on_load=_QUEUE_JS.format(part="list"))
            queue_said = html_box(visible=False, elem_id="queue-said", elem_classes="m-place")
    timer, pulse = gr.Timer(POLL_SECONDS, active=False), gr.Timer(PULSE_SECONDS)
    return CreateView(
        form,
        stage,
        progress,
        strip_title,
        strip,
        queue_head_box,
        queue,
        queue_said,
        timer,
        pulse,
        header,
        presets,
        restore,
        filling,
    )


def heading(text: str) -> str:
    return f'<h2 class="m-heading">{text}</h2>'
