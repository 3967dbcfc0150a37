"""What the Prompt lab shows that is not a field: checks, the answer as it comes, the session's history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from mova_studio.jobs.enhancing import Progress
from mova_studio.prompting.model import Finding
from mova_studio.prompting.workflow import Enhanced
from mova_studio.ui.catalogue import say
from mova_studio.ui.prompt_state import MAX_HISTORY

_SHOWN_END = 600  # characters of an answer under way
_TITLE = 80
# The texts of a description that is still being written, without the JSON around them.
_VALUES = re.compile(r'":\s*"((?:[^"\\]|\\.)+)')


def report_html(language: str, findings: Sequence[Finding]) -> str:
    """The findings on a rewrite, broken rules before warnings; one green line where there are none."""
    if not findings:
        return f'<p class="m-good m-holds" role="status">✓ {escape(say(language, "lab.check.holds"))}</p>'
    parts = []
    for warning, heading in ((False, "lab.check.faults"), (True, "lab.check.warnings")):
        found = [finding for finding in findings if finding.warning is warning]
        if found:
            items = "".join(_finding(language, finding) for finding in found)
            title = escape(say(language, heading))
            kind = "m-warnings" if warning else "m-broken"
            parts.append(f'<h3 class="m-heading">{title}</h3><ul class="m-findings {kind}">{items}</ul>')
    return "".join(parts)


def advice_html(language: str, findings: Sequence[Finding]) -> str:
    """The same on a prompt that nobody rewrote: quiet, since a person may write as they please."""
    title = f'<h3 class="m-heading">{escape(say(language, "lab.check.advice"))}</h3>'
    if not findings:
        return f'{title}<p class="m-hint">{escape(say(language, "lab.check.advice.none"))}</p>'
    items = "".join(_finding(language, finding) for finding in findings)
    return f'{title}<ul class="m-findings m-advice">{items}</ul>'


def _finding(language: str, finding: Finding) -> str:
    sign = say(language, "lab.check.warning" if finding.warning else "lab.check.fault")
    why = finding.message if language == "en" else say(language, f"why.{finding.rule}")
    words = "".join(f'<q dir="auto">{escape(word)}</q>' for word in finding.words)
    return (
        f'<li><p><span class="m-heard">{escape(sign)}: </span><b>{escape(say(language, f"rule.{finding.rule}"))}</b> '
        f"{escape(why)}</p>{words}</li>"
    )


def progress_words(language: str, progress: Progress, backend: str) -> str:
    """ "rewriting, try 2 of 3", or whom is waited for."""
    if progress.stage == "describe":
        return say(language, "enhance.describe")
    if progress.stage == "rewrite":
        if progress.attempt > 1:
            return say(language, "enhance.again", attempt=progress.attempt)
        return say(language, "enhance.rewrite")
    return say(language, "enhance.begin", backend=backend)


def progress_html(language: str, progress: Progress, backend: str) -> str:
    """How far it is, and the end of the answer so far."""
    words = escape(progress_words(language, progress, backend))
    said = f'<p class="m-words" role="status"><span class="m-busy" aria-hidden="true"></span>{words}</p>'
    text = progress.text if progress.stage != "describe" else " · ".join(_VALUES.findall(progress.text))
    text = text[-_SHOWN_END:].strip()
    return said + (f'<p class="m-stream" dir="auto">{escape(text)}</p>' if text else "")


def history_html(language: str, history: Sequence[Enhanced]) -> str:
    """The session's rewrites, newest first, each a button."""
    if not history:
        return f'<p class="m-hint">{escape(say(language, "lab.history.empty", most=MAX_HISTORY))}</p>'
    return "".join(_entry(language, number, enhanced) for number, enhanced in reversed(list(enumerate(history))))


def _entry(language: str, number: int, enhanced: Enhanced) -> str:
    faults = len(enhanced.checks)
    state = say(language, "lab.history.faults", count=faults) if faults else say(language, "lab.history.holds")
    title = escape(" ".join(enhanced.original.split())[:_TITLE])
    return (
        f'<button type="button" class="m-past" data-act="restore" data-id="{number}"><b dir="auto">{title}</b>'
        f"<span>{escape(backend_name(language, enhanced.backend))} · {escape(state)}</span></button>"
    )


def backend_name(language: str, name: str) -> str:
    """A backend as a person calls it: "the composer", a server's title, a local model's last part."""
    kind, _, rest = name.partition(":")
    if kind == "server":
        from mova_studio.prompting.server_presets import server_presets

        known = server_presets().get(rest)
        return rest if known is None else known.title
    if kind == "local":
        return rest.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return say(language, "backend.composer.name")


def said_html(text: str, kind: str = "m-said") -> str:
    """A sentence beside what it is about."""
    role = "alert" if kind == "m-error" else "status"
    return f'<p class="{kind}" role="{role}" dir="auto">{escape(text)}</p>' if text else ""
