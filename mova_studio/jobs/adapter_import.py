"""Importing an adapter from the page's process, which reads no weights itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.adapters import shelf
from mova_studio.network.adapter_shelf import InstalledAdapter
from mova_studio.settings import PROJECT

TIMEOUT_SECONDS = 900


def import_adapter(path: Path, name: str, experts: str) -> InstalledAdapter:
    """Run `model adapters import` in a process of its own.

    Args:
        path, name, experts: as of `AdapterShelf.add`.

    Raises:
        InputError: it cannot be read, or the name cannot be had.
        OutputError: the folder cannot be written.
    """
    command = [sys.executable, "-m", "mova_studio", "model", "adapters", "import", "--json"]
    command += [f"--name={name}", f"--experts={experts}", "--", str(path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", timeout=TIMEOUT_SECONDS)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise InputError(
            f"{path.name} could not be imported (exit code {done.returncode}).", field="adapters"
        ) from error
    if "error" in answer:
        kind = OutputError if answer["error"]["kind"] == "OutputError" else InputError
        raise kind(answer["error"]["message"], field="adapters")
    return shelf().named(answer["adapter"]["name"])
