"""The Scouts view's lists and cells: a moving picture with its sound, what it varies, and what to do with it."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from mova_studio.jobs.scouting import Scout
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.ui.cards import title_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.plan_words import about
from mova_studio.ui.queue_html import icon_svg
from mova_studio.ui.scout_form import SETTING_LABELS
from mova_studio.ui.served import Served
from mova_studio.ui.stage import waveform_svg
from mova_studio.ui.translated import translate
from mova_studio.ui.words import describe, number


@dataclass(frozen=True)
class Shown:
    """A grid for the page.

    Attributes:
        jobs: its cells, row by row.
        films: what of them can be played, by job: the preview, or the take once it is made.
        finish_seconds: for finishing the kept cells; None where that is not known.
    """

    scout: Scout
    jobs: tuple[JobSnapshot, ...]
    films: Mapping[str, Served]
    finish_seconds: float | None = None

    @property
    def stop_step(self) -> int:
        return max(1, math.ceil(self.scout.share * self.jobs[0].steps))

    @property
    def unfinished_kept(self) -> list[JobSnapshot]:
        """Kept cells that have stopped, and are still to be finished."""
        return [job for job in self.jobs if job.kept and job.scouted]

    @property
    def busy(self) -> bool:
        return any(job.state in (JobState.RUNNING, JobState.WAITING) for job in self.jobs)


def scout_list(language: str, entries: Sequence[tuple[Scout, str, int, int]], chosen: str | None) -> str:
    """The grids, newest first: (scout, prompt, cells there, cells in all) each."""
    items = []
    for scout, prompt, done, total in entries:
        about_it = f"{axes_words(language, scout)} · {say(language, 'scouts.how', count=done, all=total)}"
        pressed = "true" if scout.scout_id == chosen else "false"
        items.append(
            f'<button type="button" class="m-entry" data-act="choose" data-id="{escape(scout.scout_id)}" '
            f'aria-pressed="{pressed}"><span dir="auto">{escape(title_of(prompt))}<small>{escape(about_it)}</small>'
            "</span></button>"
        )
    title = escape(say(language, "scouts.list"))
    return (
        f'<h2 class="m-heading">{title}</h2><div class="m-entries">{"".join(items)}</div>'
        f'<p class="m-hint">{escape(say(language, "scouts.keys"))}</p>'
    )


def axes_words(language: str, scout: Scout) -> str:
    """ "8 seeds", or "Text guidance s_T × Steps"."""
    if [axis.setting for axis in scout.axes] == ["seed"]:
        return say(language, "scouts.seeds", count=len(scout.axes[0].values))
    return " × ".join(say(language, SETTING_LABELS[axis.setting]) for axis in scout.axes)


def scout_head(language: str, shown: Shown, *, may_act: bool) -> str:
    """What is scouted and how far, and the one thing to do next."""
    job = shown.jobs[0]
    steps, step = job.steps, shown.stop_step
    if [axis.setting for axis in shown.scout.axes] == ["seed"]:
        words = say(language, "scouts.title.seeds", count=len(shown.jobs), step=step, steps=steps)
    else:
        names = [say(language, SETTING_LABELS[axis.setting]) for axis in shown.scout.axes]
        settings = say(language, "scouts.and").join(names)
        words = say(language, "scouts.title.grid", settings=settings, share=round(100 * shown.scout.share))
    prompt = job.shot.prompt if job.shot is not None else ""
    count = len(shown.unfinished_kept)
    label, off = say(language, "scouts.finish.none"), " disabled"
    if count:
        label, off = say(language, "scouts.finish", count=count), ""
        if shown.finish_seconds is not None:
            time = about(language, shown.finish_seconds)
            label = say(language, "scouts.finish.time", count=count, time=time)
    button = ""
    if may_act and any(each.state is not JobState.DONE for each in shown.jobs):
        button = (
            f'<button type="button" class="m-button m-primary" data-act="finish" '
            f'data-id="{escape(shown.scout.scout_id)}"{off}>{escape(label)}</button>'
        )
    close = escape(say(language, "scouts.close"))
    return (
        f'<div class="m-scouthead" data-close="{close}"><h2 class="m-title2" dir="auto">{escape(title_of(prompt))}'
        f"<span> · {escape(words)}</span></h2>{button}</div>"
    )


def scout_grid(language: str, shown: Shown, *, may_act: bool) -> str:
    """The cells; of two settings as a table with their values along both sides."""
    axes = shown.scout.axes
    cells = [_cell(language, shown, job, may_act=may_act) for job in shown.jobs]
    if len(axes) == 1:
        even = " m-four" if len(cells) % 4 == 0 else ""
        return f'<div class="m-scouts{even}" role="list">{"".join(cells)}</div>'
    columns = axes[0].values
    heads = "".join(f'<div class="m-axis">{_value(language, axes[0].setting, value)}</div>' for value in columns)
    rows = []
    for y, value in enumerate(axes[1].values):
        row = "".join(cells[y * len(columns) : (y + 1) * len(columns)])
        rows.append(f'<div class="m-axis m-rowaxis">{_value(language, axes[1].setting, value)}</div>{row}')
    return (
        f'<div class="m-scroll"><div class="m-scouts m-scouttable" role="list" style="--columns: {len(columns)}">'
        f"<div></div>{heads}{''.join(rows)}</div></div>"
    )


def _value(language: str, setting: str, value: Any) -> str:
    shown = number(value) if isinstance(value, float) else str(value)
    name, title = escape(say(language, SETTING_LABELS[setting])), escape(title_of(shown))
    return f'<span class="m-hint">{name}</span><b dir="auto" title="{escape(shown)}">{title}</b>'


def label_of(language: str, scout: Scout, job: JobSnapshot) -> str:
    """What tells a cell from the others: its seed, or its values."""
    assert job.cell is not None, "a scout's jobs are cells"
    if [axis.setting for axis in scout.axes] == ["seed"]:
        return say(language, "take.seed", seed=job.seed)
    values = []
    for axis, place in zip(scout.axes, (job.cell.x, job.cell.y), strict=False):
        value = axis.values[place]
        values.append(title_of(number(value) if isinstance(value, float) else str(value)))
    return " · ".join(values)


def _cell(language: str, shown: Shown, job: JobSnapshot, *, may_act: bool) -> str:
    label = label_of(language, shown.scout, job)
    film = shown.films.get(job.job_id)
    plays = " data-player data-hover" if film is not None else ""
    url, name = escape(film.url) if film is not None else "", escape(say(language, "scouts.video", label=label))
    dropped = job.state is JobState.CANCELLED
    mark = f'<span class="m-keptmark">★ {escape(say(language, "scouts.kept"))}</span>' if job.kept else ""
    return (
        f'<article class="m-card m-scoutcell{" m-kept" if job.kept else ""}{" m-dropped" if dropped else ""}" '
        f'tabindex="0" role="listitem" data-id="{escape(job.job_id)}" data-state="{job.state.value}" '
        f'data-kept="{int(job.kept)}" data-film="{url}" aria-label="{name}"{plays}>'
        f'<div class="m-frame">{_picture(language, job, film, label)}'
        f'<div class="m-tools">{_tools(language, job, film) if may_act else ""}</div></div>'
        f'<p class="m-meta"><span>{escape(label)}</span>{mark}</p>'
        f'<p class="m-meta">{escape(_state(language, job))}</p>'
        f"{waveform_svg(film.peaks if film is not None else (0.0,) * 60, say(language, 'take.wave'))}</article>"
    )


def _picture(language: str, job: JobSnapshot, film: Served | None, label: str) -> str:
    ratio = f"{job.shot.width} / {job.shot.height}" if job.shot is not None else "16 / 9"
    if film is not None:
        key = "take.video" if job.state is JobState.DONE else "scouts.video"
        name = escape(say(language, key, label=label, seed=job.seed))
        inner = (
            f'<video playsinline loop preload="none" tabindex="-1" poster="{escape(film.poster)}" '
            f'data-src="{escape(film.url)}" aria-label="{name}"></video>'
        )
    elif job.state is JobState.RUNNING and job.preview is not None:
        data = base64.b64encode(job.preview).decode("ascii")
        inner = f'<video class="m-livecell" autoplay loop muted playsinline src="data:video/mp4;base64,{data}"></video>'
    else:
        inner = ""
    return f'<div class="m-thumb" style="aspect-ratio: {ratio}">{inner}</div>'


def _state(language: str, job: JobSnapshot) -> str:
    if job.scouted:
        return say(language, "scouts.stopped", step=job.step, steps=job.steps)
    if job.state is JobState.CANCELLED:
        return say(language, "scouts.dropped")
    if job.state is JobState.FAILED and job.error is not None:
        return translate(language, str(job.error.get("message", "")))
    return describe(language, job)


def _tools(language: str, job: JobSnapshot, film: Served | None) -> str:
    buttons = []
    if film is not None:
        buttons.append(_tool(language, job, "large", "scouts.large"))
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        key = "scouts.undo" if job.state is JobState.CANCELLED else "queue.retry"
        buttons.append(_tool(language, job, "undo", key))
    elif job.state is not JobState.DONE:
        pressed = f' aria-pressed="{"true" if job.kept else "false"}"'
        buttons.append(_tool(language, job, "keep", "scouts.keep", pressed))
        buttons.append(_tool(language, job, "drop", "scouts.drop"))
    return "".join(buttons)


def _tool(language: str, job: JobSnapshot, act: str, key: str, more: str = "") -> str:
    words = escape(say(language, key))
    return (
        f'<button type="button" class="m-tool" tabindex="-1" data-act="{act}" data-id="{escape(job.job_id)}" '
        f'aria-label="{words}" title="{words}"{more}>{icon_svg(act)}</button>'
    )


def empty_scouts(language: str) -> str:
    """What goes here, and the one action that fills it."""
    return (
        f'<div class="m-empty m-wide"><div><h3>{escape(say(language, "scouts.empty.title"))}</h3>'
        f"<p>{escape(say(language, 'scouts.empty.text'))}</p>"
        f'<button type="button" class="m-button" data-act="create">{escape(say(language, "scouts.empty.button"))}'
        "</button></div></div>"
    )
