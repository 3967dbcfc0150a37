"""What the form does by itself: sizes and lengths settle, pictures are looked at, the cost is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.media.images import encode_png, open_image
from mova_studio.ui.advice import Advisor, shot_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.cost import cost_html, guess_seconds, refused_html
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form, size_choice
from mova_studio.ui.header import Header
from mova_studio.ui.plan_words import plan_brief
from mova_studio.ui.reading import optional_number, read_length, uploaded
from mova_studio.ui.sizes import CUSTOM, Settled, seconds_of, settle_side
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, SETTLES
from mova_studio.ui.words import number

COST_FIELDS = (
    "width",
    "height",
    "num_frames",
    "frame_rate",
    "num_inference_steps",
    "guidance_scale",
    "bridge_guidance_scale",
    "guidance_start",
    "guidance_stop",
    "step_cache",
)
_SHOWN_AS_IS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif")


def size_notes(language: str, *sides: Settled) -> list[str]:
    """What is said of sides that were moved."""
    moved = [side for side in sides if side.changed]
    return [say(language, "note.side", asked=number(side.asked), used=side.used) for side in moved]


def length_notes(language: str, length: Settled, seconds: float) -> list[str]:
    """What is said of a length that was moved."""
    if not length.changed:
        return []
    asked = number(round(length.asked, 2))
    return [say(language, "note.frames", asked=asked, used=length.used, seconds=number(seconds))]


class FormEvents:
    """Listeners of the fields. What takes time goes to a thread."""

    def __init__(self, studio: Studio, form: Form, header: Header, advisor: Advisor) -> None:
        self.studio, self.form, self.header, self.advisor = studio, form, header, advisor

    def wire(self, page: gr.State) -> None:
        """Connect everything; `page` is the session's `PageState`."""
        form, fields = self.form, self.form.fields
        size = [fields["size"], fields["width"], fields["height"]]
        fields["size"].input(self.choose_size, [page, fields["size"]], [*size, form.notes["size"]], **SETTLES)
        sides = [event for name in ("width", "height") for event in (fields[name].blur, fields[name].submit)]
        gr.on(sides, self.settle_size, [page, *size[1:]], [*size, form.notes["size"]], preprocess=False, **SETTLES)
        length = [fields[name] for name in ("seconds", "num_frames", "frame_rate")]
        for name, component in zip(("seconds", "num_frames", "frame_rate"), length, strict=True):
            gr.on(
                [component.blur, component.submit],
                self.settle_length(name),
                [page, *length],
                [*length[:2], form.notes["length"]],
                preprocess=False,
                **SETTLES,
            )
        for name in ("first_frame", "last_frame"):
            picture = fields[name]
            gr.on(
                [picture.upload, picture.clear],
                self.settle_picture(name),
                [page, picture],
                [picture, form.places["pictures"], form.notes["pictures"]],
                preprocess=False,
                **SETTLES,
            )
        changes = [fields[name].change for name in COST_FIELDS]
        costs = [page, *(fields[name] for name in COST_FIELDS)]
        told = [form.cost, self.header.machine]
        gr.on(changes, self.cost, costs, told, preprocess=False, trigger_mode="always_last", **QUIET)

    async def choose_size(self, page: PageState, choice: str) -> dict[Any, Any]:
        """Put a size of the list into the two sides."""
        fields = self.form.fields
        updates = self.form.note("size", [])
        width, _, height = str(choice).partition("x")
        if choice != CUSTOM and width.isdigit() and height.isdigit():
            updates |= {fields["width"]: int(width), fields["height"]: int(height)}
        return updates

    async def settle_size(self, page: PageState, width: Any, height: Any) -> dict[Any, Any]:
        """Move the sides to multiples of 16, and say so; the note stays until a side changes again."""
        fields = self.form.fields
        asked = optional_number(width), optional_number(height)
        if None in asked or asked == page.last_sides:
            return {fields["size"]: gr.skip()}
        settled = {name: settle_side(value or 0) for name, value in zip(("width", "height"), asked, strict=True)}
        page.last_sides = settled["width"].used, settled["height"].used
        notes = size_notes(page.language, *settled.values())
        updates: dict[Any, Any] = {fields[name]: side.used for name, side in settled.items() if side.changed}
        preset = preset_for(self.studio.model)
        updates[fields["size"]] = size_choice(preset, settled["width"].used, settled["height"].used)
        return updates | self.form.note("size", notes)

    def settle_length(self, changed: str) -> Any:
        """A listener that keeps seconds and frames in step after `changed` was, on 4n + 1 frames, and says so."""

        async def settle(page: PageState, seconds: Any, frames: Any, rate: Any) -> dict[Any, Any]:
            fields = self.form.fields
            frame_rate = optional_number(rate)
            asked = optional_number(seconds if changed == "seconds" else frames)
            unchanged = (seconds, frames) == page.last_length and changed != "frame_rate"
            if unchanged or asked is None or frame_rate is None or not 1 <= frame_rate <= 120:
                return {fields["seconds"]: gr.skip()}
            length = read_length(seconds, frames, frame_rate, changed, page.language)
            shown = seconds_of(length.used, frame_rate)
            page.last_length = shown, length.used
            notes = length_notes(page.language, length, shown)
            return {fields["num_frames"]: length.used, fields["seconds"]: shown} | self.form.note("length", notes)

        return settle

    def settle_picture(self, name: str) -> Any:
        """A listener that opens what was dropped and says what was changed in it."""

        async def settle(page: PageState, value: Any) -> dict[Any, Any]:
            quiet = {self.form.places["pictures"]: gr.update(value="", visible=False)} | self.form.note("pictures", [])
            try:
                path = uploaded(value, name, page.language)
                opened = None if path is None else await asyncio.to_thread(open_image, path, field=name)
            except InputError as error:
                return quiet | {self.form.fields[name]: None} | self.form.complaint(page.language, error)
            if path is None or opened is None:
                return quiet
            named = name.replace("_", " ")
            notes = [translate(page.language, f"{named}: {note}") for note in opened.notes]
            updates = quiet | self.form.note("pictures", notes)
            if path.suffix.lower() not in _SHOWN_AS_IS:
                # A browser cannot show a TIFF, so the page shows what we read from it.
                shown = path.with_suffix(".png")
                await asyncio.to_thread(lambda: shown.write_bytes(encode_png(opened.image)))
                updates[self.form.fields[name]] = str(shown)
            return updates

        return settle

    async def cost(self, page: PageState, *values: Any) -> AsyncIterator[dict[Any, Any]]:
        """The line above Generate for what stands in the fields: at once, and again when the plan is known."""
        page.cost_of = cost_settings(dict(zip(COST_FIELDS, values, strict=True)))
        async for updates in self.told(page):
            yield updates

    async def told(self, page: PageState) -> AsyncIterator[dict[Any, Any]]:
        """The same for the settings that the page showed last, and the plan in the header."""
        if not self.advisor.ready:
            yield {self.form.cost: await self.cost_line(page, planned=False)}
        line = await self.cost_line(page)
        pill = self.header.machine_html(page.language, self.studio.model, page.plan, opens=page.owner)
        yield {self.form.cost: line, self.header.machine: pill}

    async def cost_line(self, page: PageState, *, planned: bool = True) -> str:
        """What a take with the page's settings will need, or why there can be none.

        Args:
            planned: False does not wait for a plan.
        """
        settings = shown_settings(page, self.studio.model)
        numbers = [value for name, value in settings.items() if name != "step_cache"]
        if any(value is None or value < 0 for value in numbers):
            return ""
        studio, language = self.studio, page.language
        try:
            shot = shot_of(settings, studio.model)
            preset_for(studio.model).check_limits(shot.width, shot.height, shot.num_frames)
        except InputError as error:
            page.plan = ""
            return refused_html(language, error)
        guessed = {name: value for name, value in settings.items() if name != "frame_rate"}
        try:
            seconds = guess_seconds(await asyncio.to_thread(studio.takes), model=studio.model, **guessed)
        except StudioError:
            # The banner says that the library cannot be read; what a plan costs is known without it.
            seconds = None
        advice = await asyncio.to_thread(self.advisor.advise_quietly, settings) if planned else None
        if advice is not None:
            page.plan = "" if advice.chosen is None else plan_brief(language, advice.chosen)
        shown = {name: number(settings[name]) for name in ("num_frames", "width", "height", "num_inference_steps")}
        return cost_html(language, seconds, advice, say(language, "cost.none", **shown))


def cost_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields that decide the cost; None for what is no number."""
    return {name: str(value) if name == "step_cache" else optional_number(value) for name, value in values.items()}


def shown_settings(page: PageState, model: str) -> dict[str, Any]:
    """The settings that the page shows, or before it told them those of its checkpoint."""
    if page.cost_of:
        return page.cost_of
    own = preset_for(model).model_dump(include=set(COST_FIELDS))
    return {"guidance_start": 0.0, "guidance_stop": 1.0, "step_cache": "off"} | own
