"""Recipes: what is shipped, and what a wrong one is told."""

from __future__ import annotations

import json

import pytest

from mova_studio.errors import InputError
from mova_studio.training.recipe import check_recipe, find_recipe, read_recipe, shipped_recipes

RATES = {"video_dit": 1e-5, "video_dit_2": 1e-5, "audio_dit": 1e-5, "dual_tower_bridge": 2e-5}
FULL = {"format": 1, "mode": "full", "steps": 100, "learning_rates": RATES}


def test_the_shipped_phases_are_the_papers():
    assert {"phase-1", "phase-2", "phase-3", "adapter", "adapter-low-resource"} <= set(shipped_recipes())
    phases = [find_recipe(f"phase-{number}") for number in (1, 2, 3)]
    assert [(each.video_shift, each.audio_shift, each.text_dropout) for each in phases] == [
        (5.0, 1.0, 0.5),
        (5.0, 5.0, 0.2),
        (5.0, 5.0, 0.2),
    ]
    for phase in phases:
        assert phase.mode == "full"
        assert phase.audio_weight == 0.2
        assert phase.learning_rates.model_dump() == RATES
    for name in ("adapter", "adapter-low-resource"):
        assert find_recipe(name).mode == name
        assert find_recipe(name).adapter.targets == ["q", "k", "v", "o"]


def test_rates_rise_fall_and_keep_their_share():
    schedule = check_recipe(FULL | {"warmup": 10, "final_rate": 0.1}).schedule()
    rates = [schedule.rate(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert sorted(rates[10:], reverse=True) == rates[10:]
    assert rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"steps": 0}, "steps is 0, but input should be greater than or equal to 1"),
        ({"steps": "100"}, "steps is '100', but input should be a valid integer"),
        ({"audio_wait": 1.0}, "the field 'audio_wait' is not known"),
        ({"learning_rates": RATES | {"video_dit": 2.0}}, "learning_rates.video_dit is 2.0, but input should be less"),
        ({"learning_rates": {"video_dit": 1e-5}}, "the field 'learning_rates.video_dit_2' is missing"),
        ({"learning_rates": dict.fromkeys(RATES, 0.0)}, "nothing to learn in every second step"),
        ({"learning_rates": dict.fromkeys(RATES, 0.0) | {"video_dit": 1e-4}}, "nothing to learn in every second step"),
        ({"mode": "adapter"}, "needs an adapter"),
        ({"adapter": {"rank": 4, "alpha": 4}}, "must have no adapter"),
        ({"betas": [0.9]}, "betas is"),
        ({"format": 2}, "update MOVA Studio"),
        ({"format": 0}, "must be 1"),
    ],
)
def test_a_wrong_recipe_names_file_field_value_and_limit(tmp_path, change, told):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(FULL | change), "utf-8")
    with pytest.raises(InputError) as caught:
        read_recipe(path)
    assert caught.value.message.startswith("mine.json: ")
    assert told in caught.value.message


def test_what_is_no_recipe_at_all(tmp_path):
    (tmp_path / "a.json").write_text("{", "utf-8")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    (tmp_path / "c.json").write_text("[" * 100_001, "utf-8")
    for name, told in (("a", "not whole JSON"), ("b", "not a text"), ("c", "100001 bytes"), ("d", "cannot be read")):
        with pytest.raises(InputError, match=told):
            find_recipe(str(tmp_path / f"{name}.json"))
    with pytest.raises(InputError, match="phase-1, phase-2"):
        find_recipe("phase-9")
