"""The composer arranges what it is given, loses nothing, adds nothing, and passes the checker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_corpus import CASES, FRAMED

from mova_studio.prompting import model
from mova_studio.prompting.check import check
from mova_studio.prompting.composer import compose
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.neutral import OPENING, SOUND
from mova_studio.prompting.reading import read_prompt

QUOTES = ('""', "“”", "「」", "『』", "«»", "‘’", "''", "„“")
PLAIN = st.text(alphabet="abc XYZ.,!?\n69你好说：，。", max_size=25)
WORDS = st.text(alphabet="abcXYZ 69!?.,'你好。", min_size=1, max_size=20).filter(lambda text: text.strip(" .,'。!?"))
QUOTED = st.tuples(WORDS, st.sampled_from(QUOTES[:5])).map(lambda pair: pair[1][0] + pair[0] + pair[1][1])
NOISE = st.text(alphabet="ab Z.,!?\n'\"“”‘’「」『』«»„6:说他。，[]S01", max_size=60)


def letters(text: str) -> list[str]:
    return sorted(char for char in text if char.isalnum())


def holds(whole: list[str], part: list[str]) -> bool:
    rest = iter(whole)
    return all(any(char == other for other in rest) for char in part)


def test_the_corpus_is_as_large_as_asked():
    assert len(CASES) >= 120
    assert any(len(case[0].split()) >= 900 for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:30])
def test_dialogue_stays_and_the_checker_is_content(case):
    prompt, *lines = case
    composed = compose(prompt)
    at = 0
    for line in lines:
        assert line in composed[at:]
        at = composed.index(line, at) + len(line)
    assert [finding for finding in check(prompt, composed) if finding.rule != model.TOO_LONG] == []
    assert holds(letters(composed), letters(prompt))
    assert compose(composed) == composed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:30])
def test_it_arranges_and_does_not_echo(case):
    composed = compose(case[0])
    if "\n\n" not in case[0]:
        assert composed != case[0].strip()
    paragraphs = [composed[start:end] for start, end in read_prompt(composed).paragraphs]
    assert len(paragraphs) >= 2
    assert read_prompt(paragraphs[-1]).lines == ()
    if case[1:]:
        assert len(paragraphs) >= 3
        assert not read_prompt(paragraphs[0]).lines or not read_prompt(paragraphs[0]).lines[0].spoken


@pytest.mark.parametrize(("prompt", "parts"), FRAMED, ids=[prompt[:20] for prompt, _ in FRAMED])
def test_the_frame_is_folded_into_the_opening(prompt, parts):
    frame = FrameDescription(*parts)
    composed = compose(prompt, frame)
    assert check(prompt, composed, frame) == ()
    opening = composed.split("\n\n")[0]
    assert all(text in opening for text in frame.text.splitlines())
    assert compose(composed, frame) == composed
    assert "static" not in composed
    assert "standing still" not in composed


@settings(deadline=None, max_examples=400)
@given(st.lists(st.one_of(PLAIN, QUOTED), max_size=6))
def test_no_input_loses_a_quoted_line(parts):
    prompt = "\n\n".join(parts)
    composed = compose(prompt)
    at = 0
    for part in parts:
        if part and part[0] in '"“「『«' and len(part) > 2:
            assert part[1:-1].strip() in composed[at:]
            at = composed.index(part[1:-1].strip(), at)
    assert holds(letters(composed), letters(prompt))


@settings(deadline=None, max_examples=400)
@given(NOISE)
def test_no_noise_loses_a_letter_or_a_line(prompt):
    composed = compose(prompt)
    assert holds(letters(composed), letters(prompt))
    rest = iter(read_prompt(composed).dialogue)
    assert all(any(words == other for other in rest) for words in read_prompt(prompt.strip()).dialogue)


def test_the_sound_of_the_person_closes():
    composed = compose('Rain drums on a tin roof. A man says, "Wet." The hum of a fridge, no music. He sits down.')
    assert composed == (
        'Rain drums on a tin roof.\n\nA man says, "Wet." He sits down.\n\nThe hum of a fridge, no music.'
    )


def test_sounds_that_events_name_close_where_no_sentence_does():
    assert compose("A man walks home in the rain, his footsteps loud.").endswith("The sound of rain and footsteps.")
    assert compose("男人在雨声中奔跑，没有音乐。").endswith("听得到雨声。")
    assert compose("A man walks home without music.").endswith(SOUND["en"])


def test_speakers_get_tags_only_where_the_words_leave_no_doubt():
    assert compose('The boy asks, "Why?" The woman says, "So."') == (
        f'{OPENING["en"]}\n\nThe boy asks, [S01] "Why?" The woman says, [S02] "So."\n\n{SOUND["en"]}'
    )
    assert "[S01]" not in compose('Somebody: "Why?" And then "So." from a corner, and "No."')
    assert "[S01]" not in compose('The boy says, "Why?" The boy says, "So."')


def test_marks_become_double_quotes_and_words_inside_keep_theirs():
    assert "“他说『走』。”" in compose("男人说：「他说『走』。」")
    assert '"Don\'t go!"' in compose("She shouts, 'Don't go!'")
    assert "「a “b” c」" in compose("他说：「a “b” c」")


def test_nothing_gives_nothing():
    assert compose("") == compose(" \n ") == ""


@pytest.mark.parametrize("page", ["prompt.md", "prompt.zh.md"])
def test_the_documentation_shows_what_it_makes(page):
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    prompt = re.search(r"enhance --prompt '(.+)'", text)[1]
    assert f"```\n{compose(prompt)}\n```" in text
    assert {rule for rule in model.RULES if f"| `{rule}` |" in text} == set(model.RULES)
