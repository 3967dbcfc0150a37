"""The controls of scouting: beside Generate for seeds, and a fold in Advanced for settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from mova_studio.jobs.scouting import SETTINGS, SHARE
from mova_studio.ui.catalogue import say
from mova_studio.ui.wording import Wording, html_box

COUNT = 8
NO_SETTING = "none"
# What each setting is called; the form's own labels.
SETTING_LABELS = {
    "seed": "grid.seed",
    "prompt": "prompt.label",
    "negative_prompt": "negative.label",
    "guidance_scale": "guidance.label",
    "bridge_guidance_scale": "bridge.label",
    "video_shift": "video_shift.label",
    "audio_shift": "audio_shift.label",
    "num_inference_steps": "steps.label",
    "step_cache": "step_cache.label",
    "guidance_start": "interval.start",
    "guidance_stop": "interval.stop",
    "frame_rate": "fps.label",
}


@dataclass(frozen=True)
class ScoutForm:
    """Scouting seeds."""

    button: gr.Button
    count: gr.Number
    share: gr.Number
    cost: gr.HTML
    place: gr.HTML


@dataclass(frozen=True)
class GridForm:
    """Comparing settings."""

    settings: tuple[gr.Dropdown, gr.Dropdown]
    values: tuple[gr.Textbox, gr.Textbox]
    share: gr.Number
    button: gr.Button
    place: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        return [*self.settings, *self.values, self.share]


def draw_scout_button(words: Wording) -> gr.Button:
    """The button beside Generate, and the small one that opens its choices; `queue.js` opens and closes them."""
    button = gr.Button(say("en", "scout.button", count=COUNT), elem_id="scout", scale=2, min_width=110)
    words.make(gr.Button, {"value": "scout.more"}, elem_id="scout-open", scale=0, min_width=0)
    return button


def draw_scout_choices(words: Wording, button: gr.Button) -> ScoutForm:
    """How many seeds and how far, folded away, and what it costs, always told."""
    place = html_box(visible=False, elem_id="place-scout", elem_classes="m-place")
    with gr.Column(elem_id="scout-choices", elem_classes="m-opened"):
        with gr.Row(elem_classes="m-row"):
            # Plain numbers: their limits are said in words when Scout is pressed.
            count = words.make(gr.Number, {"label": "scout.count"}, value=COUNT, step=1, elem_id="scout-count")
            share = words.make(gr.Number, {"label": "scout.share"}, value=100 * SHARE, step=5, elem_id="scout-share")
        words.make(gr.Markdown, {"value": "scout.hint"}, elem_classes="m-hint")
    cost = html_box(elem_id="scout-cost", elem_classes="m-cost")
    return ScoutForm(button, count, share, cost, place)


def draw_grid(words: Wording) -> GridForm:
    """One or two settings with their values."""
    options = {name: SETTING_LABELS[name] for name in SETTINGS}
    with words.make(gr.Accordion, {"label": "grid.title"}, open=False, elem_id="compare-settings"):
        words.make(gr.Markdown, {"value": "grid.hint"}, elem_classes="m-hint")
        settings, values = [], []
        for number, key in enumerate(("grid.first", "grid.second")):
            choices = {NO_SETTING: "grid.none"} | options if number else options
            with gr.Row(elem_classes="m-row"):
                settings.append(
                    words.make(
                        gr.Dropdown,
                        {"label": key},
                        choices,
                        value=NO_SETTING if number else "bridge_guidance_scale",
                        filterable=False,
                        elem_id=f"grid-setting-{number + 1}",
                        elem_classes="m-choice",
                        min_width=120,
                    )
                )
                values.append(
                    words.make(
                        gr.Textbox,
                        {"label": "grid.values"},
                        lines=1,
                        max_lines=6,
                        elem_id=f"grid-values-{number + 1}",
                        placeholder="1, 2, 3.5" if not number else "",
                        min_width=120,
                    )
                )
        place = html_box(visible=False, elem_id="place-grid", elem_classes="m-place")
        with gr.Row(elem_classes="m-row m-end"):
            share = words.make(gr.Number, {"label": "grid.share"}, value=100 * SHARE, step=5, elem_id="grid-share")
            button = words.make(gr.Button, {"value": "grid.go"}, elem_id="grid-go", scale=0, min_width=110)
    return GridForm((settings[0], settings[1]), (values[0], values[1]), share, button, place)
