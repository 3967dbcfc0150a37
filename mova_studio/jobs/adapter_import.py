"""Importing an adapter from the page's process, which reads no weights itself."""

from __future__ import annotations

from pathlib import Path

from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.adapters import shelf
from mova_studio.jobs.own_command import answer_of
from mova_studio.network.adapter_shelf import InstalledAdapter

TIMEOUT_SECONDS = 900


def import_adapter(path: Path, name: str, experts: str) -> InstalledAdapter:
    """Run `model adapters import` in a process of its own.

    Args:
        path, name, experts: as of `AdapterShelf.add`.

    Raises:
        InputError: it cannot be read, or the name cannot be had.
        OutputError: the folder cannot be written.
    """
    arguments = ("model", "adapters", "import", "--json", f"--name={name}", f"--experts={experts}", "--", str(path))
    answer = answer_of(arguments, TIMEOUT_SECONDS, f"{path.name} could not be imported")
    if "error" in answer:
        kind = OutputError if answer["error"]["kind"] == "OutputError" else InputError
        raise kind(answer["error"]["message"], field="adapters")
    return shelf().named(answer["adapter"]["name"])
