"""A language or vision model on this machine: where it lies and what it is, read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mova_studio.errors import CheckpointError

CONFIG = "config.json"


@dataclass(frozen=True)
class LocalModel:
    """A model's folder.

    Attributes:
        name: as the person calls it: a folder or a hub id.
        folder: where its files lie.
        sees: it takes pictures besides text.
        quantized: its weights are stored in few bits already, by some method of their makers.
    """

    name: str
    folder: Path
    sees: bool
    quantized: bool


def find_model(name: str) -> LocalModel:
    """The model of a folder or of a hub id in the hub's cache; nothing is downloaded.

    Raises:
        CheckpointError: it is not on this machine, or is no language model that transformers knows.
    """
    folder = _folder(name)
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        kind = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder} has no readable {CONFIG} of a language model; choose a folder that transformers can load.",
            field="backend",
        ) from error
    from transformers.models.auto import modeling_auto as known

    sees = kind in known.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    if not sees and kind not in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise CheckpointError(
            f"{name} is a model of the kind {str(kind)[:40]!r}, which cannot answer; choose an instruct model.",
            field="backend",
        )
    return LocalModel(name, folder, sees, "quantization_config" in config)


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{name[:200]!r} is neither a folder nor a model in the hub's cache on this machine. Give a folder, or "
            "fetch a hub id first: hf download ID",
            field="backend",
        ) from error
