"""Functions for programs, see `api.py`: rewriting a prompt, for guests by the composer alone, and making a frame."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from contextlib import aclosing

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.library.frames import prepare_frame
from mova_studio.library.shot import check_size
from mova_studio.prompting.model import FrameDescription
from mova_studio.ui.prompt_backend import Choice
from mova_studio.ui.prompt_run import Rewriter
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.served import cached_file


class PromptApi:
    """The named endpoints."""

    def __init__(self, rewriter: Rewriter) -> None:
        self.rewriter = rewriter

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        gr.api(self.enhance, api_name="enhance")
        gr.api(self.rewriter.access.owner_only(self.make_frame), api_name="make_frame")

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

    async def make_frame(
        self,
        request: gr.Request,
        prompt: str = "",
        frame: dict | None = None,
        width: int = 640,
        height: int = 352,
        backend: str = "server:openai",
        server_url: str | None = None,
        image_model: str = "",
    ) -> tuple[gr.FileData, dict]:
        """Owner only. Have a server make a first frame. A client that goes away cancels it.

        Args:
            prompt: what it is made of where there is no `frame`; what is spoken in it is left out.
            frame: what it shows: style, camera, elements, text.
            width, height: of the shot, to which the picture is cut.
            backend: "server:NAME".
            server_url, image_model: where the server is and its model, unless its preset says the right thing.

        Returns:
            The picture as a PNG, and backend, model, description, and notes on what was changed to fit it.
        """
        try:
            sheet = Sheet(prompt, **({} if frame is None else FrameDescription.from_dict(frame).to_dict()))
            check_size(width, height)
            choice = Choice(backend, server_url)
            wanted = self.rewriter.frame_wanted(request, sheet, (width, height), choice, image_model)
            async with aclosing(self.rewriter.make_frame(LabState(), wanted)) as looks:
                made = [progress async for progress in looks][-1].made
            assert made is not None
            png, notes = await asyncio.to_thread(prepare_frame, made.png, width, height)
            file = await asyncio.to_thread(cached_file, png, "first_frame.png")
        except (StudioError, TypeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        told = {"backend": made.backend, "model": made.model, "description": made.description, "notes": list(notes)}
        return gr.FileData(path=str(file), orig_name=file.name, mime_type="image/png"), told
