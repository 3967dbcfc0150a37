"""Checkpoints as the owner sees them: what is here, what is wrong with it, and what can be done."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from mova_studio.jobs.background import Command, Outcome
from mova_studio.library.presets import preset_for
from mova_studio.network.installed import DEMO, Installed, State
from mova_studio.ui.catalogue import say
from mova_studio.ui.translated import translate
from mova_studio.ui.words import countdown

FAULTS_SHOWN = 8
COPY_JS = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Browsers keep the clipboard from pages that come over plain HTTP from another machine.
    const range = document.createRange();
    range.selectNodeContents(button.previousElementSibling);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand('copy');
  }
  const words = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = words; }, 1500);
});
"""


def size_words(count: float) -> str:
    """ "77.67 GB", "11.2 MB" or "3 kB"."""
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def model_cards(
    language: str,
    entries: list[Installed],
    used: Installed | None,
    download: Command | None,
    check: Command | None,
) -> str:
    """The list, the one in use first."""
    order = sorted(entries, key=lambda entry: entry is not used)
    cards = [_card(language, entry, entry is used, download, check) for entry in order]
    if len(entries) == 1 and entries[0].model == DEMO:
        title, text = say(language, "models.only_demo.title"), say(language, "models.only_demo.text")
        cards.append(f'<div class="m-teach"><h3>{escape(title)}</h3><p class="m-hint">{escape(text)}</p></div>')
    return "".join(cards)


def progress_html(language: str, command: Command, start: str) -> str:
    """A bar, how far it is, how fast, and what is left.

    Args:
        start: what is said before the first byte.
    """
    progress = command.events.get("progress")
    if not progress or not progress["total"]:
        return f'<p class="m-note" role="status">{escape(start)}</p>'
    done, total, speed = progress["done"], progress["total"], progress["bytes_per_second"]
    words = [say(language, "models.progress", done=size_words(done), total=size_words(total))]
    if speed and done < total:
        words.append(say(language, "models.speed", speed=size_words(speed)))
        words.append(say(language, "left", time=countdown(language, (total - done) / speed)))
    percent = int(100 * done / total)
    return (
        f'<div class="m-progress"><div class="m-bar" role="progressbar" aria-valuenow="{percent}" '
        f'aria-valuemin="0" aria-valuemax="100"><i style="width: {percent}%"></i></div></div>'
        f'<p class="m-words">{escape(" · ".join(words))}</p>'
    )


def _card(language: str, entry: Installed, used: bool, download: Command | None, check: Command | None) -> str:
    fetching = _of(download, entry) and download is not None and download.outcome is Outcome.RUNNING
    checked = check if check is not None and check.about["model"] == entry.model else None
    badge = f'<span class="m-badge m-badge-use">{escape(say(language, "models.in_use"))}</span>' if used else ""
    copy, done = escape(say(language, "models.copy")), escape(say(language, "models.copied"))
    path = escape(str(entry.folder))
    # What a thorough check found counts more than what names and sizes tell.
    bad = checked is not None and checked.outcome is Outcome.DONE and not checked.answer["ok"]
    found = replace(entry, state=State.DAMAGED) if bad and entry.state is State.WHOLE else entry
    below = ""
    if fetching and download is not None:
        below += progress_html(language, download, say(language, "models.download.start", model=entry.model))
    if checked is not None:
        below += _checked(language, entry, checked)
    return (
        f'<article class="m-model{" m-used" if used else ""}" data-state="{found.state.value}" '
        f'data-model="{escape(entry.model)}">'
        f'<header><b class="m-big">{escape(_title(entry))}</b>{badge}{_state(language, found)}</header>'
        f'<p class="m-path"><span class="m-mono">{path}</span>'
        f'<button type="button" class="m-link" data-copy="{path}" data-done="{done}">{copy}</button></p>'
        f"{_about(language, entry, used)}{below}"
        f'<p class="m-actions">{_buttons(language, entry, used, fetching, checked)}</p></article>'
    )


def _title(entry: Installed) -> str:
    """Its name: a folder's last part, since the whole path stands below."""
    return entry.hub_id or (entry.folder.name if entry.model == str(entry.folder) else entry.model) or entry.model


def _state(language: str, entry: Installed) -> str:
    size = size_words(entry.bytes)
    if entry.state is State.PARTIAL and entry.bytes_total:
        here, total = size_words(entry.bytes_here), size_words(entry.bytes_total)
        words = say(language, "models.state.partial", here=here, total=total)
    elif entry.state is State.PARTIAL:
        words = say(language, "models.state.partial.unknown", size=size)
    elif entry.state in (State.GONE, State.UNMADE):
        words = say(language, f"models.state.{entry.state.value}")
    else:
        words = say(language, f"models.state.{entry.state.value}", size=size)
    return f'<span class="m-badge m-badge-{entry.state.value}">{escape(words)}</span>'


def _about(language: str, entry: Installed, used: bool) -> str:
    lines = []
    if entry.model == DEMO:
        lines.append(say(language, "models.demo"))
    if entry.state is State.PARTIAL and entry.missing:
        key = "models.about.partial" if entry.hub_id else "models.about.partial.folder"
        lines.append(say(language, key, count=len(entry.missing), file=entry.missing[0]))
    elif entry.state is State.GONE:
        lines.append(say(language, "models.about.gone.hub" if entry.hub_id and used else "models.about.gone.folder"))
    elif entry.state is State.UNMADE:
        lines.append(say(language, "models.about.unmade"))
    elif entry.state is State.DAMAGED:
        lines.append(translate(language, entry.fault))
    if entry.state in (State.WHOLE, State.UNMADE):
        preset = preset_for(entry.hub_id or entry.model)
        facts = {"width": preset.width, "height": preset.height, "frames": preset.num_frames}
        lines.append(say(language, "models.size", steps=preset.num_inference_steps, **facts))
    kind = "m-error" if entry.state is State.DAMAGED else "m-hint"
    return "".join(f'<p class="{kind}">{escape(line)}</p>' for line in lines)


def _buttons(language: str, entry: Installed, used: bool, fetching: bool, checked: Command | None) -> str:
    acts: list[tuple[str, str]] = []
    checking = checked is not None and checked.outcome is Outcome.RUNNING
    if not used and entry.state in (State.WHOLE, State.UNMADE):
        acts.append(("use", "models.use"))
    if fetching:
        acts.append(("halt", "models.download.stop"))
    elif entry.hub_id and entry.state is State.GONE:
        acts.append(("resume", "models.fetch"))
    elif entry.hub_id and entry.state in (State.PARTIAL, State.DAMAGED):
        acts.append(("resume", "models.resume"))
    if checking:
        acts.append(("unverify", "models.verify.stop"))
    elif entry.state in (State.WHOLE, State.DAMAGED) and not fetching:
        acts.append(("verify", "models.verify"))
    if checked is not None and entry.hub_id and not fetching and _bad(checked):
        acts.append(("mend", "models.mend"))
    if entry.remembered and not used:
        acts.append(("forget", "models.forget"))
    name, hint = escape(entry.model), escape(say(language, "models.forget.hint"))
    return "".join(
        f'<button type="button" class="m-button" data-act="{act}" data-id="{name}"'
        f"{f' title={chr(34)}{hint}{chr(34)}' if act == 'forget' else ''}>{escape(say(language, key))}</button>"
        for act, key in acts
    )


def _checked(language: str, entry: Installed, check: Command) -> str:
    if check.outcome is Outcome.RUNNING:
        return progress_html(language, check, say(language, "models.verify.start"))
    if check.outcome is Outcome.STOPPED:
        return f'<p class="m-hint" role="status">{escape(say(language, "models.verify.stopped"))}</p>'
    if check.error is not None:
        return f'<p class="m-error" role="alert">{escape(translate(language, check.error.message))}</p>'
    count = check.answer.get("checksums", 0)
    if check.answer.get("ok"):
        words = say(language, "models.verify.done", count=count)
        if not count:
            words = say(language, "models.verify.done.unknown")
        return f'<p class="m-good" role="status">{escape(words)}</p>'
    faults = [_fault(language, fault) for fault in check.answer.get("files", [])]
    faults = faults or [translate(language, str(fault)) for fault in check.answer.get("faults", [])]
    shown = faults[:FAULTS_SHOWN]
    if len(faults) > len(shown):
        shown.append(say(language, "models.faults.more", count=len(faults) - len(shown)))
    remedy = say(language, "models.faults.hub" if entry.hub_id else "models.faults.folder")
    return (
        f'<div role="alert"><p class="m-error">{escape(say(language, "models.faults", count=len(faults)))}</p>'
        f'<ul class="m-faults">{"".join(f"<li>{escape(fault)}</li>" for fault in shown)}</ul>'
        f'<p class="m-hint">{escape(remedy)}</p></div>'
    )


def _fault(language: str, fault: dict[str, Any]) -> str:
    values = {name: fault[name] for name in ("file", "expected", "found")}
    return say(language, f"models.fault.{fault['kind']}", **values)


def _bad(check: Command) -> bool:
    return any(fault["fetchable"] for fault in check.answer.get("files", []))


def _of(command: Command | None, entry: Installed) -> bool:
    """Whether a download is this checkpoint's."""
    if command is None or not entry.hub_id or command.about["model"] != entry.hub_id:
        return False
    return command.about["to"] == str(entry.to or "")
