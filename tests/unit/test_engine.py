"""The engine: what it keeps between jobs, and how it estimates time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import CheckpointError
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.estimate import Estimate, History
from mova_studio.jobs.planning import request_of, sizes_of
from mova_studio.library.shot import Shot
from mova_studio.network.demo import build_untrained
from mova_studio.placement.request import Limits


def place(engine: Engine, model: str, **limits) -> None:
    chosen = engine.plan(model, request_of(shot_of(model)), Limits(**limits)).chosen
    assert chosen is not None
    engine.place(model, chosen.plan, pytest.fail)


def shot_of(model: str) -> Shot:
    return Shot(prompt="a bell", model=model, width=64, height=48, num_frames=9, num_inference_steps=4)


def test_a_placed_model_stays_until_another_is_asked_for(tmp_path):
    build_untrained(tmp_path / "a")
    engine, model = Engine(), str(tmp_path / "a")
    place(engine, model)
    first = engine.pipeline
    place(engine, model)
    assert engine.pipeline is first
    place(engine, model, pins={"ffn_chunks": 2, "batched_guidance": True})
    assert engine.pipeline is first and engine.pipeline.batched_guidance
    with pytest.raises(CheckpointError):
        place(engine, str(tmp_path / "none"))
    place(engine, model, pins={"weights": "int8"})
    assert engine.pipeline is not first
    engine.unload()
    place(engine, model)


def test_prompts_are_embedded_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    build_untrained(tmp_path / "a")
    engine = Engine()
    place(engine, str(tmp_path / "a"), pins={"offload": "component"})
    made = engine.embed("a bell rings")
    assert all(parameter.is_meta for parameter in engine.pipeline.video_vae.parameters())
    with engine.pipeline.residency.use("video_vae"):
        again = engine.embed("a bell rings")
    assert torch.equal(made, again)
    assert all(parameter.is_meta for parameter in engine.pipeline.text_encoder.parameters()), "read from disk"


def test_a_run_teaches_the_next_plan_its_times(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    build_untrained(tmp_path / "a")
    engine, model = Engine(), str(tmp_path / "a")
    request = request_of(shot_of(model))
    first = engine.plan(model, request, Limits()).chosen
    assert not first.predicted.learned
    identity = sizes_of(model).identity
    engine.planning.learn(engine.machine, identity, first, step_seconds=2.0, decode_seconds=3.0)
    second = engine.plan(model, request, Limits()).chosen
    assert second.predicted.learned
    assert (second.predicted.step_seconds, second.predicted.decode_seconds) == pytest.approx((2.0, 3.0))
    engine.planning.learn(engine.machine, identity, second, step_seconds=4.0, decode_seconds=1.0)
    third = engine.plan(model, request, Limits()).chosen
    assert (third.predicted.step_seconds, third.predicted.decode_seconds) == pytest.approx((4.0, 1.0))
    engine.planning.history.save()
    assert Engine().plan(model, request, Limits()).chosen.predicted.step_seconds == pytest.approx(4.0)


def test_time_left_counts_steps_then_what_comes_after(tmp_path):
    history = History(tmp_path / "times.json")
    estimate = Estimate(history, megapixel_frames=2.0, steps=10, passes=2, checkpoint="abc")
    assert estimate.seconds_left("text", 0) is None
    for _ in range(3):
        estimate.step_done(4.0)
    assert estimate.seconds_left("denoise", 3) == 7 * 4.0 + 4.0 + 4.0
    estimate.stage_done("decode", 6.0)
    estimate.stage_done("write", 1.0)
    assert estimate.seconds_left("denoise", 3) == 7 * 4.0 + 7.0
    assert estimate.seconds_left("write", 10) == 1.0


def test_reused_steps_shorten_what_is_left_and_teach_nothing(tmp_path):
    history = History(tmp_path / "times.json")
    estimate = Estimate(history, megapixel_frames=1.0, steps=10, passes=1, checkpoint="abc")
    estimate.step_done(4.0)
    estimate.step_done(0.0, reused=True)
    assert estimate.seconds_left("denoise", 2) == pytest.approx(8 * 2.0 + 2.0 + 2.0)
    assert history.seconds("abc", "denoise", 1.0) == 4.0


def test_the_next_start_remembers_and_scales(tmp_path):
    history = History(tmp_path / "times.json")
    first = Estimate(history, 2.0, 10, 2, "abc")
    first.step_done(4.0)
    first.stage_done("decode", 6.0)
    first.stage_done("write", 2.0)
    history.save()
    again = Estimate(History(tmp_path / "times.json"), megapixel_frames=1.0, steps=5, passes=1, checkpoint="abc")
    assert again.seconds_left("denoise", 0) == pytest.approx(5 * 1.0 + 3.0 + 1.0)
    other = Estimate(History(tmp_path / "times.json"), 1.0, 5, 1, "another checkpoint")
    assert other.seconds_left("denoise", 0) is None


@given(st.binary(max_size=60))
def test_a_damaged_history_is_an_empty_one(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("history") / "times.json"
    file.write_bytes(content)
    assert Estimate(History(file), 1.0, 5, 1, "abc").seconds_left("denoise", 0) is None
