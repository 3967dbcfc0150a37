"""The top of the page: the name, what runs on what, the language and the light."""

from __future__ import annotations

from html import escape

import gradio as gr

from mova_studio.ui.catalogue import say
from mova_studio.ui.machine import machine_words, probed_machine
from mova_studio.ui.stage import ACTIONS_JS
from mova_studio.ui.wording import Wording, html_box
from mova_studio.ui.words import short_model

THEME_JS = "() => { window.movaStudio.toggleTheme(); }"


class Header:
    """Lies over the bar of the tabs."""

    def draw(self, words: Wording, model: str) -> None:
        """Draw the name on the left and the pills on the right."""
        html_box('<h1 class="m-name">MOVA Studio</h1>', elem_id="name")
        self.banner = html_box(visible=False, elem_id="banner")
        with gr.Row(elem_id="pills"):
            self.machine = html_box(self.machine_html("en", model), elem_id="machine", js_on_load=ACTIONS_JS)
            self.queue = html_box(visible=False, elem_id="queue-pill")
            self.language = words.make(
                gr.Button, {"value": "header.language"}, size="sm", scale=0, min_width=0, elem_id="language"
            )
            self.theme = words.make(
                gr.Button, {"value": "header.theme"}, size="sm", scale=0, min_width=0, elem_id="theme"
            )

    def machine_html(self, language: str, model: str, plan: str = "", *, opens: bool = False) -> str:
        """The pill: checkpoint, machine and plan, without any folder.

        Args:
            plan: the plan in a few words, once it is known.
            opens: it is a button to the System view, which only the owner has.
        """
        name, machine = short_model(model), machine_words(language, probed_machine())
        about = say(language, "header.machine", model=name, machine=machine)
        label = escape(say(language, "header.open_system", about=about) if opens else about)
        tag, kind = ("button", ' type="button" data-act="system"') if opens else ("span", "")
        more = f'<span class="m-pillplan"> · {escape(plan)}</span>' if plan else ""
        return (
            f'<{tag}{kind} class="m-pill" title="{label}" aria-label="{label}"><i class="m-dot"></i>'
            f"<span>{escape(name)} · {escape(machine)}{more}</span></{tag}>"
        )
