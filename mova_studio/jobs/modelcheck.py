"""Checking a checkpoint from the page's process, which never opens one itself."""

from __future__ import annotations

from mova_studio.errors import CheckpointError
from mova_studio.jobs.own_command import answer_of

TIMEOUT_SECONDS = 120


def check_model(model: str) -> None:
    """Run `model check` in a process of its own.

    Raises:
        CheckpointError: the checkpoint is absent or faulty; its first fault is the message.
    """
    arguments = ("model", "check", "--json", "--", model)
    answer = answer_of(arguments, TIMEOUT_SECONDS, f"{model!r} could not be checked")
    if "error" in answer:
        raise CheckpointError(answer["error"]["message"], field="model")
    if answer["faults"]:
        raise CheckpointError(answer["faults"][0], field="model")
