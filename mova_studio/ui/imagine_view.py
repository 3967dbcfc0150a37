"""Before you buy: another machine in a few fields, and the plan that it would get."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.placement.cards import CARDS, short_name
from mova_studio.placement.imagine import imagine_machine
from mova_studio.placement.machine import GIB, Machine
from mova_studio.ui.access import Access
from mova_studio.ui.advice import Advice, Advisor, shot_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Imagined, PageState
from mova_studio.ui.form_events import shown_settings
from mova_studio.ui.plan_html import others_html, plan_html, settings_words
from mova_studio.ui.reading import optional_number
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box
from mova_studio.ui.words import number

PUBLISHED_MODEL = "OpenMOSS-Team/MOVA-360p"
NO_CARD = "none"
FIRST_CARD, FIRST_RAM_GB = "RTX 4090", 64


def imagined_machine(base: Machine, gpu: Any, vram_gb: Any, ram_gb: Any, capability: Any) -> Machine:
    """The machine that stands in the fields; an empty field leaves its value to the card or to `base`.

    Raises:
        InputError: the card is not known, or a value is out of range.
    """
    return imagine_machine(
        base,
        gpu=str(gpu or "").strip() or None,
        vram_gb=optional_number(vram_gb),
        ram_gb=optional_number(ram_gb),
        capability=str(capability or "").strip() or None,
    )


def imagined_shot(model: str, settings: str, current: str, shown: Mapping[str, Any]) -> Shot:
    """The shot to plan for.

    Args:
        model, settings: as chosen: "current" or "published", and "form" or "full".
        current: the checkpoint in use.
        shown: the settings of the form.

    Raises:
        InputError: a setting is out of its range.
    """
    full = preset_for(PUBLISHED_MODEL).settings()
    return shot_of(shown if settings == "form" else full, current if model == "current" else PUBLISHED_MODEL)


class ImagineView:
    """A panel of the System view; refused to guests."""

    def __init__(self, studio: Studio, access: Access, advisor: Advisor) -> None:
        self.studio, self.advisor = studio, advisor
        self.ask = access.owner_only(self.ask)  # type: ignore[method-assign]

    def draw(self, words: Wording) -> None:
        """Draw the fields with a well-known card in them."""
        words.make(html_box, {"value": "imagine.title"}, elem_classes="m-title2")
        words.make(html_box, {"value": "imagine.text"}, elem_classes="m-hint")
        with gr.Row(elem_classes="m-row"):
            self.gpu = words.make(
                gr.Dropdown,
                {"label": "imagine.gpu"},
                choices=[NO_CARD, *(short_name(card) for card in CARDS)],
                value=FIRST_CARD,
                allow_custom_value=True,
                elem_id="imagine-gpu",
                elem_classes="m-choice",
                min_width=180,
            )
            self.capability = words.make(
                gr.Textbox,
                {"label": "imagine.capability", "placeholder": "imagine.vram.own"},
                max_lines=1,
                elem_id="imagine-capability",
                min_width=100,
            )
        with gr.Row(elem_classes="m-row"):
            self.vram = words.make(
                gr.Number,
                {"label": "imagine.vram", "placeholder": "imagine.vram.own"},
                value=None,
                elem_id="imagine-vram",
                min_width=100,
            )
            self.ram = words.make(
                gr.Number, {"label": "imagine.ram"}, value=FIRST_RAM_GB, elem_id="imagine-ram", min_width=100
            )
        with gr.Row(elem_classes="m-row"):
            self.model = words.make(
                gr.Dropdown,
                {"label": "imagine.model"},
                {"published": "imagine.model.published", "current": "imagine.model.current"},
                value="published",
                filterable=False,
                elem_id="imagine-model",
                elem_classes="m-choice",
                min_width=160,
            )
            self.settings = words.make(
                gr.Dropdown,
                {"label": "imagine.settings"},
                {"full": "imagine.settings.full", "form": "imagine.settings.form"},
                value="full",
                filterable=False,
                elem_id="imagine-settings",
                elem_classes="m-choice",
                min_width=160,
            )
        self.button = words.make(gr.Button, {"value": "imagine.ask"}, elem_id="imagine-ask")
        self.result = html_box(visible=False, elem_id="imagined")

    def wire(self, page: gr.State) -> None:
        """Connect the button."""
        fields = [self.gpu, self.vram, self.ram, self.capability, self.model, self.settings]
        self.button.click(self.ask, [page, *fields], self.result, preprocess=False, **QUIET)

    async def ask(
        self,
        page: PageState,
        gpu: Any,
        vram_gb: Any,
        ram_gb: Any,
        capability: Any,
        model: Any,
        settings: Any,
        request: gr.Request,
    ) -> Any:
        """The plan of the described machine."""
        shown = shown_settings(page, self.studio.model)
        try:
            shot = imagined_shot(str(model), str(settings), self.studio.model, shown)
            advice = await asyncio.to_thread(self._advise, shot, gpu, vram_gb, ram_gb, capability)
        except StudioError as error:
            page.imagined = None
            said = escape(translate(page.language, error.message))
            return gr.update(value=f'<p class="m-error" role="alert">{said}</p>', visible=True)
        page.imagined = Imagined(shot, advice)
        return gr.update(value=imagined_html(page.language, shot, advice), visible=True)

    def spoken(self, page: PageState) -> dict[Any, Any]:
        """The last answer in the page's language."""
        if page.imagined is None:
            return {self.result: gr.update(value="", visible=False)}
        html = imagined_html(page.language, page.imagined.shot, page.imagined.advice)
        return {self.result: gr.update(value=html, visible=True)}

    def _advise(self, shot: Shot, gpu: Any, vram_gb: Any, ram_gb: Any, capability: Any) -> Advice:
        machine = imagined_machine(self.advisor.machine(), gpu, vram_gb, ram_gb, capability)
        # Caps and pins are meant for the real machine.
        precision = self.studio.limits.get("precision", "balanced")
        return self.advisor.advise(shot, {"precision": precision}, machine)


def imagined_html(language: str, shot: Shot, advice: Advice) -> str:
    """The answer: which machine, its plan, what it needs by stage, and the other plans."""
    machine = advice.report["machine"]
    gpu, ram = machine["gpu"], say(language, "imagine.with_ram", ram=number(round(machine["total_ram"] / GIB, 1)))
    title = ram if gpu is None else f"{gpu['name']} {number(round(gpu['total_vram'] / GIB, 1))} GB · {ram}"
    others = f"<summary>{escape(say(language, 'others.title'))}</summary>{others_html(language, advice.report)}"
    return plan_html(language, title, settings_words(language, shot), advice) + f"<details>{others}</details>"
