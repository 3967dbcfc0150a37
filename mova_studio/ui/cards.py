"""Small pictures of takes: never a picture without its sound."""

from __future__ import annotations

from html import escape
from unicodedata import category

from mova_studio.library.take import Take
from mova_studio.ui.catalogue import say
from mova_studio.ui.served import Served
from mova_studio.ui.stage import loudness_words, untrained_badge, waveform_svg

TITLE_CHARACTERS = 60


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


def title_of(prompt: str) -> str:
    """A prompt as one short line."""
    line = " ".join("".join(" " if category(letter) == "Cc" else letter for letter in prompt).split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"
