"""A frame description in sentences, and how much of one a text takes up."""

from __future__ import annotations

import re

from mova_studio.prompting.languages import language_of
from mova_studio.prompting.lexicon import word_set
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.motion import camera_moves_in, stillness_in
from mova_studio.prompting.neutral import own_tongue

_CLAUSE = re.compile(r"(?<=[,;.，；。、])\s*")
_MARKS = "\"'“”‘’「」『』«»"
_PLAIN = word_set(
    "the a an and or of in on at to with from by is are was it its his her their this that there into under",
    "over very one two some for as near frame picture image shot camera scene photo photograph",
)


def in_sentences(frame: FrameDescription, language: str) -> str:
    """Style, camera, elements and text as they are described, without words of stillness and moves of the camera."""
    tongue = own_tongue(language)
    parts = [_sentence(_moving(part)) for part in (frame.style, frame.camera, frame.elements)]
    texts = [_bare(item.strip()) for item in frame.text.splitlines() if item.strip()]
    if texts and any(mark in item for item in texts for mark in '"“”'):
        parts.append(_sentence(("画面中写着 " if tongue == "zh" else "Text in the frame reads ") + " / ".join(texts)))
    elif texts and tongue == "zh":
        parts.append("画面中写着" + "、".join(f"“{item}”" for item in texts) + "。")
    elif texts:
        parts.append("Text in the frame reads " + ", ".join(f'"{item}"' for item in texts) + ".")
    return joined([part for part in parts if part])


def joined(pieces: list[str]) -> str:
    """Pieces of text in one paragraph, with a space between those that are written with spaces."""
    text = ""
    for piece in pieces:
        wide = not text or text[-1] > "\u2e80" or piece[0] > "\u2e80"
        text += piece if wide else f" {piece}"
    return text


def ended(text: str) -> str:
    """`text` with a full stop, if it ends with none of the marks that end a sentence."""
    text = text.rstrip()
    if not text or text.rstrip(_MARKS + " ")[-1:] in ".!?…。！？":
        return text
    return text.rstrip(",，;；:：、") + ("。" if language_of(text[-12:]) == "zh" else ".")


def covers(opening: str, frame: FrameDescription) -> bool:
    """Whether `opening` takes up the frame, as far as words of one language can show it."""
    described = frame.elements or f"{frame.style} {frame.camera}".strip() or frame.text
    asked = _terms(described)
    if not asked or (language_of(described) == "zh") != (language_of(opening) == "zh"):
        return True
    needed = max(1, round(0.2 * min(len(asked), 15)))
    return len(asked & _terms(opening)) >= needed


def _terms(text: str) -> set[str]:
    words = {_stem(word) for word in re.findall(r"[a-zà-ɏа-я]{3,}", text.lower()) if word not in _PLAIN}
    han = re.findall(r"[\u4e00-\u9fff]+", text)
    return words | {run[at : at + 2] for run in han for at in range(len(run) - 1)}


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s)$", "", word)[:6]


def _moving(part: str) -> str:
    clauses = [clause for clause in _CLAUSE.split(" ".join(part.split())) if clause]
    kept = [clause for clause in clauses if not stillness_in(clause) and not camera_moves_in(clause)]
    return joined(kept).strip(" ,;，；、")


def _sentence(part: str) -> str:
    return ended(part[:1].upper() + part[1:]) if part else ""


def _bare(item: str) -> str:
    """`item` without marks around all of it."""
    around = len(item) > 2 and item[0] in _MARKS and item[-1] in _MARKS
    inner = item[1:-1]
    return inner.strip() if around and not any(mark in inner for mark in _MARKS) else item
