"""`python -m mova_studio train run`: a recipe carried out on encoded clips."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mova_studio.training.network_trainer import StepFigures
    from mova_studio.training.recipe import Recipe

Answer = dict[str, Any]
_EVENT_SECONDS, _LIVE_SECONDS, _LINE_SECONDS = 0.25, 0.2, 10.0
_SAMPLES = 2


def add_run_command(verbs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """`train run`."""
    parser = add(verbs, "run", "train a network or an adapter on encoded clips", _run, _tell)
    parser.set_defaults(verdict=lambda answer: 0 if answer is None or answer["done"] else 130)
    parser.add_argument("--checkpoint", default="demo", metavar="NAME", help="demo, a folder or a hub id (demo)")
    parser.add_argument("--data", type=Path, required=True, metavar="CACHE", help="what `train encode` wrote")
    parser.add_argument(
        "--recipe", default="", metavar="NAME", help="a .json file, or the name of a shipped recipe such as adapter"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--steps", type=int, metavar="N", help="train to this step instead of the recipe's last")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR, by its own recipe")
    parser.add_argument("--events", action="store_true", help="progress as JSON lines on standard error")


class Reporter:
    """Steps on standard error, and whether somebody wants the run to stop: Ctrl-C or SIGTERM; twice ends at once."""

    def __init__(self, steps: int, *, events: bool) -> None:
        self._steps, self._events, self._live = steps, events, sys.stderr.isatty() and not events
        self._between = _EVENT_SECONDS if events else _LIVE_SECONDS if self._live else _LINE_SECONDS
        self._told, self._pace = 0.0, 0.0
        self._stopped = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopped = True
        signal.signal(number, signal.SIG_DFL)

    def stop(self) -> bool:
        return self._stopped

    def step(self, figures: StepFigures) -> None:
        self._pace = figures.seconds if not self._pace else 0.9 * self._pace + 0.1 * figures.seconds
        last = figures.step == self._steps
        if time.monotonic() - self._told < self._between and not last:
            return
        self._told = time.monotonic()
        left = round((self._steps - figures.step) * self._pace)
        if self._events:
            about = {"event": "step", "steps": self._steps, "seconds_left": left, **figures.__dict__}
            print(json.dumps(about), file=sys.stderr, flush=True)
            return
        words = (
            f"step {figures.step} of {self._steps}, loss {figures.loss:.4f} "
            f"(video {figures.video_loss:.4f}, audio {figures.audio_loss:.4f}), {left} s left"
        )
        print(f"{words:78}", end="\r" if self._live and not last else "\n", file=sys.stderr, flush=True)

    def stage(self, name: str) -> None:
        """What is being learnt now."""
        words = json.dumps({"event": "stage", "stage": name}) if self._events else f"{name} ..."
        print(words, file=sys.stderr, flush=True)

    def clip(self, done: int, total: int) -> None:
        """A clip of the world was encoded."""
        if time.monotonic() - self._told < self._between and done != total:
            return
        self._told = time.monotonic()
        words = f"clip {done} of {total}"
        if self._events:
            words = json.dumps({"event": "clip", "done": done, "total": total})
        print(words, file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> Answer | None:
    from mova_studio.network.checkpoint import Checkpoint
    from mova_studio.network.locate import locate
    from mova_studio.training.clips.cache import LatentCache
    from mova_studio.training.clips.encoders import encoders_identity
    from mova_studio.training.network_trainer import NetworkTrainer
    from mova_studio.training.samples import Samples
    from mova_studio.training.trained import ADAPTER, CHECKPOINT

    recipe = _recipe(options)
    reporter = Reporter(recipe.steps, events=options.events)
    checkpoint = Checkpoint(locate(options.checkpoint))
    clips = LatentCache(options.data, encoders_identity(checkpoint))
    trainer = NetworkTrainer(
        checkpoint,
        recipe,
        clips,
        options.out,
        kinds=[row.bucket for row in clips.rows],
        empty_prompt_embeds=clips.empty_prompt,
        resume=options.resume,
    )
    samples = Samples(checkpoint, recipe, clips[:_SAMPLES], options.out)
    done = trainer.run(on_step=reporter.step, sample=samples, stop=reporter.stop)
    trainer.end()
    if trainer.rank:
        return None
    gave = CHECKPOINT if recipe.mode == "full" else ADAPTER
    return {
        "run": str(options.out.resolve()),
        "done": done,
        "step": trainer.step,
        "steps": recipe.steps,
        "trained": str((options.out / gave).resolve()),
    }


def _recipe(options: argparse.Namespace) -> Recipe:
    from mova_studio.errors import InputError
    from mova_studio.training.recipe import check_recipe, find_recipe, shipped_recipes

    if not options.recipe and not options.resume:
        shipped = ", ".join(shipped_recipes())
        raise InputError(f"--recipe is missing; give a .json file or one of {shipped}.", field="recipe")
    recipe = find_recipe(options.recipe or str(options.out / "recipe.json"))
    return recipe if options.steps is None else check_recipe(recipe.model_dump() | {"steps": options.steps})


def _tell(answer: Answer) -> str:
    if answer["done"]:
        return f"{answer['trained']}, after {answer['step']} steps"
    return f"{answer['trained']}, stopped at step {answer['step']} of {answer['steps']}; go on with --resume"
