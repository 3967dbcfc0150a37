"""Where a text quotes: marks of all kinds, nested, unbalanced, and the apostrophes and inches that are none."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAIRS = {
    "“": "”",
    "„": "“”",
    "«": "»",
    "「": "」",
    "『": "』",
    "‘": "’",
    '"': '"',
    "'": "'",
    "＂": "＂",
    "”": "”",
    "»": "«",
}
_CLOSERS = set("”»」』’\"'＂")
_SINGLE = "'‘"
_STRAIGHT = "\"＂'"
_ELISIONS = re.compile(r"(?:\d|(?:tis|twas|em|cause|til|till|round|n|bout|cuz|kay)\b)", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_CUE_BEFORE = re.compile(
    r"(?:[:,：，]|\b(?:say|said|says|ask|asks|asked|shout\w*|whisper\w*|repl\w+|answer\w*)|\])\s*$|^\s*$|['’][\s,][^'’]*[.!?]\s*$"
)


@dataclass(frozen=True)
class Quote:
    """A quoted passage, outermost marks only.

    Attributes:
        start: index of the opening mark.
        end: index behind the closing mark, or behind the last word if there is none.
        words: what stands between the marks, as it stands there.
        mark: the opening mark.
        closed: False if no mark closes it; `words` then run to the end of the paragraph or to the next quote.
    """

    start: int
    end: int
    words: str
    mark: str
    closed: bool = True


def find_quotes(text: str) -> tuple[Quote, ...]:
    """Outermost quotes of `text` in order; they do not overlap, and empty ones are left out."""
    spans = _outermost(_matched(text))
    quotes = [Quote(start, end, text[start + 1 : end - 1], text[start]) for start, end in spans]
    quotes += _unclosed(text, spans)
    return tuple(sorted((quote for quote in quotes if quote.words.strip()), key=lambda quote: quote.start))


def _matched(text: str) -> list[tuple[int, int]]:
    breaks = {match.start() for match in _BLANK_LINE.finditer(text)}
    straight = _straight_roles(text)
    stack: list[tuple[str, int]] = []
    found = []
    for at, char in enumerate(text):
        if at in breaks:
            stack = [item for item in stack if item[0] not in _STRAIGHT + "‘"]
        if char in '"＂':
            role = straight.get(at, "") or _closes_curly(text, at, stack)
        elif char in _PAIRS or char in _CLOSERS:
            role = _role(text, at, [mark for mark, _ in stack])
        else:
            continue
        if role == "open":
            stack.append((char, at))
        elif role == "close":
            level = _level_of(char, stack)
            if level is not None:
                found.append((stack[level][1], at + 1))
                del stack[level:]
    return found


def _closes_curly(text: str, at: int, stack: list[tuple[str, int]]) -> str:
    """ "close" for a straight mark that ends what a curly one began."""
    blank = _BLANK_LINE.search(text, at)
    own = "”" in text[at : blank.start() if blank else len(text)]
    return "close" if stack and stack[-1][0] == "“" and not own and _closes(text, at) else ""


def _level_of(char: str, stack: list[tuple[str, int]]) -> int | None:
    for level in range(len(stack) - 1, -1, -1):
        if char in _PAIRS[stack[level][0]]:
            return level
    # “Hello" and "Hello”: two keyboards in one text.
    if stack and {stack[-1][0], char} in ({"“", '"'}, {'"', "”"}):
        return len(stack) - 1
    return None


def _role(text: str, at: int, open_marks: list[str]) -> str:
    char = text[at]
    closing = any(char in _PAIRS[mark] for mark in open_marks)
    if char in "'’":
        return _role_of_single(text, at, open_marks)
    if char == "‘":
        return "" if _ELISIONS.match(text, at + 1) else "open"
    if char == "“":
        return "close" if open_marks and open_marks[-1] == "„" else "open"
    if char in "„«「『":
        return "close" if char == "«" and "»" in open_marks else "open"
    if closing or (char == "”" and '"' in open_marks):
        return "close"
    return "open" if char in "”»" and _opens(text, at) else ""


def _role_of_single(text: str, at: int, open_marks: list[str]) -> str:
    char = text[at]
    inside = open_marks and char in _PAIRS[open_marks[-1]]
    if inside and _closes(text, at):
        return "close" if _ends_sentence(text, at) or not _better_end(text, at) else ""
    if char == "'" and not inside and _opens(text, at) and not _ELISIONS.match(text, at + 1):
        line = text[text.rfind("\n", 0, at) + 1 : at]
        return "open" if open_marks or _CUE_BEFORE.search(line) else ""
    return ""


def _better_end(text: str, at: int) -> bool:
    """Whether a later mark of the same kind ends a sentence, which makes this one an apostrophe (the dogs' bowl)."""
    blank = _BLANK_LINE.search(text, at)
    end = blank.start() if blank else len(text)
    for later in range(at + 1, end):
        if text[later] in "'‘" and _opens(text, later):
            return False
        if text[later] == text[at] and _closes(text, later) and _ends_sentence(text, later):
            return True
    return False


def _ends_sentence(text: str, at: int) -> bool:
    return text[at - 1] in ".,!?…;。！？，-—" if at else False


def _opens(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    return not after.isspace() and (not before.isalnum() or before > "\u3000") and after not in ".,;:!?)。，！？"


def _closes(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    return not before.isspace() and (not after.isalnum() or after > "\u3000")


def _straight_roles(text: str) -> dict[int, str]:
    """Which of the marks " open and which close; inches and strays get no role."""
    roles: dict[int, str] = {}
    for start, end in _stretches(text):
        marks = [at for at in range(start, end) if text[at] in '"＂']
        marks = _without_inches(text, marks)
        roles |= _nested(text, marks) or _alternating(text, marks)
    return roles


def _stretches(text: str) -> list[tuple[int, int]]:
    ends = [match.start() for match in _BLANK_LINE.finditer(text)] + [len(text)]
    return list(zip([0, *ends], ends, strict=False))


def _without_inches(text: str, marks: list[int]) -> list[int]:
    """Without the marks behind a digit that nothing opens: a 6" nail."""
    kept: list[int] = []
    for index, at in enumerate(marks):
        behind_digit = at > 0 and text[at - 1].isdigit()
        if behind_digit and _closes(text, at):
            opened = len(kept) % 2 == 1
            following = marks[index + 1] if index + 1 < len(marks) else None
            if not opened:
                continue
            if following is not None and not _opens(text, following) and text[at + 1 : at + 2] == " ":
                continue
        kept.append(at)
    return kept


def _nested(text: str, marks: list[int]) -> dict[int, str]:
    """Roles by shape if every mark has one and they balance with nesting ("He said "go" and left."), else {}."""
    roles, depth, deepest = {}, 0, 0
    for at in marks:
        opens, closes = _opens(text, at), _closes(text, at)
        if opens == closes:
            return {}
        depth += 1 if opens else -1
        deepest = max(deepest, depth)
        if depth < 0:
            return {}
        roles[at] = "open" if opens else "close"
    return roles if depth == 0 and deepest > 1 else {}


def _alternating(text: str, marks: list[int]) -> dict[int, str]:
    roles, opened = {}, False
    for at in marks:
        shape_opens, shape_closes = _opens(text, at), _closes(text, at)
        if not opened and shape_closes and not shape_opens and not _starts_after_space(text, at):
            continue
        if opened and shape_opens and not shape_closes:
            opened = False
        roles[at] = "close" if opened else "open"
        opened = not opened
    return roles


def _starts_after_space(text: str, at: int) -> bool:
    return at == 0 or text[at - 1].isspace() or text[at - 1] in ":：，,"


def _outermost(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _unclosed(text: str, spans: list[tuple[int, int]]) -> list[Quote]:
    straight = _straight_roles(text)
    found: list[Quote] = []
    reach = 0
    starts = sorted(start for start, _ in spans)
    for at, char in enumerate(text):
        if at < reach or any(start <= at < end for start, end in spans):
            continue
        opens = straight.get(at) == "open" if char in '"＂' else char in "“„«「『"
        if not opens:
            continue
        blank = _BLANK_LINE.search(text, at)
        reach = min([blank.start() if blank else len(text), *(start for start in starts if start > at)])
        words = text[at + 1 : reach].rstrip()
        found.append(Quote(at, at + 1 + len(words), words, char, closed=False))
    return found
