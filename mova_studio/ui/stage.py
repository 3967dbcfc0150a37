"""The middle of the Create view: nothing yet, a live preview, or the take with its sound."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.library.take import Take
from mova_studio.ui.catalogue import say
from mova_studio.ui.plan_words import plan_sentence
from mova_studio.ui.served import Served
from mova_studio.ui.sizes import seconds_of
from mova_studio.ui.translated import translate
from mova_studio.ui.words import describe, duration, number

# Clicks on anything with data-act inside a gr.HTML arrive at its `select` listener; the keyboard's focus stays on a
# button when the HTML is written anew.
# Clicked beside a list, the button also says what is chosen there.
ACTIONS_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (!button || !element.contains(button)) return;
  const value = button.closest('.m-with')?.querySelector('select')?.value || '';
  trigger('select', { act: button.dataset.act, id: button.dataset.id || '', value });
});
let focused = null;
element.addEventListener('focusin', (event) => { focused = event.target.closest('[data-act]')?.dataset || null; });
element.addEventListener('focusout', (event) => { if (event.relatedTarget) focused = null; });
watch('value', () => {
  if (!focused || document.activeElement !== document.body) return;
  const { act, id } = focused;
  const same = [...element.querySelectorAll('[data-act]')].find((it) => it.dataset.act === act && it.dataset.id === id);
  same?.focus();
});
"""


OVERLAPS = (1, 4, 5, 6, 7, 8)


def waveform_svg(peaks: Iterable[float], label: str) -> str:
    """Bars around a middle line; `studio.js` marks what has been played and seeks on a click."""
    bars = []
    values = list(peaks)
    for index, peak in enumerate(values):
        half = max(1.0, 48.0 * peak)
        bars.append(f"M{index * 4 + 2} {50 - half:.1f}V{50 + half:.1f}")
    width = len(values) * 4
    path = f'<path d="{"".join(bars)}"/>'
    return (
        f'<svg class="m-wave" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} 100" '
        f'preserveAspectRatio="none">{path}<g class="m-played">{path}</g></svg>'
    )


def untrained_badge(language: str) -> str:
    return f'<span class="m-badge m-badge-warn">{escape(say(language, "take.untrained"))}</span>'


def loudness_words(language: str, take: Take) -> list[str]:
    """The measured numbers; what was not measurable is said in words."""
    words = []
    if take.integrated_lufs is None:
        words.append(say(language, "take.silent"))
    else:
        words.append(say(language, "take.lufs", lufs=f"{take.integrated_lufs:.1f}"))
    if take.true_peak_dbtp is not None:
        words.append(say(language, "take.peak", peak=f"{take.true_peak_dbtp:.1f}"))
    return words


def empty_stage(language: str) -> str:
    return (
        '<div class="m-screen m-empty"><div>'
        f"<h3>{escape(say(language, 'stage.empty.title'))}</h3><p>{escape(say(language, 'stage.empty.text'))}</p>"
        f'<button type="button" class="m-button" data-act="example">{escape(say(language, "stage.empty.example"))}'
        "</button></div></div>"
    )


def running_stage(language: str, snapshot: JobSnapshot, *, may_act: bool = True, sounded: bool = False) -> str:
    """The x0 preview of the latest step, or a quiet screen of the take's shape until there is one.

    Args:
        sounded: an earlier preview of this job had sound; only some have, and the button to listen stays.
    """
    assert snapshot.shot is not None, "the queue knows what every job makes"
    ratio = f"--ratio: {snapshot.shot.width / snapshot.shot.height:.4f}"
    paused = snapshot.state is JobState.PAUSED
    resume = _button(language, "resume", "queue.resume") if paused and may_act else ""
    if snapshot.preview is None:
        words = "" if snapshot.state is JobState.RUNNING else describe(language, snapshot)
        return f'<div class="m-screen m-quiet" style="{ratio}"><div><p>{escape(words)}</p>{resume}</div></div>'
    caption = say(language, "preview", step=snapshot.preview_step, steps=snapshot.steps)
    if snapshot.expert in ("high", "low"):
        caption += " · " + say(language, f"expert.{snapshot.expert}")
    data = base64.b64encode(snapshot.preview).decode("ascii")
    heard = has_sound(snapshot.preview)
    listen = ""
    if heard or sounded:
        play, mute = escape(say(language, "preview.listen")), escape(say(language, "preview.mute"))
        listen = f'<button type="button" class="m-listen" data-listen="{play}" data-mute="{mute}">{play}</button>'
    return (
        f'<div class="m-screen" style="{ratio}">'
        f'<video class="m-preview" data-job="{escape(snapshot.job_id)}" autoplay loop muted playsinline '
        f'{"data-sound " if heard else ""}src="data:video/mp4;base64,{data}" '
        f'aria-label="{escape(caption)}"></video><span class="m-caption">{escape(caption)}</span>{listen}'
        + (f'<div class="m-overlay">{resume}</div>' if resume else "")
        + "</div>"
    )


def has_sound(mp4: bytes) -> bool:
    """Whether an mp4 has an AAC track, by the name of its sample entry."""
    return b"mp4a" in mp4


def take_stage(
    language: str, take: Take, served: Served, notes: Iterable[str], *, play: bool, owner: bool = False
) -> str:
    """The finished take: picture with controls, sound under it, numbers, notes and the download."""
    label = escape(say(language, "take.video", seed=take.seed))
    facts = [
        say(language, "take.seed", seed=take.seed),
        f"{take.width} × {take.height}",
        say(
            language,
            "take.frames",
            frames=take.num_frames,
            seconds=number(seconds_of(take.num_frames, take.frame_rate)),
            rate=number(take.frame_rate),
        ),
        " · ".join(loudness_words(language, take)),
        say(language, "state.done", time=duration(language, sum(take.seconds.values()))),
    ]
    chips = "".join(f'<span class="m-chip">{escape(fact)}</span>' for fact in facts)
    badge = untrained_badge(language) if take.untrained else ""
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="m-player" data-player><div class="m-screen" style="--ratio: {take.width / take.height:.4f}">'
        f'<video class="m-video" controls playsinline preload="auto"{" autoplay" if play else ""} '
        f'src="{escape(served.url)}" aria-label="{label}"></video></div>'
        f"{waveform_svg(served.peaks, say(language, 'take.wave'))}"
        f'<div class="m-facts">{badge}{chips}</div>'
        + (f'<ul class="m-notes">{lines}</ul>' if lines else "")
        + '<div class="m-actions">'
        f'<a class="m-button" href="{escape(served.url)}" download="{escape(take.path.name)}">'
        f"{escape(say(language, 'take.download'))}</a>"
        + _button(language, "reuse", "take.reuse")
        + _button(language, "first", "take.to_first")
        + _extend(language)
        + _button(language, "still", "take.still")
        + (_button(language, "timeline", "timeline.send") if owner else "")
        + "</div></div>"
    )


def _button(language: str, act: str, key: str) -> str:
    return f'<button type="button" class="m-button" data-act="{act}">{escape(say(language, key))}</button>'


def _extend(language: str) -> str:
    label = escape(say(language, "take.overlap"))
    options = "".join(
        f'<option value="{count}"{" selected" if count == OVERLAPS[-1] else ""}>'
        f"{escape(say(language, 'take.overlap.frames', count=count))}</option>"
        for count in OVERLAPS
    )
    return (
        f'<span class="m-with">{_button(language, "extend", "take.extend")}'
        f'<select class="m-button" aria-label="{label}" title="{label}">{options}</select></span>'
    )


def ended_stage(language: str, snapshot: JobSnapshot, *, may_act: bool = True) -> str:
    """A run that gave no take, and why."""
    retry = _retry(language, snapshot) if may_act else ""
    if snapshot.state is JobState.CANCELLED:
        words = escape(say(language, "stage.cancelled"))
        return f'<div class="m-screen m-quiet"><div><p>{words}</p>{retry}</div></div>'
    message = (snapshot.error or {}).get("message") or say(language, "state.failed")
    message = translate(language, str(message))
    return (
        '<div class="m-screen m-empty m-failed" role="alert"><div>'
        f"<h3>{escape(say(language, 'stage.failed.title'))}</h3><p>{escape(message)}</p>"
        + "".join(f"<p>{escape(note)}</p>" for note in run_notes(language, snapshot))
        + f"<p>{escape(say(language, 'stage.failed.advice'))}</p>{retry}</div></div>"
    )


def _retry(language: str, snapshot: JobSnapshot) -> str:
    words = say(language, "queue.retry")
    if snapshot.saved_step:
        words = say(language, "queue.retry.step", step=snapshot.saved_step, steps=snapshot.steps)
    return f'<button type="button" class="m-button" data-act="retry">{escape(words)}</button>'


def progress_line(language: str, snapshot: JobSnapshot | None) -> str:
    """The bar and its words; empty where there is nothing to say."""
    if snapshot is None or snapshot.state is JobState.DONE:
        return ""
    words = describe(language, snapshot)
    if snapshot.state is not JobState.RUNNING:
        return f'<div class="m-progress"><span class="m-words" role="status">{escape(words)}</span></div>'
    percent = round(100 * min(max(snapshot.fraction, 0.0), 1.0))
    plan = ""
    if snapshot.plan is not None:
        name = escape(say(language, "plan.job", name=snapshot.plan["name"]))
        plan = f'<span class="m-words m-jobplan" title="{escape(plan_sentence(language, snapshot.plan))}">{name}</span>'
    notes = "".join(f'<p class="m-note" role="status">{escape(note)}</p>' for note in run_notes(language, snapshot))
    return (
        f'<div class="m-progress"><div class="m-bar" role="progressbar" data-steps="{snapshot.step}/{snapshot.steps}" '
        f'aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}" aria-valuetext="{escape(words)}"><i style="width: {percent}%"></i></div>'
        f'<span class="m-words">{escape(words)}</span>{plan}</div>{notes}'
    )


def run_notes(language: str, snapshot: JobSnapshot) -> list[str]:
    """What a run has said so far. That its checkpoint is untrained is said by the badge of its take."""
    return [translate(language, note) for note in dict.fromkeys(snapshot.notes) if "untrained" not in note]
