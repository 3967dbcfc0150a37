"""Which language a text is in, as far as its letters and its commonest words tell; and how long it is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SCRIPTS = (
    ("han", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")),
    ("kana", re.compile(r"[\u3040-\u30ff]")),
    ("hangul", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f]")),
    ("cyrillic", re.compile(r"[\u0400-\u052f]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("devanagari", re.compile(r"[\u0900-\u097f]")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]")),
)
_BY_SCRIPT = {"han": "zh", "hangul": "ko", "cyrillic": "ru", "greek": "el", "arabic": "ar", "hebrew": "he"}
_BY_SCRIPT |= {"devanagari": "hi", "thai": "th"}
_CHARACTERS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff\u0e00-\u0e7f]")
_WORDS = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_COMMON = {
    "en": "the a an and of to in is are was it he she they you i my your with on at for that this not we me be have "
    "do don't i'm it's as his her from by what who will can just here there no yes up out into now never",
    "es": "el la los las un una y de que en es está son no se con por para su mi tu yo lo como más pero me te le qué "
    "muy ya hay nos esta este del al hola adiós",
    "fr": "le la les un une et de que en est sont ne pas se avec pour son sa mon ma je il elle nous vous ce cette du "
    "des au aux dans qui sur plus mais bonjour merci très où jamais c'est j'ai n'est",
    "de": "der die das ein eine und von zu in ist sind nicht sich mit für sein ihr mein ich er sie es wir auf dem den "
    "des im aber auch wie wo hier noch nie habe hat bin du dich mich guten einen",
    "it": "il lo gli una e di che è sono non si con per suo mia io ma come più questo questa della del nel ciao mi ti",
    "pt": "o os um uma e de que em é são não se com por para seu minha eu mas como mais este esta do da no na você olá",
}
_COMMON_WORDS = {name: frozenset(words.split()) for name, words in _COMMON.items()}

MAX_WORDS = 250
MAX_CHARACTERS = 400


@dataclass(frozen=True)
class Length:
    """Words of languages that put spaces between them, and characters of those that do not (Han, kana, Thai)."""

    words: int
    characters: int

    @property
    def share(self) -> float:
        """Of what MOVA's prompts may be long; 1.0 is the limit, to which words and characters both count."""
        return self.words / MAX_WORDS + self.characters / MAX_CHARACTERS


def length_of(text: str) -> Length:
    characters = len(_CHARACTERS.findall(text))
    return Length(len(_WORDS.findall(_CHARACTERS.sub(" ", text))), characters)


def language_of(text: str) -> str:
    """ "zh", "en", "ja", ...; "latin" for Latin letters of no telling words, "" without letters."""
    counts = {name: len(letters.findall(text)) for name, letters in _SCRIPTS}
    if counts["kana"] and counts["kana"] * 4 >= counts["han"]:
        counts["han"], counts["kana"] = 0, counts["han"] + counts["kana"]
    # A Han character says about as much as half a word of Latin letters.
    weights = Counter({name: n * (3 if name in ("han", "kana", "hangul") else 1) for name, n in counts.items() if n})
    if not weights:
        return ""
    script = weights.most_common(1)[0][0]
    if script == "kana":
        return "ja"
    return _latin_language(text) if script == "latin" else _BY_SCRIPT[script]


def _latin_language(text: str) -> str:
    words = [word.lower().replace("’", "'") for word in _WORDS.findall(text)]
    hits = Counter({name: sum(word in common for word in words) for name, common in _COMMON_WORDS.items()})
    (first, most), (_, second) = hits.most_common(2)
    return first if most > second and (most > 1 or first == "en") else "latin"


def differ(one: str, other: str) -> bool:
    """Whether two languages of `language_of` are surely not the same."""
    if not one or not other or one == other:
        return False
    latin = {"latin", *_COMMON_WORDS}
    return not ("latin" in (one, other) and {one, other} <= latin)
