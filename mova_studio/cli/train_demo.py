"""`python -m mova_studio train demo`: the demo checkpoint from nothing, as it was made."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mova_studio.cli.train_run import Reporter

Answer = dict[str, Any]


def add_demo_command(verbs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """`train demo`."""
    parser = add(verbs, "demo", "the demo checkpoint from nothing: hours on two cores", _train, _tell)
    parser.set_defaults(verdict=lambda answer: 0 if answer["done"] else 130)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="goes on with what is there")
    parser.add_argument("--recipes", type=Path, metavar="DIR", help="of the files demo-<stage>.json (the shipped ones)")
    parser.add_argument("--until", metavar="STAGE", help="the last stage to do (network)")
    parser.add_argument("--publish", type=Path, metavar="DIR", help="write the checkpoint there as it ships")
    parser.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")


def _train(options: argparse.Namespace) -> Answer:
    from mova_studio.errors import InputError
    from mova_studio.training.demo_publish import publish
    from mova_studio.training.demo_stages import STAGES, DemoTraining
    from mova_studio.training.recipe import SHIPPED, read_recipe
    from mova_studio.training.trained import CHECKPOINT

    until = options.until or STAGES[-1]
    if until not in STAGES:
        raise InputError(f"There is no stage {until[:80]!r}; the stages are {', '.join(STAGES)}.", field="until")
    recipes = options.recipes or SHIPPED
    reporter = Reporter(read_recipe(recipes / "demo-network.json").steps, events=options.events)
    training = DemoTraining(
        options.out,
        recipes,
        on_stage=reporter.stage,
        on_clip=reporter.clip,
        on_step=reporter.step,
        stop=reporter.stop,
    )
    done = training.run(until)
    trained = options.out / STAGES[-1] / CHECKPOINT
    if options.publish is not None:
        publish(trained, options.publish)
    return {"out": str(options.out.resolve()), "done": done, "until": until, "trained": str(trained.resolve())}


def _tell(answer: Answer) -> str:
    if not answer["done"]:
        return f"stopped; go on with the same command: {answer['out']}"
    return answer["trained"] if answer["until"] == "network" else f"{answer['out']}, up to {answer['until']}"
