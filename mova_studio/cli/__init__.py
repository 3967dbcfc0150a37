"""The command line: `python -m mova_studio generate | enhance | queue | takes | timeline | train | plan | ...`.

With --json, standard output carries exactly one JSON value (`enhance --batch`: one a line); everything else goes to
standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mova_studio import __version__
from mova_studio.atomic import replacing
from mova_studio.cli.enhance import add_enhance_command
from mova_studio.cli.generate import add_generate_command
from mova_studio.cli.model import add_model_commands
from mova_studio.cli.plan import add_plan_options, run_plan, tell_plan
from mova_studio.cli.queue import add_queue_commands
from mova_studio.cli.takes import add_takes_commands
from mova_studio.cli.timeline import add_timeline_commands
from mova_studio.cli.train import add_train_commands
from mova_studio.errors import StudioError
from mova_studio.media.images import open_image
from mova_studio.media.loudness import measure
from mova_studio.media.measures import measure_file
from mova_studio.media.probe import decode_audio, probe
from mova_studio.media.provenance import read_provenance

Answer = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        answer: Answer | None = options.run(options)
    except StudioError as error:
        print(f"mova_studio: {error.message}", file=sys.stderr)
        if options.json:
            print(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
        return error.exit_code
    if answer is None:
        pass  # the command has printed its answers one by one
    elif options.json:
        print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
    else:
        print(options.tell(answer))
    return options.verdict(answer)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m mova_studio", description="Video and sound together, with MOVA.")
    parser.add_argument("--version", action="version", version=f"MOVA Studio {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_generate_command(commands, _add)
    add_enhance_command(commands, _add)
    add_queue_commands(commands, _add)
    add_takes_commands(commands, _add)
    add_timeline_commands(commands, _add)
    add_train_commands(commands, _add)
    add_plan_options(
        _add(commands, "plan", "how a take would be placed here, or on a machine you describe", run_plan, tell_plan)
    )
    inspect = _add(commands, "inspect", "what is in a take, and how it was made", _inspect, _tell_inspect)
    inspect.add_argument("file", type=Path, metavar="FILE.mp4")
    inspect.add_argument("--extract", type=Path, metavar="DIR", help="write the first and last frame there as PNG")
    add_model_commands(commands, _add)
    return parser


def _add(commands: Any, name: str, help_text: str, run: Callable, tell: Callable) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text)
    parser.add_argument("--json", action="store_true", help="one JSON value on standard output")
    parser.set_defaults(run=run, tell=tell, verdict=lambda answer: 0)
    return parser


def _inspect(options: argparse.Namespace) -> Answer:
    info = probe(options.file)
    answer: Answer = {"path": str(options.file.resolve()), "media": dataclasses.asdict(info)}
    answer["loudness"] = measure(*decode_audio(options.file)).to_dict() if info.audio_codec else None
    answer["measures"] = measure_file(options.file).to_dict()
    provenance = read_provenance(options.file)
    answer["provenance"] = None if provenance is None else provenance.record
    answer["images"] = {}
    for name, png in ({} if provenance is None else provenance.images).items():
        width, height = open_image(png).image.size
        answer["images"][name] = {"width": width, "height": height, "bytes": len(png)}
        if options.extract is not None:
            target = options.extract / f"{name}.png"
            with replacing(target) as beside:
                beside.write_bytes(png)
            answer["images"][name]["path"] = str(target)
    return answer


def _tell_inspect(answer: Answer) -> str:
    media, record = answer["media"], answer["provenance"]
    lines = [answer["path"]] + [f"  {name}: {value}" for name, value in media.items()]
    if answer["loudness"]:
        lines += [f"  {name}: {value}" for name, value in answer["loudness"].items()]
    lines += [f"  {name}: {value}" for name, value in answer["measures"].items()]
    if record is None:
        return "\n".join([*lines, "  no record of how it was made"])
    lines += [f"  {name}: {value}" for name, value in record.items() if name != "shot"]
    lines += [f"  shot.{name}: {value}" for name, value in record["shot"].items()]
    return "\n".join(lines + [f"  {name}: {about}" for name, about in answer["images"].items()])
