"""Bars of memory by stage: predicted against the budget, or against what it really took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from mova_studio.ui.catalogue import say
from mova_studio.ui.plan_words import gb, kinds

STAGES = ("text", "frames", "denoise", "decode")
LEAST_SCALE = 0.1


@dataclass(frozen=True)
class Bar:
    """One stage's use of one memory, in GiB.

    Attributes:
        budget: what may be used; None where only the two others are compared.
        actual: what was used; None before a run.
    """

    stage: str
    predicted: float
    budget: float | None = None
    actual: float | None = None

    @property
    def highest(self) -> float:
        return max(self.predicted, self.budget or 0.0, self.actual or 0.0)


def bars_of(
    kind: str, plan: Mapping[str, Any], budget: float | None, memory: Mapping[str, Mapping[str, float]]
) -> list[Bar]:
    """The bars of "vram" or "ram": a plan's prediction, its budget, and what a run measured by stage."""
    stages = plan["predicted"]["stages"]
    actual = {stage: taken[f"{kind}_gb"] for stage, taken in memory.items()}
    return [Bar(stage, stages[stage][f"{kind}_gb"], budget, actual.get(stage)) for stage in STAGES if stage in stages]


def percent(predicted: float, actual: float) -> str:
    """How far the actual is from the predicted: "+3 %", "−12 %", "±0 %"."""
    if predicted <= 0:
        return "±0 %"
    whole = round(100 * (actual - predicted) / predicted)
    sign = {True: "+", False: "−"}[whole > 0] if whole else "±"
    return f"{sign}{abs(whole)} %"


def bar_words(language: str, bar: Bar) -> str:
    """What the bar shows, in words and numbers."""
    if bar.budget is None:
        words = [say(language, "memory.alone", value=gb(bar.predicted))]
    else:
        words = [say(language, "memory.predicted", value=gb(bar.predicted), budget=gb(bar.budget))]
        if bar.predicted > bar.budget:
            words.append(say(language, "memory.over", value=gb(bar.predicted - bar.budget)))
    if bar.actual is not None:
        difference = percent(bar.predicted, bar.actual)
        words.append(say(language, "memory.actual", value=gb(bar.actual), percent=difference))
    return " · ".join(words)


def bars_html(
    language: str,
    plan: Mapping[str, Any],
    budget: Mapping[str, float] | None = None,
    memory: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """Bars of every memory that the plan uses."""
    groups = []
    for kind in kinds(plan):
        bars = bars_of(kind, plan, None if budget is None else budget[kind], memory or {})
        title = say(language, "memory.title", kind=say(language, f"memory.{kind}"))
        scale = max(LEAST_SCALE, *(bar.highest for bar in bars))
        rows = "".join(_row(language, title, bar, scale) for bar in bars)
        groups.append(f'<section class="m-memory" data-kind="{kind}"><h3>{escape(title)}</h3>{rows}</section>')
    return "".join(groups)


def _row(language: str, title: str, bar: Bar, scale: float) -> str:
    stage, words = say(language, f"memory.{bar.stage}"), bar_words(language, bar)
    over = bar.budget is not None and bar.predicted > bar.budget
    fills = f'<i class="m-predicted{" m-over" if over else ""}" style="width: {_share(bar.predicted, scale)}%"></i>'
    if bar.actual is not None:
        fills += f'<i class="m-actual" style="width: {_share(bar.actual, scale)}%"></i>'
    if bar.budget is not None and bar.budget < scale:
        fills += f'<b style="left: {_share(bar.budget, scale)}%"></b>'
    now = bar.predicted if bar.actual is None else bar.actual
    label = escape(f"{title}, {stage}: {words}")
    return (
        f'<div class="m-stagebar"><span>{escape(stage)}</span>'
        f'<div class="m-gauge" role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="{scale:.3f}" '
        f'aria-valuenow="{now:.3f}" aria-valuetext="{escape(words)}">{fills}</div>'
        f'<span class="m-mono">{escape(words)}</span></div>'
    )


def _share(value: float, scale: float) -> str:
    return f"{100 * min(max(value / scale, 0.0), 1.0):.1f}"
