"""The buttons under a finished take: its settings, its last picture, and going on from it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.library.demo_examples import demo_examples
from mova_studio.library.presets import preset_for
from mova_studio.library.take import Take
from mova_studio.media.images import encode_png
from mova_studio.media.png_record import embed
from mova_studio.media.provenance import read_provenance
from mova_studio.media.stills import still_from_end
from mova_studio.network.installed import DEMO
from mova_studio.ui.caller import Caller
from mova_studio.ui.catalogue import say
from mova_studio.ui.create import CreateView
from mova_studio.ui.desk import Desk, PageState, in_view
from mova_studio.ui.served import address, cached_file
from mova_studio.ui.stage import OVERLAPS
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.timeline_html import sent
from mova_studio.ui.wording import QUIET

# Buttons of the stage that are about its job and not about a take; `QueueEvents` hears them.
STAGE_QUEUE_ACTS = ("resume", "retry")
_SAVE_JS = "(file) => { window.movaStudio.save(file); }"
_SHOW_JS = "() => { document.querySelector('#fill-said')?.scrollIntoView({ block: 'nearest' }); }"


class ResultEvents:
    """Listeners of the stage. Takes are found by what the page is looking at, never by what a click says."""

    def __init__(self, desk: Desk, view: CreateView, timelines: TimelineDesk) -> None:
        self.desk, self.view, self.form, self.timelines = desk, view, view.form, timelines

    def wire(self, page: gr.State) -> None:
        """Connect everything."""
        self.file = gr.Textbox(visible=False)
        filled = [*self.form.inputs, *self.view.filling.outputs, self.file]
        self.view.stage.select(self.click, [page, *self.form.inputs], filled, preprocess=False, **QUIET).then(
            None, self.file, None, js=_SAVE_JS, **QUIET
        ).then(None, None, None, js=_SHOW_JS, **QUIET)

    async def click(self, page: PageState, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        """What a button asks for. A click that does nothing else ends an earlier request to save."""
        language, act, nothing = page.language, str(getattr(event, "act", "")), {self.file: ""}
        if act in STAGE_QUEUE_ACTS:
            return nothing
        if act == "example":
            shown = dict(zip(self.form.names, values, strict=True))
            return nothing | await asyncio.to_thread(self._example, language, str(shown["prompt"]))
        shown = dict(zip(self.form.names, values, strict=True))
        try:
            if act == "timeline":
                return nothing | await self._to_timeline(page)
            take = self._take(page)
            page.know(take.shot.origin, take.shot.frame_origin, take.shot.first_frame)
            if act == "still":
                return {self.file: await asyncio.to_thread(still_file, take.path)}
            return nothing | await self._fill(language, act, str(getattr(event, "value", "")), take, shown)
        except StudioError as error:
            return nothing | self.view.filling.complain(language, error)

    def _example(self, language: str, prompt: str) -> dict[Any, Any]:
        """A prompt to try; for the trained demo one that it is good at with its first frame, the next at each click."""
        examples = demo_examples() if self.desk.studio.model == DEMO else {}
        if not examples:
            return {self.form.fields["prompt"]: say(language, "prompt.example")}
        by_prompt = {each.said(language): each.first_frame for each in examples.values()}
        prompts = list(by_prompt)
        place = prompts.index(prompt) + 1 if prompt in by_prompt else 0
        chosen = prompts[place % len(prompts)]
        picture = cached_file(by_prompt[chosen], "first_frame.png")
        return {self.form.fields["prompt"]: chosen, self.form.fields["first_frame"]: str(picture)}

    async def _to_timeline(self, page: PageState) -> dict[Any, Any]:
        """The take at the end of the timeline that was open last, and a way to it."""
        self._take(page)
        shown, caller = in_view(page, page.seen), Caller(page.owner, page.language)
        assert shown is not None, "a take is in view"
        _timeline_id, name = await asyncio.to_thread(self.timelines.append, shown.job_id, caller)
        return {self.view.filling.said: gr.update(value=sent(page.language, name), visible=True)}

    def _take(self, page: PageState) -> Take:
        shown = in_view(page, self.desk.look(page))
        take = None if shown is None else shown.take
        if take is None:
            raise InputError(say(page.language, "result.gone"))
        return take

    async def _fill(self, language: str, act: str, value: str, take: Take, shown: dict[str, Any]) -> dict[Any, Any]:
        fill, render = self.view.filling.fill, preset_for(self.desk.studio.model)
        shot = take.shot
        if act == "first":
            picture = await asyncio.to_thread(_still, take.path, 1)
            said = [say(language, "result.first")]
            return fill(language, shown, render, {}, said=said, frames={"first_frame": picture})
        settings = {name: getattr(shot, name) for name in self.form.names if hasattr(shot, name)}
        frames = {name: settings.pop(name) for name in ("first_frame", "last_frame")}
        if act == "extend":
            count = min(int(value) if value in map(str, OVERLAPS) else OVERLAPS[-1], take.num_frames)
            frames = {"first_frame": await asyncio.to_thread(_still, take.path, count), "last_frame": None}
            said = [say(language, "result.extend", count=count)]
            return fill(language, shown, render, settings, said=said, frames=frames) | {self.form.fields["seed"]: "-1"}
        said = [say(language, "restore.take")]
        return fill(language, shown, render, settings, said=said, frames=frames, seed=take.seed)


def _still(path: Path, count: int) -> bytes:
    return encode_png(still_from_end(path, count))


def still_file(path: Path) -> str:
    """The last picture of a take as a PNG that carries the take's record: its url and name, as JSON.

    Raises:
        InputError: the take has gone, or cannot be decoded.
    """
    if not path.is_file():
        raise InputError(f"{path.name} has gone; reload the page.")
    png, provenance = _still(path, 1), read_provenance(path)
    name = f"{path.stem}-last.png"
    cached = cached_file(png if provenance is None else embed(png, provenance), name)
    return json.dumps({"url": address(cached), "name": name})
