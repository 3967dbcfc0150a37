"""Reading a component's safetensors: headers first, so that every fault is named before a byte of weights
is read; then one tensor at a time, memory-mapped, so that loading never holds two copies."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mova_studio.atomic import replacing
from mova_studio.errors import CheckpointError
from mova_studio.network.layout import Component

SAFETENSORS_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I8": torch.int8,
    "U8": torch.uint8,
}


@dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies: its file, its name there, its shape and dtype."""

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def nbytes(self) -> int:
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def weight_files(folder: Path, stem: str) -> list[Path]:
    """The safetensors files of a component: the single one, or all shards that the index names.

    Raises:
        CheckpointError: there is neither, or a shard is missing, or the index is damaged.
    """
    single, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        pickled = [path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern)]
        hint = f" {pickled[0]} is there, but pickled weights are never loaded." if pickled else ""
        raise CheckpointError(
            f"{folder} has no {single.name} and no {index.name}.{hint} Download the checkpoint again."
        )
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index} is damaged ({error}); download it again.") from error
    bad = [name for name in names if not isinstance(name, str) or Path(name).name != name]
    if bad:
        raise CheckpointError(f"{index} names the shard {bad[0]!r}, which is not a plain file name.")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{index} names {len(names)} shards and {len(missing)} are missing, first {folder / missing[0]}. "
            "Resume the download."
        )
    return [folder / name for name in names]


def read_entries(folder: Path, stem: str) -> dict[str, TensorEntry]:
    """Names, shapes and dtypes of all tensors of a component, from the files' headers alone.

    Raises:
        CheckpointError: a file is truncated or not a safetensors file, or two files hold one name.
    """
    entries: dict[str, TensorEntry] = {}
    for file in weight_files(folder, stem):
        try:
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118 (not a dict)
                    part = opened.get_slice(name)
                    dtype = SAFETENSORS_DTYPES.get(part.get_dtype())
                    if dtype is None:
                        raise CheckpointError(f"{file}: {name} is stored as {part.get_dtype()}, which cannot be read.")
                    if name in entries:
                        raise CheckpointError(f"{file} and {entries[name].file} both hold {name}; keep one of them.")
                    entries[name] = TensorEntry(file, name, tuple(part.get_shape()), dtype)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{file} ({file.stat().st_size:,} bytes) is truncated or not a safetensors file: {error}. "
                "Download it again."
            ) from error
    return entries


def match_entries(module: nn.Module, component: Component, folder: Path) -> dict[str, TensorEntry]:
    """The stored tensor for every parameter of `module`, by the module's own names.

    Raises:
        CheckpointError: a tensor is missing, unexpected or of another shape; all are counted, and the
            first of each kind is named with its file, expected and found shape.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict(keep_vars=True).items()}
    expected.pop("encoder.embed_tokens.weight", None)
    found = {component.to_module(entry.name): entry for entry in read_entries(folder, component.weights).values()}
    faults = []
    wrong = [name for name in expected if name in found and found[name].shape != expected[name]]
    if wrong:
        entry = found[wrong[0]]
        faults.append(
            f"{len(wrong)} of another shape, first {entry.name} in {entry.file}: "
            f"expected {list(expected[wrong[0]])}, found {list(entry.shape)}"
        )
    missing = [name for name in expected if name not in found]
    if missing:
        faults.append(
            f"{len(missing)} missing, first {component.to_disk(missing[0])}: "
            f"expected {list(expected[missing[0]])} in {folder}, found none"
        )
    unexpected = [name for name in found if name not in expected]
    if unexpected:
        entry = found[unexpected[0]]
        faults.append(
            f"{len(unexpected)} not of this model, first {entry.name} in {entry.file}: "
            f"expected none, found {list(entry.shape)}"
        )
    if faults:
        raise CheckpointError(
            f"{folder} does not fit its config.json: tensors {'; '.join(faults)}. "
            "The checkpoint is mixed, damaged or of another model."
        )
    return found


def read_tensors(
    component: Component, entries: dict[str, TensorEntry], dtype: torch.dtype | None
) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of `entries` one after the other; those of the right dtype stay memory-mapped.

    Args:
        dtype: to convert floating tensors to, save those that `component` wants in float32; None keeps the
            stored one.
    """
    by_file: dict[Path, list[str]] = {}
    for name, entry in entries.items():
        by_file.setdefault(entry.file, []).append(name)
    for file, names in by_file.items():
        with safe_open(file, framework="pt") as opened:
            for name in names:
                tensor = opened.get_tensor(entries[name].name)
                if dtype is not None and tensor.is_floating_point():
                    tensor = tensor.to(torch.float32 if component.in_float32(name) else dtype)
                yield name, tensor


def load_entries(
    module: nn.Module, component: Component, entries: dict[str, TensorEntry], dtype: torch.dtype | None
) -> None:
    """Fill `module` (on the meta device) from `entries`, see `read_tensors`."""
    for name, tensor in read_tensors(component, entries, dtype):
        module.load_state_dict({name: tensor}, strict=False, assign=True)


def save_tensors(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a safetensors file, beside `path` and renamed in.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    with replacing(path) as beside:
        try:
            save_file(tensors, beside, metadata=metadata)
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
