"""What a run gives: a checkpoint in the published layout, or an adapter's file."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.distributed.tensor import DTensor

from mova_studio.atomic import output_error
from mova_studio.network.checkpoint import Checkpoint, save_component
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import match_entries
from mova_studio.training.joint_network import LEARNING
from mova_studio.training.lora import save_adapter

if TYPE_CHECKING:
    from mova_studio.training.network_trainer import NetworkTrainer

ADAPTER, CHECKPOINT = "adapter.safetensors", "checkpoint"


def write_trained(run: NetworkTrainer) -> None:
    """Write `run`'s adapter.safetensors, or its checkpoint/ whose weights have the dtypes of the one it began with.

    Raises:
        OutputError: the folder is read-only, or the disk is full.
    """
    if run.recipe.mode == "full":
        _write_checkpoint(run)
        return
    whole = {name: _whole(each) for name, each in run.learning.items()}
    if run.rank == 0:
        save_adapter(whole, run.folder / ADAPTER, run.recipe, run.checkpoint.identity(), run.step)


def _write_checkpoint(run: NetworkTrainer) -> None:
    beside = run.folder / f".{CHECKPOINT}.{secrets.token_hex(4)}"
    learnt = {name.partition(".")[0] for name in run.learning}
    try:
        if run.rank == 0:
            beside.mkdir(parents=True)
        for name in LEARNING:
            if name in learnt:
                tensors = {path: _whole(each) for path, each in run.network.get_submodule(name).state_dict().items()}
                if run.rank == 0:
                    _write_component(run.checkpoint, name, tensors, beside / name)
        if run.rank == 0:
            _copy_rest(run.checkpoint.folder, beside, learnt)
            shutil.rmtree(run.folder / CHECKPOINT, ignore_errors=True)
            beside.rename(run.folder / CHECKPOINT)
    except OSError as error:
        raise output_error(run.folder / CHECKPOINT, error) from error
    finally:
        if run.rank == 0:
            shutil.rmtree(beside, ignore_errors=True)


def _write_component(checkpoint: Checkpoint, name: str, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    module = checkpoint.empty(name)
    stored = match_entries(module, COMPONENTS[name], checkpoint.folder / name)
    module.load_state_dict({path: each.to(stored[path].dtype) for path, each in tensors.items()}, assign=True)
    save_component(module, name, folder)


def _copy_rest(source: Path, target: Path, written: set[str]) -> None:
    """Everything that did not learn; model_index.json comes last, so that half a checkpoint is never taken for one."""
    for folder in sorted(path for path in source.iterdir() if path.is_dir() and path.name not in written):
        shutil.copytree(folder, target / folder.name)
    shutil.copy2(source / "model_index.json", target / "model_index.json")


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """The whole of a tensor that is spread over processes, on the CPU."""
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().cpu()
