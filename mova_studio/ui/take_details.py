"""The large view of one take: picture with controls, sound, and everything that is known of it, to read and to copy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from mova_studio.ui.catalogue import say
from mova_studio.ui.gallery_data import Shown, settings_of
from mova_studio.ui.gallery_html import stars
from mova_studio.ui.measure_chips import measure_chips, measure_rows
from mova_studio.ui.plan_words import plan_sentence
from mova_studio.ui.setting_words import setting_label, setting_value
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.stage import loudness_words, untrained_badge, waveform_svg
from mova_studio.ui.translated import translate
from mova_studio.ui.words import number


def large_view(language: str, shown: Shown, plan: dict[str, Any], *, info: bool, may_change: bool) -> str:
    """The take as a dialog, which `gallery.js` opens.

    Args:
        plan: how it was made, as its record says; {} if that is not known.
        info: the panel with everything that is known is open.
        may_change: tags can be given.
    """
    kept = shown.kept
    take_id = escape(kept.take_id)
    title = escape(say(language, "large.title", seed=kept.take.seed))
    given = stars(language, kept.take_id, kept.stars, may_change=may_change and kept.trashed is None)
    head = (
        f'<header class="m-dialog-head"><h2 class="m-title2">{title}</h2>{given}<span class="m-fill"></span>'
        + _button(language, "large.before", "data-step=-1", "‹")
        + _button(language, "large.after", "data-step=1", "›")
        + f'<button type="button" class="m-button" data-info aria-pressed="{"true" if info else "false"}">'
        f"{escape(say(language, 'large.info'))}</button>"
        + _button(language, "large.close", "data-close", "×")
        + "</header>"
    )
    badge = untrained_badge(language) if kept.take.untrained else ""
    body = (
        '<div class="m-large-body"><div class="m-large-play">'
        + _player(language, shown)
        + f'<p class="m-prompt" dir="auto">{escape(kept.take.shot.prompt)}</p>'
        f'<div class="m-facts">{"".join(measure_chips(language, kept.take))}{badge}</div>'
        + (_tags(language, shown) if may_change else "")
        + f'<div class="m-actions">{_links(language, shown, may_change)}</div></div>'
        + _info(language, shown, plan)
        + "</div>"
    )
    opened = " m-with-info" if info else ""
    return (
        f'<dialog class="m-dialog m-large{opened}" tabindex="-1" data-id="{take_id}" '
        f'data-stars="{kept.stars}" aria-label="{title}">{head}{body}</dialog>'
    )


def _button(language: str, key: str, data: str, sign: str) -> str:
    words = escape(say(language, key))
    return (
        f'<button type="button" class="m-button m-square" {data} aria-label="{words}" title="{words}">{sign}</button>'
    )


def _player(language: str, shown: Shown) -> str:
    take = shown.kept.take
    if shown.missing:
        return f'<div class="m-gone"><p>{escape(say(language, "card.missing"))}</p></div>'
    label = escape(say(language, "take.video", seed=take.seed))
    return (
        f'<div data-player><div class="m-screen" style="--ratio: {take.width / take.height:.4f}">'
        f'<video class="m-video" controls loop playsinline preload="auto" src="{escape(shown.url)}" '
        f'poster="{escape(shown.poster)}" aria-label="{label}"></video></div>'
        + waveform_svg(shown.kept.waveform or (0.0,), say(language, "take.wave"))
        + "</div>"
    )


def _tags(language: str, shown: Shown) -> str:
    value = escape(", ".join(shown.kept.tags))
    return (
        f'<form class="m-tagform" data-id="{escape(shown.kept.take_id)}"><label>'
        f'<span class="m-heading">{escape(say(language, "large.tags"))}</span>'
        f'<input name="tags" type="text" dir="auto" autocomplete="off" value="{value}"></label>'
        f'<button class="m-button">{escape(say(language, "large.tags.save"))}</button></form><div data-said></div>'
    )


def _links(language: str, shown: Shown, may_change: bool) -> str:
    take_id = escape(shown.kept.take_id)
    reuse = (
        f'<button type="button" class="m-button" data-act="reuse" data-id="{take_id}">'
        f"{escape(say(language, 'take.reuse'))}</button>"
    )
    if shown.missing:
        return reuse
    if may_change and shown.kept.trashed is None:
        words, tip = escape(say(language, "timeline.send")), escape(say(language, "timeline.send.tip"))
        reuse += (
            f'<button type="button" class="m-button" data-act="timeline" data-id="{take_id}" title="{tip}">'
            f"{words}</button>"
        )
    name = escape(shown.kept.take.path.name)
    return (
        f'<a class="m-button" href="{escape(shown.url)}" download="{name}">'
        f"{escape(say(language, 'take.download'))}</a>{reuse}"
    )


def _info(language: str, shown: Shown, plan: dict[str, Any]) -> str:
    kept = shown.kept
    take = kept.take
    values = settings_of(kept)
    facts = {
        "info.file": take.path.name,
        "info.created": take.created.replace("T", " ").replace("+00:00", " UTC"),
        "info.seed": str(take.seed),
        "info.size": f"{take.width} × {take.height}",
        "info.length": say(
            language,
            "take.frames",
            frames=take.num_frames,
            seconds=number(seconds_of(take.num_frames, take.frame_rate)),
            rate=number(take.frame_rate),
        ),
        "info.loudness": " · ".join(loudness_words(language, take)),
        "info.checkpoint": take.checkpoint,
    }
    settings = [
        (setting_label(language, name), setting_value(language, value))
        for name, value in values.items()
        if name != "prompt"
    ]
    measures = "".join(
        f"<li>{escape(words)}<br><small>{escape(tip)}</small></li>" for words, tip in measure_rows(language, take)
    )
    unmeasured = f'<p class="m-hint">{escape(say(language, "info.unmeasured"))}</p>'
    notes = "".join(f'<li dir="auto">{escape(translate(language, note))}</li>' for note in take.notes)
    copied = {
        "id": kept.take_id,
        "seed": take.seed,
        "created": take.created,
        "checkpoint": take.checkpoint,
        "settings": values,
        "integrated_lufs": take.integrated_lufs,
        "true_peak_dbtp": take.true_peak_dbtp,
        "measures": None if take.measures is None else take.measures.to_dict(),
        "plan": plan,
        "notes": list(take.notes),
    }
    return (
        '<aside class="m-info" tabindex="-1">'
        + _section(language, "info.take", _list((say(language, key), value) for key, value in facts.items()))
        + _section(language, "info.measures", f'<ul class="m-measures">{measures}</ul>' if measures else unmeasured)
        + _section(language, "info.settings", _list(settings))
        + (_section(language, "info.plan", f"<p>{escape(_plan_words(language, plan))}</p>") if plan else "")
        + (_section(language, "info.notes", f'<ul class="m-notes">{notes}</ul>') if notes else "")
        + f'<button type="button" class="m-button" data-copy data-done="{escape(say(language, "info.copied"))}">'
        f"{escape(say(language, 'info.copy'))}</button>"
        f"<pre hidden>{escape(json.dumps(copied, ensure_ascii=False, indent=2))}</pre></aside>"
    )


def _plan_words(language: str, plan: dict[str, Any]) -> str:
    try:
        return plan_sentence(language, plan)
    except (KeyError, TypeError, ValueError):
        # A record of another version.
        return " · ".join(f"{name} {value}" for name, value in plan.items() if isinstance(value, str | int | float))


def _section(language: str, key: str, content: str) -> str:
    return f'<section><h3 class="m-heading">{escape(say(language, key))}</h3>{content}</section>'


def _list(rows: Iterable[tuple[str, str]]) -> str:
    items = "".join(f'<dt>{escape(name)}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in rows)
    return f'<dl class="m-rows">{items}</dl>'
