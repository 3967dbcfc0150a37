"""A prompt rewritten and a first frame made for one page: who may ask for what, and the answer as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import gradio as gr

from mova_studio.errors import AccessDenied, Cancelled, InputError
from mova_studio.jobs.beside import Beside, HasEnd
from mova_studio.jobs.enhancing import COMPOSER, Progress, Wanted
from mova_studio.jobs.frame_making import FrameMaking, FrameProgress, FrameWanted
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import check_prompt
from mova_studio.prompting.first_frame import picture_request
from mova_studio.prompting.model import FrameDescription
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.prompt_backend import Choice
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.reading import read_number, uploaded
from mova_studio.ui.sizes import settle_side

# The composer is done at once, and a server is worth a second look later.
LOOK_SECONDS = (0.02, 0.02, 0.05)
_P = TypeVar("_P", bound=HasEnd)


class Rewriter:
    """Begins rewritings and follows them. Guests have the composer alone, and this is where that is so."""

    def __init__(self, studio: Studio, access: Access) -> None:
        self.studio, self.access = studio, access

    def wanted(
        self,
        request: gr.Request | None,
        prompt: str,
        picture: Any,
        frame: FrameDescription | None,
        choice: Choice,
        language: str = "en",
    ) -> Wanted:
        """What is asked for. Reads the picture: call it in a thread.

        Args:
            picture: of the page, as Gradio's file dict; None where there is none.

        Raises:
            AccessDenied: a guest asks for more than the composer.
            InputError: the prompt is empty or far too long, or the picture is no upload.
        """
        if choice.backend != COMPOSER and not self.access.is_owner(request):
            raise AccessDenied("Only the owner of this studio may use servers and models; guests have the composer.")
        check_prompt(prompt)
        path = None if choice.backend == COMPOSER else uploaded(picture, "first_frame", language)
        return Wanted(
            prompt=prompt,
            png=None if path is None else path.read_bytes(),
            frame=frame,
            backend=choice.backend,
            server_url=choice.server_url,
            server_model=choice.server_model,
            checkpoint=self.studio.model,
        )

    def frame_wanted(
        self,
        request: gr.Request | None,
        sheet: Sheet,
        sides: tuple[Any, Any],
        choice: Choice,
        model: str,
        language: str = "en",
    ) -> FrameWanted:
        """The first frame that is asked for.

        Args:
            sides: width and height of the shot, as they stand in the form.
            model: the server's for pictures; "" takes its own.

        Raises:
            AccessDenied: a guest asks.
            InputError: there is nothing to make it of, or a side is no number.
        """
        if not self.access.is_owner(request):
            raise AccessDenied("Only the owner of this studio may use servers and models; guests have the composer.")
        labels = ("width.label", "height.label")
        numbers = (read_number(side, "size", label, language) for side, label in zip(sides, labels, strict=True))
        width, height = (settle_side(number).used for number in numbers)
        description = picture_request(sheet.frame, sheet.original)
        return FrameWanted(description, width, height, choice.backend, choice.server_url, model.strip())

    def follow(self, lab: LabState, wanted: Wanted, language: str = "en") -> AsyncGenerator[Progress, None]:
        """Rewrite, and tell each change; the last one has `enhanced`. See `_followed`."""
        return self._followed(lab, lambda: self.studio.enhance(wanted), language)

    def make_frame(
        self, lab: LabState, wanted: FrameWanted, language: str = "en"
    ) -> AsyncGenerator[FrameProgress, None]:
        """Have a first frame made, and tell of it every second; the last one has `made`. See `_followed`."""
        return self._followed(lab, lambda: FrameMaking(wanted), language, every=1.0)

    async def _followed(
        self, lab: LabState, begin: Callable[[], Beside[_P]], language: str, every: float | None = None
    ) -> AsyncGenerator[_P, None]:
        """Begin something, and tell each change of its progress, the last one included.

        One page has one thing under way at a time; set `lab.stopped` back before, if it ended an earlier one. Close
        the iterator to cancel: use `contextlib.aclosing`.

        Args:
            every: seconds after which the same is told again.

        Raises:
            InputError: something is under way.
            StudioError: it failed, or was cancelled.
        """
        if lab.running is not None:
            raise InputError(say(language, "enhance.busy"), field="prompt")
        running = begin()
        lab.running = running
        told: _P | None = None
        looks, since = 0, 0.0
        try:
            while True:
                progress, now = running.progress, time.monotonic()
                if lab.stopped:
                    raise Cancelled  # at once: its thread may take a moment longer
                if progress.error is not None:
                    raise progress.error
                if progress is not told or (every is not None and now - since >= every):
                    told, since = progress, now
                    yield progress
                if progress.ended:
                    return
                await asyncio.sleep(LOOK_SECONDS[min(looks, len(LOOK_SECONDS) - 1)])
                looks += 1
        finally:
            running.cancel()
            lab.running = None
