"""The checker finds every damaged rewrite by its rule, and passes whole ones."""

from __future__ import annotations

from collections import Counter

import pytest
from prompt_corpus import CASES, PARAPHRASED, REWRITTEN
from prompt_damage import damages

from mova_studio.prompting import model
from mova_studio.prompting.check import advise, check
from mova_studio.prompting.model import Finding, FrameDescription

MAN = 'A man at a bus stop says, "Late again."'
GOOD = 'A man waits at a bus stop.\n\nHe says, "Late again."\n\nThe sound of rain, his voice close.'


def rules(original: str, rewritten: str, frame: FrameDescription | None = None) -> set[str]:
    return {finding.rule for finding in check(original, rewritten, frame)}


def test_every_damage_is_found_by_its_rule():
    missed, count = [], Counter()
    for damage in damages():
        count[damage.rule] += 1
        if damage.rule not in rules(damage.original, damage.damaged, damage.frame):
            missed.append((damage.rule, damage.original[:60], damage.damaged[-120:]))
    assert missed == []
    assert sum(count.values()) >= 200
    assert set(model.RULES) - set(count) == {model.TOO_MANY_TOKENS}


@pytest.mark.parametrize(("start", "rewritten"), PARAPHRASED, ids=[start for start, _ in PARAPHRASED])
def test_undamaged_rewrites_by_hand_pass(start, rewritten):
    original = next(case[0] for case in CASES if case[0].startswith(start))
    assert check(original, rewritten) == ()


@pytest.mark.parametrize(("original", "rewritten"), REWRITTEN, ids=[original[:30] for original, _ in REWRITTEN])
def test_whole_rewrites_in_the_manner_of_models_pass(original, rewritten):
    assert check(original, rewritten) == ()


@pytest.mark.parametrize(
    "rewritten",
    [
        GOOD.replace('"Late again."', "“Late again,”"),
        GOOD.replace('"Late again."', "'Late again.'"),
        GOOD.replace("He says,", "[S01] He says,"),
    ],
)
def test_marks_and_the_comma_before_them_may_change(rewritten):
    assert check(MAN, rewritten) == ()


def test_question_marks_and_capitals_may_not_change():
    assert rules(MAN, GOOD.replace("Late again.", "Late again?")) == {model.DIALOGUE_CHANGED}
    assert rules(MAN, GOOD.replace("Late again.", "LATE again.")) == {model.DIALOGUE_CHANGED}


def test_a_repeated_line_is_an_added_line():
    assert model.DIALOGUE_ADDED in rules(MAN, GOOD.replace('"Late again."', '"Late again." He says, "Late again."'))


def test_words_that_the_person_told_may_be_quoted():
    assert (
        check(
            "A man waves and says good night. Wind.", 'A man waves.\n\nHe says, "good night".\n\nThe wind hums softly.'
        )
        == ()
    )


def test_dialogue_outranks_length():
    line = "we go on and on " * 60
    original = f'A man at a desk in an office full of people says, "{line}"'
    rewritten = f'A man sits at a desk in an office full of people.\n\nHe says, "{line}"\n\nThe sound of a quiet voice.'
    (finding,) = check(original, rewritten)
    assert (finding.rule, finding.warning) == (model.TOO_LONG, True)
    (finding,) = check("A man walks.", "A man walks " + "on and on " * 90 + ".\n\nThe sound of steps.")
    assert (finding.rule, finding.warning) == (model.TOO_LONG, False)


def test_tokens_are_counted_where_a_counter_is_given():
    (finding,) = check(MAN, GOOD, count_tokens=lambda text: 600 if len(text) > 20 else 3)
    assert (finding.rule, finding.warning) == (model.TOO_MANY_TOKENS, False)
    (finding,) = check(MAN, GOOD, count_tokens=lambda text: 600)
    assert finding.warning
    assert check(MAN, GOOD, count_tokens=lambda text: 512) == ()


def test_the_persons_own_stillness_and_camera_are_never_judged():
    original = "A statue, motionless. The camera pans left."
    assert check(original, "A statue, motionless.\n\nThe camera pans left.\n\nThe sound of wind.") == ()
    assert rules(original, "A statue, motionless.\n\nThe camera zooms in.\n\nThe sound of wind.") == {
        model.CAMERA_ADDED
    }
    line = 'A man says, "Stand still! Zoom in!"'
    assert (
        check(line, 'A man faces a crowd of people.\n\nHe says, "Stand still! Zoom in!"\n\nThe sound of his voice.')
        == ()
    )


def test_text_of_the_frame_may_be_quoted_as_it_stands():
    frame = FrameDescription(elements="a bus stop with a sign", text="出口")
    shown = GOOD.replace("bus stop.", 'bus stop with a sign that reads "{}".')
    assert check(MAN, shown.format("出口"), frame) == ()
    assert rules(MAN, shown.format("Exit"), frame) == {model.FRAME_TEXT_TRANSLATED}


def test_findings_name_the_words():
    findings = {finding.rule: finding.words for finding in check(MAN, GOOD.replace("Late again", "Always late again"))}
    assert findings == {model.DIALOGUE_CHANGED: ("Late again.", "Always late again.")}
    assert check(MAN, "")[0].to_dict() == {
        "rule": "empty",
        "message": "The answer is empty.",
        "words": [],
        "warning": False,
    }
    with pytest.raises(ValueError, match="no rule"):
        Finding("nonsense", "")


def test_advice_warns_and_never_judges_own_words():
    found = advise('"Late again," says a man. He stands motionless. The camera pans.')
    assert {finding.rule for finding in found} == {model.OPENING, model.SOUND_PARAGRAPH}
    assert all(finding.warning for finding in found)
    assert advise(GOOD) == ()
    assert [finding.rule for finding in advise("  ")] == [model.EMPTY]


def test_a_frame_goes_to_a_dict_and_back():
    frame = FrameDescription("photograph", "close-up", "a cat", "CAT")
    assert FrameDescription.from_dict(frame.to_dict() | {"other": 1}) == frame
    assert FrameDescription.from_dict({"style": None}).empty
