"""Which passes run at which step, one after the other or as one batch."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers import ClassifierFreeGuidance
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.diffusion import MovaPipeline, SamplingSettings
from mova_studio.diffusion.guidance import DualGuidance, grouped
from mova_studio.errors import InputError
from mova_studio.library.shot import Shot, parse_interval
from mova_studio.network.demo import build_untrained

SMALL = {"height": 32, "width": 48, "num_frames": 9, "num_inference_steps": 5}


@pytest.fixture(scope="module")
def demo_pipeline(tmp_path_factory) -> MovaPipeline:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    loaded = MovaPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def take(pipeline: MovaPipeline, prompt="rain", **arguments):
    generator = torch.Generator("cpu").manual_seed(3)
    return pipeline(prompt, generator=generator, output_type="latent", **SMALL | arguments)


def watch(pipeline: MovaPipeline, monkeypatch) -> list[tuple[int, float]]:
    """(rows, bridge scale) of every forward from now on."""
    calls, original = [], pipeline.predict_velocity

    def watched(latents, *rest, a2v_scale, **keywords):
        calls.append((len(latents), a2v_scale))
        return original(latents, *rest, a2v_scale=a2v_scale, **keywords)

    monkeypatch.setattr(pipeline, "predict_velocity", watched)
    return calls


@given(st.floats(0, 0.999), st.floats(0, 1), st.integers(1, 100))
def test_the_guided_steps_are_those_of_diffusers(one, other, steps):
    start, stop = min(one, other), max(one, other)
    guidance = DualGuidance(5.0, 1.0, start, stop)
    peer = ClassifierFreeGuidance(guidance_scale=5.0, start=start, stop=stop)
    for index in range(steps):
        peer.set_state(step=index, num_inference_steps=steps, timestep=torch.tensor(0))
        passes = guidance.passes_at(index, steps)
        assert len(passes) == peer.num_conditions
        assert math.isclose(sum(part.weight for part in passes), 1)
        assert (passes[-1].positive, passes[-1].bridge) == (True, True)


def test_outside_the_interval_one_pass_runs(demo_pipeline, monkeypatch):
    calls = watch(demo_pipeline, monkeypatch)
    take(demo_pipeline, bridge_guidance_scale=3.0, guidance_start=0.2, guidance_stop=0.6)
    assert calls == [(1, 1.0)] + 2 * [(1, 0.0), (1, 1.0), (1, 1.0)] + 2 * [(1, 1.0)]


def test_the_whole_run_and_no_run_are_known_guidances(demo_pipeline):
    guided, plain = take(demo_pipeline), take(demo_pipeline, guidance_scale=1.0)
    assert torch.equal(take(demo_pipeline, guidance_start=0.0, guidance_stop=1.0).frames, guided.frames)
    assert torch.equal(take(demo_pipeline, guidance_start=0.4, guidance_stop=0.4).audio, plain.audio)
    part = take(demo_pipeline, guidance_start=0.4, guidance_stop=0.8)
    assert min((part.frames - other.frames).abs().max() for other in (guided, plain)) > 1e-3


def test_a_run_guided_to_the_negative_text_still_knows_its_prompt_outside(demo_pipeline):
    """With s_T = 0 guided steps read the negative text alone, the others the prompt."""
    rain = take(demo_pipeline, guidance_scale=0.0, guidance_stop=0.5)
    bells = take(demo_pipeline, "bells", guidance_scale=0.0, guidance_stop=0.5)
    assert (rain.frames - bells.frames).abs().max() > 1e-4
    guidance = DualGuidance(5.0, 1.0, 0.5, 0.5)
    assert guidance.needs_positive and not guidance.needs_negative


@pytest.mark.parametrize(
    ("start", "stop", "field"),
    [
        (-0.1, 1.0, "guidance_start"),
        (1.2, 1.3, "guidance_start"),
        (math.nan, 1.0, "guidance_start"),
        (0.0, 1.01, "guidance_stop"),
        (0.0, math.inf, "guidance_stop"),
        (0.0, math.nan, "guidance_stop"),
        (0.7, 0.3, "guidance_stop"),
    ],
)
def test_what_is_no_interval_is_refused(start, stop, field):
    for make in (SamplingSettings, lambda **ends: Shot("rain", **ends)):
        with pytest.raises(InputError) as caught:
            make(guidance_start=start, guidance_stop=stop)
        assert caught.value.field == field
        assert all(word in caught.value.message for word in (f"{stop if field.endswith('stop') else start}", "0", "1"))


def test_intervals_are_read():
    assert parse_interval(" 0.25 : .75 ") == (0.25, 0.75)
    assert parse_interval("0:1") == (0.0, 1.0)
    for text in ("", "0.5", "a:b", "0.1:0.2:0.3", "-0.1:1", "nan:1"):
        with pytest.raises(InputError, match=r"0\.1:0\.8"):
            parse_interval(text)


@pytest.mark.parametrize(
    ("text", "bridge", "forwards"),
    [
        (5.0, 1.0, [(2, 1.0)]),
        (5.0, 3.5, [(1, 0.0), (2, 1.0)]),
        (3.5, 3.5, [(1, 0.0), (1, 1.0)]),
        (1.0, 1.0, [(1, 1.0)]),
    ],
)
def test_passes_with_the_same_bridge_run_as_one_batch(demo_pipeline, monkeypatch, text, bridge, forwards):
    monkeypatch.setattr(demo_pipeline, "batched_guidance", True)
    calls = watch(demo_pipeline, monkeypatch)
    take(demo_pipeline, guidance_scale=text, bridge_guidance_scale=bridge, num_inference_steps=1)
    assert calls == forwards
    passes = DualGuidance(text, bridge).passes
    assert [part for group in grouped(passes, batched=True) for part in group] == list(passes)


@pytest.mark.parametrize("name", ["demo_pipeline", "tiny_pipeline"])
@pytest.mark.parametrize("prompts", [["rain"], ["a fox in the snow", "bells ring"]], ids=["one", "two"])
def test_a_batched_step_equals_a_sequential_one(name, prompts, request, monkeypatch):
    pipeline = request.getfixturevalue(name)
    arguments = {"bridge_guidance_scale": 3.5, "negative_prompt": "blurry", "num_inference_steps": 3}
    apart = take(pipeline, prompts, **arguments)
    monkeypatch.setattr(pipeline, "batched_guidance", True)
    together = take(pipeline, prompts, **arguments)
    assert (together.frames - apart.frames).abs().max() < 1e-4
    assert (together.audio - apart.audio).abs().max() < 1e-4
