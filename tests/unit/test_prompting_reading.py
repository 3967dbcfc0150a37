"""Reading a prompt: quotes of all kinds, who speaks, what is heard, in which language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_corpus import CASES

from mova_studio.prompting.languages import length_of
from mova_studio.prompting.reading import read_prompt

ANY = st.text(alphabet="ab Z.,!?\n'\"“”‘’「」『』«»„6:说他。，[S01]", max_size=60)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:30])
def test_every_quoted_line_of_the_corpus_is_read(case):
    assert read_prompt(case[0]).dialogue == case[1:]


@settings(deadline=None, max_examples=300)
@given(ANY)
def test_any_text_is_read_and_its_spans_hold_what_they_say(text):
    read = read_prompt(text)
    for line in read.lines:
        assert text[line.quote.start] == line.quote.mark
        assert text[line.quote.start + 1 :].startswith(line.words)
    ends = [line.quote.end for line in read.lines]
    assert all(end <= line.quote.start for end, line in zip(ends, read.lines[1:], strict=False))
    assert "".join("".join(sentence.text.split()) for sentence in read.sentences) == "".join(text.split())
    assert len(read.narration) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "don't, the dogs' bowl, '90s, rock 'n' roll",
        'a 6" nail and a 4" board',
        "'Tis the season, the boys' night",
        'Hello" she said.',
    ],
)
def test_apostrophes_inches_and_strays_quote_nothing(text):
    assert read_prompt(text).lines == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('The boy asks, "Why?" She turns one screw and answers, "So."', ["boy", "she"]),
        ('A man enters. He says, "A man." Then he adds, "Me."', ["he", "he"]),
        ('"Go," says the old king. "No," the young king says.', ["king", "king"]),
        ('The man says, "One." He goes on: "Two." He says, "Three."', ["man", "man", "man"]),
        ("男人说：“走。”女人慢慢回答：“不。”他问：“为什么？”", ["男人", "女人", "男人"]),
        ("“走吧，”小明说。", ["小明"]),
        ('Anna: "Hi"\nBob: "Yo"', ["anna", "bob"]),
    ],
)
def test_speakers_are_named_where_the_words_name_them(text, names):
    assert [line.speaker.name for line in read_prompt(text).lines] == names


def test_doubt_about_one_speaker_leaves_all_untagged():
    read = read_prompt('Anna says, "Hi." Ben says, "Yo." Then she says, "Bye."')
    assert [line.speaker.sure for line in read.lines] == [True, True, False]
    assert read.speakers == ()


def test_tags_are_read_in_several_spellings():
    read = read_prompt('[S01] The man: "A." (S2) "B." Speaker 3: "C."')
    assert [line.speaker.tag for line in read.lines] == ["S01", "S02", "S03"]


def test_what_is_written_somewhere_is_not_spoken():
    read = read_prompt('A sign says "OPEN". The man says "Look". 牌子上写着“出口”。')
    assert [line.spoken for line in read.lines] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A cat sits on the mat.", "en"),
        ("一只猫坐在垫子上。", "zh"),
        ("Una mujer camina por la playa con su perro.", "es"),
        ("いらっしゃいませ、お客様", "ja"),
        ('他说 "the cat is on the mat and it will not come down" 。', "zh"),
        ("6 7 8", ""),
    ],
)
def test_the_language_is_that_of_the_narration(text, language):
    assert read_prompt(text).language == language


def test_words_and_characters_count_to_one_limit():
    assert length_of("It's a well-known 猫 café, 30 米高").words == 5
    assert length_of("It's a well-known 猫 café, 30 米高").characters == 3
    assert length_of("word " * 125 + "字" * 200).share == 1


@pytest.mark.parametrize(
    ("text", "moves", "still"),
    [
        ("The chef shakes the frying pan. Her head tilts up. Cars zoom past on the track.", set(), False),
        ("The camera slowly pans left and pushes in.", {"pan", "in"}, False),
        ("Static hisses in the radio, a burst of static.", set(), False),
        ("It is still raining; she still waits.", set(), False),
        ("She stands still. A static shot.", set(), True),
        ("镜头缓缓推近，人物静止。", {"in"}, True),
        ("他推开门，摇了摇头。", set(), False),
    ],
)
def test_camera_and_stillness_are_told_from_their_likes(text, moves, still):
    read = read_prompt(text)
    assert moves <= {move.kind for move in read.camera_moves}
    assert bool(moves) == bool(read.camera_moves)
    assert bool(read.stillness) == still


@pytest.mark.parametrize(
    ("text", "on_sound"),
    [
        ("Close, dry room sound, the tick of a screwdriver.", True),
        ("No people, no voices, no music.", True),
        ("His footsteps echo in the hall.", True),
        ("The sound engineer adjusts a knob.", False),
        ("She plays a slow phrase of four notes.", False),
        ("A quiet room with a bed.", False),
        ("远处的蛙声，风只像一次呼吸。", True),
        ("男孩噗地笑了一声。", False),
    ],
)
def test_sentences_on_sound_only(text, on_sound):
    assert bool(read_prompt(text).sound_sentences) == on_sound


def test_a_colon_names_whoever_begins_its_clause_and_nobody_else():
    read = read_prompt(
        'The crowd cheers; cut to guest: "Thanks." 右边的女生抬起头。男生压低声音：“走了。” Sound: "bang".'
    )
    assert [line.speaker.name for line in read.lines] == ["", "男生", ""]


def test_a_tagged_and_an_untagged_speaker_may_be_one():
    assert read_prompt('[S01]: "Ready?" The man says, "Go."').speakers == ()
