"""Captions from the dialogue that a take's prompt quotes, timed by where its sound has a voice."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from mova_studio.media.speech import Stretches, speech_stretches, voiced_stretches
from mova_studio.prompting.reading import Prompt, read_prompt
from mova_studio.timeline.caption_text import cue_texts, syllables
from mova_studio.timeline.clip import SAMPLE_RATE, Source
from mova_studio.timeline.edits import new_id
from mova_studio.timeline.model import Caption, Timeline
from mova_studio.timeline.sound_files import SHARED
from mova_studio.timeline.subtitles import is_note

SHORTEST = Fraction(4, 5)  # seconds, where there is room
# A note of a sound that the person put in brackets. Tags ([S01]) and headings ([Camera: ...]) are none.
_NOTE = re.compile(r"[\[【][^\[\]【】\n:：]{3,60}[\]】]")
_TAG = re.compile(r"[\[【][A-Za-z]{1,8}[\s_-]?\d{1,3}[\]】]")
# Of the shorter neighbour: how far a pause may lie from where the next words are due. Two lines have a pause between
# them more surely than two parts of one.
_SNAP_LINES, _SNAP_PARTS = 0.9, 0.45
# No word is drawn out longer than this, in seconds; what sounds on is something else.
_LONGEST, _LONGEST_SYLLABLE = Fraction(3, 2), Fraction(3, 5)


def captions_from_prompt(timeline: Timeline, clip_id: str, prompt: str) -> tuple[Caption, ...]:
    """Captions for a clip, of the lines that its prompt quotes as spoken, and of sounds noted in [brackets].

    They are laid over the whole source, so that a longer trim finds them. The words are spread over the stretches
    in which the sound has a voice, in proportion to their syllables, with breaks at its pauses; over everything where
    it has none. They never overlap. Signs and other writing are left out, and so is what exceeds one caption a frame.

    Raises:
        InputError: there is no such clip, or its file is missing or damaged.
    """
    source = timeline.clip(clip_id).source
    if not isinstance(source, Source):
        return ()
    lines = [cue_texts(line) for line in spoken_lines(read_prompt(prompt))]
    texts = [text for line in lines for text in line][: source.num_frames]
    if not texts:
        return ()
    spans = _spans([[syllables(text) for text in line] for line in lines], _voice(source))[: source.num_frames]
    return tuple(
        Caption(new_id(), clip_id, start, stop, text)
        for (start, stop), text in zip(_frames(spans, source), texts, strict=True)
    )


def spoken_lines(prompt: Prompt) -> list[str]:
    """What is said in a prompt, and its notes in brackets, in their order."""
    found = [(line.quote.start, line.words) for line in prompt.lines if line.spoken]
    found += [
        (match.start(), match[0])
        for match in _NOTE.finditer(prompt.narration)
        if is_note(match[0]) and not _TAG.fullmatch(match[0])
    ]
    lines = (words.strip().rstrip(",，").strip() for _, words in sorted(found))
    return [line for line in lines if line]


def _voice(source: Source) -> Stretches:
    """Where to lay words, in samples: never empty."""
    everything = [(0, max(1, math.floor(source.num_frames * SAMPLE_RATE / source.frame_rate)))]
    if source.num_samples == 0:
        return everything
    sound = SHARED.load(Path(source.path))
    shown = sound[:, : everything[0][1]]
    return speech_stretches(shown) or voiced_stretches(shown) or everything


def _spans(lines: list[list[float]], voice: Stretches) -> list[tuple[Fraction, Fraction]]:
    """For each part of each line, given how long it takes to say, its time in seconds."""
    pauses = [0, *accumulate(stop - start for start, stop in voice)]
    spans = []
    borders = _shared(0.0, float(pauses[-1]), [sum(parts) for parts in lines], pauses, _SNAP_LINES)
    for parts, (first, last) in zip(lines, pairwise(borders), strict=True):
        for weight, (due, done) in zip(parts, pairwise(_shared(first, last, parts, pauses, _SNAP_PARTS)), strict=True):
            begin = Fraction(_begin(due, voice, pauses), SAMPLE_RATE)
            end = Fraction(_end(done, voice, pauses), SAMPLE_RATE)
            spans.append((begin, min(end, begin + _LONGEST + _LONGEST_SYLLABLE * Fraction(weight))))
    return spans


def _shared(first: float, last: float, weights: list[float], pauses: list[int], snap: float) -> list[float]:
    """The voiced time from `first` to `last` cut in proportion to `weights`, cuts moved to pauses that lie near."""
    scale = (last - first) / sum(weights)
    cuts = [first, *(first + share * scale for share in accumulate(weights))]
    cuts[-1] = last
    for index in range(1, len(cuts) - 1):
        reach = snap * min(cuts[index] - cuts[index - 1], cuts[index + 1] - cuts[index])
        near = min(pauses[1:-1], key=lambda pause: abs(pause - cuts[index]), default=None)
        if near is not None and abs(near - cuts[index]) < reach:
            cuts[index] = float(near)
    return cuts


def _begin(voiced: float, voice: Stretches, pauses: list[int]) -> int:
    """The sample at which `voiced` samples of voice have passed; at a pause, behind it."""
    for (start, _), passed, reached in zip(voice, pauses, pauses[1:], strict=False):
        if voiced < reached:
            return round(start + voiced - passed)
    return voice[-1][1]


def _end(voiced: float, voice: Stretches, pauses: list[int]) -> int:
    """The sample at which `voiced` samples of voice have passed; at a pause, before it."""
    for (start, _), passed, reached in zip(voice, pauses, pauses[1:], strict=False):
        if voiced <= reached:
            return round(start + voiced - passed)
    return voice[-1][1]


def _frames(spans: list[tuple[Fraction, Fraction]], source: Source) -> list[tuple[int, int]]:
    """In frames of the source: in order, apart, each at least one frame, and as long as can be read where there is
    room behind it or before it.
    """
    count = len(spans)
    rate = source.frame_rate
    least = math.ceil(SHORTEST * rate)
    starts: list[int] = []
    for index, (begin, _) in enumerate(spans):
        earliest = starts[-1] + 1 if starts else 0
        starts.append(min(max(math.floor(begin * rate), earliest), source.num_frames - (count - index)))
    bounds = [*starts[1:], source.num_frames]
    stops = [
        min(max(math.ceil(end * rate), start + least), bound)
        for (_, end), start, bound in zip(spans, starts, bounds, strict=True)
    ]
    found: list[tuple[int, int]] = []
    for start, stop in zip(starts, stops, strict=True):
        before = found[-1][1] if found else 0
        found.append((max(min(start, stop - least), before), stop))
    return found
