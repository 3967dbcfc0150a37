"""The tensors and settings of an adapter as they lie in files, before anybody asks what they mean."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from mova_studio.errors import InputError

_WEIGHTS = (
    "lora_weights.pt",
    "lora_weights.safetensors",
    "adapter_model.safetensors",
    "pytorch_lora_weights.safetensors",
)
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80")
_MOVA_CONFIG, _PEFT_CONFIG = "lora_config.pt", "adapter_config.json"


@dataclass(frozen=True)
class RawAdapter:
    """An adapter file's content.

    Attributes:
        source: the file's name.
        tensors: by the file's own keys, on the CPU.
        rank, alpha: as the file's settings say; None where they say nothing. An alpha beside a rank that is no
            number says nothing either.
        rank_stabilised: the scale is alpha / sqrt(r) (Kalajdzievski 2023, rsLoRA).
    """

    source: str
    tensors: Mapping[str, torch.Tensor]
    rank: float | None
    alpha: float | None
    rank_stabilised: bool = False


def read_raw(path: Path) -> RawAdapter:
    """The content of an adapter file, or of the one in a folder.

    Raises:
        InputError: there is none, it cannot be read, or it is a pickle of more than tensors and numbers.
    """
    file = _weights_in(path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}).", field="adapters") from error
    pickled = start.startswith(_PICKLE_STARTS) and start[8:] not in (b"{", b"")  # where a safetensors header begins
    tensors, settings = _pickled(file) if pickled else _safetensors(file)
    return _with_settings(file.name, tensors, settings | _settings_beside(file))


def _weights_in(folder: Path) -> Path:
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"{folder} holds {len(found)} safetensors files and none is called {_WEIGHTS[0]}; name the file itself.",
        field="adapters",
    )


def _safetensors(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (not a dict)
            metadata = dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{file.name} ({file.stat().st_size:,} bytes) is truncated or no adapter file ({error}); fetch it again.",
            field="adapters",
        ) from error
    settings: dict[str, Any] = {"rank": metadata.get("rank"), "alpha": metadata.get("alpha")}
    if "lora_adapter_metadata" in metadata:  # diffusers: peft's settings, by component
        settings |= _diffusers_settings(file, metadata["lora_adapter_metadata"])
    return tensors, settings


def _diffusers_settings(file: Path, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
        # Keys are "transformer.r", "transformer.lora_alpha", ...; a file has one component.
        plain = {key.rpartition(".")[2]: value for key, value in values.items()}
    except (ValueError, AttributeError) as error:
        raise InputError(f"{file.name}: its settings cannot be read ({error}).", field="adapters") from error
    return _peft_settings(file, plain)


def _pickled(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    content = _load_pickle(file)
    settings: dict[str, Any] = {}
    if "lora_state_dict" in content:
        settings = {name: content.get(name) for name in ("rank", "alpha")}
        content = content["lora_state_dict"]
    if not isinstance(content, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in content.values()):
        raise InputError(f"{file.name} is no adapter: it holds more than tensors under names.", field="adapters")
    return {str(key): tensor for key, tensor in content.items()}, settings


def _load_pickle(file: Path) -> dict[str, Any]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{file.name} holds more than tensors and numbers, or is damaged. Such a file could run a program when it "
            "is read, and is not; ask for it as safetensors.",
            field="adapters",
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, OSError) as error:
        raise InputError(f"{file.name} is truncated or damaged ({error}); fetch it again.", field="adapters") from error
    if not isinstance(content, dict):
        raise InputError(f"{file.name} holds a {type(content).__name__} and no adapter.", field="adapters")
    return content


def _settings_beside(file: Path) -> dict[str, Any]:
    """Settings that the trainer wrote into a file of their own."""
    mova, peft = file.with_name(_MOVA_CONFIG), file.with_name(_PEFT_CONFIG)
    if file.name == "lora_weights.pt" and mova.is_file():
        content = _load_pickle(mova)
        return {name: content[name] for name in ("rank", "alpha") if name in content}
    if file.name.startswith("adapter_model") and peft.is_file():
        try:
            values = json.loads(peft.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{peft} cannot be read ({error}).", field="adapters") from error
        return _peft_settings(peft, values)
    return {}


def _peft_settings(file: Path, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise InputError(f"{file.name} holds a {type(values).__name__}, not settings.", field="adapters")
    for name in ("alpha_pattern", "use_dora"):
        if values.get(name):
            raise InputError(f"{file.name} uses {name}, which cannot be applied here.", field="adapters")
    return {"rank": values.get("r"), "alpha": values.get("lora_alpha"), "rslora": bool(values.get("use_rslora"))}


def _with_settings(source: str, tensors: dict[str, torch.Tensor], settings: dict[str, Any]) -> RawAdapter:
    rank, alpha = (_number(settings.get(name)) for name in ("rank", "alpha"))
    if settings.get("rank") is not None and rank is None:
        alpha = None
    return RawAdapter(source, tensors, rank, alpha, bool(settings.get("rslora")))


def _number(value: Any) -> float | None:
    """A positive number, also where it is written as text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None
