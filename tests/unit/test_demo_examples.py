"""The examples beside the trained demo: written from the toy world, listed where it ships, and filled into the form."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.library.demo_examples import demo_examples
from mova_studio.training.demo_examples import write_examples
from mova_studio.training.world.scene import KINDS


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    write_examples(tmp_path / "demo" / "examples")
    monkeypatch.setenv("MOVA_STUDIO_ASSETS", str(tmp_path))
    return tmp_path / "demo"


def test_a_scene_of_each_kind_in_both_languages(shipped):
    assert demo_examples() == {}, "without weights, the untrained demo is in use, and they are not for that one"
    (shipped / "model_index.json").write_text("{}")
    examples = demo_examples()
    assert set(examples) == set(KINDS) and next(iter(examples)) == "face", "the one that it makes best comes first"
    for kind, example in examples.items():
        assert kind in example.said("en") and example.said("zh") != example.said("en")
        assert Image.open(io.BytesIO(example.first_frame)).size == (64, 64)


def test_a_damaged_one_is_named(shipped):
    (shipped / "model_index.json").write_text("{}")
    (shipped / "examples" / "bell.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match=r"bell\.json"):
        demo_examples()
    (shipped / "examples" / "bell.png").unlink()
    assert "bell" not in demo_examples()
