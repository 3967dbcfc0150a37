"""What the form does by itself: sizes and lengths settle, pictures are looked at, the cost is told."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from mova_studio.errors import InputError
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.media.images import encode_png, open_image
from mova_studio.ui.catalogue import say
from mova_studio.ui.cost import guess_seconds
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import Form, size_choice
from mova_studio.ui.reading import optional_number, read_length, uploaded
from mova_studio.ui.sizes import CUSTOM, Settled, seconds_of, settle_side
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET
from mova_studio.ui.words import duration, number

COST_FIELDS = ("width", "height", "num_frames", "num_inference_steps", "guidance_scale", "bridge_guidance_scale")
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

    def __init__(self, studio: Studio, form: Form) -> None:
        self.studio, self.form = studio, form

    def wire(self, page: gr.State) -> None:
        """Connect everything; `page` is the session's `PageState`."""
        form, fields = self.form, self.form.fields
        size = [fields["size"], fields["width"], fields["height"]]
        fields["size"].input(self.choose_size, [page, fields["size"]], [*size, form.notes["size"]], **QUIET)
        sides = [event for name in ("width", "height") for event in (fields[name].blur, fields[name].submit)]
        gr.on(sides, self.settle_size, [page, *size[1:]], [*size, form.notes["size"]], preprocess=False, **QUIET)
        length = [fields[name] for name in ("seconds", "num_frames", "frame_rate")]
        for name, component in zip(("seconds", "num_frames", "frame_rate"), length, strict=True):
            gr.on(
                [component.blur, component.submit],
                self.settle_length(name),
                [page, *length],
                [*length[:2], form.notes["length"]],
                preprocess=False,
                **QUIET,
            )
        for name in ("first_frame", "last_frame"):
            picture = fields[name]
            gr.on(
                [picture.upload, picture.clear],
                self.settle_picture(name),
                [page, picture],
                [picture, form.places["pictures"], form.notes["pictures"]],
                preprocess=False,
                **QUIET,
            )
        changes = [fields[name].change for name in COST_FIELDS]
        costs = [page, *(fields[name] for name in COST_FIELDS)]
        gr.on(changes, self.cost, costs, form.cost, preprocess=False, trigger_mode="always_last", **QUIET)

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

    async def cost(self, page: PageState, *values: Any) -> str:
        """The line above Generate: how long such a take will need."""
        page.cost_of = dict(zip(COST_FIELDS, (optional_number(value) for value in values), strict=True))
        return await self.cost_line(page)

    async def cost_line(self, page: PageState) -> str:
        """The same, for the settings that the page showed last."""
        settings = page.cost_of or preset_for(self.studio.model).model_dump(include=set(COST_FIELDS))
        known = {name: float(value) for name, value in settings.items() if value is not None and value >= 0}
        if len(known) < len(COST_FIELDS):
            return ""
        studio = self.studio
        takes = await asyncio.to_thread(studio.takes)
        seconds = guess_seconds(takes, model=studio.model, **known)
        if seconds is not None:
            return say(page.language, "cost.guess", time=duration(page.language, seconds))
        shown = {name: number(known[name]) for name in ("num_frames", "width", "height", "num_inference_steps")}
        return say(page.language, "cost.none", **shown)
