"""A prompt, read: its lines of dialogue with their speakers, its sentences, its narration, its length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from mova_studio.prompting import lexicon
from mova_studio.prompting.languages import Length, language_of, length_of
from mova_studio.prompting.motion import Move, camera_moves_in, stillness_in
from mova_studio.prompting.quotes import Quote, find_quotes
from mova_studio.prompting.sentences import Sentence, paragraphs_of, sentences_of
from mova_studio.prompting.sound import on_sound_only, sounds_named
from mova_studio.prompting.speakers import Speaker, speakers_of

_SIGN_SAYS = re.compile(
    rf"\b(?:{'|'.join(sorted(lexicon.SIGNS))})\b[^.!?]{{0,30}}\bsay(?:s|ing)\s*[,:]?\s*$", re.IGNORECASE
)
_SIGN_ZH = re.compile(r"(?:牌子?|屏幕|字幕|横幅|海报|标语|招牌|标签|封面)[^，。！？]{0,6}[:：]?\s*$")
_AGENT_READS = re.compile(r"\b(?:he|she|they|man|woman|boy|girl|teacher)\s+reads?\s*[,:]?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """A quoted line: what is quoted, who says it, in which language, and whether it is said at all or shown.

    Attributes:
        quote: its place and its words.
        speaker: as far as the words tell.
        language: of the quoted words.
        spoken: False for what is written somewhere ("a sign reads ...").
    """

    quote: Quote
    speaker: Speaker
    language: str
    spoken: bool

    @property
    def words(self) -> str:
        return self.quote.words


@dataclass(frozen=True)
class Prompt:
    """A prompt and what was found in it; spans are indices into `text`."""

    text: str
    lines: tuple[Line, ...]
    sentences: tuple[Sentence, ...]
    paragraphs: tuple[tuple[int, int], ...]

    @cached_property
    def narration(self) -> str:
        """`text` with a space for every character of a quote, its marks included."""
        return self.narration_of(0, len(self.text))

    def narration_of(self, start: int, end: int) -> str:
        chars = list(self.text[start:end])
        for line in self.lines:
            for at in range(max(line.quote.start, start), min(line.quote.end, end)):
                chars[at - start] = " "
        return "".join(chars)

    @property
    def dialogue(self) -> tuple[str, ...]:
        return tuple(line.words for line in self.lines)

    @property
    def language(self) -> str:
        """Of the narration; of everything where there is none."""
        plain = lexicon.TAG.sub(" ", self.narration)
        return language_of(plain) or language_of(self.text)

    @property
    def length(self) -> Length:
        return length_of(self.text)

    @property
    def dialogue_length(self) -> Length:
        return length_of(" ".join(self.dialogue))

    @property
    def sound_sentences(self) -> tuple[Sentence, ...]:
        return tuple(sentence for sentence in self.sentences if not sentence.quoted and on_sound_only(sentence.text))

    @property
    def sounds(self) -> tuple[str, ...]:
        return sounds_named(self.narration)

    @property
    def camera_moves(self) -> tuple[Move, ...]:
        return camera_moves_in(self.narration)

    @property
    def stillness(self) -> tuple[str, ...]:
        return stillness_in(self.narration)

    @cached_property
    def speakers(self) -> tuple[Speaker, ...]:
        """The different speakers in order of their first line, if the words leave no doubt of any; else ()."""
        speakers = [line.speaker for line in self.lines if line.spoken]
        # Of a tagged and an untagged line nobody can say whether one person speaks both.
        if not all(speaker.known for speaker in speakers) or len({bool(speaker.tag) for speaker in speakers}) > 1:
            return ()
        found: list[Speaker] = []
        for speaker in speakers:
            if not any(speaker.same_as(other) for other in found):
                found.append(speaker)
        return tuple(found)


def read_prompt(text: str) -> Prompt:
    """Of any text; nothing in it is changed or left out."""
    quotes = find_quotes(text)
    sentences = sentences_of(text, quotes)
    speakers = speakers_of(text, quotes, sentences)
    lines = tuple(
        Line(quote, speaker, language_of(quote.words), _spoken(text, quote, speaker))
        for quote, speaker in zip(quotes, speakers, strict=True)
    )
    return Prompt(text, lines, sentences, tuple(paragraphs_of(text, quotes)))


def _spoken(text: str, quote: Quote, speaker: Speaker) -> bool:
    if speaker.tag:
        return True
    before, after = text[max(0, quote.start - 80) : quote.start], text[quote.end : quote.end + 12]
    if lexicon.TEXT_CUE_AFTER.match(after) or _SIGN_SAYS.search(before) or _SIGN_ZH.search(before):
        return False
    return not lexicon.TEXT_CUE.search(before) or bool(_AGENT_READS.search(before))
