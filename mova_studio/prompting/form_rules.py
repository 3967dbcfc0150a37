"""The rules on form: a prompt and nothing else, in MOVA's order, no longer than it reads, in the person's language."""

from __future__ import annotations

import re
from collections.abc import Callable

from mova_studio.prompting import lexicon, model
from mova_studio.prompting.frame_words import covers
from mova_studio.prompting.languages import MAX_CHARACTERS, MAX_WORDS, Length, differ, language_of, length_of
from mova_studio.prompting.model import Finding, FrameDescription
from mova_studio.prompting.motion import camera_moves_in
from mova_studio.prompting.neutral import without_own
from mova_studio.prompting.reading import Prompt
from mova_studio.prompting.sound import begins_with_agent, has_sound, is_heard, on_sound_only, tells_of_sounding

MAX_TOKENS = 512
_TALK = re.compile(
    r"\bhere(?:\s+is|['’]s|\s+are)\s+(?:the|your|a|an|my)\b[^.\n]{0,40}\b(?:prompt|version|rewrite|rewritten|description|revision)"
    r"|\A\s*(?:sure|certainly|of course|absolutely|okay|understood)\s*[,!.:]|\bas an ai\b|\blanguage model\b"
    r"|\bi(?:['’]m|\s+am)\s+(?:sorry|unable|not able)\b|\bi\s+(?:can(?:no|['’])t|hope\s+this)\b"
    r"|\bi\s+have\s+(?:rewritten|kept|added|preserved|changed)\b"
    r"|\b(?:i['’]ve)\s+(?:rewritten|kept|added|preserved|changed)|\blet me know\b|\bfeel free\b|\bwould you like\b"
    r"|\b(?:rewritten|revised|final|original|improved)\s+prompt\b|\bignore\s+(?:all\s+|any\s+|the\s+)?(?:previous|prior|above)\b"
    r"|\b(?:system|user)\s+prompt\b|(?:^|\n)\s*(?:note|tip|explanation|changes|instructions?)\s*[:：]"
    r"|\b(?:you|please)\s+(?:should|must|can now|may now|use|make sure|run|open|visit|click)\b"
    r"|好的[，,。！]|以下是|如下[:：]|改写(?:后|如下|说明)|作为(?:一个)?(?:AI|人工智能|语言模型)|抱歉|我无法|我不能|希望(?:这?对|这)|请注意|如果您?(?:需要|想)"
    r"|忽略(?:之前|以上|上述)|(?:^|\n)\s*(?:注|说明|提示)[:：]|请(?:使用|点击|打开|告诉我)|提示词",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"(?:^|\n)\s*(?:#{1,6}\s|```|[-*•]\s|\d+[.)]\s|>\s|\|)|\*\*[^*\n]+\*\*|</?\w+>|^\s*[{\[]\s*\"", re.MULTILINE
)
_LABEL = re.compile(
    r"(?:^|\n)\s*(?:opening|events?|sounds?|audio|dialogue|scene|style|camera|prompt|开头|事件|声音|对白|提示词)\s*[:：]",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?…。！？\"”’'」』»)）\]]\s*$")


def length_findings(rewritten: Prompt, count_tokens: Callable[[str], int] | None) -> list[Finding]:
    found = []
    length, spoken = rewritten.length, rewritten.dialogue_length
    if length.share > 1:
        message = (
            f"The prompt has {_told(length)}; MOVA reads at most {MAX_WORDS} words or {MAX_CHARACTERS} characters."
        )
        if spoken.share > 1:
            message += f" Its dialogue alone has {_told(spoken)} and is kept."
        found.append(Finding(model.TOO_LONG, message, (_told(length),), warning=spoken.share > 1))
    if count_tokens is None:
        return found
    tokens = count_tokens(rewritten.text)
    if tokens > MAX_TOKENS:
        alone = count_tokens(" ".join(rewritten.dialogue)) > MAX_TOKENS
        message = f"The prompt has {tokens} tokens; the text encoder reads {MAX_TOKENS}."
        found.append(Finding(model.TOO_MANY_TOKENS, message, (f"{tokens} tokens",), warning=alone))
    return found


def _told(length: Length) -> str:
    parts = [f"{length.words} words"] if length.words or not length.characters else []
    return " and ".join(parts + ([f"{length.characters} characters"] if length.characters else []))


def talk_findings(original: Prompt, rewritten: Prompt) -> list[Finding]:
    """Of an answer that talks to its reader, or that is dressed as something else than a prompt."""
    found = []
    own = original.text.lower()
    talk = [match[0].strip() for match in _TALK.finditer(rewritten.narration)]
    talk = [words for words in talk if words.lower() not in own]
    if talk:
        found.append(Finding(model.INSTRUCTIONS, f"The answer talks to its reader: {talk[0]!r}.", tuple(talk)))
    marks = [words for words in _marks(rewritten.narration) if words not in _marks(original.narration)]
    marks = [words for words in marks if not (words[0].isalpha() and words.lower() in own)]
    if marks:
        message = f"The answer has {marks[0]!r}; a prompt has no titles, lists or markup."
        found.append(Finding(model.FORM, message, tuple(marks)))
    if any(not line.quote.closed for line in rewritten.lines) and all(line.quote.closed for line in original.lines):
        line = next(line for line in rewritten.lines if not line.quote.closed)
        found.append(Finding(model.FORM, "A quotation mark is opened and never closed.", (line.words[:60],)))
    if not _ENDS.search(rewritten.text):
        found.append(
            Finding(model.FORM, "The answer stops in the middle of a sentence.", (rewritten.text[-40:].strip(),))
        )
    return found


def _marks(narration: str) -> list[str]:
    return [match[0].strip() for pattern in (_MARKUP, _LABEL) for match in pattern.finditer(narration)]


def opening_findings(original: Prompt, rewritten: Prompt, frame: FrameDescription | None) -> list[Finding]:
    first = rewritten.sentences[0]
    lead = rewritten.narration_of(first.start, first.end)
    if first.quoted:
        quote = next(line.quote for line in rewritten.lines if line.quote.start >= first.start)
        lead = lexicon.TAG.sub(" ", rewritten.text[first.start : quote.start])
    short = length_of(lead)
    if first.quoted and short.words + short.characters < 7:
        return [
            Finding(
                model.OPENING, "The prompt opens with dialogue, not with what the first frame shows.", (first.text,)
            )
        ]
    own = original.text.lstrip().startswith(first.text)
    if not first.quoted and (on_sound_only(first.text) or (not own and _on_sound(_texts_of(rewritten, 0)))):
        return [
            Finding(model.OPENING, "The prompt opens with sound, not with what the first frame shows.", (first.text,))
        ]
    start, end = rewritten.paragraphs[0]
    if frame and not frame.empty and not covers(rewritten.text[start:end], frame):
        return [Finding(model.OPENING, "The opening does not take up what the first frame shows.", (first.text,))]
    return []


def _texts_of(prompt: Prompt, paragraph: int) -> list[str]:
    return [sentence.text for sentence in prompt.sentences if sentence.paragraph == paragraph]


def _on_sound(texts: list[str]) -> bool:
    """Whether a paragraph is on sound: one sentence surely, half of them at least."""
    heard = [text for text in texts if is_heard(text)]
    sounding = [text for text in texts if text in heard or tells_of_sounding(text)]
    return bool(heard) and len(sounding) * 2 >= len(texts)


def sound_findings(rewritten: Prompt) -> list[Finding]:
    last = [sentence for sentence in rewritten.sentences if sentence.paragraph == len(rewritten.paragraphs) - 1]
    if len(rewritten.paragraphs) < 2:
        message = "There is no paragraph on sound of its own behind a blank line."
        return [Finding(model.SOUND_PARAGRAPH, message, (last[-1].text,))]
    quoted = [sentence.text for sentence in last if sentence.quoted]
    if quoted:
        return [
            Finding(model.SOUND_PARAGRAPH, "The last paragraph holds dialogue; it is for sound only.", tuple(quoted))
        ]
    foreign = [sentence.text for sentence in last if _shows(sentence.text)]
    if foreign or not _on_sound([sentence.text for sentence in last]):
        words = tuple(foreign or (sentence.text for sentence in last))
        return [Finding(model.SOUND_PARAGRAPH, "The last paragraph is not on sound only.", words)]
    return []


def _shows(sentence: str) -> bool:
    return bool(camera_moves_in(sentence)) or (not has_sound(sentence) and begins_with_agent(sentence))


def language_findings(original: Prompt, rewritten: Prompt, frame: FrameDescription | None) -> list[Finding]:
    plain = without_own(lexicon.TAG.sub(" ", rewritten.narration))
    for part in frame.to_dict().values() if frame else ():
        for clause in re.split(r"[,;.，；。、\n]", part):
            if clause.strip():
                plain = re.sub(re.escape(clause.strip()), " ", plain, flags=re.IGNORECASE)
    asked, given = original.language, language_of(plain)
    if not differ(asked, given) or _mixed(original.narration):
        return []
    sentence = next(
        (s.text for s in rewritten.sentences if not s.quoted and language_of(s.text) == given), plain.strip()
    )
    message = f"The person writes in {asked!r} and the answer is in {given!r}; only dialogue keeps another language."
    return [Finding(model.LANGUAGE, message, (sentence,))]


def _mixed(narration: str) -> bool:
    spaced = re.findall(r"[^\W\d_]{2,}", re.sub(r"[\u2e80-\uffff]", " ", narration))
    return len(spaced) > 2 and length_of(narration).characters > 4
