"""A prompt rewritten for one page: who may ask for what, and the answer as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from mova_studio.errors import AccessDenied, Cancelled, InputError
from mova_studio.jobs.enhancing import COMPOSER, Progress, Wanted
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import check_prompt
from mova_studio.prompting.model import FrameDescription
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.prompt_backend import Choice
from mova_studio.ui.prompt_state import LabState
from mova_studio.ui.reading import uploaded

# The composer is done at once, and a server is worth a second look later.
LOOK_SECONDS = (0.02, 0.02, 0.05)


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

    async def follow(self, lab: LabState, wanted: Wanted, language: str = "en") -> AsyncGenerator[Progress, None]:
        """Rewrite, and tell each change; the last one has `enhanced`.

        One page has one rewriting at a time; set `lab.stopped` back before, if it ended an earlier one. Close the
        iterator to cancel: use `contextlib.aclosing`.

        Raises:
            InputError: one is under way.
            StudioError: it failed, or was cancelled.
        """
        if lab.running is not None:
            raise InputError(say(language, "enhance.busy"), field="prompt")
        running = lab.running = self.studio.enhance(wanted)
        told: Progress | None = None
        looks = 0
        try:
            while True:
                progress = running.progress
                if lab.stopped:
                    raise Cancelled  # at once: its thread may take a moment longer
                if progress.error is not None:
                    raise progress.error
                if progress is not told:
                    told = progress
                    yield progress
                if progress.ended:
                    return
                await asyncio.sleep(LOOK_SECONDS[min(looks, len(LOOK_SECONDS) - 1)])
                looks += 1
        finally:
            running.cancel()
            lab.running = None
