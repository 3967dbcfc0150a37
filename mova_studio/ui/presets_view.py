"""Presets over the form: apply one, save what stands in the form as one's own, delete one's own."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.demo_examples import demo_examples
from mova_studio.library.own_presets import OwnPresets
from mova_studio.library.preset_file import MAX_NAME, SETTINGS, PresetFile, shipped_presets
from mova_studio.library.presets import preset_for
from mova_studio.network.installed import DEMO
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.filling import Filling
from mova_studio.ui.form import Form
from mova_studio.ui.reading import read_order
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

CHECKPOINT = "checkpoint"
_SHIPPED = "shipped/"
_EXAMPLE = "example/"
_FOCUS_JS = "() => { document.querySelector('#preset-name :is(input, textarea)')?.focus(); }"
_SHOW_JS = "() => { document.querySelector('#preset-sure')?.scrollIntoView({ block: 'nearest' }); }"


class PresetsView:
    """The list and its buttons. Anyone may apply; saving and deleting are the owner's."""

    def draw(self, words: Wording) -> None:
        """Draw the row, and what opens below it."""
        with gr.Row(elem_classes="m-row m-presets"):
            self.list = words.make(
                gr.Dropdown,
                {"label": "preset.label"},
                choices=[(say("en", "preset.checkpoint"), CHECKPOINT)],
                value=CHECKPOINT,
                elem_id="preset",
                scale=4,
                min_width=140,
            )
            small: dict[str, Any] = {"size": "md", "scale": 0, "min_width": 0}
            self.apply = words.make(gr.Button, {"value": "preset.apply"}, elem_id="preset-apply", **small)
            self.save = words.make(gr.Button, {"value": "preset.save"}, elem_id="preset-save", visible=False, **small)
            self.delete = words.make(
                gr.Button, {"value": "preset.delete"}, elem_id="preset-delete", visible=False, **small
            )
        with gr.Column(visible=False, elem_id="preset-form", elem_classes="m-opened") as self.opened:
            self.name = words.make(
                gr.Textbox, {"label": "preset.name.label"}, max_lines=1, max_length=4 * MAX_NAME, elem_id="preset-name"
            )
            self.kind = words.make(
                gr.Radio,
                {"label": "preset.kind.label"},
                {"shot": "preset.kind.shot", "render": "preset.kind.render"},
                value="shot",
                elem_id="preset-kind",
            )
            with gr.Row(elem_classes="m-row"):
                self.keep = words.make(gr.Button, {"value": "preset.keep"}, size="sm", elem_id="preset-keep")
                self.close = words.make(gr.Button, {"value": "form.close"}, size="sm", elem_id="preset-close")
        with gr.Column(visible=False, elem_id="preset-sure", elem_classes="m-opened") as self.sure:
            self.question = html_box()
            with gr.Row(elem_classes="m-row"):
                self.delete_yes = words.make(
                    gr.Button, {"value": "preset.delete.yes"}, size="sm", variant="stop", elem_id="preset-delete-yes"
                )
                self.delete_no = words.make(gr.Button, {"value": "take.delete.keep"}, size="sm")
        self.said = html_box(visible=False, elem_id="preset-said", elem_classes="m-place")

    def wire(self, studio: Studio, access: Access, page: gr.State, form: Form, filling: Filling, tab: gr.Tab) -> None:
        """Connect everything.

        Args:
            tab: of the view; the list is read anew when it opens, since the checkpoint may have changed.
        """
        self.studio, self.access, self.form, self.filling = studio, access, form, filling
        self.own, self.replacing = OwnPresets(studio.root), gr.State("")
        tab.select(self.show, page, self.list, **QUIET)
        self.list.input(self.choose, [page, self.list], [self.said, self.delete, self.sure], preprocess=False, **QUIET)
        filled = [*form.inputs, *filling.outputs, self.said]
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        self.apply.click(self.apply_preset, [page, self.list, *form.inputs], filled, **raw)
        self.save.click(lambda: (gr.update(visible=True), ""), None, [self.opened, self.replacing], **QUIET).then(
            None, None, None, js=_FOCUS_JS, **QUIET
        )
        self.close.click(lambda: gr.update(visible=False), None, self.opened, **QUIET)
        saved = [self.list, self.said, self.opened, self.delete, self.replacing, *form.places.values(), form.advanced]
        gr.on(
            [self.keep.click, self.name.submit],
            access.owner_only(self.save_preset),
            [page, self.name, self.kind, self.replacing, *form.inputs],
            saved,
            **raw,
        )
        asked = [self.sure, self.question, self.said]
        self.delete.click(self.ask, [page, self.list], asked, **raw).then(None, None, None, js=_SHOW_JS, **QUIET)
        self.delete_no.click(lambda: gr.update(visible=False), None, self.sure, **QUIET)
        self.delete_yes.click(
            access.owner_only(self.delete_preset),
            [page, self.list],
            [self.list, self.said, self.sure, self.delete],
            **raw,
        )

    @property
    def opening(self) -> list[Any]:
        """What `opened_updates` may change."""
        return [self.list, self.save]

    async def opened_updates(self, page: PageState) -> dict[Any, Any]:
        """The list in the page's language, and the buttons that this person has."""
        choices = await asyncio.to_thread(self.choices, page.language)
        return {self.list: gr.update(choices=choices), self.save: gr.update(visible=page.owner)}

    def choices(self, language: str) -> list[tuple[str, str]]:
        """(label, key) of every preset: shots, ways of rendering, one's own, and those that are broken."""
        listed = []
        if self.studio.model == DEMO:
            for key, example in demo_examples().items():
                label = say(language, "preset.shot", name=example.preset.name.said(language))
                listed.append((False, label, _EXAMPLE + key))
        for key, preset in shipped_presets().items():
            name = preset.name.said(language)
            label = say(language, "preset.shot" if preset.kind == "shot" else "preset.render", name=name)
            listed.append((preset.kind == "render", label, _SHIPPED + key))
        listed.append((True, say(language, "preset.checkpoint"), CHECKPOINT))
        listed.sort(key=lambda entry: entry[0])
        choices = [(label, key) for _render, label, key in listed]
        for own in self.own.presets():
            if own.preset is None:
                choices.append((say(language, "preset.broken", name=own.path.name), own.key))
            else:
                kind = "preset.own.shot" if own.preset.kind == "shot" else "preset.own.render"
                choices.append((say(language, kind, name=own.preset.name.said(language)), own.key))
        return choices

    def find(self, key: str) -> PresetFile:
        """The preset of a key of the list.

        Raises:
            InputError: there is none, or its file cannot be used.
        """
        if key.startswith(_EXAMPLE) and (example := demo_examples().get(key.removeprefix(_EXAMPLE))):
            return example.preset
        shipped = shipped_presets().get(key.removeprefix(_SHIPPED)) if key.startswith(_SHIPPED) else None
        if shipped is not None:
            return shipped
        own = self.own.find(key)
        if own.preset is None:
            raise InputError(own.fault, field="preset")
        return own.preset

    async def show(self, page: PageState) -> Any:
        """The list as it is now."""
        return gr.update(choices=await asyncio.to_thread(self.choices, page.language))

    async def choose(self, page: PageState, key: Any) -> dict[Any, Any]:
        """Say at once why an unusable one is so; offer to delete one's own."""
        key = str(key or "")
        mine = page.owner and bool(key) and key != CHECKPOINT and not key.startswith((_SHIPPED, _EXAMPLE))
        updates: dict[Any, Any] = {self.delete: gr.update(visible=mine), self.sure: gr.update(visible=False)}
        try:
            if key and key != CHECKPOINT:
                await asyncio.to_thread(self.find, key)
        except InputError as error:
            return updates | self._complain(page.language, error)
        return updates | {self.said: gr.update(value="", visible=False)}

    async def apply_preset(self, page: PageState, key: Any, *values: Any) -> dict[Any, Any]:
        """Put a preset into the form; pictures and seed stay, but for an example's first frame."""
        frames: dict[str, bytes | None] = {}
        language, key = page.language, str(key or "")
        shown, render = dict(zip(self.form.names, values, strict=True)), preset_for(self.studio.model)
        try:
            if not key:
                raise InputError(say(language, "preset.choose"), field="preset")
            if key == CHECKPOINT:
                name, settings = say(language, "preset.checkpoint"), render.settings()
            else:
                preset = await asyncio.to_thread(self.find, key)
                name, settings = preset.name.said(language), dict(preset.settings)
                if preset.prompt is not None:
                    settings["prompt"] = preset.prompt.said(language)
            if key.startswith(_EXAMPLE):
                example = await asyncio.to_thread(lambda: demo_examples()[key.removeprefix(_EXAMPLE)])
                frames = {"first_frame": example.first_frame, "last_frame": None}
        except InputError as error:
            return self._complain(language, error)
        said = [say(language, "preset.applied", name=name)]
        quiet = {self.said: gr.update(value="", visible=False)}
        return quiet | self.filling.fill(language, shown, render, settings, said=said, frames=frames)

    async def save_preset(
        self, page: PageState, name: Any, kind: Any, replacing: Any, request: gr.Request, *values: Any
    ) -> dict[Any, Any]:
        """Keep what stands in the form, pictures left out."""
        language, kind = page.language, "render" if kind == "render" else "shot"
        shown = dict(zip(self.form.names, values, strict=True))
        shown |= {"first_frame": None, "last_frame": None, "seed": ""}
        if kind == "render":
            shown["prompt"] = "settings"
        try:
            model = self.studio.model
            shot = read_order(shown, model, preset_for(model), language, "num_frames").shot
            known = await asyncio.to_thread(self.own.named, kind, str(name or ""))
            wanted = f"{kind} {known.key}" if known is not None else ""
            if known is not None and known.preset is not None and replacing != wanted:
                text = say(language, "preset.replace", name=known.preset.name.said(language))
                return {self.replacing: wanted} | self._say(text, "m-note")
            prompt = shot.prompt if kind == "shot" else None
            settings = {field: getattr(shot, field) for field in SETTINGS}
            key = await asyncio.to_thread(self.own.save, kind, str(name or ""), prompt, settings)
            choices = await asyncio.to_thread(self.choices, language)
        except StudioError as error:
            if error.field in ("preset", "out", None):
                return self._complain(language, error)
            return self.form.complaint(language, error) | self._complain(language, error)
        return {
            self.list: gr.update(choices=choices, value=key),
            self.opened: gr.update(visible=False),
            self.delete: gr.update(visible=True),
            self.replacing: "",
        } | self._say(say(language, "preset.saved", name=self.find(key).name.said(language)))

    async def ask(self, page: PageState, key: Any) -> dict[Any, Any]:
        """Whether it is really to go."""
        try:
            own = await asyncio.to_thread(self.own.find, str(key or ""))
        except InputError as error:
            return self._complain(page.language, error)
        name = own.path.name if own.preset is None else own.preset.name.said(page.language)
        text = escape(say(page.language, "preset.sure", name=name))
        return {self.sure: gr.update(visible=True), self.question: f'<p class="m-said">{text}</p>'}

    async def delete_preset(self, page: PageState, key: Any, request: gr.Request) -> dict[Any, Any]:
        """Delete one's own preset for good."""
        language = page.language
        try:
            own = await asyncio.to_thread(self.own.find, str(key or ""))
            await asyncio.to_thread(self.own.delete, own.key)
            choices = await asyncio.to_thread(self.choices, language)
        except StudioError as error:
            return self._complain(language, error) | {self.sure: gr.update(visible=False)}
        name = own.path.name if own.preset is None else own.preset.name.said(language)
        return {
            self.list: gr.update(choices=choices, value=CHECKPOINT),
            self.sure: gr.update(visible=False),
            self.delete: gr.update(visible=False),
        } | self._say(say(language, "preset.deleted", name=name))

    def _say(self, text: str, kind: str = "m-said") -> dict[Any, Any]:
        return {self.said: gr.update(value=f'<p class="{kind}" role="status">{escape(text)}</p>', visible=True)}

    def _complain(self, language: str, error: StudioError) -> dict[Any, Any]:
        root = self.studio.root
        text = translate(language, error.message).replace(str(root), root.name)
        return {self.said: gr.update(value=f'<p class="m-error" role="alert">{escape(text)}</p>', visible=True)}
