"""The top of the page: the name, what runs on what, the language and the light."""

from __future__ import annotations

from html import escape

import gradio as gr

from mova_studio.ui.catalogue import say
from mova_studio.ui.machine import machine_words
from mova_studio.ui.wording import Wording, html_box
from mova_studio.ui.words import short_model

THEME_JS = "() => { window.movaStudio.toggleTheme(); }"


class Header:
    """Lies over the bar of the tabs."""

    def draw(self, words: Wording, model: str) -> None:
        """Draw the name on the left and the pills on the right."""
        html_box('<h1 class="m-name">MOVA Studio</h1>', elem_id="name")
        with gr.Row(elem_id="pills"):
            self.machine = html_box(self.machine_html("en", model), elem_id="machine")
            self.queue = html_box(visible=False, elem_id="queue-pill")
            self.language = words.make(
                gr.Button, {"value": "header.language"}, size="sm", scale=0, min_width=0, elem_id="language"
            )
            self.theme = words.make(
                gr.Button, {"value": "header.theme"}, size="sm", scale=0, min_width=0, elem_id="theme"
            )

    def machine_html(self, language: str, model: str) -> str:
        """The pill: checkpoint and machine, without any folder."""
        name, machine = short_model(model), machine_words(language)
        label = escape(say(language, "header.machine", model=name, machine=machine))
        return (
            f'<span class="m-pill" title="{label}" aria-label="{label}"><i class="m-dot"></i>'
            f"{escape(name)} · {escape(machine)}</span>"
        )
