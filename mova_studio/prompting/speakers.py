"""Who says a quoted line, and how sure the words are of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mova_studio.prompting import lexicon
from mova_studio.prompting.quotes import Quote
from mova_studio.prompting.sentences import Sentence

_WORD = r"[A-Za-z][\w'’-]*"
_DETERMINER = r"(?:the|a|an|his|her|their|my|our|another|one|this|that)"
_PHRASE = (
    rf"(?:{_DETERMINER}\s+(?:{_WORD}\s+){{0,7}}?{_WORD}|[A-Z]{_WORD}(?:\s[A-Z]{_WORD})?|[Hh]e|[Ss]he|[Tt]hey|I|[Ww]e)"
)
_ADVERBS = rf"(?:(?:{_WORD}ly|then|also|still|just|finally|now|suddenly|never)\s+|,\s*{_WORD}ing[^,\"“]*,\s*)*"
_SAY = re.compile(rf"\b{lexicon.SAY}\b", re.IGNORECASE)
_BEFORE_SAY = re.compile(rf"(?<![\w'])({_PHRASE})\s*,?\s*{_ADVERBS}(?:and\s+)?$")
_PHRASE_AFTER = rf"(?:{_DETERMINER}\s+[^,.;:!?\n\"“”]{{1,60}}|[A-Z]{_WORD}(?:\s[A-Z]{_WORD})?|he|she|they|I|we)"
_AFTER = re.compile(
    rf"\s*,?\s*(?:({_PHRASE})\s+{_ADVERBS}(?i:{lexicon.SAY})\b|(?i:{lexicon.SAY})\s+({_PHRASE_AFTER})(?=[\s,.;:!?]|$))"
)
_SCRIPT = re.compile(
    rf"(?:^|\n)\s*(?:[-*•]\s*)?((?:[A-Z]{_WORD}|[A-Z])(?:\s(?:{_WORD}|\d+)){{0,2}})\s*(?:\([^)]*\)|（[^）]*）)?\s*[:：]\s*$"
)
_SAY_ZH_END = re.compile(rf"{lexicon.SAY_ZH}(?:了一?[句声])?(?:道)?\s*[:：,，]?\s*$")
_SAY_ZH_AFTER = re.compile(rf"\s*[，,]?\s*([^，。！？,\s“”「」]{{1,14}}?){lexicon.SAY_ZH}")
_ADVERB_ZH = re.compile(
    r"(?:[^，,\s]{1,6}地|低声|轻声|大声|小声|慢慢|缓缓|笑着|哭着|突然|又|再|也|就|对着?[^，,\s]{1,6}|用[^，,\s]{1,8}|然后|接着|冷冷|轻轻|平静|认真|转身|回头"
    r"|压低声音|好奇|最后|终于|忽然|回过头|抬头|点头|摇头|叹气|着)+$"
)
_NO_NAME = re.compile(
    r"(?:he|she|they|i|we|it|the|an?|cut|dialogue|dialog|sound|audio|action|subject|scene|text|line|lines|speech|title|style"
    r"|camera|music|setting|prompt|quote|voiceover)\b",
    re.IGNORECASE,
)
_PERSONS = "|".join(sorted(lexicon.PERSONS, key=len, reverse=True))
_MENTION = re.compile(
    rf"(?:\b{_DETERMINER}\s+(?:{_WORD}\s+){{0,4}}?)?\b(?:{_PERSONS})\b(?!['’]s)"
    rf"(?:\s(?:in|with)\s(?:{_DETERMINER}\s)?{_WORD})?",
    re.IGNORECASE,
)
_PRONOUNS = {"he": "male", "she": "female", "他": "male", "她": "female"}
_PREPOSITION = re.compile(
    r"\s(?:in|with|of|at|on|from|by|behind|near|beside|to|wearing|holding|who|next|under|inside)\s.*$"
)
_JOINED = re.compile(r"^\s*(?:,|and|then|or|but|，|、|和|又|再|,?\s*and then)*\s*$", re.IGNORECASE)
_NOT_NAMES = lexicon.word_set(
    "then now when after as suddenly finally but and so here there it this that while",
)


@dataclass(frozen=True)
class Speaker:
    """Who speaks, as far as the words tell.

    Attributes:
        tag: "S01" if the person tagged the line, else "".
        name: the noun or name in lower case, without article; "" if the words name nobody.
        qualities: the words that tell two of one noun apart ("old", "red").
        sure: whether the words leave no doubt who it is.
    """

    tag: str = ""
    name: str = ""
    qualities: frozenset[str] = frozenset()
    sure: bool = False

    @property
    def known(self) -> bool:
        return bool(self.tag) or (self.sure and bool(self.name))

    def same_as(self, other: Speaker) -> bool:
        if self.tag and other.tag:
            return self.tag == other.tag
        alike = self.qualities <= other.qualities or other.qualities <= self.qualities
        return bool(self.name) and self.name == other.name and alike


def speakers_of(text: str, quotes: Sequence[Quote], sentences: Sequence[Sentence]) -> list[Speaker]:
    """One for each quote, pronouns resolved where only one person can be meant."""
    found: list[Speaker] = []
    for index, quote in enumerate(quotes):
        lead = _lead(text, quotes, index, sentences)
        following = quotes[index + 1].start if index + 1 < len(quotes) else len(text)
        after = text[quote.end : min(following, quote.end + 160)]
        tag = _tag_in(lead)
        plain = lexicon.TAG.sub(" ", lead)
        speaker = _named_before(plain) or _named_after(quote, after, following < len(text))
        if not speaker and found and _JOINED.match(plain) and _same_paragraph(quote, quotes[index - 1], text):
            speaker = found[-1] if not tag else None
        speaker = _resolved(speaker or Speaker(), found)
        if tag:
            speaker = Speaker(tag, speaker.name, speaker.qualities, speaker.sure)
        found.append(speaker)
    return found


def _same_paragraph(quote: Quote, before: Quote, text: str) -> bool:
    between = text[before.end : quote.start]
    return "\n" not in between and bool(between.strip())


def _lead(text: str, quotes: Sequence[Quote], index: int, sentences: Sequence[Sentence]) -> str:
    """The words of the quote's own sentence in front of it, back to the quote before."""
    quote = quotes[index]
    start = max((sentence.start for sentence in sentences if sentence.start <= quote.start), default=0)
    if index and quotes[index - 1].end > start:
        start = quotes[index - 1].end
    lead = text[start : quote.start]
    if not lead.strip() and index == 0 and start:
        return lead
    return lead


def _tag_in(lead: str) -> str:
    tags = list(lexicon.TAG.finditer(lead))
    return f"S{int(tags[-1][1] or tags[-1][2]):02d}" if tags else ""


def _named_before(lead: str) -> Speaker | None:
    script = _SCRIPT.search(lead)
    if script and not _SAY.search(script[1]) and not _NO_NAME.match(script[1]):
        return _person(script[1], sure=True)
    says = list(_SAY.finditer(lead))
    if says:
        return _subject(lead[: says[-1].start()])
    chinese = _SAY_ZH_END.search(lead)
    if chinese:
        return _subject_zh(lead[: chinese.start()])
    if lead.rstrip()[-1:] not in (":", "："):
        return None
    clause = re.split(r"[,;.!?，；。！？]", lead.rstrip()[:-1])[-1]
    begins = re.match(rf"\s*(?:and\s+|then\s+)*({_PHRASE})\b", clause)
    return _subject(clause) if begins and _mentions(begins[1]) else _subject_zh(re.sub(r"（[^）]*）$", "", clause))


def _named_after(quote: Quote, after: str, leads_on: bool) -> Speaker | None:
    match = _AFTER.match(after)
    ends_open = quote.words.rstrip()[-1:] in ",，-—"
    if match and not (leads_on and match[1] and not ends_open and match[1][0].isupper()):
        return _person(match[1] or match[2], sure=True)
    chinese = _SAY_ZH_AFTER.match(after)
    if chinese and not (leads_on and re.match(r"(?:道)?[:：]\s*$", after[chinese.end() :])):
        return _subject_zh(chinese[1])
    return None


def _subject(before: str) -> Speaker | None:
    """Of the words in front of a verb of speech."""
    mentions = _mentions(before)
    match = _BEFORE_SAY.search(before)
    if match:
        near = _person(match[1], sure=True)
        if near and (near.name in lexicon.PERSONS or match[1][0].isupper() or not mentions):
            return near
    if mentions:
        return _person(mentions[0], sure=len({_head(mention) for mention in mentions}) == 1)
    return None


def _mentions(text: str) -> list[str]:
    return [match[0] for match in _MENTION.finditer(text)]


def _head(phrase: str) -> str:
    words = re.findall(r"[\w'’-]+", _PREPOSITION.sub("", " " + phrase.lower()))
    if len(words) > 1 and words[-1].isdigit():
        return " ".join(words[-2:])
    return words[-1].strip("'’") if words else ""


def _person(phrase: str, *, sure: bool) -> Speaker | None:
    words = [word.lower() for word in re.findall(r"[\w'’-]+", phrase)]
    name = _head(phrase)
    if not words or name in _NOT_NAMES:
        return None
    plain = {
        "the",
        "a",
        "an",
        "his",
        "her",
        "their",
        "my",
        "our",
        "one",
        "this",
        "that",
        "in",
        "with",
        "of",
        "who",
        "and",
    }
    return Speaker("", name, frozenset(word for word in words if word not in plain and word != name), sure)


def _subject_zh(before: str) -> Speaker | None:
    sentence = re.split(r"[。！？\n]", before)[-1]
    clauses = [clause for clause in re.split(r"[，,；;、]", sentence) if clause.strip()]
    mentioned = [name for name in lexicon.PERSONS_ZH if name in sentence and name not in ("他", "她")]
    mentioned = [name for name in mentioned if not any(name != other and name in other for other in mentioned)]
    for clause in reversed(clauses):
        bare = _ADVERB_ZH.sub("", clause.strip())
        for name in lexicon.PERSONS_ZH:
            if bare.endswith(name):
                qualities = frozenset(
                    filter(
                        None, [re.sub(r"^(?:一[个位名]|那[个位名]?|这[个位名]?|然后|接着)|的", "", bare[: -len(name)])]
                    )
                )
                return Speaker("", name, qualities if len(bare) <= 8 else frozenset(), True)
        if 1 < len(bare) <= 3 and len(clauses) == 1:
            return Speaker("", bare, frozenset(), True)
    if mentioned:
        return Speaker("", mentioned[0], frozenset(), len(mentioned) == 1)
    pronouns = [char for char in sentence if char in "他她"]
    return Speaker("", pronouns[0], frozenset(), len(set(pronouns)) == 1) if pronouns else None


def _resolved(speaker: Speaker, earlier: list[Speaker]) -> Speaker:
    gender = _PRONOUNS.get(speaker.name)
    if gender is None:
        alike = {other.qualities for other in earlier if other.name and other.same_as(speaker)}
        doubtful = len(alike) > 1 and speaker.qualities not in alike
        if doubtful:
            return Speaker(speaker.tag, speaker.name, speaker.qualities, False)
        return next((other for other in earlier if other.name and other.same_as(speaker) and other.sure), speaker)
    named = {(other.name, other.qualities): other for other in earlier if other.name and other.name not in _PRONOUNS}
    fitting = [other for other in named.values() if _gender(other.name) == gender]
    unclear = [other for other in named.values() if not _gender(other.name)]
    if len(fitting) == 1 and not unclear:
        return Speaker("", fitting[0].name, fitting[0].qualities, fitting[0].sure and speaker.sure)
    if len(fitting) + len(unclear) == 0:
        return speaker
    return Speaker("", speaker.name, speaker.qualities, False)


def _gender(name: str) -> str:
    if name in lexicon.MALE or name in lexicon.MALE_ZH:
        return "male"
    if name in lexicon.FEMALE or name in lexicon.FEMALE_ZH:
        return "female"
    return ""
