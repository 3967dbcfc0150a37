"""`python -m mova_studio model adapters list | import | remove`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.jobs.adapters import shelf
from mova_studio.network.adapter_shelf import EXPERTS
from mova_studio.network.locate import locate

Answer = dict[str, Any]


def add_adapters_commands(models: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `adapters` to the commands of `model`."""
    adapters = models.add_parser("adapters", help="list, import or remove adapters (LoRA)")
    verbs = adapters.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = add(verbs, "list", "the installed adapters", run_list, tell_list)
    listing.add_argument("--model", metavar="demo|DIR|HUB_ID", help="also say which of them fit this checkpoint")
    taking = add(
        verbs, "import", "install an adapter; the file itself is not needed afterwards", run_import, tell_import
    )
    taking.add_argument("file", type=Path, metavar="FILE|DIR", help="safetensors or .pt, or a trainer's folder")
    taking.add_argument("--name", default="", metavar="NAME", help="what to call it (the file's name)")
    taking.add_argument(
        "--experts",
        choices=EXPERTS,
        default="both",
        help="of an adapter for Wan 2.2, which names none: the expert that it was trained for (both)",
    )
    removing = add(verbs, "remove", "delete an installed adapter", run_remove, tell_remove)
    removing.add_argument("name", metavar="NAME")


def run_list(options: argparse.Namespace) -> Answer:
    """The shelf, and with a checkpoint what fits it."""
    folder = None if options.model is None else locate(options.model)
    told = []
    for entry in shelf().entries():
        fits = {} if folder is None else {"misfit": entry.misfit(folder)}
        told.append(entry.to_dict() | fits)
    return {"adapters": told}


def tell_list(answer: Answer) -> str:
    lines = []
    for entry in answer["adapters"]:
        lines.append(describe(entry))
        if entry.get("misfit"):
            lines.append(f"  {entry['misfit']}")
    return "\n".join(lines) or "no adapter is installed"


def run_import(options: argparse.Namespace) -> Answer:
    """Install one."""
    entry, new = shelf().add(options.file, options.name, options.experts)
    return {"adapter": entry.to_dict(), "new": new}


def tell_import(answer: Answer) -> str:
    return describe(answer["adapter"]) + ("" if answer["new"] else "\n  was installed already")


def run_remove(options: argparse.Namespace) -> Answer:
    """Delete one."""
    return {"removed": shelf().remove(options.name).to_dict()}


def tell_remove(answer: Answer) -> str:
    return f"{answer['removed']['name']} was removed"


def describe(entry: Answer) -> str:
    """ "style: high 40, low 40 layers, rank 16, 0.35 GB, from style.safetensors"."""
    parts = ", ".join(f"{part} {count}" for part, count in entry["parts"].items())
    ranks = " and ".join(map(str, entry["ranks"]))
    return f"{entry['name']}: {parts} layers, rank {ranks}, {entry['bytes'] / 1e9:.2f} GB, from {entry['source']}"
