"""What happens in the Create view when a person does something."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.presets import preset_for
from mova_studio.media.images import encode_png, open_image
from mova_studio.ui.catalogue import say
from mova_studio.ui.cost import guess_seconds
from mova_studio.ui.create import CreateView, Painter
from mova_studio.ui.desk import MAX_PAGE_JOBS, Desk, PageState, at_work, in_view
from mova_studio.ui.form import Form, size_choice
from mova_studio.ui.reading import ANY_SEED, optional_number, read_order, uploaded
from mova_studio.ui.sizes import CUSTOM, seconds_of, settle_length, settle_side
from mova_studio.ui.wording import QUIET
from mova_studio.ui.words import duration, number

COST_FIELDS = ("width", "height", "num_frames", "num_inference_steps", "guidance_scale", "bridge_guidance_scale")
_SHOWN_AS_IS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif")
_REMEMBER_JOBS_JS = "(jobs) => { sessionStorage.setItem('mova-jobs', jobs); }"


class CreateEvents:
    """Listeners of the view. Every one runs on the event loop; what takes time goes to a thread.

    Args:
        page: the session's `PageState`.
        jobs_text: the page's job ids as text, for the browser's own memory of this tab.
    """

    def __init__(self, desk: Desk, painter: Painter, view: CreateView, page: gr.State, jobs_text: gr.Textbox) -> None:
        self.desk, self.painter, self.view, self.page, self.jobs_text = desk, painter, view, page, jobs_text
        self.form: Form = view.form

    def wire(self) -> None:
        """Connect everything."""
        form, view, page = self.form, self.view, self.page
        fields = form.fields
        everything = [*view.painted, *form.places.values(), form.advanced, *form.inputs, form.cost, self.jobs_text]
        form.generate.click(
            self.generate, [page, *form.inputs], everything, preprocess=False, trigger_mode="multiple", **QUIET
        ).then(None, self.jobs_text, None, js=_REMEMBER_JOBS_JS, **QUIET)
        view.timer.tick(self.tick, page, [*view.painted, form.cost], **QUIET)
        form.cancel.click(self.cancel, page, view.painted, **QUIET)
        view.queue.select(self.queue_click, page, view.painted, **QUIET)
        view.stage.select(self.stage_click, page, form.inputs, **QUIET)
        form.dice.click(lambda: str(ANY_SEED), None, fields["seed"], **QUIET)
        form.reuse.click(self.reuse_seed, page, fields["seed"], **QUIET)
        size = [fields["size"], fields["width"], fields["height"]]
        fields["size"].input(self.choose_size, [page, fields["size"]], [*size, form.places["size"]], **QUIET)
        sides = [event for name in ("width", "height") for event in (fields[name].blur, fields[name].submit)]
        gr.on(sides, self.settle_size, [page, *size[1:]], [*size, form.places["size"]], preprocess=False, **QUIET)
        length = [fields["seconds"], fields["num_frames"], fields["frame_rate"]]
        lengths = [event for field in length for event in (field.blur, field.submit)]
        outputs = [*length[:2], form.places["length"]]
        gr.on(lengths, self.settle_length, [page, *length], outputs, preprocess=False, **QUIET)
        for name in ("first_frame", "last_frame"):
            picture = fields[name]
            gr.on(
                [picture.upload, picture.clear],
                self.settle_picture(name),
                [page, picture],
                [picture, form.places["pictures"]],
                preprocess=False,
                **QUIET,
            )
        changes = [fields[name].change for name in COST_FIELDS]
        costs = [page, *(fields[name] for name in COST_FIELDS)]
        gr.on(changes, self.cost, costs, form.cost, preprocess=False, trigger_mode="always_last", **QUIET)

    async def generate(self, page: PageState, *values: Any, request: gr.Request | None = None) -> dict[Any, Any]:
        """Queue what stands in the fields; an error appears beside its cause and nothing else changes."""
        form, language = self.form, page.language
        named = dict(zip(form.names, values, strict=True))
        model = self.desk.studio.model
        updates: dict[Any, Any] = form.quiet_places()
        try:
            preset = preset_for(model)
            order = await asyncio.to_thread(read_order, named, model, preset, language, page.last_frames)
            user = (request.username if request else None) or ""
            ticket = await asyncio.to_thread(self.desk.submit, order.shot, order.seed, user, order.notes)
        except StudioError as error:
            return updates | form.complaint(error.message, error.field)
        page.jobs = [*page.jobs, ticket.job_id][-MAX_PAGE_JOBS:]
        page.pinned, page.last_frames = None, order.shot.num_frames
        shot = order.shot
        settled: dict[str, Any] = {
            "size": size_choice(preset, shot.width, shot.height),
            "width": shot.width,
            "height": shot.height,
            "num_frames": shot.num_frames,
            "seconds": seconds_of(shot.num_frames, shot.frame_rate),
        }
        updates |= {form.fields[name]: value for name, value in settled.items() if named[name] != value}
        return updates | {self.jobs_text: " ".join(page.jobs)} | await self.painter.paint(page)

    async def tick(self, page: PageState) -> dict[Any, Any]:
        """What has changed since the last look."""
        updates = await self.painter.paint(page)
        if self.view.strip in updates:
            updates[self.form.cost] = await self.cost_line(page)
        return updates or {self.form.cost: gr.skip()}

    async def cancel(self, page: PageState) -> dict[Any, Any]:
        """Stop this page's running job, or the one that it is looking at."""
        jobs = self.desk.look(page)
        pinned = next((job for job in jobs if job[0].job_id == page.pinned and not job[1].state.ended), None)
        target = pinned or at_work(jobs)
        if target is not None:
            await asyncio.to_thread(self.desk.studio.cancel, target[0].job_id)
        return await self.painter.paint(page) or {self.view.progress: gr.skip()}

    async def queue_click(self, page: PageState, event: gr.EventData) -> dict[Any, Any]:
        """Show or cancel one job of this page's list; ids of other pages are not known here."""
        job_id = str(getattr(event, "id", ""))
        if job_id in page.jobs:
            if event.act == "cancel":
                await asyncio.to_thread(self.desk.studio.cancel, job_id)
            else:
                page.pinned = job_id
        return await self.painter.paint(page) or {self.view.progress: gr.skip()}

    async def stage_click(self, page: PageState, event: gr.EventData) -> dict[Any, Any]:
        """Fill in the example, or the settings of the take in view."""
        form = self.form
        if event.act == "example":
            return {form.fields["prompt"]: say(page.language, "prompt.example")}
        shown = in_view(page, self.desk.look(page))
        if shown is None:
            return {form.fields["prompt"]: gr.skip()}
        shot = shown[0].shot
        page.last_frames = shot.num_frames
        return form.shot_values(shot, shown[0].seed, preset_for(self.desk.studio.model))

    async def reuse_seed(self, page: PageState) -> Any:
        return gr.skip() if page.last_seed is None else str(page.last_seed)

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
        notes = [
            say(page.language, "note.side", asked=number(side.asked), used=side.used)
            for side in settled.values()
            if side.changed
        ]
        updates: dict[Any, Any] = {fields[name]: side.used for name, side in settled.items() if side.changed}
        preset = preset_for(self.desk.studio.model)
        updates[fields["size"]] = size_choice(preset, settled["width"].used, settled["height"].used)
        return updates | self.form.note("size", notes)

    async def settle_length(self, page: PageState, seconds: Any, frames: Any, rate: Any) -> dict[Any, Any]:
        """Keep seconds and frames in step, on 4n + 1 frames, and say so; the note stays until one changes again."""
        fields = self.form.fields
        frame_rate = optional_number(rate)
        if frame_rate is None or not 1 <= frame_rate <= 120:
            return {fields["seconds"]: gr.skip()}
        before = page.last_frames
        length = settle_length(optional_number(seconds), optional_number(frames), frame_rate, before)
        shown = seconds_of(length.used, frame_rate)
        if not length.changed and length.used == before and seconds == shown and frames == before:
            return {fields["seconds"]: gr.skip()}
        page.last_frames = length.used
        notes = []
        if length.changed:
            words = {"asked": number(round(length.asked, 2)), "used": length.used, "seconds": number(shown)}
            notes = [say(page.language, "note.frames", **words)]
        updates = {fields["num_frames"]: length.used, fields["seconds"]: shown}
        return updates | self.form.note("length", notes)

    def settle_picture(self, name: str) -> Any:
        """A listener that opens what was dropped and says what was changed in it."""

        async def settle(page: PageState, value: Any) -> dict[Any, Any]:
            place = self.form.places["pictures"]
            try:
                path = uploaded(value, name, page.language)
                opened = None if path is None else await asyncio.to_thread(open_image, path, field=name)
            except InputError as error:
                return {self.form.fields[name]: None} | self.form.complaint(error.message, name)
            if path is None or opened is None:
                return {place: gr.update(value="", visible=False)}
            updates = self.form.note(
                "pictures", [f"{say(page.language, name + '.label').split(' · ')[0]}: {note}" for note in opened.notes]
            )
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
        settings = page.cost_of or preset_for(self.desk.studio.model).model_dump(include=set(COST_FIELDS))
        known = {name: float(value) for name, value in settings.items() if value is not None and value >= 0}
        if len(known) < len(COST_FIELDS):
            return ""
        studio = self.desk.studio
        takes = await asyncio.to_thread(studio.takes)
        seconds = guess_seconds(takes, model=studio.model, **known)
        if seconds is not None:
            return say(page.language, "cost.guess", time=duration(page.language, seconds))
        shown = {name: number(known[name]) for name in ("num_frames", "width", "height", "num_inference_steps")}
        return say(page.language, "cost.none", **shown)

    def restore(self, page: PageState) -> dict[Any, Any]:
        """The fields of a reloaded page, as they were for its latest job."""
        jobs = self.desk.look(page)
        if not jobs:
            return {}
        ticket = jobs[-1][0]
        page.last_frames = ticket.shot.num_frames
        page.cost_of = {name: getattr(ticket.shot, name) for name in COST_FIELDS}
        seed = ticket.seed if ticket.seed_given else None
        return self.form.shot_values(ticket.shot, seed, preset_for(self.desk.studio.model))
