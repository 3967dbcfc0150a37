"""From what a person calls a model to the folder that holds it."""

from __future__ import annotations

from pathlib import Path

from mova_studio.errors import CheckpointError
from mova_studio.network.hub import resolve
from mova_studio.network.installed import DEMO


def locate(model: str) -> Path:
    """The checkpoint folder of "demo", of a folder or of a hub id; nothing is downloaded.

    Raises:
        CheckpointError: it is not on this machine; for a hub id the message has the download command.
    """
    if not model.strip():
        raise CheckpointError('No checkpoint is named; give "demo", a folder or a hub id.', field="model")
    if model == DEMO:
        from mova_studio.network.demo import demo_checkpoint

        return demo_checkpoint()
    return resolve(model)
