"""Wildcards, and prompts one a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.prompting.wildcards import all_of, batch, expand


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a cat", ["a cat"]),
        ("{a|b} cat", ["a cat", "b cat"]),
        ("{a|b}{c|d}", ["ac", "ad", "bc", "bd"]),
        ("{a|{b|c} d}", ["a", "b d", "c d"]),
        ("{very |}big", ["very big", "big"]),
        (r"\{a\|b\} {x|y\}}", ["{a|b} x", "{a|b} y}"]),
        ("{alone} and {", ["{alone} and {"]),
        ("} {a|b", ["} {a|b"]),
        ("{红|蓝}车", ["红车", "蓝车"]),
        (r"C:\new", [r"C:\new"]),
    ],
)
def test_all_of(text, told):
    assert all_of(text, 100) == told
    assert {expand(text, seed) for seed in range(40)} == set(told)


def test_the_limit_is_kept_without_making_the_rest():
    assert len(all_of("{a|b}" * 200, 5)) == 5


def test_too_deep_is_refused():
    with pytest.raises(InputError, match="nested"):
        expand("{a|" * 5000, 1)


@given(st.text(alphabet="ab{|}\\ ", max_size=40), st.integers())
def test_nothing_breaks_it_and_a_seed_gives_the_same(text, seed):
    try:
        assert expand(text, seed) == expand(text, seed)
        assert expand(text, seed) in all_of(text, 100_000)
    except InputError as error:
        assert "nested" in error.message


def test_a_batch_is_one_prompt_a_line():
    assert batch("one\n\n  {a|b} \r\n") == ["one", "{a|b}"]
    assert batch("one\n{a|b}", limit=9) == ["one", "a", "b"]
    with pytest.raises(InputError, match="no prompt"):
        batch(" \n")
