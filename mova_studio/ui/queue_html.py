"""The queue beside the stage: what runs, waits and has ended, with a few small buttons for each."""

from __future__ import annotations

from html import escape

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.ui.cards import title_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Sight
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.words import brief_state, number

# Icons of 16 × 16, drawn as strokes.
_ICONS = {
    "front": "M3 2.5h10M8 13.5V6M4.5 9 8 5.5 11.5 9",
    "up": "M8 13V3.5M4 7l4-4 4 4",
    "down": "M8 3v9.5M4 9l4 4 4-4",
    "pause": "M5.5 3v10M10.5 3v10",
    "resume": "M5 3l8 5-8 5z",
    "edit": "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z",
    "duplicate": "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
    "retry": "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
    "cancel": "M4 4l8 8M12 4l-8 8",
    "keep": "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z",
    "drop": "M4 4l8 8M12 4l-8 8",
    "undo": "M6 3 3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6",
    "large": "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5 9.5 6.5M2.5 13.5l4-4",
}
_TOOLS = {
    JobState.RUNNING: ("pause", "duplicate", "cancel"),
    JobState.WAITING: ("front", "up", "down", "pause", "edit", "duplicate", "cancel"),
    JobState.PAUSED: ("front", "up", "down", "resume", "edit", "duplicate", "cancel"),
    JobState.DONE: ("duplicate",),
    JobState.FAILED: ("retry", "duplicate"),
    JobState.CANCELLED: ("retry", "duplicate"),
}


def queue_head(language: str, sight: Sight, *, owner: bool) -> str:
    """The title, and for the owner what is done to the whole queue."""
    count = len(sight.line) + sight.more
    title = say(language, "queue.title" if owner else "queue.title.own")
    buttons = ""
    if owner and not sight.read_only:
        act = "go" if sight.held else "hold"
        if count or sight.held:
            words = escape(say(language, f"queue.{act}"))
            icon = icon_svg("resume" if sight.held else "pause")
            buttons = f'<button type="button" class="m-small" data-act="{act}">{icon}{words}</button>'
        if count:
            buttons += _cancel_all(language, count)
    why = [key for key, true in (("queue.held", sight.held), ("queue.training", sight.reserved)) if true]
    held = "".join(f'<p class="m-note" role="status">{escape(say(language, key))}</p>' for key in why)
    close = escape(say(language, "queue.close"))
    first = escape(say(language, "queue.front.hint")) if owner else ""
    return (
        f'<div class="m-queuehead" data-first="{first}"><h2 class="m-heading">{escape(title)}</h2>{buttons}'
        f'<button type="button" class="m-tool2 m-queueclose" data-queue-close aria-label="{close}" title="{close}">'
        f"{icon_svg('cancel')}</button></div>{held}"
    )


def _cancel_all(language: str, count: int) -> str:
    """A button that asks before it acts."""
    return (
        '<span class="m-asks"><button type="button" class="m-small" data-ask>'
        f"{escape(say(language, 'queue.cancel_all'))}</button>"
        '<span class="m-sure" hidden><button type="button" class="m-small m-bad" data-act="cancel_all">'
        f"{escape(say(language, 'queue.cancel_all.sure', count=count))}</button>"
        f'<button type="button" class="m-small" data-keep>{escape(say(language, "queue.cancel_all.keep"))}</button>'
        "</span></span>"
    )


def queue_list(language: str, sight: Sight, shown: str | None, editing: str | None = None) -> str:
    """Unfinished jobs in the order in which they run, then those of this page that have ended, the last first."""
    if not (sight.line or sight.ended):
        return f'<p class="m-hint">{escape(say(language, "queue.empty"))}</p>'
    movable = [job.job_id for job in sight.line if job.state is not JobState.RUNNING]
    items = [_item(language, job, sight, movable, shown, editing) for job in sight.line]
    if sight.more:
        words = escape(say(language, "queue.more", count=sight.more))
        button = (
            f'<button type="button" class="m-link" data-act="more">{escape(say(language, "queue.more.show"))}</button>'
        )
        items.append(f'<p class="m-morejobs"><span>{words}</span>{button}</p>')
    items += [_item(language, job, sight, movable, shown, editing) for job in sight.ended[::-1]]
    return f'<div role="list">{"".join(items)}</div>'


def _item(
    language: str, job: JobSnapshot, sight: Sight, movable: list[str], shown: str | None, editing: str | None
) -> str:
    assert job.shot is not None, "the queue knows what every job makes"
    shot, job_id = job.shot, escape(job.job_id)
    spec = " · ".join(
        (
            f"{shot.width} × {shot.height}",
            say(language, "time.seconds", s=number(round(seconds_of(shot.num_frames, shot.frame_rate), 2))),
            say(language, "take.seed", seed=job.seed),
        )
    )
    chosen = job.job_id == shown
    marks = f"{' m-shown' if chosen else ''}{' m-edited' if job.job_id == editing else ''}"
    can_move = job.job_id in movable and not sight.read_only
    tools = "" if sight.read_only else _tools(language, job, movable, whole=not sight.more)
    drag = f' draggable="true" title="{escape(say(language, "queue.grip"))}"' if can_move and len(movable) > 1 else ""
    return (
        f'<div class="m-job{marks}" role="listitem" data-job="{job_id}" data-state="{job.state.value}"{drag}>'
        f'<button type="button" class="m-jobname" data-act="show" data-id="{job_id}" '
        f'aria-pressed="{"true" if chosen else "false"}" title="{escape(say(language, "queue.show"))}">'
        f'<span class="m-jobtop"><b dir="auto">{escape(title_of(shot.prompt))}</b>'
        f'<span class="m-mono m-jobstate">{escape(brief_state(language, job))}</span></span>'
        f'<span class="m-mono">{escape(spec)}</span></button>'
        f'<div class="m-jobtools">{tools}</div></div>'
    )


def _tools(language: str, job: JobSnapshot, movable: list[str], *, whole: bool) -> str:
    buttons = []
    place = movable.index(job.job_id) if job.job_id in movable else -1
    for act in _TOOLS[job.state]:
        if act in ("front", "up") and place == 0:
            continue
        if act == "down" and whole and place == len(movable) - 1:
            continue
        if act == "edit" and job.cell is not None:
            continue
        key, values = f"queue.{act}", {}
        if act == "retry" and job.saved_step:
            key, values = "queue.retry.step", {"step": job.saved_step, "steps": job.steps}
        words = escape(say(language, key, **values))
        buttons.append(
            f'<button type="button" class="m-tool2" data-act="{act}" data-id="{escape(job.job_id)}" '
            f'aria-label="{words}" title="{words}">{icon_svg(act)}</button>'
        )
    return "".join(buttons)


def icon_svg(name: str) -> str:
    """One of the small icons; the words stand on the button."""
    return f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{_ICONS[name]}"/></svg>'


def queue_pill(language: str, sight: Sight) -> str:
    """The pill in the header, which opens the queue where it is folded away; "" with nothing in it."""
    count = len(sight.line) + sight.more
    if not count and not sight.ended:
        return ""
    words = escape(say(language, "header.queue", count=count))
    return f'<button type="button" class="m-pill" data-queue-open aria-expanded="false">{words}</button>'


def banner_html(sight: Sight) -> tuple[str, str]:
    """(kind, sentence) of what stands above all views; ("", "") where all is well."""
    if sight.read_only:
        return "read_only", sight.read_only
    return ("trouble", sight.trouble) if sight.trouble else ("", "")
