"""The page's functions for programs that are about checkpoints; all are the owner's and refused to guests."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from mova_studio.errors import Cancelled, StudioError
from mova_studio.jobs.background import Background, Outcome
from mova_studio.jobs.checkpoints import Checkpoints
from mova_studio.library.presets import preset_for
from mova_studio.ui.access import Access
from mova_studio.ui.adapters_data import InstalledAdapters, told
from mova_studio.ui.words import short_model

POLL_SECONDS = 0.25


class ModelsApi:
    """The named endpoints."""

    def __init__(self, checkpoints: Checkpoints, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access
        self.installed = InstalledAdapters(checkpoints.studio)

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        gr.api(self.adapters, api_name="adapters")
        for name in ("models", "use_model", "verify_model", "download_model", "adapter_import", "adapter_remove"):
            gr.api(self.access.owner_only(getattr(self, name)), api_name=name)

    async def adapters(self) -> list[dict]:
        """The installed adapters.

        Returns:
            A list with the name, digest, layers by part of the network, ranks, bytes on disk and source (the file that
            was imported) of each, and misfit: why it cannot be used with the checkpoint in use, else "".
        """
        return await self._answer(lambda: [told(entry, fault) for entry, fault in self.installed.entries()])

    async def adapter_import(
        self, file: gr.FileData, request: gr.Request, name: str = "", experts: str = "both"
    ) -> dict:
        """Owner only. Install an adapter.

        Args:
            file: safetensors or .pt, uploaded.
            name: what to call it; by default as the file is called.
            experts: of an adapter for Wan 2.2, which names none: "both", "high" or "low".

        Returns:
            As one of `adapters`.
        """
        return await self._answer(lambda: told(*self.installed.take_in(dict(file), "en", str(name), str(experts))))

    async def adapter_remove(self, name: str, request: gr.Request) -> dict:
        """Owner only. Delete an installed adapter.

        Args:
            name: as `adapters` gives it.

        Returns:
            The name of what was removed.
        """
        return await self._answer(lambda: {"removed": self.installed.remove(str(name)).name})

    async def _answer(self, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(work)
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error

    async def models(self, request: gr.Request) -> list[dict]:
        """Owner only. The checkpoints on this machine.

        Returns:
            A list with the name, path, state (whole, partial, damaged, gone or unmade), bytes on disk, bytes here
            and in all, missing files and first fault of each, and whether it is in use.
        """
        entries = await asyncio.to_thread(self.checkpoints.entries)
        used = self.checkpoints.in_use(entries)
        return [entry.to_dict() | {"in_use": entry is used} for entry in entries]

    async def use_model(self, model: str, request: gr.Request) -> dict:
        """Owner only. Check a checkpoint and use it from the next take on.

        Args:
            model: "demo", a folder on the server, or the id of a downloaded checkpoint.

        Returns:
            The checkpoint in use and its own settings.
        """
        studio = self.checkpoints.studio
        try:
            await asyncio.to_thread(studio.use_model, str(model))
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error
        return {"model": short_model(studio.model), "settings": preset_for(studio.model).settings()}

    async def verify_model(self, model: str, request: gr.Request) -> dict:
        """Owner only. Read every byte of a checkpoint and wait for what is found.

        Args:
            model: as `models` gives it.

        Returns:
            Whether it is whole ("ok"), every fault in words, the faulty files, and how many checksums were compared.
        """
        return await self._finished(self.checkpoints.check, self.checkpoints.start_check, str(model))

    async def download_model(self, hub_id: str, request: gr.Request, to: str = "") -> dict:
        """Owner only. Download a checkpoint from the hub and wait for it; one that was stopped goes on.

        Args:
            hub_id: owner/name.
            to: a folder on the server, as a whole path; the hub's cache by default.

        Returns:
            The id, and the folder of the checkpoint.
        """
        return await self._finished(self.checkpoints.download, self.checkpoints.start_download, str(hub_id), str(to))

    async def _finished(self, background: Background, start: Callable[..., None], *arguments: str) -> dict:
        try:
            await asyncio.to_thread(start, *arguments)
            while background.running:
                await asyncio.sleep(POLL_SECONDS)
            command = background.command
            if command is None or command.outcome is Outcome.STOPPED:
                raise Cancelled("It was stopped.")
            if command.error is not None:
                raise command.error
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error
        return command.answer
