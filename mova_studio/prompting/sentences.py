"""Sentences and paragraphs of a prompt, none of which ends inside a quote."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mova_studio.prompting.quotes import Quote
from mova_studio.prompting.sound import on_sound_only

_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")
_END = re.compile(r"(?:[.!?…]+[)\]]*(?=\s|$)|[。！？]+[）】]*)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|vs|etc|approx|No|Jr|Sr|a\.m|p\.m|e\.g|i\.e)|(?:^|\s)[A-Z])\.$"
)
_NEW_LINE_START = re.compile(r"\s*(?:[A-Z\u4e00-\u9fff\[“\"「『«]|[-*•]\s|\d+[.)、])")
_ATTRIBUTION_AFTER = re.compile(
    r"\s*(?:(?:[Hh]e|[Ss]he|[Tt]hey|I|[Ww]e)|(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er)\s+[\w' -]{1,40}?|[A-Z][\w'-]*)"
    r"\s+(?:\w+ly\s+)?"
    r"(?:says?|said|asks?|asked|whispers?|whispered|shouts?|shouted|repl(?:ies|ied)|answers?|answered|adds?|added"
    r"|yells?|yelled|mutters?|murmurs?|cries|cried|calls?|called)\b"
)
_LOWER_AFTER = re.compile(r"\s*[,，;；a-z\u2014-]")


@dataclass(frozen=True)
class Sentence:
    """A stretch of the prompt: `text[start:end]`, without the white space around it.

    Attributes:
        paragraph: index of its paragraph, counted from 0.
        quoted: whether it holds quoted words.
    """

    start: int
    end: int
    text: str
    paragraph: int
    quoted: bool


def paragraphs_of(text: str, quotes: Sequence[Quote]) -> list[tuple[int, int]]:
    """Spans between blank lines that do not lie inside a quote."""
    spans, start = [], 0
    for match in _BLANK_LINE.finditer(text):
        if not any(quote.start < match.start() < quote.end for quote in quotes):
            spans.append((start, match.start()))
            start = match.end()
    spans.append((start, len(text)))
    return [(start, end) for start, end in spans if text[start:end].strip()]


def sentences_of(text: str, quotes: Sequence[Quote]) -> tuple[Sentence, ...]:
    """All of `text` but white space, cut into sentences."""
    found = []
    for number, (start, end) in enumerate(paragraphs_of(text, quotes)):
        inside = [quote for quote in quotes if start <= quote.start < end]
        cuts = sorted({start, end, *_cuts(text, start, end, inside)})
        for left, right in itertools.pairwise(cuts):
            piece = text[left:right]
            begin = left + len(piece) - len(piece.lstrip())
            if piece.strip():
                quoted = any(left <= quote.start < right for quote in inside)
                found.append(Sentence(begin, begin + len(piece.strip()), piece.strip(), number, quoted))
    return tuple(found)


def _cuts(text: str, start: int, end: int, quotes: list[Quote]) -> list[int]:
    def quoted(at: int) -> bool:
        return any(quote.start < at < quote.end for quote in quotes)

    cuts = [
        match.end()
        for match in _END.finditer(text, start, end)
        if not quoted(match.start()) and not _ABBREVIATION.search(text[start : match.end()])
    ]
    lines = (at for at in range(start, end) if text[at] == "\n" and not quoted(at))
    cuts += [at for at in lines if _NEW_LINE_START.match(text, at + 1)]
    cuts += [quote.end for quote in quotes if _ends_with(quote, text)]
    return [cut for cut in cuts if start < cut < end]


def _ends_with(quote: Quote, text: str) -> bool:
    """Whether a sentence ends with this quote: "Will it sing again?" She looks up."""
    if not quote.closed or quote.words.rstrip()[-1:] not in ".!?…。！？":
        return False
    if _ATTRIBUTION_AFTER.match(text, quote.end):
        return False
    return not _LOWER_AFTER.match(text, quote.end) or on_sound_only(_rest_of_sentence(text, quote.end))


def _rest_of_sentence(text: str, start: int) -> str:
    """What follows, to the next full stop or line: "One more." birds singing, soft wind."""
    line = text[start:].split("\n", 1)[0]
    end = _END.search(line)
    return line[: end.end()] if end else line
