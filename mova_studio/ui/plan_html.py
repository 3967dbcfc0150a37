"""A planning as the System view shows it: the sentence, what it needs by stage, and what else was considered."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.library.shot import Shot
from mova_studio.ui.advice import Advice
from mova_studio.ui.catalogue import say
from mova_studio.ui.memory_bars import bars_html
from mova_studio.ui.plan_words import about, gb, kinds, plan_brief, plan_sentence
from mova_studio.ui.translated import translate
from mova_studio.ui.words import short_model


def plan_html(language: str, title: str, settings: str, advice: Advice) -> str:
    """The plan that would be taken, or what is missing, with its memory by stage.

    Args:
        title: heading.
        settings: what it was planned for, in words.
    """
    report, chosen = advice.report, advice.chosen
    parts = [f'<h2 class="m-heading">{escape(title)}</h2>', f'<p class="m-mono">{escape(settings)}</p>']
    if advice.shortage:
        short = escape(translate(language, advice.shortage))
        parts.append(f'<p class="m-error m-sentence" role="alert">{escape(say(language, "plan.none"))} {short}</p>')
    if chosen is not None:
        parts.append(
            f'<p class="m-sentence" title="{escape(chosen["name"])}">{escape(plan_sentence(language, chosen))}</p>'
        )
    if not report["checkpoint"]["on_disk"]:
        parts.append(f'<p class="m-hint">{escape(say(language, "plan.published"))}</p>')
    parts += [f'<p class="m-note">{escape(note)}</p>' for note in notes_of(language, report)]
    if chosen is not None:
        parts.append(bars_html(language, chosen, report["budget"]))
    return "".join(parts)


def settings_words(language: str, shot: Shot) -> str:
    """ "demo, 160 × 96, 49 frames, 25 steps"."""
    return say(
        language,
        "plan.settings",
        model=short_model(shot.model),
        width=shot.width,
        height=shot.height,
        frames=shot.num_frames,
        steps=shot.num_inference_steps,
    )


def notes_of(language: str, report: Mapping[str, Any]) -> list[str]:
    """What a person should know of a planning; the machine's own warnings stand with the machine."""
    own = () if report["machine"]["imaginary"] else report["machine"]["warnings"]
    return [translate(language, note) for note in report["notes"] if note not in own]


def others_html(language: str, report: Mapping[str, Any]) -> str:
    """Every plan considered, the fastest first, and why it was not taken."""
    chosen, considered = report["chosen"], report["considered"]
    if not considered:
        return ""
    shown = kinds(considered[0])
    heads = ["others.name", "others.step", *(f"memory.{kind}" for kind in shown), "others.fits"]
    head = "".join(f'<th scope="col">{escape(say(language, key))}</th>' for key in heads)
    rows = "".join(_other(language, plan, shown, chosen) for plan in considered)
    return (
        f'<h2 class="m-heading">{escape(say(language, "others.title"))}</h2>'
        f'<div class="m-scroll" tabindex="0" role="region" aria-label="{escape(say(language, "others.title"))}">'
        f'<table class="m-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _other(language: str, plan: Mapping[str, Any], shown: tuple[str, ...], chosen: Mapping[str, Any] | None) -> str:
    taken = chosen is not None and plan["name"] == chosen["name"]
    words = [say(language, "others.chosen")] if taken else []
    if not plan["fits"]:
        words.append(translate(language, plan["why_not"]))
    fits = " · ".join(words) or say(language, "others.yes")
    predicted = plan["predicted"]
    cells = [about(language, predicted["step_seconds"]), *(f"{gb(predicted[f'{kind}_gb'])} GB" for kind in shown)]
    return (
        f'<tr{" class=m-taken" if taken else ""}><th scope="row" title="{escape(plan_brief(language, plan))}">'
        f"{escape(plan['name'])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + f'<td class="m-why">{escape(fits)}</td></tr>'
    )


def last_run_html(language: str, run: JobSnapshot | None) -> str:
    """The last take: what was predicted for it and what it took."""
    heading = f'<h2 class="m-heading">{escape(say(language, "memory.last"))}</h2>'
    if run is None or run.plan is None or run.take is None:
        return f'{heading}<p class="m-hint">{escape(say(language, "memory.last.empty"))}</p>'
    about_it = f"{run.plan['name']} · {settings_words(language, run.take.shot)}"
    legend = "".join(
        f'<span><i class="m-{name}"></i>{escape(say(language, key))}</span>'
        for name, key in (("predicted", "plan.predicted"), ("actual", "memory.measured"))
    )
    bars = bars_html(language, run.plan, None, run.memory)
    return f'{heading}<p class="m-mono">{escape(about_it)}</p>{bars}<p class="m-legend">{legend}</p>'
