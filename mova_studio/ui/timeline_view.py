"""The Timeline view: one component that holds the editor, and the functions that its script asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from mova_studio.errors import AccessDenied, StudioError
from mova_studio.ui.access import Access
from mova_studio.ui.caller import Caller, caller_of
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.timeline_html import skeleton
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, html_box

log = logging.getLogger(__name__)
_ATTACH_JS = "window.movaTimeline.attach(element, server, trigger, watch, upload);"
# Whoever comes back sees what was sent here from other views meanwhile.
_SHOWN_JS = "() => { window.movaTimeline.editor?.store.open(''); }"
Answer = dict[str, Any]
# What guests may ask: nothing of it changes a file, or lets the machine work for long.
OPEN_TO_ALL = frozenset(("open", "list", "takes", "others", "strips", "proxy", "export_state"))


class TimelineView:
    """Draws the view. Its functions answer with an object, also where something went wrong."""

    def __init__(self, desk: TimelineDesk, access: Access) -> None:
        self.desk, self.access = desk, access
        self._page: gr.State | None = None

    def draw(self) -> None:
        """Draw the view."""
        self.stage = html_box(
            skeleton("en"),
            elem_id="timeline-stage",
            js_on_load=_ATTACH_JS,
            server_functions=[self.served(name) for name in self.desk.acts],
        )

    def wire(self, page: gr.State, tab: gr.Tab) -> None:
        """Connect it with its tab, and with the session's `PageState`, of which it reads the language."""
        self._page = page
        tab.select(None, None, None, js=_SHOWN_JS, **QUIET)

    def worded(self, language: str) -> dict[Any, Any]:
        """The editor in a language; its script attaches itself anew."""
        return {self.stage: gr.update(value=skeleton(language))}

    def served(self, name: str) -> Callable[..., Awaitable[Answer]]:
        """A function of the page by its name without "timeline_"."""

        async def function(given: Any, request: gr.Request) -> Answer:
            caller = await caller_of(self.access, self._page, request)
            return await self.answer(name, given, caller)

        function.__name__ = f"timeline_{name}"
        return function

    async def answer(self, name: str, given: Any, caller: Caller) -> Answer:
        """What a function answers."""
        try:
            if not caller.owner and name not in OPEN_TO_ALL:
                raise AccessDenied("Only the owner of this studio may do that; guests make and download takes.")
            values = given if isinstance(given, dict) else {}
            return await asyncio.to_thread(self.desk.acts[name], values, caller)
        except StudioError as error:
            message = self.desk.without_folder(error.message)
            return {"error": {"message": translate(caller.language, message), "field": error.field or ""}}
        except Exception:
            log.exception("timeline_%s failed", name)
            words = f"timeline_{name} failed for a reason that is in the log of the studio; nothing was changed."
            return {"error": {"message": words, "field": ""}}
