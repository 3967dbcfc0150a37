"""The losses of a run as two small charts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mova_studio.jobs.training_log import Point
from mova_studio.ui.catalogue import say

WIDTH, HEIGHT = 600, 100
_SMOOTH = 12  # points that the strong line averages, at most; neighbours differ by the times that they drew


def curves_html(language: str, curve: Sequence[Point]) -> str:
    """Picture and sound beside each other; "" before the first step."""
    if not curve:
        return ""
    steps = [point.step for point in curve]
    picture = _chart(language, "picture", steps, [point.video_loss for point in curve])
    sound = _chart(language, "sound", steps, [point.audio_loss for point in curve])
    return f'<div class="m-curves">{picture}{sound}</div>'


def _chart(language: str, name: str, steps: Sequence[int], losses: Sequence[float]) -> str:
    title = say(language, f"train.curve.{name}")
    smooth = smoothed(losses)
    low, high = min(losses), max(losses)
    first, last = figure(smooth[0]), figure(smooth[-1])
    label = say(language, "train.curve.label", name=title, first=first, last=last, begin=steps[0], end=steps[-1])
    paths = f'<path class="m-curve-mean" d="{_path(steps, smooth, low, high)}"/>'
    if len(steps) > _SMOOTH:
        paths = f'<path class="m-curve-raw" d="{_path(steps, losses, low, high)}"/>' + paths
    begin, end = (escape(say(language, "train.curve.step", step=step)) for step in (steps[0], steps[-1]))
    return (
        f'<figure class="m-curve m-curve-{name}"><figcaption><span>{escape(title)}</span>'
        f'<b class="m-mono">{last}</b></figcaption><div class="m-curve-plot">'
        f'<span class="m-mono" aria-hidden="true">{figure(high)}</span>'
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f"{paths}</svg>"
        f'<span class="m-mono" aria-hidden="true">{figure(low)}</span></div>'
        f'<p class="m-mono" aria-hidden="true"><span>{begin}</span><span>{end}</span></p></figure>'
    )


def smoothed(losses: Sequence[float]) -> list[float]:
    """Each with the mean of those before it, of few at first."""
    means = []
    for place in range(len(losses)):
        near = losses[max(0, place - min(_SMOOTH, 1 + place // 4)) : place + 1]
        means.append(sum(near) / len(near))
    return means


def figure(loss: float) -> str:
    """With four digits that count."""
    return f"{loss:.4g}"


def _path(steps: Sequence[int], losses: Sequence[float], low: float, high: float) -> str:
    across, up = max(1, steps[-1] - steps[0]), (high - low) or 1.0
    places = [
        f"{WIDTH * (step - steps[0]) / across:.1f} {HEIGHT * (high - loss) / up:.1f}"
        for step, loss in zip(steps, losses, strict=True)
    ]
    return f"M{places[0]}" + ("".join(f"L{place}" for place in places[1:]) or "h0")
