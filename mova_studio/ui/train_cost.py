"""What a training run costs, beside the button that starts it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path

from mova_studio.errors import InputError
from mova_studio.jobs.adapters import folder_of
from mova_studio.jobs.training_order import FoundClips
from mova_studio.jobs.training_snapshot import TrainingSnapshot
from mova_studio.ui.catalogue import say
from mova_studio.ui.model_cards import size_words
from mova_studio.ui.train_form import numbers_of, read
from mova_studio.ui.words import duration

_LEARNING = ("video_dit", "video_dit_2", "audio_dit", "dual_tower_bridge")
# Of a network's own bytes at 16 bits a number: two states, each of weights and two moments in 32 bits, and the result.
_FULL_SHARE = 13


def cost_words(
    language: str,
    model: str,
    values: tuple[object, ...],
    found: FoundClips | None,
    runs: Sequence[TrainingSnapshot],
    place: Path,
) -> str:
    """Clips, time and disk of what stands in the fields; "" while that cannot be told. Reads the disk.

    Args:
        values: of `TrainForm.inputs`.
        found: the clips that are named.
        runs: earlier ones, by which the time is judged.
        place: where runs lie.
    """
    try:
        order = read(values, language)
    except InputError:
        return ""
    known = numbers_of(order.recipe)
    size, steps = (order.batch_size or 0) * known["accumulation"], order.steps or 0
    if size < 1 or steps < 1:
        return ""
    words = []
    if found is not None:
        seen = steps * size / found.count
        times = f"{seen:.1f}" if seen < 10 else str(round(seen))
        words.append(say(language, "train.cost.steps", steps=steps, batch=size, count=found.count, times=times))
    same = (run for run in runs if (run.asked.model, run.asked.recipe) == (model, order.recipe))
    judge = next((run for run in same if run.pace is not None), None)
    if judge is None or judge.pace is None:
        words.append(say(language, "train.cost.unknown"))
    else:
        seconds = judge.pace * steps * size / judge.asked.clips_a_step
        words.append(say(language, "train.cost.time", time=duration(language, seconds), name=judge.asked.name))
    if known["rank"] is None:
        words += _disk(language, model, place)
    words.append(say(language, "train.cost.takes"))
    return "".join(f"<p>{escape(part)}</p>" for part in words)


def _disk(language: str, model: str, place: Path) -> list[str]:
    folder = folder_of(model)
    if folder is None:
        return []
    files = (file for part in _LEARNING for file in (folder / part).glob("*.safetensors"))
    needed = _FULL_SHARE * sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(place if place.is_dir() else place.parent).free
    return [say(language, "train.cost.disk", needed=size_words(needed), free=size_words(free))]
