"""How a spoken line is broken into captions: two lines at most, at the ends of sentences, clauses and words."""

from __future__ import annotations

import re
import unicodedata

LINE = 42.0  # widths of a Latin letter
_WIDE = LINE / 16  # of a Han character, kana or Hangul syllable
_SENTENCE_ENDS = ".!?…。！？"
_CLAUSE_ENDS = ",;:，；：、—–"
_CLOSING = set(_SENTENCE_ENDS + _CLAUSE_ENDS + "”’」』）)]】》〉\"'%％·々ーっゃゅょッャュョ")
_OPENING = set("“‘「『（([【《〈")
_VOWELS = re.compile(r"[aeiouyàáâäãåæèéêëìíîïòóôöõøùúûüœ]+", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d")
_MIDDLE = 0.2  # a cue's end may lie this share of the text away from where halves would be equal, for a better place


def cue_texts(words: str) -> list[str]:
    """A spoken line as the texts of its captions: each of one or two lines, none longer than 42 Latin letters or 16
    Han characters, unless a single word is.
    """
    text = " ".join(words.split())
    if not text:
        return []
    wrapped = wrap(text)
    if wrapped is not None:
        return [wrapped]
    at = _best_break(text, 0.5 - _MIDDLE, 0.5 + _MIDDLE) or len(text) // 2
    return cue_texts(text[:at]) + cue_texts(text[at:])


def wrap(text: str) -> str | None:
    """`text` in one or two lines that fit; None where it does not fit."""
    if width(text) <= LINE:
        return text
    total = width(text)
    if total > 2 * LINE + 1:
        return None
    margin = max(0.0, 1 - LINE / total)
    at = _best_break(text, margin, 1 - margin)
    if at is None or max(width(text[:at].rstrip()), width(text[at:].lstrip())) > LINE:
        return None
    return f"{text[:at].rstrip()}\n{text[at:].lstrip()}"


def width(text: str) -> float:
    """In Latin letters."""
    return sum(_WIDE if is_wide(char) else 1.0 for char in text)


def is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def syllables(text: str) -> float:
    """About how long a text takes to say: syllables, Han characters, and a little for every pause; at least 1."""
    count = 0.0
    for word in _WORDS.findall(text):
        wide = sum(is_wide(char) for char in word)
        narrow = "".join(char for char in word if not is_wide(char))
        count += wide
        if narrow.isdigit():
            count += 1.5
        elif narrow:
            groups = len(_VOWELS.findall(narrow)) - (narrow.lower().endswith("e") and not narrow.lower().endswith("le"))
            # Scripts without Latin vowels: two letters and a half make a syllable.
            count += max(1.0, groups if _VOWELS.search(narrow) else len(narrow) / 2.5)
    pauses = sum(char in _SENTENCE_ENDS for char in text) + 0.5 * sum(char in _CLAUSE_ENDS for char in text)
    return max(1.0, count + 0.5 * pauses)


def _best_break(text: str, low: float, high: float) -> int | None:
    """Where to break between the shares `low` and `high` of the width: a sentence's end, else a clause's, else a
    word's; of these the one nearest to the middle.
    """
    total = width(text)
    best: tuple[int, float, int] | None = None
    before = 0.0
    for at in range(1, len(text)):
        before += _WIDE if is_wide(text[at - 1]) else 1.0
        share = before / total
        if not low <= share <= high or not _may_break(text, at):
            continue
        found = _kind(text[:at].rstrip()), abs(share - 0.5), at
        best = found if best is None else min(best, found)
    return None if best is None else best[2]


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after.isspace() or after in _CLOSING or before in _OPENING:
        return False
    return before.isspace() or is_wide(before) or is_wide(after)


def _kind(before: str) -> int:
    last = before.rstrip("”’」』\"'")[-1:]
    if last and last in _SENTENCE_ENDS:
        return 0
    return 1 if last and last in _CLAUSE_ENDS else 2
