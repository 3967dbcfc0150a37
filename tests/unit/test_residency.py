"""Plans carried out: placement alone changes no bit, and nothing is left behind."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mova_studio.diffusion import MovaPipeline, SamplingSettings
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.errors import Cancelled
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.tiles import Tiling
from mova_studio.placement.ledger import streamed_blocks
from mova_studio.placement.places import Places
from mova_studio.placement.plan import Plan
from mova_studio.placement.quantized_cache import QuantizedCache
from mova_studio.placement.residency import Residency
from mova_studio.placement.slab import Layout, Slab
from mova_studio.placement.source import sources_of
from mova_studio.placement.streaming import LayerStream, Part

SMALL = SamplingSettings(height=48, width=64, num_frames=9, num_inference_steps=4)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    return Checkpoint(folder)


@pytest.fixture
def cache(tmp_path, checkpoint) -> QuantizedCache:
    return QuantizedCache(tmp_path / "quantized", checkpoint.identity(), pytest.fail)


def plan_of(weights: str = "fp32", text: str | None = None, offload: str = "none", resident: int = 4, **more) -> Plan:
    formats = dict.fromkeys(COMPONENTS, weights) | {"text_encoder": text or weights}
    formats |= {"video_vae": "fp32", "audio_vae": "fp32"}
    return Plan("cpu", formats, offload, resident, 4, **more)  # type: ignore[arg-type]


def placed(checkpoint: Checkpoint, plan: Plan, cache: QuantizedCache) -> Residency:
    return Residency(sources_of(checkpoint, plan, cache), plan)


def pipeline_of(checkpoint: Checkpoint, residency: Residency) -> MovaPipeline:
    pipeline = MovaPipeline(
        tokenizer=checkpoint.tokenizer(),
        scheduler=FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
        boundary_ratio=checkpoint.boundary_ratio,
        **residency.modules,  # type: ignore[arg-type]
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.residency = residency
    return pipeline


def take(pipeline: MovaPipeline, **changes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    state = pipeline.prepare(
        replace(SMALL, **changes), "a bell", negative_prompt="dull", generator=torch.Generator().manual_seed(3)
    )
    pipeline.denoise(state)
    output = pipeline.decode(state, "pt")
    return state.latents, state.audio_latents, output.frames


@pytest.fixture(scope="module")
def plain(checkpoint) -> tuple[torch.Tensor, ...]:
    pipeline = MovaPipeline.from_pretrained(checkpoint.folder)
    pipeline.set_progress_bar_config(disable=True)
    return take(pipeline)


def same(found: tuple[torch.Tensor, ...], expected: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("offload", "resident", "experts"),
    [("none", 4, 2), ("component", 4, 2), *itertools.product(["group"], [0, 1, 4], [1, 2])],
)
def test_placement_alone_changes_no_bit(checkpoint, cache, plain, offload, resident, experts):
    residency = placed(checkpoint, plan_of(offload=offload, resident=resident, experts_in_ram=experts), cache)
    pipeline = pipeline_of(checkpoint, residency)
    assert same(take(pipeline), plain)
    assert same(take(pipeline), plain), "the second take on the same residency"
    residency.close()


@pytest.mark.parametrize("weights", ["int8", "fp8", "fp8_compute", "bf16"])
def test_streamed_quantized_layers_equal_resident_ones(checkpoint, cache, weights):
    resident = take(pipeline_of(checkpoint, placed(checkpoint, plan_of(weights, "fp32"), cache)))
    streamed = plan_of(weights, "fp32", "group", 1, experts_in_ram=1)
    assert same(take(pipeline_of(checkpoint, placed(checkpoint, streamed, cache))), resident)
    assert all(torch.isfinite(tensor).all() for tensor in resident)


@pytest.mark.parametrize("text", ["int8", "nf4", "fp8"])
def test_a_quantized_text_encoder_is_near_the_plain_one(checkpoint, cache, text):
    plain_states = MovaPipeline.from_pretrained(checkpoint.folder).encode_prompt("a red ball bounces")
    for offload in ("none", "group"):
        residency = placed(checkpoint, plan_of(text=text, offload=offload), cache)
        states = pipeline_of(checkpoint, residency).encode_prompt("a red ball bounces")
        assert float((states - plain_states).norm() / plain_states.norm()) < 0.2


@pytest.mark.parametrize("change", ["chunks", "tiles", "batched"])
def test_what_only_saves_memory_stays_within_a_ten_thousandth(checkpoint, cache, plain, change):
    residency = placed(checkpoint, plan_of(ffn_chunks=3 if change == "chunks" else 1), cache)
    pipeline = pipeline_of(checkpoint, residency)
    pipeline.batched_guidance = change == "batched"
    pipeline.tiling = Tiling(count=4) if change == "tiles" else None
    for found, expected in zip(take(pipeline), plain, strict=True):
        assert (found - expected).abs().max() < 1e-4


def test_nothing_stays_on_the_device_after_closing(checkpoint, cache):
    residency = placed(checkpoint, plan_of(offload="group", resident=2), cache)
    take(pipeline_of(checkpoint, residency))
    residency.close()
    for name, module in residency.modules.items():
        assert all(parameter.is_meta for parameter in module.parameters()), name


@pytest.mark.parametrize(("experts", "reads_again"), [(2, set()), (1, {"video_dit", "video_dit_2"})])
def test_streamed_layers_stay_in_ram_for_the_next_take(checkpoint, cache, plain, experts, reads_again):
    """With both experts in RAM no matrix is read twice; with one, the experts' are and the shared ones are not."""
    sources = sources_of(checkpoint, plan_of(offload="group", resident=0, experts_in_ram=experts), cache)
    read: list[tuple[str, bool]] = []
    for name, source in sources.items():
        original = source.read

        def reading(layer: str, *, matrices: bool = True, name=name, source=source, original=original):
            read.append((name, matrices and bool(source.matrices(layer))))
            return original(layer, matrices=matrices)

        source.read = reading  # type: ignore[method-assign]
    pipeline = pipeline_of(checkpoint, Residency(sources, plan_of(offload="group", resident=0, experts_in_ram=experts)))
    assert same(take(pipeline), plain)
    read.clear()
    assert same(take(pipeline), plain)
    assert {name for name, bulk in read if bulk} - {"text_encoder"} == reads_again


def test_components_leave_when_others_need_their_place(checkpoint, cache):
    residency = placed(checkpoint, plan_of(offload="component"), cache)
    with residency.use("text_encoder"):
        assert not any(p.is_meta for p in residency.modules["text_encoder"].parameters())
    with residency.use("video_dit", "audio_dit", "dual_tower_bridge"):
        assert all(p.is_meta for p in residency.modules["text_encoder"].parameters())
        assert all(p.is_meta for p in residency.modules["video_dit_2"].parameters())
    with residency.use("video_dit_2", "audio_dit", "dual_tower_bridge"):
        assert all(p.is_meta for p in residency.modules["video_dit"].parameters())
        assert not any(p.is_meta for p in residency.modules["video_dit_2"].parameters())


@pytest.mark.parametrize("offload", ["none", "component", "group"])
@pytest.mark.parametrize("reads", [1, 3, 6])
def test_giving_up_while_reading_leaves_no_half_component(checkpoint, cache, plain, offload, reads):
    residency = placed(checkpoint, plan_of(offload=offload, resident=2), cache)
    left = [reads]

    def count_down() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Cancelled

    residency.on_read = count_down
    pipeline = pipeline_of(checkpoint, residency)
    with pytest.raises(Cancelled):
        take(pipeline)
    assert same(take(pipeline), plain)


def test_streamed_layers_are_spread_evenly():
    for blocks, resident in itertools.product(range(1, 45), range(45)):
        if resident <= blocks:
            streamed = streamed_blocks(blocks, resident)
            assert len(streamed) == blocks - resident <= blocks
    assert sorted(streamed_blocks(8, 4)) == [1, 3, 5, 7]


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(0, 9)), st.lists(st.integers(0, 9), max_size=40))
def test_a_layer_that_arrives_has_its_own_weights(streaming, visits):
    """In any order, with passes given up anywhere and begun anew."""
    module = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(10))
    places = Places(module)
    layers = {}
    for index in streaming:
        tensors = {f"{index}.weight": torch.full((3, 3), float(index)), f"{index}.bias": torch.full((3,), index / 2)}
        slab = Slab(Layout(tensors), pinned=False)
        slab.fill(tensors)
        layers[index] = [Part(slab, places)]
        places.empty(tensors)
    stream = LayerStream(layers, torch.device("cpu"))
    for index in visits:
        stream.arrive(index)
        if index in streaming:
            assert torch.equal(module[index].weight, torch.full((3, 3), float(index)))
            assert torch.equal(module[index].bias, torch.full((3,), index / 2))
    assert stream.buffer_bytes <= 2 * 512


def test_a_layout_gives_back_every_dtype():
    tensors = {
        "a": torch.randn(3, 5),
        "b": torch.randn(7).bfloat16(),
        "c": torch.randint(-128, 127, (2, 9), dtype=torch.int8),
        "d": torch.randn(4, 4).to(torch.float8_e4m3fn),
    }
    slab = Slab(Layout(tensors), pinned=False)
    slab.fill(tensors)
    for name, view in slab.layout.views(slab.memory).items():
        assert torch.equal(view.view(torch.uint8), tensors[name].contiguous().view(torch.uint8))
        assert view.data_ptr() % 64 == slab.memory.data_ptr() % 64
