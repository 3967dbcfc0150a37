"""Small pictures of takes and of jobs: never a picture without its sound."""

from __future__ import annotations

from html import escape
from unicodedata import category

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.library.take import Take
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import Ticket
from mova_studio.ui.served import Served
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.stage import loudness_words, untrained_badge, waveform_svg
from mova_studio.ui.words import describe, number

TITLE_CHARACTERS = 60
ENDED_SHOWN = 10


def small_card(language: str, take: Take, served: Served) -> str:
    """One take of the strip under the stage."""
    return (
        '<article class="m-card" data-player data-hover>'
        + _picture_and_sound(language, take, served)
        + _numbers(language, take)
        + "</article>"
    )


def _picture_and_sound(language: str, take: Take, served: Served) -> str:
    tall = " m-tall" if take.height >= take.width else ""
    label = escape(say(language, "take.video", seed=take.seed))
    return (
        # The film is fetched when it is played: a browser has six connections for all takes and the page itself.
        f'<div class="m-thumb{tall}"><video playsinline loop preload="none" poster="{served.poster}" '
        f'data-src="{escape(served.url)}" '
        f'tabindex="0" aria-label="{label}"></video></div>' + waveform_svg(served.peaks, say(language, "take.wave"))
    )


def _numbers(language: str, take: Take) -> str:
    seed = escape(say(language, "take.seed", seed=take.seed))
    loudness = escape(loudness_words(language, take)[0])
    badge = untrained_badge(language) if take.untrained else ""
    return f'<p class="m-meta"><span>{seed}</span><span>{loudness}</span></p>{badge}'


def queue_list(language: str, jobs: list[tuple[Ticket, JobSnapshot]], shown: str | None) -> str:
    """The page's jobs, newest first; a click shows one, the cross cancels one that has not ended."""
    ended = [ticket.job_id for ticket, snapshot in jobs if snapshot.state.ended]
    hidden = set(ended[:-ENDED_SHOWN]) - {shown}
    jobs = [job for job in jobs if job[0].job_id not in hidden]
    if not jobs:
        return f'<p class="m-hint">{escape(say(language, "queue.empty"))}</p>'
    return "".join(_queue_item(language, ticket, snapshot, ticket.job_id == shown) for ticket, snapshot in jobs[::-1])


def _queue_item(language: str, ticket: Ticket, snapshot: JobSnapshot, shown: bool) -> str:
    shot = ticket.shot
    running = snapshot.state is JobState.RUNNING
    state = f"{snapshot.step}/{snapshot.steps}" if running else describe(language, snapshot)
    spec = " · ".join(
        (
            f"{shot.width} × {shot.height}",
            say(language, "time.seconds", s=number(round(seconds_of(shot.num_frames, shot.frame_rate), 2))),
            say(language, "take.seed", seed=ticket.seed),
        )
    )
    cross = ""
    if not snapshot.state.ended:
        label = escape(say(language, "queue.cancel"))
        cross = (
            f'<button type="button" class="m-cross" data-act="cancel" data-id="{escape(ticket.job_id)}" '
            f'aria-label="{label}" title="{label}">×</button>'
        )
    return (
        f'<div class="m-job{" m-shown" if shown else ""}" data-state="{snapshot.state.value}">'
        f'<button type="button" class="m-jobname" data-act="show" data-id="{escape(ticket.job_id)}" '
        f'aria-pressed="{"true" if shown else "false"}" title="{escape(say(language, "queue.show"))}">'
        f'<b>{escape(title_of(shot.prompt))}</b><span class="m-mono">{escape(spec)}</span></button>'
        f'<span class="m-mono m-jobstate">{escape(state)}</span>{cross}</div>'
    )


def title_of(prompt: str) -> str:
    """A prompt as one short line."""
    line = " ".join("".join(" " if category(letter) == "Cc" else letter for letter in prompt).split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"
