"""Checking a checkpoint from the page's process, which never opens one itself."""

from __future__ import annotations

import json
import subprocess
import sys

from mova_studio.errors import CheckpointError
from mova_studio.settings import PROJECT

TIMEOUT_SECONDS = 120


def check_model(model: str) -> None:
    """Run `model check` in a process of its own.

    Raises:
        CheckpointError: the checkpoint is absent or faulty; its first fault is the message.
    """
    command = [sys.executable, "-m", "mova_studio", "model", "check", "--json", "--", model]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", timeout=TIMEOUT_SECONDS)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise CheckpointError(
            f"{model!r} could not be checked (exit code {done.returncode}).", field="model"
        ) from error
    if "error" in answer:
        raise CheckpointError(answer["error"]["message"], field="model")
    if answer["faults"]:
        raise CheckpointError(answer["faults"][0], field="model")
