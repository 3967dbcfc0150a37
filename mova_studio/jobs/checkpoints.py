"""The checkpoints of this machine, as the owner keeps them: listed, checked, downloaded and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mova_studio.errors import InputError
from mova_studio.jobs.background import Background
from mova_studio.jobs.studio import Studio
from mova_studio.network.hub import is_hub_id, model_folder
from mova_studio.network.installed import DEMO, Installed, State, in_folder, installed


class Checkpoints:
    """What the Models view and the API do. Listing looks at the disk: call it in a thread.

    Attributes:
        download, check: the command of each kind that runs or ran last, with `about["model"]`.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.download = Background("A download is running already; stop it or let it finish.")
        self.check = Background("A check is running already; stop it or let it finish.")

    def entries(self) -> list[Installed]:
        """Every checkpoint of this machine; the one in use is among them even if it has gone."""
        found = installed(self.studio.folders.read())
        if self.in_use(found) is not None:
            return found
        model, folder = self.studio.model, self._folder_in_use()
        if is_hub_id(model) and not folder.is_dir():
            return [*found, Installed(model, folder, State.GONE, hub_id=model)]
        return [*found, in_folder(folder)]

    def in_use(self, entries: Sequence[Installed]) -> Installed | None:
        """Which of the list the next take is made with."""
        for checkpoint in entries:
            if checkpoint.model == self.studio.model:
                return checkpoint
        folder = self._folder_in_use()
        return next((checkpoint for checkpoint in entries if checkpoint.folder == folder), None)

    def _folder_in_use(self) -> Path:
        model = self.studio.model
        folder = Path(model).expanduser()
        return model_folder() / model if is_hub_id(model) and not folder.is_dir() else folder.absolute()

    def entry(self, model: str) -> Installed:
        """The checkpoint of that name in the list.

        Raises:
            InputError: it is not there.
        """
        for checkpoint in self.entries():
            if checkpoint.model == model:
                return checkpoint
        raise InputError(f"{model[:200]!r} is not in the list of checkpoints any more.", field="model")

    def start_check(self, model: str) -> None:
        """Read every byte of a checkpoint in the background.

        Raises:
            InputError: another check is running, or `model` is not in the list.
        """
        folder = DEMO if model == DEMO else str(self.entry(model).folder)
        arguments = ["model", "check", "--json", "--events", "--thorough", "--", folder]
        self.check.start(arguments, {"model": model})

    def start_download(self, hub_id: str, to: str = "", again: Sequence[str] = ()) -> None:
        """Download a checkpoint, or the rest of it, in the background.

        Args:
            to: a folder; "" for the hub's cache.
            again: damaged files to fetch anew.

        Raises:
            InputError: not a hub id, not a whole path, or a download is running.
        """
        if not is_hub_id(hub_id):
            raise InputError(
                f"{hub_id[:80]!r} is not a hub id; write it as owner/name, for example OpenMOSS-Team/MOVA-360p.",
                field="download",
            )
        arguments = ["model", "download", "--json", "--events"]
        if to:
            folder = Path(to).expanduser()
            if not folder.is_absolute():
                raise InputError(f"{to[:200]!r} is not a whole path; begin it with / or a drive.", field="to")
            to = str(folder)
            arguments.append(f"--to={to}")
        arguments += [f"--again={name}" for name in again]
        self.download.start([*arguments, "--", hub_id], {"model": hub_id, "to": to})

    def resume(self, model: str) -> None:
        """Fetch what is missing of a checkpoint that came from the hub, into where it lies.

        Raises:
            InputError: it did not come from the hub, or a download is running.
        """
        checkpoint = self._fetchable(model)
        self.start_download(checkpoint.hub_id, str(checkpoint.to or ""))

    def mend(self, model: str) -> None:
        """Fetch the files that the latest check found damaged, and what is missing.

        Raises:
            InputError: it did not come from the hub, or a download is running.
        """
        checkpoint = self._fetchable(model)
        command = self.check.command
        files = command.answer.get("files", []) if command and command.about["model"] == model else []
        bad = [fault["file"] for fault in files if fault["kind"] != "missing" and fault["fetchable"]]
        self.start_download(checkpoint.hub_id, str(checkpoint.to or ""), bad)
        self.check.forget()

    def _fetchable(self, model: str) -> Installed:
        checkpoint = self.entry(model)
        if not checkpoint.hub_id:
            raise InputError(f"{model[:200]!r} did not come from the hub; copy its files here again.", field="model")
        return checkpoint

    def forget(self, model: str) -> None:
        """Take a remembered folder off the list; its files stay.

        Raises:
            InputError: it is in use, or not a remembered folder.
        """
        used = self.in_use(self.entries())
        if used is not None and used.model == model:
            raise InputError(f"{model[:200]!r} is in use; use another checkpoint first.", field="model")
        if not self.studio.folders.forget(model):
            raise InputError(f"{model[:200]!r} is not in the list of checkpoints any more.", field="model")
