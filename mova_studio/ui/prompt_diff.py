"""What a rewrite changed, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape

from mova_studio.ui.catalogue import say

SAME, ADDED, REMOVED = "same", "added", "removed"
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"\s+|[{_CJK}]|[^\W{_CJK}]+(?:['’\-][^\W{_CJK}]+)*|[^\w\s]|_")
_SENTENCE = re.compile(r"\s+|[^.!?。！？\s][^.!?。！？\n]*[.!?。！？\"”’」]*|\S")
# Above this many words on a side whole sentences are compared: matching words takes quadratic time.
_MOST_WORDS = 1500


@dataclass(frozen=True)
class Piece:
    """A stretch of text that is in both texts, only in the new one (added) or only in the old one (removed)."""

    kind: str
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """The two texts as one sequence of pieces; removed ones stand before what was added in their place.

    The pieces that are not added make up `old`, and those that are not removed `new`, white space aside.
    """
    before, after = _split(old, _WORD), _split(new, _WORD)
    if max(len(before), len(after)) > _MOST_WORDS:
        before, after = _split(old, _SENTENCE), _split(new, _SENTENCE)
    if max(len(before), len(after)) > _MOST_WORDS:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pieces: list[Piece] = []
    matcher = SequenceMatcher(_blank, [_folded(part) for part in before], [_folded(part) for part in after], False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            pieces.append(Piece(SAME, "".join(after[k:m])))
            continue
        removed, added = "".join(before[i:j]), "".join(after[k:m])
        if removed.strip():
            pieces.append(Piece(REMOVED, removed))
        if added:
            pieces.append(Piece(ADDED if added.strip() else SAME, added))
    return pieces


def words_in(pieces: list[Piece], kind: str) -> int:
    """How many words, or characters of scripts without spaces, the pieces of a kind have."""
    return sum(
        1 for piece in pieces if piece.kind == kind for part in _WORD.findall(piece.text) if any(map(str.isalnum, part))
    )


def diff_html(language: str, old: str, new: str) -> str:
    """The changes for the page: by element, underline, strike-through and hidden words as well as by colour."""
    if not old.strip() or not new.strip():
        return f'<p class="m-hint">{escape(say(language, "lab.diff.empty"))}</p>'
    if old == new:
        return f'<p class="m-hint">{escape(say(language, "lab.diff.same"))}</p>'
    pieces = changes(old, new)
    added, removed = words_in(pieces, ADDED), words_in(pieces, REMOVED)
    if added or removed:
        told = say(language, "lab.diff.count", added=added, removed=removed)
    else:
        told = say(language, "lab.diff.moved")
    body = "".join(_marked(language, piece) for piece in pieces)
    return f'<p class="m-hint">{escape(told)}</p><p class="m-diff" dir="auto">{body}</p>'


def _marked(language: str, piece: Piece) -> str:
    if piece.kind == SAME:
        return escape(piece.text)
    text = escape(piece.text.strip())
    before, after = piece.text[: len(piece.text) - len(piece.text.lstrip())], piece.text[len(piece.text.rstrip()) :]
    tag, key = ("ins", "lab.diff.added") if piece.kind == ADDED else ("del", "lab.diff.removed")
    heard = escape(say(language, key))
    marked = f'<{tag}><span class="m-heard">[{heard}: </span>{text}<span class="m-heard">]</span></{tag}>'
    return f"{before}{marked}{after}"


def _split(text: str, pattern: re.Pattern[str]) -> list[str]:
    return pattern.findall(text)


def _folded(part: str) -> str:
    """White space is white space, however much of it."""
    return " " if part.isspace() else part


def _blank(part: str) -> bool:
    return part == " "
