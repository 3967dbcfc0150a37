"""Where a take, a still or JSON is dropped to get its settings back."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.restore import MAX_FILE, Restored, restore_from
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form
from mova_studio.ui.reading import uploaded
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box
from mova_studio.ui.words import short_model


class RestoreView:
    """A button that is a place to drop on; `studio.js` brings it what is dropped anywhere else on the view."""

    def draw(self, words: Wording) -> None:
        """Draw it."""
        self.pick = words.make(
            gr.UploadButton,
            {"label": "restore.label"},
            size="md",
            elem_id="restore",
            elem_classes="m-drop",
        )
        # The browser shows it by itself: such a file never gets here.
        self.large = html_box(too_large("en"), elem_id="restore-large", elem_classes="m-place")

    def wire(self, studio: Studio, page: gr.State, form: Form, filling: Filling) -> None:
        """Connect everything."""
        self.studio, self.form, self.filling = studio, form, filling
        self.pick.upload(
            self.restore,
            [page, self.pick, *form.inputs],
            [*form.inputs, *filling.outputs, self.pick],
            preprocess=False,
            **QUIET,
        )

    async def restore(self, page: PageState, file: Any, *values: Any) -> dict[Any, Any]:
        """Fill the form from a file; where that cannot be, the form keeps all that it has."""
        language, model = page.language, self.studio.model
        shown = dict(zip(self.form.names, values, strict=True))
        done: dict[Any, Any] = {self.pick: None}
        try:
            path = uploaded(file, "restore", language)
            if path is None:
                return done
            restored = await asyncio.to_thread(restore_from, path)
        except StudioError as error:
            return done | self.filling.complain(language, error)
        settings = dict(restored.settings)
        if restored.prompts:
            settings["prompt"] = restored.prompts[language]
        if restored.adapters is not None:
            settings["adapters"] = restored.adapters
        page.know(restored.origin, restored.frame_origin, restored.frames.get("first_frame"))
        name = file.get("orig_name") or path.name if isinstance(file, dict) else path.name
        said = [say(language, "restore.done", name=name), *restored_notes(language, restored, model)]
        return done | self.filling.fill(
            language, shown, preset_for(model), settings, said=said, frames=restored.frames, seed=restored.seed
        )


def restored_notes(language: str, restored: Restored, model: str) -> list[str]:
    """What did not come back, and why."""
    notes = [translate(language, note) for note in restored.notes]
    named = short_model(restored.model)
    if named and named != short_model(model):
        notes.append(say(language, "restore.model", model=named, used=short_model(model)))
    return notes


def too_large(language: str) -> str:
    """Hidden until the browser meets a file that is too large to be sent."""
    limit = MAX_FILE // 2**20
    text = escape(say(language, "restore.large", limit=limit))
    return f'<p class="m-error" role="alert" data-limit="{MAX_FILE}" hidden>{text}</p>'
