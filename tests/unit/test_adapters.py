"""Adapters in a run: under every placement, by part and step, saved and taken up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mova_studio.adapter_use import PARTS, AdapterUse
from mova_studio.diffusion import MovaPipeline, SamplingSettings
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.state import SamplingState
from mova_studio.errors import InputError
from mova_studio.network.adapter import linear_shapes
from mova_studio.network.adapter_file import Adapter, LowRank, read_adapter, write_adapter
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.network.layout import COMPONENTS
from mova_studio.placement.plan import Plan
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.residency import Residency
from mova_studio.placement.source import sources_of

SMALL = SamplingSettings(height=32, width=32, num_frames=5, num_inference_steps=4, guidance_scale=1.0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    return Checkpoint(folder)


@pytest.fixture(scope="module")
def adapter_file(checkpoint, tmp_path_factory) -> Path:
    """Rank 2 on the attention of every block and on the bridge."""
    draw, layers = torch.Generator().manual_seed(5), {}
    for component in PARTS.values():
        shapes = linear_shapes(checkpoint.empty(component))
        layers[component] = {
            path: LowRank(
                torch.randn(2, inner, generator=draw) / inner**0.5, torch.randn(outer, 2, generator=draw), 2.0
            )
            for path, (outer, inner) in shapes.items()
            if ".attn" in path or ".inner." in path
        }
    path = tmp_path_factory.mktemp("adapters") / "style.safetensors"
    write_adapter(Adapter("style", layers, "made"), path)
    return path


@pytest.fixture(scope="module")
def pipeline(checkpoint) -> MovaPipeline:
    pipeline = MovaPipeline.from_pretrained(checkpoint.folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def adapted(pipeline, adapter_file):
    pipeline.load_lora_weights(adapter_file, adapter_name="style")
    yield pipeline
    pipeline.unload_lora_weights()


def placed(checkpoint: Checkpoint, folder: Path, weights: str, offload: str) -> MovaPipeline:
    formats = dict.fromkeys(COMPONENTS, weights) | dict.fromkeys(("text_encoder", "video_vae", "audio_vae"), "fp32")
    plan = Plan("cpu", formats, offload, 1, 4)  # type: ignore[arg-type]
    residency = Residency(sources_of(checkpoint, plan, QuantizedCache(folder, checkpoint.identity(), print)), plan)
    pipeline = MovaPipeline(
        tokenizer=checkpoint.tokenizer(),
        scheduler=FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
        boundary_ratio=checkpoint.boundary_ratio,
        **residency.modules,  # type: ignore[arg-type]
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.residency = residency
    return pipeline


def begin(pipeline: MovaPipeline, **changes) -> SamplingState:
    return pipeline.prepare(replace(SMALL, **changes), "a bell", generator=torch.Generator().manual_seed(3))


def run(pipeline: MovaPipeline, **changes) -> list[torch.Tensor]:
    """Both latents after every step."""
    state, seen = begin(pipeline, **changes), []

    def keep(_pipeline, _index, _timestep, tensors):
        seen.extend(tensor.clone() for tensor in tensors.values())

    pipeline.denoise(state, callback_on_step_end=keep)
    return seen


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def plain(pipeline) -> list[torch.Tensor]:
    return run(pipeline)


def test_every_placement_gives_the_same_bits_and_none_keeps_a_trace(checkpoint, adapter_file, adapted, plain, tmp_path):
    adapted.set_adapters("style", 0.5)
    expected = run(adapted)
    assert not same(expected, plain)
    for offload in ("none", "component", "group"):
        pipeline = placed(checkpoint, tmp_path, "fp32", offload)
        pipeline.load_lora_weights(adapter_file, "style")
        pipeline.set_adapters("style", 0.5)
        assert same(run(pipeline), expected), offload
        assert not any(addition._here for part in pipeline._adapted._additions.values() for addition in part)
        pipeline.set_adapters([])
        assert same(run(pipeline), plain), offload


@pytest.mark.parametrize("weights", ["int8", "fp8"])
def test_quantized_layers_take_adapters_too(checkpoint, adapter_file, adapted, tmp_path, weights):
    adapted.set_adapters("style")
    exact, found = run(adapted), {}
    for offload in ("none", "group"):
        pipeline = placed(checkpoint, tmp_path, weights, offload)
        without = run(pipeline)
        pipeline.load_lora_weights(adapter_file, "style")
        pipeline.set_adapters("style")
        found[offload] = run(pipeline)
        pipeline.unload_lora_weights()
        assert same(run(pipeline), without)
    assert same(found["none"], found["group"])
    distance = [float((other[-2] - exact[-2]).norm()) for other in (found["none"], without)]
    assert distance[0] < distance[1] / 2


def test_strengths_by_part(adapted, pipeline, plain):
    def velocity(expert: str, **scales: float) -> list[torch.Tensor]:
        draw = torch.Generator().manual_seed(1)
        dit, audio = pipeline.video_dit.config, pipeline.audio_dit.config
        shapes = ((1, dit.in_channels, 2, 4, 4), (1, audio.in_channels, 9), (1, 512, dit.text_dim))
        inputs = [torch.randn(shape, generator=draw) for shape in shapes]
        return list(pipeline.predict_velocity(*inputs, torch.tensor([700.0]), expert=expert, **scales))

    before = {expert: velocity(expert) for expert in ("high", "low")}
    apart = velocity("high", a2v_scale=0.0, v2a_scale=0.0)
    adapted.set_adapters("style", {"high": 1.0})
    assert same(velocity("low"), before["low"]) and not same(velocity("high"), before["high"])
    adapted.set_adapters("style", {"bridge": 1.0})
    assert same(velocity("high", a2v_scale=0.0, v2a_scale=0.0), apart) and not same(velocity("high"), before["high"])
    adapted.set_adapters("style", {"audio": 1.0})
    changed = velocity("high", a2v_scale=0.0, v2a_scale=0.0)
    assert torch.equal(changed[0], apart[0]) and not torch.equal(changed[1], apart[1])
    adapted.set_adapters("style", 0.0)
    assert same(run(adapted), plain)


def test_several_add_up(adapted, adapter_file, pipeline):
    adapted.set_adapters("style", 1.0)
    once = run(adapted)
    shifted = read_adapter(adapter_file)
    other = {
        name: {path: replace(layer, alpha=layer.alpha * 3) for path, layer in layers.items()}
        for name, layers in shifted.layers.items()
    }
    adapted.load_lora_weights(Adapter("other", other, "other"), "other")
    adapted.set_adapters(["style", "other"], [0.25, 0.25])
    for found, wanted in zip(run(adapted), once, strict=True):
        assert torch.allclose(found, wanted, atol=2e-3)
    assert adapted.get_active_adapters() == ["style", "other"]
    adapted.delete_adapters("other")
    assert adapted.get_active_adapters() == ["style"] and list(adapted.get_list_adapters()) == list(PARTS.values())
    with pytest.raises(InputError, match="no adapter called 'other'; loaded: style"):
        adapted.set_adapters("other")


def test_only_in_their_steps(adapted, plain):
    adapted.set_adapters("style", adapter_intervals=[(0.5, 1.0)])
    late = run(adapted)
    assert same(late[:4], plain[:4]) and not torch.equal(late[4], plain[4])
    adapted.set_adapters("style", adapter_intervals=[(0.3, 0.3)])
    assert same(run(adapted), plain)


@pytest.mark.parametrize("step_cache", ["off", "fast"])
@pytest.mark.parametrize("cut", [1, 3, 4])
def test_a_saved_run_goes_on_to_the_same_bits(adapted, tmp_path, cut, step_cache):
    """Over the place where the adapter leaves, too; what the step cache keeps is dropped there."""
    adapted.set_adapters("style", {"high": 1.0, "low": 0.5, "audio": 1.0}, [(0.0, 0.5)])
    changes = {"num_inference_steps": 8, "step_cache": step_cache}
    whole = begin(adapted, **changes)
    adapted.denoise(whole)
    half = begin(adapted, **changes)
    adapted.denoise(half, cut)
    half.save(tmp_path / "run.safetensors")
    again = SamplingState.load(tmp_path / "run.safetensors")
    assert again.adapters == adapted.adapters and (cut != 4 or again.kept is None)
    adapted.denoise(again)
    assert torch.equal(again.latents, whole.latents) and torch.equal(again.audio_latents, whole.audio_latents)
    adapted.set_adapters("style", 0.4)
    with pytest.raises(InputError, match="begun with the adapters style"):
        adapted.denoise(SamplingState.load(tmp_path / "run.safetensors"))


@pytest.mark.parametrize(
    ("values", "words"),
    [({"high": 11.0}, "from -10 to 10"), ({"low": float("nan")}, "nan"), ({"start": 0.6, "stop": 0.5}, "0.6 to 0.5")],
)
def test_impossible_uses_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        AdapterUse("style", "d", **values)


def test_one_adapter_twice_and_unknown_parts_are_refused(adapted):
    with pytest.raises(InputError, match="style is chosen twice"):
        adapted.set_adapters(["style", "style"])
    with pytest.raises(InputError, match="no part 'video'; its parts are high, low, audio, bridge"):
        adapted.set_adapters("style", {"video": 1.0})
    with pytest.raises(InputError, match="2 strengths"):
        adapted.set_adapters("style", [1.0, 2.0])
