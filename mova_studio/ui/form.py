"""The left of the Create view: the fields of a shot, and the places beside them for notes and errors."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.library.presets import RenderPreset
from mova_studio.library.shot import STEP_CACHE_LEVELS, Shot
from mova_studio.ui.adapters_form import EDITOR_JS, NONE, SHOW_JS, editor, text_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.prompt_line import PromptLine
from mova_studio.ui.reading import MAX_COUNT
from mova_studio.ui.scout_form import GridForm, ScoutForm, draw_grid, draw_scout_button, draw_scout_choices
from mova_studio.ui.served import cached_file
from mova_studio.ui.sizes import CUSTOM, common_sizes, seconds_of
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

# Which place says what is wrong with which field.
PLACES = {
    "prompt": "prompt",
    "first_frame": "pictures",
    "last_frame": "pictures",
    "size": "size",
    "num_frames": "length",
    "num_inference_steps": "length",
    "guidance_scale": "advanced",
    "bridge_guidance_scale": "advanced",
    "seed": "seed",
    "count": "seed",
    "negative_prompt": "advanced",
    "video_shift": "advanced",
    "audio_shift": "advanced",
    "target_lufs": "advanced",
    "frame_rate": "advanced",
    "step_cache": "advanced",
    "guidance_start": "advanced",
    "guidance_stop": "advanced",
    "adapters": "advanced",
}
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Form:
    """The components of a shot.

    Attributes:
        line: around the prompt.
        fields: by the names of `Shot`, and "size", "seconds", "seed", "count".
        adapters: the list of which the field "adapters" is the text.
        places: where errors appear, see `PLACES`; they stay until the next try.
        notes: where it is said that a value was moved. Apart from the errors, so that a late note wipes none out.
    """

    line: PromptLine
    fields: dict[str, Any]
    adapters: gr.HTML
    places: dict[str, gr.HTML]
    notes: dict[str, gr.HTML]
    advanced: gr.Accordion
    dice: gr.Button
    reuse: gr.Button
    generate: gr.Button
    cancel: gr.Button
    leave: gr.Button
    cost: gr.HTML
    scout: ScoutForm
    grid: GridForm

    @property
    def names(self) -> list[str]:
        return list(self.fields)

    @property
    def inputs(self) -> list[Any]:
        return list(self.fields.values())

    def quiet_places(self) -> dict[Any, Any]:
        """Every note and error taken back."""
        said = [*self.places.values(), *self.notes.values()]
        return {component: gr.update(value="", visible=False) for component in said}

    def complaint(self, language: str, error: StudioError) -> dict[Any, Any]:
        """The error beside its cause; the fold opens if the cause is inside."""
        field, message = error.field or "", translate(language, error.message)
        name = PLACES.get(field, ELSEWHERE)
        shown = f'<p class="m-error" role="alert" data-field="{escape(field)}">{escape(message)}</p>'
        updates: dict[Any, Any] = {self.places[name]: gr.update(value=shown, visible=True)}
        if name == "advanced":
            updates[self.advanced] = gr.update(open=True)
        return updates

    def note(self, place: str, notes: list[str]) -> dict[Any, Any]:
        """Notes under a field, or none."""
        lines = "".join(f'<p class="m-note" role="status">{escape(text)}</p>' for text in notes)
        return {self.notes[place]: gr.update(value=lines, visible=bool(lines))}

    def preset_values(self, preset: RenderPreset, language: str) -> dict[Any, Any]:
        """The fields as a checkpoint wants them; prompt, pictures and seed stay."""
        values: dict[str, Any] = {**preset.settings(), "seconds": seconds_of(preset.num_frames, preset.frame_rate)}
        updates = {self.fields[name]: gr.update(value=value) for name, value in values.items() if name in self.fields}
        choices = size_choices(preset, language)
        updates[self.fields["size"]] = gr.update(choices=choices, value=f"{preset.width}x{preset.height}")
        return updates

    def shot_values(self, shot: Shot, seed: int | None, preset: RenderPreset) -> dict[Any, Any]:
        """The fields as they were for `shot`, pictures included; `seed` None draws one."""
        values: dict[str, Any] = {name: getattr(shot, name) for name in self.fields if hasattr(shot, name)}
        for name in ("first_frame", "last_frame"):
            png = values[name]
            values[name] = None if png is None else str(cached_file(png, f"{name}.png"))
        values["seconds"] = seconds_of(shot.num_frames, shot.frame_rate)
        values["adapters"] = text_of(shot.adapters)
        values["seed"] = "-1" if seed is None else str(seed)
        values["size"] = size_choice(preset, shot.width, shot.height)
        return {self.fields[name]: gr.update(value=value) for name, value in values.items()}


def size_choices(preset: RenderPreset, language: str) -> list[tuple[str, str]]:
    return [*common_sizes(preset.width, preset.height), (say(language, "size.custom"), CUSTOM)]


def size_choice(preset: RenderPreset, width: int, height: int) -> str:
    """The entry of the size list for these sides."""
    value = f"{width}x{height}"
    return value if value in (known for _label, known in common_sizes(preset.width, preset.height)) else CUSTOM


def draw_form(words: Wording, preset: RenderPreset) -> Form:
    """Draw the form with a checkpoint's own settings in it."""
    fields: dict[str, Any] = {}
    places: dict[str, gr.HTML] = {}

    notes: dict[str, gr.HTML] = {}

    def place(name: str) -> None:
        places[name] = html_box(visible=False, elem_classes="m-place", elem_id=f"place-{name}")

    def note(name: str) -> None:
        notes[name] = html_box(visible=False, elem_classes="m-place", elem_id=f"note-{name}")

    line = PromptLine()
    with gr.Column(elem_classes="m-field"):
        line.draw_over(words)
        fields["prompt"] = words.make(
            gr.Textbox,
            {"label": "prompt.label"},
            lines=5,
            max_lines=12,
            elem_id="prompt",
            placeholder=prompt_hint("en"),
        )
        line.draw_under(words)
        place("prompt")
    with gr.Column(elem_classes="m-field"):
        with gr.Row(elem_classes="m-row"):
            for name in ("first_frame", "last_frame"):
                fields[name] = words.make(
                    gr.Image,
                    {"label": f"{name}.label", "placeholder": "frame.drop"},
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    height=112,
                    buttons=[],
                    elem_id=name.replace("_", "-"),
                    elem_classes="m-picture",
                    min_width=120,
                )
        place("pictures")
        note("pictures")
    with gr.Column(elem_classes="m-field"):
        with gr.Row(elem_classes="m-row"):
            fields["size"] = words.make(
                gr.Dropdown,
                {"label": "size.label"},
                choices=size_choices(preset, "en"),
                value=f"{preset.width}x{preset.height}",
                filterable=False,
                elem_id="size",
                scale=4,
                min_width=140,
            )
            _number(words, fields, "width", "width.label", preset.width, step=16)
            _number(words, fields, "height", "height.label", preset.height, step=16)
        place("size")
        note("size")
    with gr.Column(elem_classes="m-field"):
        with gr.Row(elem_classes="m-row"):
            _number(
                words, fields, "seconds", "seconds.label", seconds_of(preset.num_frames, preset.frame_rate), step=0.001
            )
            _number(words, fields, "num_frames", "frames.label", preset.num_frames, step=4)
            _number(words, fields, "num_inference_steps", "steps.label", preset.num_inference_steps, step=1)
        place("length")
        note("length")
    with gr.Column(elem_classes="m-field"):
        with gr.Row(elem_classes="m-row m-seed"):
            fields["seed"] = words.make(
                gr.Textbox, {"label": "seed.label"}, value="-1", max_lines=1, elem_id="seed", scale=4, min_width=120
            )
            dice = words.make(gr.Button, {"value": "seed.dice"}, size="md", elem_id="dice", scale=0, min_width=0)
            reuse = words.make(
                gr.Button, {"value": "seed.reuse"}, size="md", elem_id="reuse-seed", scale=0, min_width=0
            )
            fields["count"] = words.make(
                gr.Number,
                {"label": "count.label"},
                value=1,
                step=1,
                minimum=1,
                maximum=MAX_COUNT,
                elem_id="count",
                scale=1,
                min_width=64,
            )
        place("seed")
    with words.make(gr.Accordion, {"label": "advanced.label"}, open=False, elem_id="advanced") as advanced:
        _draw_advanced(words, fields, preset)
        adapters = html_box(editor("en", ()), elem_id="adapters-list", js_on_load=EDITOR_JS)
        fields["adapters"] = gr.Textbox(NONE, visible="hidden", elem_id="adapters")
        fields["adapters"].change(None, fields["adapters"], None, js=SHOW_JS, **QUIET)
        place("advanced")
        grid = draw_grid(words)
    with gr.Column(elem_classes="m-send"):
        place(ELSEWHERE)
        cost = html_box(elem_id="cost", elem_classes="m-cost")
        with gr.Row(elem_classes="m-row m-sendrow"):
            generate = words.make(
                gr.Button, {"value": "generate"}, variant="primary", elem_id="generate", scale=3, min_width=150
            )
            scout_button = draw_scout_button(words)
            leave = words.make(gr.Button, {"value": "queue.leave"}, elem_id="leave", scale=2, visible=False)
            cancel = words.make(gr.Button, {"value": "cancel"}, elem_id="cancel", scale=1, min_width=76, visible=False)
        scout = draw_scout_choices(words, scout_button)
    return Form(
        line, fields, adapters, places, notes, advanced, dice, reuse, generate, cancel, leave, cost, scout, grid
    )


def prompt_hint(language: str) -> str:
    return say(language, "prompt.hint", example=say(language, "prompt.example"))


def _number(words: Wording, fields: dict[str, Any], name: str, label: str, value: float, *, step: float) -> None:
    fields[name] = words.make(
        gr.Number, {"label": label}, value=value, step=step, elem_id=name.replace("_", "-"), scale=2, min_width=76
    )


def _draw_advanced(words: Wording, fields: dict[str, Any], preset: RenderPreset) -> None:
    with gr.Row(elem_classes="m-row"):
        for name, label in (("guidance_scale", "guidance.label"), ("bridge_guidance_scale", "bridge.label")):
            fields[name] = words.make(
                gr.Slider,
                {"label": label},
                minimum=0.0,
                maximum=15.0,
                step=0.1,
                value=getattr(preset, name),
                elem_id=name.replace("_", "-"),
                buttons=[],
                min_width=120,
            )
    fields["negative_prompt"] = words.make(
        gr.Textbox, {"label": "negative.label"}, value=preset.negative_prompt, lines=2, elem_id="negative-prompt"
    )
    with gr.Row(elem_classes="m-row"):
        _number(words, fields, "video_shift", "video_shift.label", preset.video_shift, step=0.1)
        _number(words, fields, "audio_shift", "audio_shift.label", preset.audio_shift, step=0.1)
        fields["target_lufs"] = words.make(
            gr.Number,
            {"label": "lufs.label", "placeholder": "lufs.hint"},
            value=-16.0,
            step=0.5,
            elem_id="target-lufs",
            scale=2,
            min_width=76,
        )
        _number(words, fields, "frame_rate", "fps.label", preset.frame_rate, step=1)
    fields["step_cache"] = words.make(
        gr.Dropdown,
        {"label": "step_cache.label"},
        {level: f"step_cache.{level}" for level in STEP_CACHE_LEVELS},
        value=STEP_CACHE_LEVELS[0],
        filterable=False,
        elem_id="step-cache",
    )
    with gr.Row(elem_classes="m-row"):
        _number(words, fields, "guidance_start", "interval.start", 0.0, step=0.05)
        _number(words, fields, "guidance_stop", "interval.stop", 1.0, step=0.05)
