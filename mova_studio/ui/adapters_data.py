"""Installed adapters as the page and programs see them: whether each fits the checkpoint in use, and imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.adapter_import import import_adapter
from mova_studio.jobs.adapters import folder_of, shelf
from mova_studio.jobs.studio import Studio
from mova_studio.network.adapter_shelf import InstalledAdapter
from mova_studio.ui.catalogue import say
from mova_studio.ui.reading import uploaded


class InstalledAdapters:
    """The shelf beside the checkpoint of a studio. Reads the disk: call it in a thread."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def entries(self) -> list[tuple[InstalledAdapter, str]]:
        """Each with why it cannot be used with the checkpoint in use, else ""."""
        found, folder = shelf().entries(), folder_of(self.studio.model)
        return [(entry, "" if folder is None else entry.misfit(folder)) for entry in found]

    def take_in(self, file: Any, language: str, name: str, experts: str) -> tuple[InstalledAdapter, str]:
        """Install an uploaded file.

        Raises:
            InputError: it is no adapter, or the name cannot be had.
            OutputError: the disk refuses.
        """
        path = uploaded(file, "adapters", language)
        if path is None:
            raise InputError(say(language, "adapters.none_chosen"), field="adapters")
        return self.take_in_path(path, name, experts)

    def take_in_path(self, path: Path, name: str, experts: str) -> tuple[InstalledAdapter, str]:
        """Install a file of this machine, or what lies in a folder; as `take_in`."""
        entry = import_adapter(path, name, experts)
        return next((known, fault) for known, fault in self.entries() if known.digest == entry.digest)

    def remove(self, name: str) -> InstalledAdapter:
        """Delete one.

        Raises:
            InputError: there is none of that name.
            OutputError: the disk refuses.
        """
        return shelf().remove(name)


def told(entry: InstalledAdapter, misfit: str) -> dict[str, Any]:
    """An entry for a program, without the folders of this machine."""
    values = entry.to_dict()
    del values["path"]
    return values | {"misfit": misfit}
