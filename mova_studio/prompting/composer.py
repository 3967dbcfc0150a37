"""The built-in rewriter: no model, nothing invented.

It puts the person's own sentences into MOVA's order and adds a sentence of its own only where a part would be missing;
that sentence names nothing that the person did not name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from mova_studio.prompting.dialogue_rules import dialogue_findings
from mova_studio.prompting.frame_words import ended, in_sentences, joined
from mova_studio.prompting.languages import language_of
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.motion import camera_moves_in
from mova_studio.prompting.neutral import OPENING, own_tongue, sounds_sentence
from mova_studio.prompting.quotes import Quote
from mova_studio.prompting.reading import Line, Prompt, read_prompt
from mova_studio.prompting.sentences import Sentence
from mova_studio.prompting.sound import begins_with_agent, is_list, on_sound_only

_STYLE = re.compile(
    r"\b(?:cinematic|photoreal\w*|realistic|film|35\s?mm|16\s?mm|anime|cartoon|watercolou?r|noir|black[- ]and[- ]white"
    r"|4k|8k|hdr|documentary|vintage|wide\s+(?:shot|angle)|close-?up|medium\s+(?:shot|close-?up)|long\s+shot|macro|bokeh"
    r"|shallow\s+(?:focus|depth)|low\s+angle|high\s+angle|eye\s+level|golden\s+hour|backlit|soft\s+light|lighting|palette"
    r"|style|pixel\s+art|claymation|stop[- ]motion)\b"
    r"|电影感|写实|胶片|动画|水彩|黑白|纪录片|复古|远景|近景|特写|中景|全景|中近景|浅景深|逆光|柔光|风格|色调|低角度|俯拍|仰拍",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;，；、]")
_DOUBLE = '"“”＂'


def compose(prompt: str, frame: FrameDescription | None = None) -> str:
    """`prompt` in MOVA's order: opening with the frame, events with dialogue as given, a paragraph on sound.

    Dialogue stays letter by letter and gets double quotes; [S01], [S02] are put before the lines where several speak
    and the words leave no doubt who. Nothing is left out, however long it gets. "" without a frame stays "".
    """
    text = prompt.replace("\r\n", "\n").replace("\r", "\n").strip()
    seen = in_sentences(frame, read_prompt(text).language) if frame else ""
    if seen:
        text = text.removeprefix(seen).strip()
    read = read_prompt(text)
    for arranged in (_arranged(read, seen, _marked), _arranged(read, seen, _untouched)):
        if _keeps(read, arranged, frame):
            return arranged
    return _framed(read, seen)


def _arranged(read: Prompt, seen: str, write: Callable[[Prompt, Sentence], str]) -> str:
    tongue = own_tongue(read.language)
    sounds = _sounds(read.sentences)
    rest = [sentence for sentence in read.sentences if sentence not in sounds]
    opening, events = _opening_and_events(rest, bool(seen))
    first = [ended(sentence.text) for sentence in opening]
    if seen:
        first = [seen, *first]
    if not first and (events or sounds):
        first = [OPENING[tongue]]
    paragraphs = [joined(first)] if first else []
    for number in sorted({sentence.paragraph for sentence in events}):
        told = [ended(write(read, sentence)) for sentence in events if sentence.paragraph == number]
        paragraphs.append(joined(told))
    if paragraphs:
        heard = [ended(sentence.text) for sentence in sounds]
        paragraphs.append(joined(heard) if heard else sounds_sentence(_in_tongue(read.sounds, tongue), tongue))
    return "\n\n".join(paragraphs)


def _sounds(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Those on sound alone; where there is none, a bare list of sounds at the very end."""
    found = [sentence for sentence in sentences if not sentence.quoted and on_sound_only(sentence.text)]
    last = sentences[-1] if len(sentences) > 1 else None
    if not found and last is not None and not last.quoted and is_list(last.text):
        return [last]
    return found


def _opening_and_events(sentences: list[Sentence], framed: bool) -> tuple[list[Sentence], list[Sentence]]:
    """The first sentence, if it quotes nothing, and those on style; all others are events."""
    style = [sentence for sentence in sentences if _on_style(sentence)]
    told = [sentence for sentence in sentences if sentence not in style]
    led = bool(style) and bool(sentences) and style[0] is sentences[0]
    leads = told and not told[0].quoted and not led and not (framed and len(told) == 1)
    opening = told[:1] if leads else []
    return sorted([*opening, *style], key=lambda sentence: sentence.start), told[len(opening) :]


def _on_style(sentence: Sentence) -> bool:
    if sentence.quoted or begins_with_agent(sentence.text) or camera_moves_in(sentence.text):
        return False
    clauses = [clause for clause in _CLAUSE.split(sentence.text) if clause.strip()]
    return sum(bool(_STYLE.search(clause)) for clause in clauses) * 2 >= max(len(clauses), 1)


def _untouched(read: Prompt, sentence: Sentence) -> str:
    return sentence.text


def _marked(read: Prompt, sentence: Sentence) -> str:
    """The sentence with double quotes, and with tags where several speak."""
    speakers = read.speakers
    tagged = any(line.speaker.tag for line in read.lines)
    pieces, at = [], sentence.start
    for line in read.lines:
        quote = line.quote
        if not sentence.start <= quote.start < sentence.end:
            continue
        pieces.append(read.text[at : quote.start])
        if len(speakers) > 1 and not tagged and line.spoken:
            number = next(n for n, speaker in enumerate(speakers, 1) if speaker.same_as(line.speaker))
            before = read.text[max(0, quote.start - 1) : quote.start]
            pieces.append(f"[S{number:02d}]" + ("" if before and before > "\u2e80" else " "))
        pieces.append(_in_double_quotes(read, line))
        at = quote.end
    return "".join([*pieces, read.text[at : sentence.end]])


def _in_double_quotes(read: Prompt, line: Line) -> str:
    quote: Quote = line.quote
    given = read.text[quote.start : quote.end]
    if quote.mark in _DOUBLE or not quote.closed:
        return given
    chinese = line.language == "zh" or read.text[max(0, quote.start - 1) : quote.start] > "\u2e80"
    left, right = "“”" if chinese else '""'
    return given if left in quote.words or right in quote.words else f"{left}{quote.words}{right}"


def _in_tongue(sounds: tuple[str, ...], tongue: str) -> tuple[str, ...]:
    return tuple(sound for sound in sounds if (language_of(sound) == "zh") == (tongue == "zh"))


def _keeps(read: Prompt, arranged: str, frame: FrameDescription | None) -> bool:
    """Whether every letter of the person's is still there, and every quoted line reads as it did."""
    new = read_prompt(arranged)
    missing = Counter(_letters(read.text)) - Counter(_letters(arranged))
    return not missing and _in_order(read.dialogue, new.dialogue) and not dialogue_findings(read, new, frame)


def _in_order(lines: Sequence[str], among: Sequence[str]) -> bool:
    rest = iter(among)
    return all(any(line == other for other in rest) for line in lines)


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _framed(read: Prompt, seen: str) -> str:
    """The words untouched between an opening and a paragraph on sound, for texts that cannot be taken apart."""
    tongue = own_tongue(read.language)
    return "\n\n".join(filter(None, [seen or OPENING[tongue], read.text, sounds_sentence((), tongue)]))
