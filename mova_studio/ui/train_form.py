"""The fields of a new training run: drawn, filled from a recipe, and read into an order."""

from __future__ import annotations

import json
import math
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.training_order import FoundClips, TrainingOrder
from mova_studio.library.presets import preset_for
from mova_studio.settings import PRESETS
from mova_studio.ui.catalogue import say
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording, html_box

RECIPES = ("adapter", "adapter-low-resource", "phase-1", "phase-2", "phase-3")
_WHOLE = {"steps": "train.steps", "batch_size": "train.batch", "rank": "train.rank", "sample_every": "train.samples"}


def numbers_of(recipe: str) -> dict[str, Any]:
    """What the fields show for a shipped recipe, read without torch; no rank for the whole network.

    Returns:
        steps, batch_size, rank, learning_rate, sample_every, and accumulation.
    """
    said = json.loads((PRESETS / "training" / f"{recipe}.json").read_text("utf-8"))
    return {
        "steps": said["steps"],
        "batch_size": said["batch_size"],
        "rank": said.get("adapter", {}).get("rank"),
        "learning_rate": said["learning_rates"]["video_dit"],
        "sample_every": said["sample_every"],
        "accumulation": said["accumulation"],
    }


def usual_kinds(model: str) -> str:
    """The size and length that a checkpoint is made for, lying and upright."""
    preset = preset_for(model)
    sides = dict.fromkeys(((preset.width, preset.height), (preset.height, preset.width)))
    return " ".join(f"{width}x{height}x{preset.num_frames}" for width, height in sides)


class TrainForm:
    """The fields; `places` has what is said beside them."""

    def draw(self, words: Wording) -> None:
        """Draw them."""
        first = numbers_of(RECIPES[0])
        words.make(html_box, {"value": "train.title"}, elem_classes="m-title2")
        self.model = html_box(elem_id="train-model")
        with gr.Column(elem_classes="m-field"):
            self.clips = words.make(
                gr.Textbox, {"label": "train.clips"}, max_lines=1, elem_id="train-clips", elem_classes="m-pathfield"
            )
            clips = html_box(elem_id="train-clips-said", elem_classes="m-place")
            words.make(html_box, {"value": "train.clips.text"}, elem_classes="m-hint m-fine")
        with gr.Column(elem_classes="m-field", visible=False) as self.raw:
            self.kinds = words.make(
                gr.Textbox, {"label": "train.kinds"}, max_lines=1, elem_id="train-kinds", elem_classes="m-pathfield"
            )
            kinds = html_box(elem_id="train-kinds-said", elem_classes="m-place")
        with gr.Column(elem_classes="m-field"):
            self.recipe = words.make(
                gr.Dropdown,
                {"label": "train.recipe"},
                {name: f"train.recipe.{name}" for name in RECIPES},
                value=RECIPES[0],
                filterable=False,
                elem_id="train-recipe",
                elem_classes="m-choice",
            )
            self.about = html_box(elem_id="train-about")
        with gr.Column(elem_classes="m-field m-numbers"):
            with gr.Row(elem_classes="m-row"):
                self.steps = _number(words, "train.steps", first["steps"], "train-steps")
                self.batch = _number(words, "train.batch", first["batch_size"], "train-batch")
                self.samples = _number(words, "train.samples", first["sample_every"], "train-samples-every")
            with gr.Row(elem_classes="m-row"):
                self.rate = _number(words, "train.rate", first["learning_rate"], "train-rate", precision=None)
                self.rank = _number(words, "train.rank", first["rank"], "train-rank")
            recipe = html_box(elem_id="train-recipe-said", elem_classes="m-place")
        self.name = words.make(gr.Textbox, {"label": "train.name"}, max_lines=1, elem_id="train-name")
        self.places = {"clips": clips, "kinds": kinds, "recipe": recipe}

    @property
    def inputs(self) -> list[Any]:
        """In the order in which `read` takes their values."""
        numbers = [self.steps, self.batch, self.samples, self.rate, self.rank]
        return [self.clips, self.kinds, self.recipe, *numbers, self.name]

    @property
    def shown(self) -> list[Any]:
        """What follows the language, the checkpoint and the recipe."""
        return [self.model, self.clips, self.raw, self.about, *self.places.values()]

    def spoken(self, language: str, model: str, recipe: str) -> dict[Any, Any]:
        """The words that name the checkpoint, and those about the recipe."""
        return {
            self.model: paragraph(say(language, "train.model", model=model)),
            self.clips: gr.update(placeholder=say(language, "train.clips.hint", example=str(Path.home() / "clips"))),
            self.about: paragraph(say(language, f"train.recipe.{recipe}.text")),
        }

    def filled(self, language: str, recipe: str) -> dict[Any, Any]:
        """The fields with a recipe's own numbers."""
        known = numbers_of(recipe)
        return {
            self.about: paragraph(say(language, f"train.recipe.{recipe}.text")),
            self.steps: known["steps"],
            self.batch: known["batch_size"],
            self.samples: known["sample_every"],
            self.rate: known["learning_rate"],
            self.rank: gr.update(value=known["rank"], visible=known["rank"] is not None),
        }

    def quiet(self) -> dict[Any, Any]:
        """Nothing is said beside any field."""
        return dict.fromkeys(self.places.values(), "")

    def complaint(self, language: str, error: StudioError) -> dict[Any, Any]:
        """What is wrong, beside its cause; {} where the cause is no field."""
        place = self.places.get(error.field or "")
        return {} if place is None else {place: paragraph(translate(language, error.message), kind="m-error")}


def read(values: tuple[Any, ...], language: str) -> TrainingOrder:
    """What stands in `TrainForm.inputs`.

    Raises:
        InputError: a number is missing or none.
    """
    clips, kinds, recipe, steps, batch, samples, rate, rank, name = values
    recipe = str(recipe) if recipe in RECIPES else RECIPES[0]
    numbers = {"steps": steps, "batch_size": batch, "sample_every": samples, "rank": rank}
    if numbers_of(recipe)["rank"] is None:
        del numbers["rank"]
    whole = {field: _whole(value, say(language, _WHOLE[field]), language) for field, value in numbers.items()}
    learning_rate = _real(rate, say(language, "train.rate"), language)
    return TrainingOrder(
        str(clips or ""), recipe, str(name or ""), str(kinds or ""), learning_rate=learning_rate, **whole
    )


def found_words(language: str, found: FoundClips) -> str:
    """What lies in the named place."""
    if found.encoded:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in found.kinds.items())
        return paragraph(say(language, "train.clips.encoded", count=found.count, kinds=kinds), kind="m-good")
    said = paragraph(say(language, "train.clips.raw", count=found.count), kind="m-good")
    if found.skipped:
        words = say(language, "train.clips.skipped", count=found.skipped, reason=translate(language, found.reason))
        said += paragraph(words, kind="m-note")
    return said


def paragraph(text: str, kind: str = "m-hint") -> str:
    """A sentence; an error is said aloud."""
    role = ' role="alert"' if kind == "m-error" else ' role="status"' if kind in ("m-good", "m-note") else ""
    return f'<p class="{kind}"{role}>{escape(text)}</p>'


def _number(words: Wording, key: str, value: float | None, name: str, precision: int | None = 0) -> gr.Number:
    return words.make(gr.Number, {"label": key}, value=value, precision=precision, elem_id=name, min_width=80)


def _real(value: Any, name: str, language: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(say(language, "train.number", name=name), field="recipe")
    return number


def _whole(value: Any, name: str, language: str) -> int:
    number = _real(value, name, language)
    if number != int(number):
        raise InputError(say(language, "train.whole", name=name, value=f"{number:g}"), field="recipe")
    return int(number)
