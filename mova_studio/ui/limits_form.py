"""What plans may use, as fields: caps, precision, and the choices that a person makes instead of the planner."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.placement.attention import NATIVE, PACKAGES
from mova_studio.placement.request import PRECISIONS, Limits
from mova_studio.ui.catalogue import say
from mova_studio.ui.reading import optional_number
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording, html_box

AUTOMATIC = "automatic"
CAPS = ("vram_gb", "ram_gb")
# Formats and backends have no translation.
NAMED_PINS = {
    "weights": ("fp32", "bf16", "int8", "fp8", "fp8_compute"),
    "text_encoder": ("fp32", "bf16", "int8", "fp8", "nf4"),
    "attention": (NATIVE, *(package.backend for package in PACKAGES)),
}
WORDED_PINS = {
    "offload": {"none": "pin.none", "component": "pin.component", "group": "pin.group"},
    "batched_guidance": {"true": "pin.together", "false": "pin.apart"},
}
COUNTED_PINS = ("resident_blocks", "vae_tiles", "ffn_chunks")
PINS = (
    "weights",
    "text_encoder",
    "offload",
    "resident_blocks",
    "attention",
    "vae_tiles",
    "ffn_chunks",
    "batched_guidance",
)
FIELDS = (*CAPS, "precision", "try_anyway", *PINS)
# Where an error of `Limits`, or of a planning, is said; a plan that does not fit is a matter of the caps.
PLACES = {"vram_gb": "caps", "ram_gb": "caps", "size": "caps", "precision": "precision", "pins": "pins"}


def limits_of(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """`Limits.to_dict()` of what stands in the fields.

    Raises:
        InputError: a value cannot be used, with the field at fault.
    """
    pins: dict[str, Any] = {}
    for name in PINS:
        value = values[name]
        if value in (None, "", AUTOMATIC):
            continue
        if name in COUNTED_PINS:
            pins[name] = _whole(name, value, language)
        else:
            pins[name] = value == "true" if name == "batched_guidance" else str(value)
    limits = Limits(
        **{name: optional_number(values[name]) for name in CAPS},
        precision=values["precision"],
        pins=pins,
        try_anyway=bool(values["try_anyway"]),
    )
    return limits.to_dict()


def values_of(limits: Mapping[str, Any]) -> dict[str, Any]:
    """The fields for `Studio.limits`; {} is all automatic, and so are damaged ones, which the plan complains of."""
    try:
        kept = Limits.from_dict(limits).to_dict()
    except InputError:
        kept = Limits().to_dict()
    pins = {name: kept["pins"].get(name) for name in PINS}
    if pins["batched_guidance"] is not None:
        pins["batched_guidance"] = "true" if pins["batched_guidance"] else "false"
    chosen = {name: AUTOMATIC if value is None and name not in COUNTED_PINS else value for name, value in pins.items()}
    return {name: kept[name] for name in (*CAPS, "precision", "try_anyway")} | chosen


def _whole(name: str, value: Any, language: str) -> int:
    number = optional_number(value)
    if number is None or number != int(number):
        label = say(language, f"pin.{name}")
        raise InputError(say(language, "limits.number", name=label, value=value), field="pins")
    return int(number)


class LimitsForm:
    """The fields and the places beside them.

    Attributes:
        fields: by the names of `FIELDS`.
    """

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.places: dict[str, gr.HTML] = {}

    def draw(self, words: Wording) -> None:
        """Draw everything on automatic."""
        with gr.Column(elem_classes="m-field"):
            with gr.Row(elem_classes="m-row"):
                for name in CAPS:
                    key = f"limits.{name.removesuffix('_gb')}"
                    self._number(words, name, {"label": key, "placeholder": "limits.free"}, step=0.5)
            self._place("caps")
        with gr.Column(elem_classes="m-field"):
            self.fields["precision"] = words.make(
                gr.Radio,
                {"label": "limits.precision"},
                {name: f"limits.{name}" for name in PRECISIONS},
                value="balanced",
                elem_id="limit-precision",
            )
            self._place("precision")
        with words.make(gr.Accordion, {"label": "limits.pins"}, open=False, elem_id="pins") as self.fold:
            words.make(html_box, {"value": "limits.pins.text"}, elem_classes="m-hint")
            for names in (("weights", "text_encoder"), ("offload", "resident_blocks"), ("attention", "vae_tiles")):
                with gr.Row(elem_classes="m-row"):
                    for name in names:
                        self._pin(words, name)
            with gr.Row(elem_classes="m-row"):
                self._pin(words, "ffn_chunks")
                self._pin(words, "batched_guidance")
            self._place("pins")
        self.fields["try_anyway"] = words.make(
            gr.Checkbox, {"label": "limits.try"}, value=False, elem_id="limit-try-anyway"
        )

    @property
    def inputs(self) -> list[Any]:
        return [self.fields[name] for name in FIELDS]

    @property
    def outputs(self) -> list[Any]:
        return [*self.inputs, *self.places.values(), self.fold]

    def show(self, limits: Mapping[str, Any], *, gpu: bool) -> dict[Any, Any]:
        """The fields as `limits` say; without a GPU there is no cap on its memory."""
        values = values_of(limits)
        updates = {self.fields[name]: gr.update(value=values[name]) for name in FIELDS}
        updates[self.fields["vram_gb"]] = gr.update(value=values["vram_gb"], visible=gpu)
        return updates | self.quiet()

    def quiet(self) -> dict[Any, Any]:
        """Every error taken back."""
        return {place: gr.update(value="", visible=False) for place in self.places.values()}

    def complaint(self, language: str, error: StudioError) -> dict[Any, Any]:
        """The error beside its cause; the fold opens if the cause is inside."""
        name = PLACES.get(error.field or "", "caps")
        text = escape(translate(language, error.message))
        shown = f'<p class="m-error" role="alert" data-field="{escape(error.field or "")}">{text}</p>'
        updates: dict[Any, Any] = {self.places[name]: gr.update(value=shown, visible=True)}
        return updates | ({self.fold: gr.update(open=True)} if name == "pins" else {})

    def _place(self, name: str) -> None:
        self.places[name] = html_box(visible=False, elem_classes="m-place", elem_id=f"limits-{name}")

    def _number(self, words: Wording, name: str, texts: dict[str, str], *, step: float) -> None:
        elem_id = f"limit-{name.replace('_', '-')}"
        self.fields[name] = words.make(gr.Number, texts, value=None, step=step, elem_id=elem_id, min_width=120)

    def _pin(self, words: Wording, name: str) -> None:
        label = {"label": f"pin.{name}"}
        if name in COUNTED_PINS:
            self._number(words, name, label | {"placeholder": "pin.automatic"}, step=1)
            return
        options = {AUTOMATIC: "pin.automatic"} | WORDED_PINS.get(name, {})
        self.fields[name] = words.make(
            gr.Dropdown,
            label,
            options,
            names=NAMED_PINS.get(name, ()),
            value=AUTOMATIC,
            filterable=False,
            elem_id=f"limit-{name.replace('_', '-')}",
            elem_classes="m-choice",
            min_width=120,
        )
