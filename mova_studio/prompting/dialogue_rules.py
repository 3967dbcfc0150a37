"""The rules on quoted words: kept letter by letter, in order, with their speaker, and none added."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from mova_studio.prompting import model
from mova_studio.prompting.languages import differ, language_of
from mova_studio.prompting.model import Finding, FrameDescription
from mova_studio.prompting.reading import Line, Prompt

_GLYPHS = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"', "…": "..."}
)
_ALIKE = 0.5
_SURELY_ALIKE = 0.6
Pair = tuple[Line, Line]


def plain(words: str) -> str:
    """`words` without what a change of quotation marks or of the sentence around them may change."""
    text = " ".join(unicodedata.normalize("NFC", words).translate(_GLYPHS).split())
    return text[:-1].rstrip() if text[-1:] in ",.，。" and not text.endswith("..") else text


def dialogue_findings(original: Prompt, rewritten: Prompt, frame: FrameDescription | None) -> list[Finding]:
    pairs, left, extra = _matched(original.lines, rewritten.lines)
    found = _order(pairs, rewritten.lines)
    changed, translated = _near(left, extra)
    for old, new in changed:
        message = f"The line {_shown(old)} was changed to {_shown(new)}; it must stay letter by letter."
        found.append(Finding(model.DIALOGUE_CHANGED, message, (old.words, new.words)))
    for old, new in translated:
        message = f"The line {_shown(old)} was translated to {_shown(new)}; it must stay in its own language."
        found.append(Finding(model.DIALOGUE_TRANSLATED, message, (old.words, new.words)))
    gone = [line for line in left if not any(line is old for old, _ in (*changed, *translated))]
    for line in gone:
        found.append(Finding(model.DIALOGUE_LOST, f"The line {_shown(line)} is missing.", (line.words,)))
    rest = [line for line in extra if not any(line is new for _, new in (*changed, *translated))]
    return found + _added(rest, original, frame) + _speakers(original, [*pairs, *changed, *translated])


def _shown(line: Line) -> str:
    return f'"{line.words}"'


def _matched(old: Sequence[Line], new: Sequence[Line]) -> tuple[list[Pair], list[Line], list[Line]]:
    """Lines that are the same in both, first those in one order; then the lines left of each."""
    ours, theirs = [plain(line.words) for line in old], [plain(line.words) for line in new]
    pairs, left, extra = [], set(range(len(old))), set(range(len(new)))
    for a, b, size in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        for step in range(size):
            pairs.append((a + step, b + step))
            left.discard(a + step)
            extra.discard(b + step)
    for a in sorted(left):
        same = [b for b in sorted(extra) if ours[a] == theirs[b] or _cut_of(old[a], ours[a], theirs[b])]
        if same:
            pairs.append((a, same[0]))
            left.discard(a)
            extra.discard(same[0])
    lines = [(old[a], new[b]) for a, b in sorted(pairs)]
    return lines, [old[a] for a in sorted(left)], [new[b] for b in sorted(extra)]


def _cut_of(old: Line, ours: str, theirs: str) -> bool:
    """Where no mark ends a quote, any beginning of it may have been meant."""
    return not old.quote.closed and bool(theirs) and ours.startswith(theirs)


def _order(pairs: Sequence[Pair], lines: Sequence[Line]) -> list[Finding]:
    places = [lines.index(new) for _, new in pairs]
    for (old, _), (after, _), first, second in zip(pairs, pairs[1:], places, places[1:], strict=False):
        if second < first:
            message = f"The line {_shown(old)} comes before {_shown(after)}; the order was changed."
            return [Finding(model.DIALOGUE_ORDER, message, (old.words, after.words))]
    return []


def _near(left: Sequence[Line], extra: Sequence[Line]) -> tuple[list[Pair], list[Pair]]:
    """Lines that another took the place of: one that is nearly the same, or one in another language."""
    changed: list[Pair] = []
    free = list(extra)
    for old in left:
        best, at = max(((_alike(old, new), -at) for at, new in enumerate(free)), default=(0.0, 0))
        if best >= _SURELY_ALIKE or (best >= _ALIKE and not differ(old.language, free[-at].language)):
            changed.append((old, free.pop(-at)))
    translated: list[Pair] = []
    for old in left:
        if any(old is known for known, _ in changed):
            continue
        other = next((new for new in free if _translates(old, new)), None)
        if other:
            translated.append((old, other))
            free.remove(other)
    return changed, translated


def _alike(old: Line, new: Line) -> float:
    return SequenceMatcher(None, plain(old.words).lower(), plain(new.words).lower(), autojunk=False).ratio()


def _translates(old: Line, new: Line) -> bool:
    return old.spoken == new.spoken and differ(old.language, new.language)


def _added(lines: Sequence[Line], original: Prompt, frame: FrameDescription | None) -> list[Finding]:
    own = plain(original.narration + " " + " ".join(line.words for line in original.lines if not line.quote.closed))
    seen = plain(" ".join(frame.to_dict().values())) if frame else ""
    found = []
    for line in lines:
        if _within(plain(line.words), own) or _within(plain(line.words), seen):
            continue
        if frame and frame.text.strip() and (not line.spoken or _stands_for(line, frame.text)):
            message = f"The text {_shown(line)} is not as it stands in the frame ({frame.text.strip()!r})."
            found.append(Finding(model.FRAME_TEXT_TRANSLATED, message, (frame.text.strip(), line.words)))
        else:
            message = f"The line {_shown(line)} was added; nobody says it in the person's prompt."
            found.append(Finding(model.DIALOGUE_ADDED, message, (line.words,)))
    return found


def _stands_for(line: Line, text: str) -> bool:
    return not line.speaker.name and not line.speaker.tag and differ(line.language, language_of(text))


def _within(words: str, text: str) -> bool:
    return bool(words) and bool(re.search(rf"(?<![A-Za-z]){re.escape(words)}(?![A-Za-z])", text, re.IGNORECASE))


def _speakers(original: Prompt, pairs: Sequence[Pair]) -> list[Finding]:
    spoken = [pair for pair in pairs if pair[0].spoken]
    known = original.speakers
    found = []
    for index, (old, new) in enumerate(spoken):
        fault = _fault_of(old, new, spoken[:index], original)
        if fault:
            found.append(Finding(model.DIALOGUE_SPEAKER, fault, (old.words,)))
        elif len(known) > 1 and not new.speaker.tag:
            message = f"Several people speak, and the line {_shown(old)} has no tag such as [S01]."
            found.append(Finding(model.DIALOGUE_SPEAKER, message, (old.words,)))
    return found


def _fault_of(old: Line, new: Line, before: Sequence[Pair], original: Prompt) -> str:
    was, is_now = old.speaker, new.speaker
    if was.tag and is_now.tag and was.tag != is_now.tag:
        return f"The line {_shown(old)} belongs to [{was.tag}] and was given to [{is_now.tag}]."
    if was.tag and not is_now.tag and len({line.speaker.tag for line in original.lines if line.speaker.tag}) > 1:
        return f"The line {_shown(old)} lost its tag [{was.tag}]."
    if was.known and is_now.sure and is_now.name and was.name != is_now.name:
        others = [line.speaker for line in original.lines if line.speaker.known and not line.speaker.same_as(was)]
        if was.name and any(other.name == is_now.name for other in others):
            return f"The line {_shown(old)} belongs to {was.name!r} and was given to {is_now.name!r}."
    if was.tag or not was.known or not is_now.tag:
        return ""
    for earlier, shown in before:
        if earlier.speaker.known and shown.speaker.tag:
            together = earlier.speaker.same_as(was)
            if together != (shown.speaker.tag == is_now.tag):
                people = "one person" if together else "different people"
                return f"The lines {_shown(earlier)} and {_shown(old)} belong to {people}; their tags say otherwise."
    return ""
