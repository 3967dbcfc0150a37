"""A function for programs, see `api.py`: rewriting a prompt. Guests have the composer, the owner every backend."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from contextlib import aclosing

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.prompting.model import FrameDescription
from mova_studio.ui.prompt_backend import Choice
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState


class PromptApi:
    """The named endpoint."""

    def __init__(self, rewriter: Rewriter) -> None:
        self.rewriter = rewriter

    def register(self) -> None:
        """Add the endpoint to the Blocks under construction."""
        gr.api(self.enhance, api_name="enhance")

    async def enhance(
        self,
        request: gr.Request,
        prompt: str,
        first_frame: gr.FileData | None = None,
        backend: str = "composer",
        server_url: str | None = None,
        server_model: str = "",
        frame: dict | None = None,
    ) -> dict:
        """Rewrite a prompt for MOVA. Dialogue stays letter by letter, and the original comes back with the rewrite.

        A client that goes away cancels it.

        Args:
            prompt: the scene, its dialogue and its sounds, in the person's words.
            first_frame: a picture, as an uploaded file, for backends that see.
            backend: "composer"; the owner may also say "server:NAME" or "local:FOLDER_OR_HUB_ID".
            server_url, server_model: where the server is and its model, unless its preset says the right thing.
            frame: what the first frame shows (style, camera, elements, text); it is not described then.

        Returns:
            original; frame, or null; rewritten; checks, a list of rule, message, words and warning; backend; attempts.
        """
        try:
            known = None if frame is None else FrameDescription.from_dict(frame)
            choice = Choice(backend, server_url, server_model)
            wanted = await asyncio.to_thread(self.rewriter.wanted, request, prompt, first_frame, known, choice)
            async with aclosing(self.rewriter.follow(LabState(), wanted)) as steps:
                last = [progress async for progress in steps][-1]
        except (StudioError, TypeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        assert last.enhanced is not None
        return last.enhanced.to_dict()
