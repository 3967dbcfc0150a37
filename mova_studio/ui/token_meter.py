"""The length of a prompt as it is typed: in tokens where a tokenizer is on this machine, else in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from html import escape

from mova_studio.jobs.enhancing import token_counter
from mova_studio.jobs.studio import Studio
from mova_studio.network.tokens import MAX_TOKENS
from mova_studio.prompting.languages import MAX_CHARACTERS, MAX_WORDS, length_of
from mova_studio.ui.catalogue import say

LOOK_SECONDS = 30.0
Count = Callable[[str], int]


class TokenMeter:
    """Counts off the event loop. The demo is counted with a published tokenizer if one is here, else in words."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._known: tuple[str, float, Count | None] | None = None

    async def html(self, language: str, prompt: str) -> str:
        """ "142 / 512 tokens" for the page."""
        return await asyncio.to_thread(self._html, language, str(prompt or ""))

    def count(self) -> Count | None:
        """Counts tokens; None where no tokenizer is on this machine. Slow the first time: call it in a thread."""
        model, now = self.studio.model, time.monotonic()
        if self._known is None or self._known[0] != model or now - self._known[1] > LOOK_SECONDS:
            self._known = model, now, token_counter(model)
        return self._known[2]

    def _html(self, language: str, prompt: str) -> str:
        count = self.count()
        if count is not None:
            used, most, key = count(prompt), MAX_TOKENS, "meter.tokens"
        else:
            length = length_of(prompt)
            han = length.characters > length.words
            most, key = (MAX_CHARACTERS, "meter.characters") if han else (MAX_WORDS, "meter.words")
            used = round(length.share * most)
        words = escape(say(language, key, count=used, most=most))
        if used <= most:
            return f'<span class="m-meter">{words}</span>'
        over = escape(say(language, "meter.over" if count is not None else "rule.too_long"))
        return f'<span class="m-meter m-over" role="status">{words} · {over}</span>'
