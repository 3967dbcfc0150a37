"""Checkpoints by name: which ones are published, where they lie on this machine, and how to get them."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

from mova_studio.errors import CheckpointError
from mova_studio.network.hub_download import WANTED, DownloadProgress, download, is_hub_id
from mova_studio.settings import PROJECT

__all__ = [
    "PUBLISHED",
    "DownloadProgress",
    "PublishedCheckpoint",
    "download",
    "is_hub_id",
    "missing_files",
    "model_folder",
    "resolve",
    "size_in_words",
]


@dataclass(frozen=True)
class PublishedCheckpoint:
    """A checkpoint that its authors publish on the hub.

    The sizes are computed from the published widths and depths, tensor by tensor, and not read from the hub;
    tests/unit/test_hub.py computes them again.

    Attributes:
        hub_id: "owner/name".
        parameters: of all components together; the tied text embedding counts once.
        bytes: of the weights in bfloat16.
    """

    hub_id: str
    parameters: int
    bytes: int


# Two video experts of 14,288,901,184; text encoder 5,680,910,336; bridge 2,659,737,600; audio tower 1,419,193,472;
# audio VAE 371,589,058; video VAE 126,892,531. The two differ in what they were trained on, not in shape.
_PARAMETERS = 38_836_125_365

PUBLISHED: dict[str, PublishedCheckpoint] = {
    hub_id: PublishedCheckpoint(hub_id, parameters=_PARAMETERS, bytes=2 * _PARAMETERS)
    for hub_id in ("OpenMOSS-Team/MOVA-360p", "OpenMOSS-Team/MOVA-720p")
}


def model_folder() -> Path:
    """The studio's own folder of checkpoints, OWNER/NAME inside: $MOVA_MODELS, or models/ beside app.py."""
    return Path(os.environ.get("MOVA_MODELS") or PROJECT / "models").expanduser()


def size_in_words(hub_id: str) -> str:
    """ "about 78 GB" for a published checkpoint, "of unknown size" for any other."""
    published = PUBLISHED.get(hub_id)
    return f"about {published.bytes / 1e9:.0f} GB" if published else "of unknown size"


def resolve(model: str) -> Path:
    """The folder of a checkpoint on this machine; the network is never touched.

    Args:
        model: a checkpoint folder, or a hub id ("owner/name") that was downloaded into the hub's cache or
            into `model_folder`. A folder of that name comes first, and is not looked into.

    Raises:
        CheckpointError: it is neither, or it is not here, or only a part of it is; the message has its size
            and the command that fetches it.
    """
    folder = Path(model)
    with suppress(RuntimeError):  # "~name" of nobody on this machine
        folder = folder.expanduser()
    if model and folder.is_dir():
        return folder
    if not is_hub_id(model):
        raise CheckpointError(
            f"{model!r} is neither a folder on this machine nor a hub id. Give the folder that holds "
            "model_index.json, or an id in the form owner/name, such as OpenMOSS-Team/MOVA-360p."
        )
    lacking: list[str] = []
    for candidate in (_in_hub_cache(model), model_folder() / model):
        if candidate is not None and candidate.is_dir():
            lacking = missing_files(candidate)
            if not lacking:
                return candidate
    command = f"python -m mova_studio model download {model}"
    if lacking:
        raise CheckpointError(
            f"{model} ({size_in_words(model)}) is only partly on this machine: {len(lacking)} files are missing, "
            f"first {lacking[0]}. To fetch the rest: {command}"
        )
    raise CheckpointError(
        f"{model} is not on this machine; it is {size_in_words(model)}. To fetch it: {command}. "
        "Or give the path of a checkpoint folder."
    )


def missing_files(folder: Path) -> list[str]:
    """What a checkpoint folder lacks, as paths inside it; weights are looked for, not opened.

    Every component that model_index.json names must have its settings, and its weights either in one
    safetensors file or in all the shards that an index names.
    """
    index = _read_object(folder / "model_index.json")
    if index is None:
        return ["model_index.json"]
    missing = []
    for name, value in index.items():
        if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
            missing += [f"{name}/{file}" for file in _missing_of_component(folder / name, value[1])]
    return missing


def _missing_of_component(folder: Path, class_name: str) -> list[str]:
    if "Scheduler" in class_name:
        return _absent(folder, ["scheduler_config.json"])
    if "Tokenizer" in class_name:
        found = any((folder / file).is_file() for file in ("tokenizer.json", "spiece.model", "tokenizer.model"))
        return _absent(folder, ["tokenizer_config.json"]) + ([] if found else ["tokenizer.json"])
    missing = _absent(folder, ["config.json"])
    files = _listed(folder)
    indices = [file for file in files if file.name.endswith(".safetensors.index.json")]
    if not indices:
        # A shard by itself is no component: its index has not come yet.
        whole = [file for file in files if file.suffix == ".safetensors" and not re.search(r"-\d+-of-\d+$", file.stem)]
        stem = "model" if class_name.endswith("EncoderModel") else "diffusion_pytorch_model"
        return missing + ([] if whole else [f"{stem}.safetensors"])
    for index in indices:
        weight_map = (_read_object(index) or {}).get("weight_map")
        if not isinstance(weight_map, dict):
            missing.append(index.name)
        elif not (folder / index.name.removesuffix(".index.json")).is_file():
            missing += _absent(folder, sorted({str(shard) for shard in weight_map.values()}))
    return missing


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _absent(folder: Path, files: list[str]) -> list[str]:
    return [file for file in files if not (folder / file).is_file()]


def _read_object(path: Path) -> dict | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _in_hub_cache(hub_id: str) -> Path | None:
    try:
        found = snapshot_download(
            hub_id, cache_dir=constants.HF_HUB_CACHE, local_files_only=True, allow_patterns=list(WANTED)
        )
        return Path(found)
    except IncompleteSnapshotError as error:
        # Files that the studio has no use for may be the missing ones; `missing_files` decides.
        return Path(error.snapshot_path)
    except LocalEntryNotFoundError:
        return None
