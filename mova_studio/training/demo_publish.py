"""A trained demo checkpoint as it ships: small enough to lie beside the code."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from mova_studio.atomic import output_error
from mova_studio.network.checkpoint import Checkpoint, save_checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.training.demo_examples import write_examples
from mova_studio.training.world.clips import World

CARD = """---
license: apache-2.0
library_name: mova-studio
pipeline_tag: image-to-video
tags: [toy, text-to-audio-video]
---
# The demo checkpoint of MOVA Studio

A toy: a small network of MOVA's architecture (two video experts, an audio tower, a bridge between them, Wan's video
VAE, a DAC audio VAE, a UMT5 text encoder) that was trained from nothing on a world which a program draws and sounds.
It knows balls, boxes, bells, drums, lamps and faces in {width}x{height}, {num_frames} frames at 24 per second, with
sound at 48 kHz, and nothing else. These are not MOVA's weights, and nothing of those is in them; what the demo makes
says nothing about what MOVA makes.

- **Trained by** `python -m mova_studio train demo --out DIR --publish assets/demo`, from the recipes in
  presets/training/demo-*.json.
- **Measured** on prompts and first frames that it never saw: docs/demo.md.
- **Stored** as float16, {parameters:.1f} million parameters; computed in float32 on a processor.
- **examples/** holds a first frame and a prompt of each kind.
- **Licence**: Apache-2.0, as MOVA Studio's code; the world is drawn and sounded by that code, so no film, picture or
  recording of anybody is in it.
"""


def publish(trained: Path, target: Path) -> None:
    """Write the checkpoint in `trained` to `target`: float16 throughout, no longer called untrained, with examples and
    a card.

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
        (beside / "README.md").write_text(_card(components.values()), "utf-8")
        shutil.rmtree(target, ignore_errors=True)
        beside.rename(target)
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _card(components: Iterable[nn.Module]) -> str:
    world = World()
    parameters = sum(each.numel() for component in components for each in component.state_dict().values())
    return CARD.format(width=world.width, height=world.height, num_frames=world.num_frames, parameters=parameters / 1e6)
