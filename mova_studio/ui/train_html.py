"""A training run in words, its samples, and the list of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mova_studio.errors import InputError
from mova_studio.jobs.training_folder import Encoding
from mova_studio.jobs.training_snapshot import Stage, TrainingSnapshot
from mova_studio.ui.catalogue import TEXTS, say
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.stage import waveform_svg
from mova_studio.ui.translated import translate
from mova_studio.ui.words import countdown, duration, short_model

SAMPLES_SHOWN = 8
_BADGES = {Stage.DONE: "whole", Stage.FAILED: "damaged", Stage.STOPPED: "partial"}


def run_html(language: str, run: TrainingSnapshot | None) -> str:
    """One run: what it is, how far, what is wrong, and what can be done; without one, what goes here."""
    if run is None:
        title, text = say(language, "train.empty.title"), say(language, "train.empty.text")
        return f'<div class="m-teach m-trainempty"><h3>{escape(title)}</h3><p class="m-hint">{escape(text)}</p></div>'
    facts = say(
        language,
        "train.facts",
        recipe=recipe_name(language, run.asked.recipe),
        model=short_model(run.asked.model),
        clips=run.asked.clips,
    )
    error = f'<p class="m-error" role="alert">{escape(translate(language, run.error))}</p>' if run.error else ""
    note = ""
    if run.skipped:
        words = say(language, "train.words.skipped", count=run.skipped, reason=translate(language, run.reason))
        note = f'<p class="m-note">{escape(words)}</p>'
    return (
        f'<article class="m-run" data-run="{escape(run.run_id)}" data-stage="{run.stage.value}">'
        f'<header><h2 class="m-big" dir="auto">{escape(run.asked.name)}</h2>{_badge(language, run)}</header>'
        f'<p class="m-hint">{escape(facts)}</p>{_progress(language, run)}{error}{note}{_checkpoint(language, run)}'
        f'<p class="m-actions">{_buttons(language, run)}</p></article>'
    )


def list_html(language: str, runs: Sequence[TrainingSnapshot], shown: str | None) -> str:
    """All runs, the newest first; "" where there are not two."""
    if len(runs) < 2:
        return ""
    rows = "".join(
        f'<li><button type="button" class="m-runrow" data-act="show" data-id="{escape(run.run_id)}" '
        f'aria-pressed="{"true" if run.run_id == shown else "false"}">'
        f'<b dir="auto">{escape(run.asked.name)}</b>'
        f'<span class="m-mono">{escape(_brief(language, run))}</span></button></li>'
        for run in runs
    )
    return f'<h2 class="m-title2">{escape(say(language, "train.runs"))}</h2><ul class="m-runs">{rows}</ul>'


def samples_html(language: str, run: TrainingSnapshot, served: ServedTakes) -> str:
    """The newest samples, each with its sound. Slow the first time: call it in a thread."""
    cards = []
    for file in run.samples[:SAMPLES_SHOWN]:
        step, _, number = file.stem.partition("-")
        title = say(language, "train.sample", step=int(step), number=int(number) + 1)
        try:
            film = served.serve(file)
        except InputError:
            continue
        cards.append(
            '<article class="m-card" data-player data-hover><div class="m-thumb"><video playsinline loop '
            f'preload="none" poster="{film.poster}" data-src="{escape(film.url)}" tabindex="0" '
            f'aria-label="{escape(title)}"></video></div>{waveform_svg(film.peaks, say(language, "take.wave"))}'
            f'<p class="m-meta"><span>{escape(title)}</span></p></article>'
        )
    if not cards:
        return ""
    older = len(run.samples) - len(cards)
    words = say(language, "train.samples.older", count=older, folder=str(run.folder / "samples")) if older > 0 else ""
    more = f'<p class="m-hint">{escape(words)}</p>' if words else ""
    title = escape(say(language, "train.samples.title"))
    return f'<h3 class="m-heading">{title}</h3><div class="m-samples">{"".join(cards)}</div>{more}'


def recipe_name(language: str, recipe: str) -> str:
    """What the form calls a recipe."""
    key = f"train.recipe.{recipe}"
    return say(language, key) if key in TEXTS else recipe


def _badge(language: str, run: TrainingSnapshot) -> str:
    stage = "stopping" if run.stopping and run.stage.at_work else run.stage.value
    kind = _BADGES.get(run.stage, "use")
    return f'<span class="m-badge m-badge-{kind}">{escape(say(language, f"train.stage.{stage}"))}</span>'


def _progress(language: str, run: TrainingSnapshot) -> str:
    steps = run.asked.steps
    if run.stage is Stage.WAITING:
        return f'<p class="m-words">{escape(say(language, "train.words.waiting"))}</p>'
    if run.stage is Stage.ENCODING:
        return _encoding(language, run.encoding)
    if run.stage is Stage.TRAINING and not run.step:
        return f'<p class="m-words">{escape(say(language, "train.words.loading"))}</p>'
    if run.stage is Stage.TRAINING:
        words = [say(language, "train.words.step", step=run.step, steps=steps)]
        if run.stopping:
            words.append(say(language, "train.words.stopping"))
        elif run.pace is not None and run.seconds_left is not None:
            words.append(say(language, "left", time=countdown(language, run.seconds_left)))
            words.append(say(language, "train.words.pace", time=duration(language, run.pace)))
        return _bar(run.step / steps, words)
    if run.stage is Stage.DONE:
        return _bar(1.0, [say(language, "train.words.done", steps=steps)])
    failed = run.stage is Stage.FAILED
    if run.saved_step:
        key = "train.words.failed_on" if failed else "train.words.goes_on"
        return _bar(run.saved_step / steps, [say(language, key, step=run.saved_step, steps=steps)])
    anew = say(language, "train.words.failed_anew" if failed else "train.words.begins")
    return f'<p class="m-words">{escape(anew)}</p>'


def _encoding(language: str, encoding: Encoding | None) -> str:
    if encoding is None:
        return f'<p class="m-words">{escape(say(language, "train.words.encoding.start"))}</p>'
    words = [say(language, f"train.words.encoding.{encoding.kind}", done=encoding.done, total=encoding.total)]
    if encoding.seconds_left is not None:
        words.append(say(language, "left", time=countdown(language, encoding.seconds_left)))
    return _bar(encoding.done / encoding.total, words)


def _bar(share: float, words: Sequence[str]) -> str:
    percent = int(100 * share)
    return (
        f'<div class="m-progress"><div class="m-bar" role="progressbar" aria-label="{escape(words[0])}" '
        f'aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100"><i style="width: {percent}%"></i></div></div>'
        f'<p class="m-words">{escape(" · ".join(words))}</p>'
    )


def _checkpoint(language: str, run: TrainingSnapshot) -> str:
    if run.trained is None or run.asked.mode != "full" or run.stage.at_work:
        return ""
    words, path = escape(say(language, "train.checkpoint")), escape(str(run.trained))
    copy, done = escape(say(language, "models.copy")), escape(say(language, "models.copied"))
    return (
        f'<p class="m-hint">{words}</p><p class="m-path"><span class="m-mono">{path}</span>'
        f'<button type="button" class="m-link" data-copy="{path}" data-done="{done}">{copy}</button></p>'
    )


def _buttons(language: str, run: TrainingSnapshot) -> str:
    if run.stage.at_work:
        act, key = ("end", "train.end") if run.stopping else ("stop", "train.stop")
        return _button(language, act, key, run)
    go_on = ""
    if run.stage is not Stage.DONE:
        go_on = _button(language, "resume", "train.resume" if run.saved_step else "train.again", run)
    ask, keep = escape(say(language, "train.remove")), escape(say(language, "train.remove.keep"))
    return (
        f'{go_on}<span class="m-asks"><button type="button" class="m-button" data-ask>{ask}</button>'
        f'<span class="m-sure" hidden>{_button(language, "remove", "train.remove.sure", run, " m-bad")} '
        f'<button type="button" class="m-button" data-keep>{keep}</button></span></span>'
    )


def _button(language: str, act: str, key: str, run: TrainingSnapshot, kind: str = "") -> str:
    return (
        f'<button type="button" class="m-button{kind}" data-act="{act}" data-id="{escape(run.run_id)}">'
        f"{escape(say(language, key))}</button>"
    )


def _brief(language: str, run: TrainingSnapshot) -> str:
    stage = say(language, f"train.stage.{run.stage.value}")
    return f"{stage} · {say(language, 'train.words.step', step=run.step, steps=run.asked.steps)}"
