"""Compare: two takes side by side under one clock, which `compare.js` keeps, and what blind votes say so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mova_studio.library.elo import SettingRanking
from mova_studio.library.kept import KeptTake
from mova_studio.ui.blind_round import BlindRound
from mova_studio.ui.catalogue import say
from mova_studio.ui.gallery_data import settings_of
from mova_studio.ui.measure_chips import measure_chips
from mova_studio.ui.setting_words import setting_label, setting_value
from mova_studio.ui.stage import waveform_svg

ENOUGH_VOTES = 20
_ROWS_SHOWN = 8


@dataclass(frozen=True)
class Side:
    """A take under "a" (left at first) or "b", and the address of its mp4."""

    slot: str
    kept: KeptTake
    url: str


def open_compare(language: str, sides: Sequence[Side], rankings: Iterable[SettingRanking]) -> str:
    """Two takes with all that is known of them."""
    title = say(language, "compare.title")
    bottom = _blind_button(language, "blind", "compare.blind")
    side = _differences(language, sides) + ratings(language, rankings)
    return _dialog(language, title, sides, bottom, side, blind=False)


def blind_compare(language: str, sides: Sequence[Side], state: BlindRound) -> str:
    """Two takes of which nothing is told, and three answers."""
    number = len(state.judged) + 1
    title = say(language, "compare.blind.title", number=number, total=state.total)
    buttons = "".join(
        f'<button type="button" class="m-button" data-vote="{vote}">{escape(say(language, f"compare.{vote}"))}'
        f"<kbd>{key}</kbd></button>"
        for vote, key in (("left", "1"), ("tie", "0"), ("right", "2"))
    )
    count = say(language, "compare.votes", count=len(state.judged))
    side = (
        f'<p class="m-hint">{escape(say(language, "compare.blind.text"))}</p>'
        f'<p class="m-mono" role="status">{escape(count)}</p>' + _blind_button(language, "reveal", "compare.reveal")
    )
    return _dialog(language, title, sides, buttons, side, blind=True)


def revealed(
    language: str, state: BlindRound, takes: Mapping[str, KeptTake], rankings: Iterable[SettingRanking]
) -> str:
    """What was judged in a round, with its names, and the ratings."""
    lines = "".join(f"<li>{escape(_judged(language, judged, takes))}</li>" for judged in state.judged)
    done = f"<p>{escape(say(language, 'compare.done'))}</p>" if state.pair is None else ""
    title = escape(say(language, "compare.revealed"))
    return (
        f'<dialog class="m-dialog m-compare m-revealed" aria-label="{title}">{_head(language, title)}'
        f'<div class="m-compare-end"><section>{done}<p class="m-mono">'
        f"{escape(say(language, 'compare.votes', count=len(state.judged)))}</p><ul>{lines}</ul></section>"
        f"{ratings(language, rankings)}</div></dialog>"
    )


def ratings(language: str, rankings: Iterable[SettingRanking]) -> str:
    """Every setting that votes told something of: its values by Elo with a 95 % interval."""
    tables = "".join(_table(language, ranking) for ranking in rankings if ranking.rows)
    none = f'<p class="m-hint">{escape(say(language, "compare.ratings.none"))}</p>'
    heading = f'<h3 class="m-heading">{escape(say(language, "compare.ratings"))}</h3>'
    return f'<section class="m-ratings">{heading}{tables or none}</section>'


def _table(language: str, ranking: SettingRanking) -> str:
    # Each vote counts for the two values that it compared.
    votes = sum(row.votes for row in ranking.rows) // 2
    key = "vote" if votes == 1 else "few" if votes < ENOUGH_VOTES else "enough"
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape(setting_value(language, row.value)[:40])}</th>'
        f"<td>{row.rating:.0f} <small>({row.low:.0f}–{row.high:.0f})</small></td><td>{row.votes}</td></tr>"
        for row in ranking.rows[:_ROWS_SHOWN]
    )
    heads = "".join(
        f'<th scope="col">{escape(say(language, f"compare.ratings.{name}"))}</th>'
        for name in ("value", "rating", "votes")
    )
    return (
        f'<table class="m-table" data-setting="{escape(ranking.setting)}"><caption>'
        f"{escape(setting_label(language, ranking.setting))}</caption><thead><tr>{heads}</tr></thead>"
        f'<tbody>{rows}</tbody></table><p class="m-hint">'
        f"{escape(say(language, f'compare.ratings.{key}', votes=votes))}</p>"
    )


def _judged(language: str, judged: object, takes: Mapping[str, KeptTake]) -> str:
    one, other = getattr(judged, "take_a", ""), getattr(judged, "take_b", "")
    winner = getattr(judged, "winner", "tie")
    if winner == "b":
        one, other = other, one
    names = {"winner": _name(language, takes, one, other), "loser": _name(language, takes, other, one)}
    return say(language, "compare.revealed.tie" if winner == "tie" else "compare.revealed.won", **names)


def _name(language: str, takes: Mapping[str, KeptTake], name: str, other: str) -> str:
    """ "seed 7 (Steps 20)": the seed, and what differs from the other take."""
    kept = takes.get(name)
    if kept is None:
        return "?"
    words = say(language, "take.seed", seed=kept.take.seed)
    if other not in takes:
        return words
    values = ", ".join(f"{label} {mine}" for label, mine, _theirs in differences(language, kept, takes[other]))
    return f"{words} ({values[:120]})" if values else words


def differences(language: str, kept: KeptTake, other: KeptTake) -> list[tuple[str, str, str]]:
    """(setting, value here, value there) for every setting in which two takes' shots differ."""
    mine, theirs = settings_of(kept), settings_of(other)
    return [
        (setting_label(language, name), setting_value(language, mine[name]), setting_value(language, theirs[name]))
        for name in mine
        if mine[name] != theirs[name]
    ]


def _differences(language: str, sides: Sequence[Side]) -> str:
    found = differences(language, sides[0].kept, sides[1].kept)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td dir="auto">{escape(a[:80])}</td>'
        f'<td dir="auto">{escape(b[:80])}</td></tr>'
        for name, a, b in found
    )
    table = (
        f'<table class="m-table"><thead><tr><td></td><th scope="col">A</th><th scope="col">B</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        if rows
        else f'<p class="m-hint">{escape(say(language, "compare.same"))}</p>'
    )
    return f'<section><h3 class="m-heading">{escape(say(language, "compare.differs"))}</h3>{table}</section>'


def _dialog(language: str, title: str, sides: Sequence[Side], bottom: str, aside: str, *, blind: bool) -> str:
    label = escape(title)
    views = "".join(_view(language, side, blind=blind) for side in sides)
    wipe = escape(say(language, "compare.wipe.place"))
    place = escape(say(language, "compare.place"))
    # In a blind comparison the page does not know which takes these are.
    pair = "" if blind else f' data-pair="{escape(" ".join(side.kept.take_id for side in sides))}"'
    hint = escape(say(language, "compare.keys.blind" if blind else "compare.keys"))
    return (
        f'<dialog class="m-dialog m-compare" tabindex="-1" data-blind="{"1" if blind else ""}"{pair} '
        f'aria-label="{label}">'
        f'{_head(language, label)}<div class="m-compare-body"><div class="m-compare-main">'
        f'<div class="m-sides" data-sides>{views}<input type="range" class="m-wipe" min="0" max="100" step="0.5" '
        f'value="50" data-wipe aria-label="{wipe}" title="{wipe}"></div>'
        f'<input type="range" class="m-place-bar" min="0" max="1" step="0.001" value="0" data-place '
        f'aria-label="{place}">'
        f'<div class="m-actions m-transport">{_transport(language)}<span class="m-fill"></span>{bottom}</div>'
        f'<p class="m-hint">{hint}</p></div><aside class="m-compare-side">{aside}</aside></div></dialog>'
    )


def _head(language: str, title: str) -> str:
    close = escape(say(language, "large.close"))
    return (
        f'<header class="m-dialog-head"><h2 class="m-title2">{title}</h2><span class="m-fill"></span>'
        f'<button type="button" class="m-button m-square" data-close aria-label="{close}" title="{close}">×</button>'
        "</header>"
    )


def _view(language: str, side: Side, *, blind: bool) -> str:
    take = side.kept.take
    letter = side.slot.upper()
    label = escape(say(language, "compare.side", side=letter, seed=take.seed))
    chips = "" if blind else f'<p class="m-chips">{"".join(measure_chips(language, take))}</p>'
    return (
        f'<section class="m-view" data-slot="{side.slot}"><div class="m-screen" '
        f'style="--ratio: {take.width / take.height:.4f}"><video playsinline preload="auto" src="{escape(side.url)}" '
        f'data-fps="{take.frame_rate:g}" aria-label="{escape(say(language, "compare.video", side=letter))}"></video>'
        f'</div><div class="m-view-under"><p class="m-meta"><span>{letter if blind else label}</span>'
        f'<button type="button" class="m-link" data-sound="{side.slot}" aria-pressed="false">'
        f"{escape(say(language, 'compare.sound.on'))}</button></p>"
        f"{waveform_svg(side.kept.waveform or (0.0,), say(language, 'take.wave'))}{chips}</div></section>"
    )


def _transport(language: str) -> str:
    """The buttons of `compare.js`, by the names that it gives to its keys."""
    keys = (
        ("back", "compare.back", "‹"),
        ("play", "compare.play", "▶"),
        ("on", "compare.on", "›"),
        ("loop", "compare.loop", ""),
        ("sound", "compare.sound", ""),
        ("wipe", "compare.wipe", ""),
        ("swap", "compare.swap", ""),
    )
    return "".join(
        f'<button type="button" class="m-button{" m-square" if sign else ""}" data-do="{name}" '
        f'aria-label="{escape(say(language, key))}" title="{escape(say(language, key))}">'
        f"{sign or escape(say(language, key))}</button>"
        for name, key, sign in keys
    )


def _blind_button(language: str, act: str, key: str) -> str:
    return f'<button type="button" class="m-button" data-act="{act}">{escape(say(language, key))}</button>'
