"""The engine: what it refuses before loading, what it keeps between jobs, and how it estimates time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import CheckpointError, MemoryRanOut
from mova_studio.jobs.engine import Engine, check_memory
from mova_studio.jobs.estimate import Estimate, History
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained


def test_weights_beyond_the_memory_are_refused_with_figures():
    with pytest.raises(MemoryRanOut, match=r"takes? 10000000\.0 GB of RAM .* GB are free"):
        check_memory("MOVA", 10**16, torch.device("cpu"))
    check_memory("MOVA", 10**6, torch.device("cpu"))


def test_the_bytes_of_a_dtype_are_those_of_the_loaded_modules(tmp_path):
    build_untrained(tmp_path / "demo")
    checkpoint = Checkpoint(tmp_path / "demo")
    for dtype in (torch.float32, torch.bfloat16):
        loaded = 0
        for name in ("video_dit", "audio_dit", "dual_tower_bridge", "video_dit_2", "audio_vae", "video_vae"):
            loaded += sum(p.nbytes for p in checkpoint.load(name, dtype).parameters())
        loaded += sum(p.nbytes for p in dict(checkpoint.load("text_encoder", dtype).named_parameters()).values())
        assert checkpoint.bytes_in(dtype) == loaded


def test_a_loaded_model_stays_until_another_is_asked_for(tmp_path):
    build_untrained(tmp_path / "a")
    engine = Engine()
    engine.load(str(tmp_path / "a"))
    first = engine.pipeline
    engine.load(str(tmp_path / "a"))
    assert engine.pipeline is first
    with pytest.raises(CheckpointError):
        engine.load(str(tmp_path / "none"))
    engine.load(str(tmp_path / "a"))
    assert engine.pipeline is not first


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
