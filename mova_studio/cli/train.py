"""`python -m mova_studio train`: from clips to a trained network."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from mova_studio.cli.train_demo import add_demo_command
from mova_studio.cli.train_encode import add_encode_command
from mova_studio.cli.train_prepare import add_prepare_command
from mova_studio.cli.train_run import add_run_command


def add_train_commands(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `train` and its commands; `add` makes one that answers with a dict and tells it in words."""
    train = commands.add_parser("train", help="prepare and encode clips, and train a network or an adapter on them")
    train.set_defaults(
        run=lambda options: train.print_help(), tell=str, verdict=lambda answer: 0, json=False
    )  # of `train` alone
    verbs = train.add_subparsers(title="commands", metavar="COMMAND")
    add_prepare_command(verbs, add)
    add_encode_command(verbs, add)
    add_run_command(verbs, add)
    add_demo_command(verbs, add)
