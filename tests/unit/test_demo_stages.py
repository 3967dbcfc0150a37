"""The demo's whole training at a tiny size: stages in order, stopped and gone on with, and what ships in the end."""

from __future__ import annotations

import json

import pytest
import torch

from mova_studio.diffusion.pipeline import MovaPipeline
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.training import audio_vae, video_vae
from mova_studio.training.clips.cache import LatentCache
from mova_studio.training.demo_publish import publish
from mova_studio.training.demo_recipe import CLIPS_FILE, CODEC_FILE
from mova_studio.training.demo_stages import STAGES, DemoTraining
from mova_studio.training.recipe import SHIPPED, read_recipe

CODECS = [stage for stage in STAGES if stage not in ("clips", "network")]


@pytest.mark.parametrize("stage", CODECS)
def test_the_shipped_recipes_of_the_codecs_are_valid(stage):
    assert CODEC_FILE.read(SHIPPED / f"demo-{stage}.json").steps >= 500


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    """The shipped recipes with next to no steps."""
    folder = tmp_path_factory.mktemp("recipes")
    for stage in CODECS:
        tiny = CODEC_FILE.read(SHIPPED / f"demo-{stage}.json").model_dump() | {"steps": 2, "batch_size": 1}
        (folder / f"demo-{stage}.json").write_text(json.dumps(tiny))
    clips = CLIPS_FILE.read(SHIPPED / "demo-clips.json").model_dump()
    clips |= {"clips": 4, "levelled_on": 2, "without_first_frame": 0.5}
    (folder / "demo-clips.json").write_text(json.dumps(clips))
    network = read_recipe(SHIPPED / "demo-network.json").model_dump()
    network |= {"steps": 2, "batch_size": 2, "sample_every": 0, "warmup": 1}
    (folder / "demo-network.json").write_text(json.dumps(network))
    return folder


@pytest.fixture(scope="module")
def trained(recipes, tmp_path_factory):
    with pytest.MonkeyPatch.context() as briefly:
        briefly.setattr(video_vae, "VALIDATED", 1)
        briefly.setattr(audio_vae, "VALIDATED", 1)
        return _trained(recipes, tmp_path_factory)


def _trained(recipes, tmp_path_factory):
    folder, stages, steps, encoded = tmp_path_factory.mktemp("demo"), [], [], []
    stopping = DemoTraining(
        folder, recipes, stages.append, on_clip=lambda *told: encoded.append(told), stop=lambda: len(encoded) >= 2
    )
    assert not stopping.run()
    assert stages[-1] == "clips"
    going_on = DemoTraining(folder, recipes, stages.append, on_clip=lambda *told: encoded.append(told))
    assert going_on.run("clips")
    assert stages == [*STAGES[:-1], *STAGES[:-1]]
    whole = DemoTraining(folder, recipes, on_step=lambda figures: steps.append(figures.step))
    assert whole.run()
    assert steps == [1, 2]
    return folder


def test_clips_are_the_worlds_and_some_have_no_first_frame(trained):
    clips = LatentCache(trained / "clips")
    assert [row.name for row in clips.rows] == [f"world {number}" for number in range(4)]
    first_frames = {tuple(example.condition[4:, 0].flatten().tolist()) for example in clips}
    assert 2 <= len(first_frames) < 4


def test_what_ships_is_half_as_large_and_makes_takes(trained, tmp_path):
    source = Checkpoint(trained / "network" / "checkpoint")
    assert source.untrained
    publish(source.folder, tmp_path / "demo")
    shipped = Checkpoint(tmp_path / "demo")
    assert not shipped.untrained
    assert shipped.check() == []
    for name in COMPONENTS:
        assert {each.dtype for each in shipped.load(name).state_dict().values()} == {torch.float16}, name
    assert sum(shipped.component_bytes().values()) * 2 == pytest.approx(
        sum(source.component_bytes().values()), rel=0.01
    )
    output = MovaPipeline.from_pretrained(tmp_path / "demo", torch.float32)(
        "A red ball bounces on wood with a deep thud.", height=64, width=64, num_frames=5, num_inference_steps=2
    )
    assert [frame.size for frame in output.frames[0]] == [(64, 64)] * 5
    card = (tmp_path / "demo" / "README.md").read_text("utf-8")
    assert "64x64, 25 frames" in card and "not MOVA's weights" in card


def test_publishing_again_replaces_what_was_there(trained, tmp_path):
    target = tmp_path / "demo"
    for _ in range(2):
        publish(trained / "network" / "checkpoint", target)
        (target / "old").touch()
    publish(trained / "network" / "checkpoint", target)
    assert not (target / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
