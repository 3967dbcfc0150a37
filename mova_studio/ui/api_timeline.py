"""The timelines' functions for programs, see `api.py`. Guests list and look; changes and films are the owner's."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.ui.access import Access
from mova_studio.ui.caller import Caller, caller_of
from mova_studio.ui.timeline_desk import TimelineDesk

POLL_SECONDS = 0.5


class TimelineApi:
    """The named endpoints."""

    def __init__(self, desk: TimelineDesk, access: Access) -> None:
        self.desk, self.access = desk, access

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        for look in (self.timeline_list, self.timeline_get):
            gr.api(look, api_name=look.__name__)
        for change in (
            self.timeline_new,
            self.timeline_add,
            self.timeline_do,
            self.timeline_upload,
            self.timeline_rename,
            self.timeline_delete,
            self.timeline_restore,
            self.timeline_render,
            self.timeline_cancel,
        ):
            gr.api(self.access.owner_only(change), api_name=change.__name__)

    async def timeline_list(self, request: gr.Request) -> dict:
        """The timelines of the library, media that were brought for them, and films made of them.

        Returns:
            timelines with id, name, seconds, clips, changed and fault; uploads; films with name and url.
        """
        answer = await self._asked("list", {}, request)
        return {name: answer[name] for name in ("timelines", "uploads", "films")}

    async def timeline_get(self, timeline_id: str, request: gr.Request) -> dict:
        """A timeline with its clips, sounds and captions, as the page gets it.

        Args:
            timeline_id: as `timeline_list` gives it.

        Returns:
            id, revision, name, width, height, rate, frames, seconds, clips, sounds, captions and presets.
        """
        return await self._asked("open", {"id": str(timeline_id)}, request)

    async def timeline_new(
        self, request: gr.Request, name: str = "", width: int = 0, height: int = 0, frame_rate: float = 0.0
    ) -> dict:
        """Owner only. Make a timeline.

        Args:
            name: what to call it.
            width, height, frame_rate: of the film; 0 takes those of the newest take.

        Returns:
            The timeline, as `timeline_get`.
        """
        given = {"name": name, "width": width or None, "height": height or None, "frame_rate": frame_rate or None}
        return await self._asked("new", given, request)

    async def timeline_add(self, timeline_id: str, take_id: str, request: gr.Request, index: int = -1) -> dict:
        """Owner only. Put a take on a timeline.

        Args:
            timeline_id: as `timeline_list` gives it.
            take_id: as `takes` gives it.
            index: before which clip; -1 is the end.

        Returns:
            The timeline, as `timeline_get`.
        """
        args = {"take": take_id, "index": None if index == -1 else index}
        return await self._asked("do", {"id": timeline_id, "op": "insert", "args": args}, request)

    async def timeline_do(
        self, timeline_id: str, op: str, args: dict, request: gr.Request, revision: int | None = None
    ) -> dict:
        """Owner only. Change a timeline.

        Args:
            timeline_id: as `timeline_list` gives it.
            op: insert, move, remove, duplicate, trim, split, transition, clip, title, change_title, replace,
                add_sound, sound, remove_sound, add_caption, caption, remove_caption, make_captions, film, several,
                undo or redo.
            args: the values of the command, by name.
            revision: the one that the program has seen; where it is no longer the latest nothing is done, and the
                answer is `stale`. None does not mind.

        Returns:
            The timeline, as `timeline_get`.
        """
        given = {"id": timeline_id, "op": op, "args": args, "revision": revision}
        return await self._asked("do", given, request)

    async def timeline_upload(self, file: gr.FileData, request: gr.Request) -> dict:
        """Owner only. Keep a file with picture or sound in the library, or make a timeline of an .otio file.

        Args:
            file: an uploaded file.

        Returns:
            upload with id, name, frames and seconds; for an .otio file the timeline, as `timeline_get`.
        """
        values = dict(file)
        name = values.get("orig_name") or str(values.get("path", "")).rsplit("/", 1)[-1]
        return await self._asked("uploaded", {"path": values.get("path"), "name": name}, request)

    async def timeline_rename(self, timeline_id: str, name: str, request: gr.Request) -> dict:
        """Owner only. Call a timeline something else.

        Args:
            timeline_id: as `timeline_list` gives it.
            name: at most 200 characters.

        Returns:
            The id and the name.
        """
        await self._asked("rename", {"id": timeline_id, "name": name}, request)
        return {"id": timeline_id, "name": name}

    async def timeline_delete(self, timeline_id: str, request: gr.Request) -> dict:
        """Owner only. Move a timeline into the trash, from which `timeline_restore` brings it back.

        Args:
            timeline_id: as `timeline_list` gives it.

        Returns:
            The id of the deleted timeline.
        """
        await self._asked("delete", {"id": timeline_id}, request)
        return {"deleted": timeline_id}

    async def timeline_restore(self, timeline_id: str, request: gr.Request) -> dict:
        """Owner only. Bring a timeline back from the trash.

        Args:
            timeline_id: as `timeline_list` gave it.

        Returns:
            The timeline, as `timeline_get`.
        """
        return await self._asked("restore", {"id": timeline_id}, request)

    async def timeline_render(
        self, timeline_id: str, request: gr.Request, preset: str = "web", size: str = "", captions: str = "none"
    ) -> dict:
        """Owner only. Make a film of a timeline and wait for it.

        Args:
            timeline_id: as `timeline_list` gives it.
            preset: id of an export preset, for example web, vertical, square, intermediate, gif, sound or stills.
            size: WIDTHxHEIGHT in place of the preset's.
            captions: none, burn (into the picture) or files (beside the film).

        Returns:
            name and url of the film, and what was measured in it: frames, frame_rate, seconds, loudness.
        """
        given = {"id": timeline_id, "preset": preset, "size": size or None, "captions": captions}
        await self._asked("export", given, request)
        while not await asyncio.to_thread(self.desk.exports.wait, POLL_SECONDS):
            pass
        state = await self._asked("export_state", {}, request)
        if state["done"] is None:
            raise gr.Error(state["error"] or "The export was cancelled.", print_exception=False)
        return state["done"]

    async def timeline_cancel(self, request: gr.Request) -> dict:
        """Owner only. Stop the film that is being made.

        Returns:
            Where the export stands.
        """
        return await self._asked("export_cancel", {}, request)

    async def _asked(self, act: str, given: dict[str, Any], request: gr.Request) -> Any:
        caller: Caller = await caller_of(self.access, None, request)
        call: Callable[..., Any] = self.desk.acts[act]
        try:
            return await asyncio.to_thread(call, given, caller)
        except StudioError as error:
            raise gr.Error(self.desk.without_folder(error.message), print_exception=False) from error
