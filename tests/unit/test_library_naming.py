"""Names of new takes: from the owner's template, never out of the library, whatever the prompt."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.library.naming import (
    DEFAULT_TEMPLATE,
    MAX_CHARACTERS,
    MAX_PART_BYTES,
    PLACEHOLDERS,
    check_template,
    fill_template,
    slug,
)
from mova_studio.library.shot import SEED_LIMIT, Shot

NOW = datetime(2026, 11, 21, 9, 5, 7)
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}


def fill(template: str, prompt: str = "A cat", seed: int = 7, **fields) -> str:
    shot = Shot(prompt=prompt, width=640, height=352, num_frames=9, num_inference_steps=20, **fields)
    return str(fill_template(check_template(template), shot, seed, NOW))


def test_every_placeholder_is_filled():
    assert fill(DEFAULT_TEMPLATE) == "2026-11-21/090507-7"
    assert fill("{prompt}/{size} {frames}f {steps}s/{seed}") == "A-cat/640x352 9f 20s/7"
    assert len(fill("{seed}-{shot}").split("-")[1]) == 8


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("雨中的猫，喵！", "雨中的猫-喵"),
        ("../../etc/passwd", "etc-passwd"),
        ("Cafe\u0301 #1", "Café-1"),
        ("🎬 …", "untitled"),
        ("x" * 50, "x" * 40),
        ("हिन्दी", "हनद"),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_a_prompt_becomes_letters_and_digits(prompt, name):
    assert slug(prompt) == name


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{date}/{user}-{seed}", r"\{user\} is not known; the placeholders are \{date\}"),
        ("{prompt}", r"put \{seed\} or \{time\} in"),
        ("/tmp/{seed}", "'' cannot be a part"),
        ("../{seed}", r"'\.\.' cannot"),
        ("a/../{seed}", r"'\.\.' cannot"),
        ("{seed}/..", r"'\.\.' cannot"),
        ("a//{seed}", "'' cannot"),
        ("C:{seed}", "':' is not|: is not"),
        ("a\\{seed}", "is not allowed"),
        ("{seed}\x00", "invisible"),
        ("{seed}\u202e", "invisible"),
        (".{seed}", "cannot be a part"),
        ("{seed}.", "cannot be a part"),
        ("con/{seed}", "Windows keeps the name con"),
        ("LPT1.x/{seed}", "Windows"),
        ("{seed", "put|not allowed"),
        ("{seed}}", "} is not allowed"),
        ("x" * 110 + "{seed}", "longer than 120"),
        ("字" * 70 + "/{seed}", "longer"),
        ("", "put"),
    ],
)
def test_an_unsafe_template_is_refused_by_name(template, named):
    with pytest.raises(InputError, match=named) as caught:
        check_template(template)
    assert caught.value.field == "filename_template"


def test_a_suffix_in_the_template_is_dropped():
    assert check_template(" {seed}.mp4 ") == "{seed}"


def test_a_prompt_that_windows_reserves_gets_a_mark():
    assert fill("{prompt}/com{seed}", "CON", seed=1) == "CON_/com1_"


templates = st.lists(
    st.sampled_from([*(f"{{{name}}}" for name in PLACEHOLDERS), "/", "-", ".", "..", "con", "字", "a", " ", "x" * 60]),
    min_size=1,
    max_size=8,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(templates, st.text(min_size=1, max_size=300).filter(str.strip), st.integers(0, SEED_LIMIT - 1))
def test_no_prompt_and_no_template_lead_out_of_the_library(template, prompt, seed):
    try:
        kept = check_template(template)
    except InputError:
        return
    try:
        shot = Shot(prompt=prompt, width=16, height=16, num_frames=5)
        filled = fill_template(kept, shot, seed, NOW)
    except UnicodeEncodeError:
        pytest.fail("a name was made that no disk takes")
    root = Path("/library").resolve()
    assert root in (root / f"{filled}.mp4").resolve().parents
    assert not PurePosixPath(filled).is_absolute()
    assert len(str(filled)) <= MAX_CHARACTERS + filled.as_posix().count("/") + 1
    for part in filled.parts:
        assert part not in (".", "..") and part[0] not in ". " and part[-1] not in ". "
        assert len(part.encode()) <= MAX_PART_BYTES + 1
        assert part.isprintable() and not set(part) & set('\\<>:"|?*')
        assert part.split(".")[0].strip().casefold() not in RESERVED
        assert unicodedata.is_normalized("NFC", part)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_a_slug_is_made_of_letters_digits_and_hyphens(prompt):
    made = slug(prompt)
    assert 1 <= len(made) <= 40
    assert all(letter.isalnum() or letter == "-" for letter in made)
    assert made.strip("-") == made and "--" not in made
