"""Settings that arrive in the form from elsewhere: said above it, the seed asked for, and undone with one click."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.presets import RenderPreset
from mova_studio.ui.adapters_form import restored_lines, text_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form, size_choice
from mova_studio.ui.reading import ANY_SEED, optional_number, uploaded
from mova_studio.ui.served import cached_file
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

_PICTURES = ("first_frame", "last_frame")
_TOGETHER = ("width", "height", "num_frames", "frame_rate")


class Filling:
    """The box over the form, and the way into it. Presets, restored files and takes all go through here."""

    def draw(self, words: Wording) -> None:
        """Draw the box, hidden."""
        self.said = html_box(visible=False, elem_id="fill-said", elem_classes="m-place")
        with gr.Row(visible=False, elem_id="fill-ask", elem_classes="m-row m-asking") as self.row:
            self.keep = gr.Button("", size="sm", min_width=0, elem_id="keep-seed", visible=False)
            self.fresh = words.make(
                gr.Button, {"value": "restore.fresh"}, size="sm", min_width=0, elem_id="new-seed", visible=False
            )
            self.undo = words.make(gr.Button, {"value": "restore.undo"}, size="sm", min_width=0, elem_id="undo-fill")

    def wire(self, page: gr.State, form: Form) -> None:
        """Connect the answers."""
        self.form = form
        self.seed, self.before = gr.State(""), gr.State({})
        seed, answers = form.fields["seed"], [self.keep, self.fresh]
        self.keep.click(lambda asked: self._answered(asked), self.seed, [seed, *answers], **QUIET)
        self.fresh.click(lambda: self._answered(str(ANY_SEED)), None, [seed, *answers], **QUIET)
        self.undo.click(self._undo, [page, self.before], [*form.inputs, *self.outputs], **QUIET)

    @property
    def outputs(self) -> list[Any]:
        return [self.said, self.row, self.keep, self.fresh, self.seed, self.before, *self.form.notes.values()]

    def complain(self, language: str, error: StudioError) -> dict[Any, Any]:
        """The error over the form, which keeps what it has."""
        text = escape(translate(language, error.message))
        return {self.said: gr.update(value=f'<p class="m-error" role="alert">{text}</p>', visible=True)}

    def fill(
        self,
        language: str,
        shown: Mapping[str, Any],
        render: RenderPreset,
        settings: Mapping[str, Any],
        *,
        said: list[str],
        frames: Mapping[str, bytes | None] | None = None,
        seed: int | None = None,
    ) -> dict[Any, Any]:
        """Updates that put settings into the form, moved to what the checkpoint can make, and say so.

        Args:
            shown: what stands in the form, for what the settings leave out and for undoing.
            render: of the checkpoint in use.
            settings: by the names of `Shot`, the prompt included.
            said: sentences to begin with.
            frames: PNG files' bytes by name; None clears a picture, absence leaves it.
            seed: to be asked about; None asks nothing.
        """
        together = {name: optional_number(shown.get(name)) for name in _TOGETHER}
        known = {name: value if name == "frame_rate" else int(value) for name, value in together.items() if value}
        fitted, notes = render.fit({**known, **settings})
        values = {name: value for name, value in fitted.items() if name in self.form.fields}
        if "num_frames" in values and values.get("frame_rate"):
            values["seconds"] = seconds_of(values["num_frames"], values["frame_rate"])
        if "width" in values and "height" in values:
            values["size"] = size_choice(render, values["width"], values["height"])
        for name, png in (frames or {}).items():
            values[name] = None if png is None else str(cached_file(png, f"{name}.png"))
        if "adapters" in values:
            said = [*said, *restored_lines(language, values["adapters"])]
            values["adapters"] = text_of(values["adapters"])
        lines = [f'<p class="m-said" role="status">{escape(line)}</p>' for line in said]
        lines += [f'<p class="m-note">{escape(translate(language, note))}</p>' for note in notes]
        if seed is not None:
            lines.append(f'<p class="m-said">{escape(say(language, "restore.seed"))}</p>')
        quiet = {note: gr.update(value="", visible=False) for note in self.form.notes.values()}
        return quiet | {self.form.fields[name]: gr.update(value=value) for name, value in values.items()} | {
            self.said: gr.update(value="".join(lines), visible=True),
            self.row: gr.update(visible=True),
            self.keep: gr.update(visible=seed is not None, value=say(language, "restore.keep", seed=seed)),
            self.fresh: gr.update(visible=seed is not None),
            self.seed: str(seed),
            self.before: _kept(shown, language),
        }  # fmt: skip

    def _answered(self, seed: str) -> list[Any]:
        return [seed, gr.update(visible=False), gr.update(visible=False)]

    async def _undo(self, page: PageState, before: dict[str, Any]) -> dict[Any, Any]:
        text = escape(say(page.language, "restore.undone"))
        said = gr.update(value=f'<p class="m-said" role="status">{text}</p>', visible=True)
        return self.restored(before) | {self.said: said}

    def quiet(self) -> dict[Any, Any]:
        """The box closed, the form as it is."""
        return {self.said: gr.update(value="", visible=False), self.row: gr.update(visible=False)}

    def restored(self, before: Mapping[str, Any]) -> dict[Any, Any]:
        """The form as it was before it was filled, and the box closed."""
        fields = {self.form.fields[name]: gr.update(value=value) for name, value in before.items()}
        return fields | self.quiet()


def _kept(shown: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What stands in the form, with pictures as paths that this page may show."""
    kept = dict(shown)
    for name in _PICTURES:
        try:
            path = uploaded(shown.get(name), name, language)
        except InputError:
            path = None
        kept[name] = None if path is None else str(path)
    return kept
