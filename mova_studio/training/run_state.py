"""A run on disk: everything that its next step depends on, whole or not there.

Beside the run's log lie `states/<step>/rank-<r>.safetensors`, a file from every process with its share of the learning
weights and of the optimiser's moments, and `state.json`, which names the step whose files are whole. It is written
last and renamed in; the states before it are removed after that. So two states need room for a moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.distributed.tensor import DTensor

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError
from mova_studio.network.weights import save_tensors

FORMAT = 1
# Fields of the recipe that may differ between a saved run and the one that goes on with it.
_FREE = ("steps", "save_seconds", "sample_every")


@dataclass(frozen=True)
class RunFacts:
    """What state.json says.

    Attributes:
        step: steps done.
        processes: that saved it, each a file.
        checkpoint: identity of the checkpoint that the run began with.
        recipe: as JSON values.
    """

    step: int
    processes: int
    checkpoint: str
    recipe: dict[str, Any]


def read_facts(folder: Path) -> RunFacts | None:
    """What state.json in `folder` says; None where there is none.

    Raises:
        InputError: the file is damaged or of a newer version.
    """
    path = folder / "state.json"
    try:
        said = json.loads(path.read_text("utf-8"))
        version = said.pop("format")
        if version > FORMAT:
            raise InputError(f"{path} has format {version} and this version reads {FORMAT}; update MOVA Studio.")
        return RunFacts(**said)
    except FileNotFoundError:
        return None
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error}); begin the run anew in another folder.", field="out") from error


def facts_to_resume(folder: Path, now: RunFacts) -> RunFacts:
    """What state.json in `folder` says, if a run of `now`'s recipe, checkpoint and processes may go on with it.

    Raises:
        InputError: there is no saved run, or one that cannot be gone on with.
    """
    facts = read_facts(folder)
    if facts is None:
        raise InputError(f"{folder} holds no saved run; begin one without --resume.", field="out")
    for name in sorted(now.recipe.keys() | facts.recipe.keys()):
        if name not in _FREE and now.recipe.get(name) != facts.recipe.get(name):
            raise InputError(
                f"The run in {folder} was begun with {name} {facts.recipe.get(name)!r}, and the recipe says "
                f"{now.recipe.get(name)!r}; give the recipe it began with ({folder / 'recipe.json'}).",
                field="recipe",
            )
    if facts.checkpoint != now.checkpoint:
        raise InputError(
            f"The run in {folder} was begun with checkpoint {facts.checkpoint}, and this one is {now.checkpoint}; give "
            "the one it began with.",
            field="checkpoint",
        )
    if facts.processes != now.processes:
        raise InputError(
            f"The run in {folder} was saved by {facts.processes} processes and there are {now.processes} now; start "
            "as many as before."
        )
    return facts


def save_state(
    folder: Path,
    facts: RunFacts,
    learning: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    *,
    rank: int = 0,
    together: Callable[[], None] = lambda: None,
) -> None:
    """Write the state of every process.

    Args:
        learning: by name.
        rank: of this process; 0 names the state as whole.
        together: waits for all processes.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full; the state before stays.
    """
    states = folder / "states"
    place = states / f"{facts.step:08d}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(place, error) from error
    try:
        save_tensors(_tensors(learning, optimizer), place / f"rank-{rank}.safetensors", {"step": str(facts.step)})
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    together()
    if rank == 0:
        said = {"format": FORMAT, **facts.__dict__}
        with replacing(folder / "state.json") as beside:
            beside.write_text(json.dumps(said, indent=2) + "\n", "utf-8")
        for other in states.iterdir():
            if other != place:
                shutil.rmtree(other, ignore_errors=True)
    together()


@torch.no_grad()
def restore_state(
    folder: Path,
    facts: RunFacts,
    learning: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    *,
    rank: int = 0,
) -> None:
    """Fill weights and moments from the state that `facts` names.

    Raises:
        InputError: the file is missing or damaged, or holds other weights.
    """
    path = folder / "states" / f"{facts.step:08d}" / f"rank-{rank}.safetensors"
    try:
        tensors = load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read ({error}); begin the run anew in another folder.") from error
    found = {name.removeprefix("weights."): each for name, each in tensors.items() if name.startswith("weights.")}
    if found.keys() != learning.keys() or any(_local(learning[name]).shape != found[name].shape for name in found):
        raise InputError(f"{path} holds other weights than this run's; give the recipe and checkpoint it began with.")
    for name, parameter in learning.items():
        _local(parameter).copy_(found[name])
    for key, tensor in tensors.items():
        kind, moment, name = key.split(".", 2) if key.startswith("optimizer.") else ("", "", "")
        if kind:
            optimizer.state[learning[name]][moment] = _moment(tensor, learning[name])


def _tensors(learning: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, parameter in learning.items():
        tensors[f"weights.{name}"] = _local(parameter)
        for moment, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{moment}.{name}"] = _local(torch.as_tensor(value))
    # Copies, because moments may be views of one tensor, which the format refuses.
    return {name: each.detach().cpu().clone().contiguous() for name, each in tensors.items()}


def _local(tensor: torch.Tensor) -> torch.Tensor:
    """This process's share."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor.data


def _moment(saved: torch.Tensor, parameter: nn.Parameter) -> torch.Tensor | int:
    """As the optimiser had it: bitsandbytes counts steps in a number, PyTorch in a tensor on the CPU."""
    if saved.dtype == torch.int64 and saved.ndim == 0:
        return int(saved)
    if saved.ndim == 0:
        return saved
    if isinstance(parameter, DTensor):
        return DTensor.from_local(saved.to(parameter.device), parameter.device_mesh, parameter.placements)
    return saved.to(parameter.device)
