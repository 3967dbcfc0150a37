"""A trained demo checkpoint as it ships: small enough to lie beside the code."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import torch

from mova_studio.atomic import output_error
from mova_studio.network.checkpoint import Checkpoint, save_checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.training.demo_examples import write_examples


def publish(trained: Path, target: Path) -> None:
    """Write the checkpoint in `trained` to `target`: float16 throughout, no longer called untrained, with examples.

    Raises:
        CheckpointError: `trained` holds none, or a damaged one.
        OutputError: `target` cannot be written.
    """
    checkpoint = Checkpoint(trained)
    components = {name: checkpoint.load(name, torch.float32).half() for name in COMPONENTS}
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        save_checkpoint(
            beside, components, checkpoint.tokenizer(), checkpoint.config("scheduler"), checkpoint.boundary_ratio
        )
        write_examples(beside / "examples")
        shutil.rmtree(target, ignore_errors=True)
        beside.rename(target)
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
