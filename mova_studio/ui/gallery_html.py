"""The Gallery's cards and lists: a picture with its waveform, seed, stars and measurements."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from secrets import token_hex

from mova_studio.library.query import Query
from mova_studio.ui.cards import title_of
from mova_studio.ui.catalogue import say
from mova_studio.ui.gallery_data import SHOTS_LISTED, Overview, Shown
from mova_studio.ui.measure_chips import measure_chips
from mova_studio.ui.setting_words import setting_label, setting_value
from mova_studio.ui.stage import waveform_svg
from mova_studio.ui.translated import translate

TAGS_LISTED = 40
# Drawn, because not every machine has these signs in its letters.
_SIGNS = {
    "open": "M9 2.5h4.5V7M13.5 2.5 9 7M7 13.5H2.5V9M2.5 13.5 7 9",
    "mark": "M2.5 3.5h11v9h-11zM8 2v12M10 6h1.5M10 8h1.5M10 10h1.5",
    "trash": "M2.5 4.5h11M6 4V2.5h4V4M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4",
    "restore": "M3 3v4h4M3.3 7A5 5 0 1 1 4 11.5",
}


def take_card(language: str, shown: Shown, *, may_change: bool) -> str:
    """One take of the grid; `gallery.js` moves the focus between cards and acts on keys."""
    kept = shown.kept
    prompt = title_of(kept.take.shot.prompt)
    label = say(language, "card.label", seed=kept.take.seed, stars=kept.stars, prompt=prompt)
    picture = _gone(language, shown, may_change) if shown.missing else _picture(language, shown, may_change)
    plays = "" if shown.missing else " data-player data-hover"
    return (
        f'<article class="m-card m-take" tabindex="0" role="listitem" data-id="{escape(kept.take_id)}" '
        f'data-seed="{kept.take.seed}" data-stars="{kept.stars}" aria-label="{escape(label)}"{plays}'
        f"{' data-missing' if shown.missing else ''}{' data-trashed' if kept.trashed else ''}>{picture}"
        f'<p class="m-title" dir="auto" title="{escape(kept.take.shot.prompt[:1000])}">{escape(prompt)}</p>'
        f'<p class="m-meta"><span>{escape(say(language, "take.seed", seed=kept.take.seed))}</span>'
        f"{stars(language, kept.take_id, kept.stars, may_change=may_change and not kept.trashed)}</p>"
        f'<p class="m-chips">{"".join(_chips(language, shown))}</p></article>'
    )


def _picture(language: str, shown: Shown, may_change: bool) -> str:
    kept = shown.kept
    tall = " m-tall" if kept.take.height >= kept.take.width else ""
    label = escape(say(language, "take.video", seed=kept.take.seed))
    acts = ["open"]
    if kept.trashed is None:
        acts.append("mark")
    if may_change:
        acts.append("trash" if kept.trashed is None else "restore")
    tools = [_tool(language, kept.take_id, act) for act in acts]
    wave = kept.waveform or (0.0,)
    return (
        f'<div class="m-frame"><div class="m-thumb{tall}">'
        # The film is fetched when it is played: a browser has six connections for all takes and the page itself.
        f'<video playsinline loop preload="none" tabindex="-1" data-src="{escape(shown.url)}" aria-label="{label}"'
        + (f' poster="{escape(shown.poster)}"' if shown.poster else ' data-unposted="1"')
        + f'></video></div><div class="m-tools">{"".join(tools)}</div></div>'
        + waveform_svg(wave, say(language, "take.wave"))
    )


def _tool(language: str, take_id: str, act: str) -> str:
    words = escape(say(language, f"card.{act}"))
    return (
        f'<button type="button" class="m-tool" data-act="{act}" data-id="{escape(take_id)}" aria-label="{words}" '
        f'title="{words}"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="{_SIGNS[act]}"/></svg></button>'
    )


def _gone(language: str, shown: Shown, may_change: bool) -> str:
    """In place of the picture: what became of the file, and what can be done."""
    take_id = escape(shown.kept.take_id)
    links = "".join(
        f'<button type="button" class="m-link" data-act="{act}" data-id="{take_id}">'
        f"{escape(say(language, key))}</button>"
        for act, key in (("look", "card.look"), ("forget", "card.forget"))
    )
    offer = f'<p class="m-links">{links}</p>' if may_change else ""
    return f'<div class="m-gone"><p>{escape(say(language, "card.missing"))}</p>{offer}</div>'


def stars(language: str, take_id: str, count: int, *, may_change: bool) -> str:
    """Five stars; for the owner each is a button. The keys . and 1 to 5 do the same, so Tab passes them by."""
    words = escape(say(language, "card.stars", stars=count))
    if not may_change:
        return f'<span class="m-stars" role="img" aria-label="{words}">{"★" * count}{"☆" * (5 - count)}</span>'
    buttons = "".join(
        f'<button type="button" tabindex="-1" data-star="{number}" data-id="{escape(take_id)}" '
        f'aria-label="{escape(say(language, "card.star", stars=number))}">{"★" if number <= count else "☆"}</button>'
        for number in range(1, 6)
    )
    return f'<span class="m-stars" role="group" aria-label="{words}">{buttons}</span>'


def _chips(language: str, shown: Shown) -> Iterable[str]:
    yield from measure_chips(language, shown.kept.take)
    for tag in shown.kept.tags:
        yield f'<span class="m-chip m-tag" dir="auto">{escape(tag)}</span>'
    if shown.kept.take.untrained:
        words, tip = say(language, "card.untrained"), say(language, "take.untrained")
        yield f'<span class="m-chip m-warn" title="{escape(tip)}">{escape(words)}</span>'


def search_field(language: str, text: str, most: int) -> str:
    """A field of our own: Gradio's misses text that is pasted or composed, as Chinese is."""
    return (
        f'<label><span class="m-heading">{escape(say(language, "gallery.search"))}</span>'
        f'<input type="search" dir="auto" autocomplete="off" spellcheck="false" maxlength="{most}" '
        f'value="{escape(text)}" placeholder="{escape(say(language, "gallery.search.hint"))}"></label>'
    )


def panel(language: str, overview: Overview, query: Query) -> str:
    """The lists on the left: shots, then tags."""
    return "".join(
        f'<section class="m-list"><h2 class="m-heading">{escape(say(language, key))}</h2>{content}</section>'
        for key, content in (
            ("gallery.shots", f'<div class="m-entries">{_shots(language, overview, query.shot_id)}</div>'),
            ("gallery.tags", f'<p class="m-chips">{_tags(language, overview.tags, query.tags)}</p>'),
        )
    )


def keys_hint(language: str, *, owner: bool) -> str:
    return f'<p class="m-hint">{escape(say(language, "gallery.keys" if owner else "gallery.keys.guest"))}</p>'


def title(language: str, overview: Overview, query: Query, listed: int, total: int, *, owner: bool) -> str:
    """The chosen shot or what else is listed, and how much of it; in the trash, the button that empties it."""
    words = say(language, "gallery.title.trash" if query.trashed else "gallery.title.all")
    chosen = next((entry for entry in overview.shots if entry.shot_id == query.shot_id), None)
    if chosen is not None and not query.trashed:
        words = title_of(chosen.prompt)
    count = escape(say(language, "gallery.count", shown=listed, total=total))
    # It empties all of the trash, whatever of it is listed.
    empty = _empty_trash(language, overview.trashed) if query.trashed and owner and overview.trashed else ""
    return (
        f'<div class="m-gallery-title"><h2 class="m-title2" dir="auto">{escape(words)}</h2>'
        f'<span class="m-mono" role="status">{count}</span><span class="m-fill"></span>{empty}</div>'
    )


def _empty_trash(language: str, count: int) -> str:
    """A button that asks before it acts."""
    return (
        '<span class="m-asks"><button type="button" class="m-button" data-ask>'
        f"{escape(say(language, 'gallery.empty_trash'))}</button>"
        '<span class="m-sure" hidden><button type="button" class="m-link m-bad" data-act="empty">'
        f"{escape(say(language, 'gallery.empty_trash.sure', count=count))}</button>"
        f'<button type="button" class="m-link" data-keep>{escape(say(language, "gallery.keep"))}</button></span></span>'
    )


def _shots(language: str, overview: Overview, chosen: str | None) -> str:
    """Every shot with its number of takes; the first entry is all of them."""
    items = [_shot(language, "", say(language, "gallery.shots.all"), "", overview.total, chosen is None)]
    listed = [entry for index, entry in enumerate(overview.shots) if index < SHOTS_LISTED or entry.shot_id == chosen]
    for entry in listed:
        # Shots of one prompt are told apart by the settings in which they differ.
        differs = " · ".join(
            f"{setting_label(language, name)} {setting_value(language, value)[:40]}"
            for name, value in overview.differs.get(entry.shot_id, {}).items()
        )
        pressed = entry.shot_id == chosen
        items.append(_shot(language, entry.shot_id, title_of(entry.prompt), differs, entry.count, pressed))
    more = len(overview.shots) - len(listed)
    hint = f'<p class="m-hint">{escape(say(language, "gallery.shots.more", count=more))}</p>' if more > 0 else ""
    return "".join(items) + hint


def _shot(language: str, shot_id: str, title: str, differs: str, count: int, chosen: bool) -> str:
    label = escape(say(language, "gallery.shots.count", prompt=f"{title} {differs}".strip(), count=count))
    small = f'<small dir="auto">{escape(differs)}</small>' if differs else ""
    return (
        f'<button type="button" class="m-entry" data-act="shot" data-id="{escape(shot_id)}" aria-label="{label}" '
        f'title="{label}" aria-pressed="{"true" if chosen else "false"}"><span dir="auto">{escape(title)}{small}</span>'
        f'<span class="m-mono">{count}</span></button>'
    )


def _tags(language: str, tags: Iterable[tuple[str, int]], chosen: tuple[str, ...]) -> str:
    """Every tag; those that are chosen are pressed."""
    counted = list(tags)
    known = [name for name, _count in counted[:TAGS_LISTED]]
    known += [name for name in chosen if name not in known]
    if not known:
        return f'<p class="m-hint">{escape(say(language, "gallery.tags.none"))}</p>'
    return "".join(
        f'<button type="button" class="m-chip m-tag" data-act="tag" data-id="{escape(name)}" dir="auto" '
        f'aria-pressed="{"true" if name in chosen else "false"}">{escape(name)}</button>'
        for name in known
    )


def grid(language: str, cards: str) -> str:
    """The cards, and the line that says which take is marked for Compare; `gallery.js` fills and shows it."""
    return (
        f'<div class="m-cards" role="list">{cards}</div><p class="m-markbar" role="status" hidden>'
        f'<span data-text="{escape(say(language, "gallery.marked"))}"></span>'
        f'<button type="button" class="m-link" data-unmark>{escape(say(language, "gallery.unmark"))}</button></p>'
    )


def fresh(value: str) -> str:
    """`value` so that the page takes it for new: a dialog that is asked for again opens again."""
    return f"{value}<!--{token_hex(4)}-->"


def empty_grid(language: str, kind: str, total: int = 0) -> str:
    """What the grid says when it has nothing to show: `kind` is "none", "nomatch" or "notrash"."""
    act = {"none": "create", "nomatch": "clear"}.get(kind)
    button = ""
    if act is not None:
        words = escape(say(language, f"gallery.{kind}.button"))
        button = f'<button type="button" class="m-button" data-act="{act}">{words}</button>'
    return (
        f'<div class="m-empty m-wide"><div><h3>{escape(say(language, f"gallery.{kind}.title"))}</h3>'
        f"<p>{escape(say(language, f'gallery.{kind}.text', total=total))}</p>{button}</div></div>"
    )


def said(language: str, kind: str, text: str, undo: str = "") -> str:
    """A line above the grid: `kind` is "m-note" or "m-error"; `undo` names the take that can be brought back."""
    button = ""
    if undo:
        words = escape(say(language, "gallery.undo"))
        button = f' · <button type="button" class="m-link" data-act="restore" data-id="{escape(undo)}">{words}</button>'
    role = "alert" if kind == "m-error" else "status"
    return f'<p class="{kind}" role="{role}">{escape(translate(language, text))}{button}</p>'
