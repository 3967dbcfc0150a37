"""Times, progress and states in words and numbers."""

from __future__ import annotations

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.ui.catalogue import say


def duration(language: str, seconds: float) -> str:
    """ "48 s", "6 min 48 s" or "2 h 5 min"."""
    whole = max(0, round(seconds))
    if seconds < 10:
        return say(language, "time.seconds", s=f"{max(seconds, 0.0):.1f}")
    if whole < 60:
        return say(language, "time.seconds", s=whole)
    if whole < 3600:
        return say(language, "time.minutes", m=whole // 60, s=whole % 60)
    return say(language, "time.hours", h=whole // 3600, m=whole % 3600 // 60)


def countdown(language: str, seconds: float) -> str:
    """What is left, in whole seconds: tenths would only flicker."""
    return duration(language, max(seconds, 1.0) if seconds >= 10 else float(max(1, round(seconds)))).replace(".0", "")


def describe(language: str, snapshot: JobSnapshot) -> str:
    """ "denoising 21/50 · high-noise expert · 6 min 48 s left", or the state where nothing runs."""
    if snapshot.state is JobState.WAITING:
        if snapshot.ahead:
            return say(language, "state.waiting.ahead", count=snapshot.ahead)
        return say(language, "state.waiting.next")
    if snapshot.state is JobState.DONE and snapshot.take is not None:
        return say(language, "state.done", time=duration(language, sum(snapshot.take.seconds.values())))
    if snapshot.state is JobState.PAUSED:
        return _paused(language, snapshot)
    if snapshot.state is not JobState.RUNNING:
        return say(language, f"state.{snapshot.state.value}")
    words = [say(language, f"stage.{snapshot.stage}", step=snapshot.step, steps=snapshot.steps)]
    if snapshot.stage == "denoise" and snapshot.expert in ("high", "low"):
        words.append(say(language, f"expert.{snapshot.expert}"))
    if snapshot.begun_step:
        words.append(say(language, "state.goes_on", step=snapshot.begun_step))
    if snapshot.seconds_left is not None:
        words.append(say(language, "left", time=countdown(language, snapshot.seconds_left)))
    return " · ".join(words)


def _paused(language: str, snapshot: JobSnapshot) -> str:
    if not snapshot.step:
        return say(language, "state.paused")
    key = "state.scouted" if snapshot.scouted else "state.paused.step"
    return say(language, key, step=snapshot.step, steps=snapshot.steps)


def brief_state(language: str, snapshot: JobSnapshot) -> str:
    """The same for a list: "21/50" while denoising."""
    if snapshot.state is JobState.RUNNING:
        if snapshot.stage == "denoise":
            return f"{snapshot.step}/{snapshot.steps}"
        return say(language, f"stage.{snapshot.stage}")
    return describe(language, snapshot)


def short_model(model: str) -> str:
    """A checkpoint's name without the folders above it, which guests need not see."""
    return model.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or model


def number(value: float) -> str:
    """A number without a needless ".0"."""
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
