"""Training the network: what learns, what is written, and going on to the same bits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from training_examples import TEXT_DIM, example

from mova_studio.errors import InputError, MemoryRanOut
from mova_studio.network.adapter_file import read_adapter
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.placement.formats import QuantizedLinear, quantize_linear
from mova_studio.training.batch import collate
from mova_studio.training.joint_network import JointNetwork
from mova_studio.training.low_resource import StreamedLinear
from mova_studio.training.network_trainer import NetworkTrainer
from mova_studio.training.noise import draw_noise
from mova_studio.training.recipe import Recipe, check_recipe
from mova_studio.training.run_state import read_facts
from mova_studio.training.sampler import BucketSampler

# Two sizes, so that a step's pieces come out of different buckets.
CLIPS = [example(number) for number in range(3)] + [example(number, frames=1) for number in range(3, 6)]
EMPTY = torch.randn(1, TEXT_DIM, generator=torch.Generator().manual_seed(9))
RATES = dict.fromkeys(("video_dit", "video_dit_2", "audio_dit"), 1e-3) | {"dual_tower_bridge": 2e-3}
LOW = {"mode": "adapter-low-resource", "adapter": {"rank": 2, "alpha": 4}, "gradient_checkpointing": True}
ADAPTER = {"mode": "adapter", "adapter": {"rank": 2, "alpha": 4}}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    build_untrained(folder)
    return Checkpoint(folder)


def recipe(**change) -> Recipe:
    values = {"format": 1, "mode": "full", "steps": 6, "batch_size": 2, "learning_rates": RATES, "seed": 5}
    return check_recipe(values | {"text_dropout": 0.3, "warmup": 2, "final_rate": 0.1} | change)


def trainer(checkpoint: Checkpoint, of: Recipe, folder: Path, **given_) -> NetworkTrainer:
    return NetworkTrainer(checkpoint, of, given_.pop("clips", CLIPS), folder, empty_prompt_embeds=EMPTY, **given_)


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "states" / f"{read_facts(folder).step:08d}" / "rank-0.safetensors")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 7), st.integers(0, 2**32))
def test_an_epoch_has_every_clip_in_batches_of_a_kind(kinds, batch_size, seed):
    sampler = BucketSampler(kinds, batch_size, seed)
    batches = [sampler.batch(number) for number in range(2 * sampler.batches_per_epoch)]
    for batch in batches:
        assert len(batch) == batch_size
        assert len({kinds[place] for place in batch}) == 1
    for epoch in (batches[: len(batches) // 2], batches[len(batches) // 2 :]):
        assert {place for batch in epoch for place in batch} == set(range(len(kinds)))
    assert BucketSampler(kinds, batch_size, seed).batch(len(batches) - 1) == batches[-1]


@pytest.mark.parametrize("change", [{}, ADAPTER | {"accumulation": 2}, LOW], ids=["full", "adapter", "low-resource"])
def test_a_run_taken_up_again_goes_on_to_the_same_bits(checkpoint, tmp_path, change):
    straight, parts = tmp_path / "straight", tmp_path / "parts"
    assert trainer(checkpoint, recipe(**change), straight).run()
    first = trainer(checkpoint, recipe(**change), parts)
    assert not first.run(stop=lambda: first.step == 3)
    with (parts / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"step": 4, "loss": 1.0}\n{"ste')  # of a process that died after it had saved
    second = trainer(checkpoint, recipe(**change, save_seconds=5.0), parts, resume=True)
    assert second.step == 3
    assert second.run()
    one, other = state_of(straight), state_of(parts)
    assert one.keys() == other.keys()
    assert any(name.startswith("optimizer.exp_avg_sq.") for name in one)
    assert all(torch.equal(one[name], other[name]) for name in one)
    logs = [
        [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
        for folder in (straight, parts)
    ]
    assert [line["step"] for line in logs[1]] == [1, 2, 3, 4, 5, 6]
    for left, right in zip(*logs, strict=True):
        assert {name: left[name] for name in left if name != "seconds"} == {
            name: right[name] for name in right if name != "seconds"
        }
    assert [path.name for path in (parts / "states").iterdir()] == ["00000006"]
    assert list((parts / "tensorboard").glob("events*"))


def test_full_training_gives_a_checkpoint(checkpoint, tmp_path):
    frozen = RATES | {"dual_tower_bridge": 0.0}
    trainer(checkpoint, recipe(steps=2, learning_rates=frozen), tmp_path / "run").run()
    trained = Checkpoint(tmp_path / "run" / "checkpoint")
    assert trained.check() == []
    for name, learnt in (("video_dit", True), ("video_dit_2", True), ("audio_dit", True), ("dual_tower_bridge", False)):
        before, after = (each.load(name).state_dict() for each in (checkpoint, trained))
        assert learnt is not all(torch.equal(before[key], after[key]) for key in before)
    assert trained.identity() != checkpoint.identity()
    assert [path.name for path in (tmp_path / "run").glob(".*")] == []


def test_experts_take_turns(checkpoint, tmp_path):
    """Step 0 is the low-noise expert's; in every step the audio tower and the bridge learn."""
    run = trainer(checkpoint, recipe(steps=1), tmp_path / "run")
    before = {name: each.detach().clone() for name, each in run.learning.items()}
    run.run()
    moved = Counter(
        name.partition(".")[0] for name, each in run.learning.items() if not torch.equal(each.detach(), before[name])
    )
    assert moved["video_dit"] == 0
    assert min(moved["video_dit_2"], moved["audio_dit"], moved["dual_tower_bridge"]) > 0


def test_an_adapters_file(checkpoint, tmp_path):
    run = trainer(checkpoint, recipe(**ADAPTER), tmp_path / "run")
    assert run.run()
    with safe_open(tmp_path / "run" / "adapter.safetensors", "pt") as stored:
        about, tensors = stored.metadata(), {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    assert (about["format"], about["rank"], about["alpha"]) == ("mova-studio-adapter", "2", "4")
    assert about["targets"] == "q,k,v,o"
    assert about["checkpoint"] == checkpoint.identity()
    assert check_recipe(json.loads(about["recipe"])) == run.recipe
    width = 48
    down = tensors["video_dit_2.blocks.3.cross_attn.o.lora_A.weight"]
    up = tensors["video_dit_2.blocks.3.cross_attn.o.lora_B.weight"]
    assert (tuple(down.shape), tuple(up.shape)) == ((2, width), (width, 2))
    assert tensors["dual_tower_bridge.audio_to_video_conditioners.0.inner.k.lora_A.weight"].shape == (2, 24)
    assert all(tensor.any() for tensor in tensors.values())
    per_layer = 2 * 8
    assert len(tensors) == per_layer * (4 + 4 + 3) + 2 * 8 * 3
    adapter = read_adapter(tmp_path / "run" / "adapter.safetensors")
    assert adapter.of("video_dit_2")["blocks.3.attn2.to_out.0"].scale == 2
    assert {name: len(adapter.of(name)) for name in adapter.layers} == {
        "video_dit": 32,
        "video_dit_2": 32,
        "audio_dit": 24,
        "dual_tower_bridge": 24,
    }
    # What the file says is what the network computed with, and the weights themselves stayed.
    layer = run.network.get_submodule("video_dit_2.blocks.3.attn2.to_out.0")
    states = torch.randn(1, width)
    plain = checkpoint.load("video_dit_2").get_submodule("blocks.3.attn2.to_out.0")
    wanted = plain(states) + 4 / 2 * states @ down.T @ up.T
    torch.testing.assert_close(layer(states), wanted)


def test_targets_are_whole_last_parts(checkpoint, tmp_path):
    shape = {"rank": 1, "alpha": 1, "targets": ["ffn.0"]}
    run = trainer(checkpoint, recipe(mode="adapter", adapter=shape), tmp_path / "run")
    assert len(run.learning) == 2 * (4 + 4 + 3)
    with pytest.raises(InputError, match=r"ends in 0, attn"):
        shape = {"rank": 1, "alpha": 1, "targets": ["0, attn"]}
        trainer(checkpoint, recipe(mode="adapter", adapter=shape), tmp_path / "other")


def gradients(checkpoint: Checkpoint, **change) -> tuple[float, dict[str, torch.Tensor]]:
    network = JointNetwork(checkpoint, recipe(**change))
    network.place(torch.device("cpu"))
    batch = collate(CLIPS[:2])
    noise = draw_noise(batch, seed=1, step=1, boundary_ratio=0.9)
    loss = network(batch, noise, "high", 0.2).total
    loss.backward()
    return loss.item(), {name: each.grad for name, each in network.learning().items() if each.grad is not None}


def test_gradient_checkpointing_gives_the_same_gradients(checkpoint):
    (loss, plain), (again, computed_again) = (gradients(checkpoint, gradient_checkpointing=on) for on in (False, True))
    assert loss == pytest.approx(again, rel=1e-6)
    assert plain.keys() == computed_again.keys()
    # Not to the bit: without it, the empty rows of the text are computed once.
    assert all(torch.allclose(plain[name], computed_again[name], rtol=1e-4, atol=1e-6) for name in plain)


@pytest.mark.parametrize("change", [{}, ADAPTER], ids=["full", "adapter"])
def test_half_precision_computes_nearly_the_same(checkpoint, change):
    """And what learns is float32 all the same."""
    exact, _ = gradients(checkpoint, **change)
    half, found = gradients(checkpoint, **change, dtype="bfloat16")
    assert half != exact
    assert half == pytest.approx(exact, rel=0.02)
    assert {each.dtype for each in found.values()} == {torch.float32}


def test_a_streamed_layer_is_the_quantized_one_forth_and_back():
    torch.manual_seed(0)
    quantized = QuantizedLinear(24, 16, True, "int8", torch.float32)
    tensors = quantize_linear(torch.randn(16, 24), "int8")
    for name, tensor in (tensors | {"bias": torch.randn(16)}).items():
        setattr(quantized, name, torch.nn.Parameter(tensor, requires_grad=False))
    states, gradient = torch.randn(2, 3, 24, requires_grad=True), torch.randn(2, 3, 16)
    wanted = torch.nn.functional.linear(states, quantized.weight, quantized.bias)
    found = StreamedLinear(quantized)(states)
    torch.testing.assert_close(found, wanted)
    (one,), (other,) = (torch.autograd.grad(made, states, gradient) for made in (wanted, found))
    torch.testing.assert_close(one, other)


def test_a_low_resource_adapter_learns_nearly_what_an_adapter_learns(checkpoint):
    """Its gradients differ by what 8 bits leave of the frozen weights, and nothing but the adapter learns."""
    plain, small = (JointNetwork(checkpoint, recipe(**change)) for change in (ADAPTER, LOW))
    assert plain.learning().keys() == small.learning().keys()
    for block in (*small.video_dit.blocks, *small.video_dit_2.blocks):
        assert [name for name, each in block.named_parameters() if each.ndim == 2 and not each.requires_grad] == []
    (loss, exact), (near, found) = (gradients(checkpoint, **change) for change in (ADAPTER, LOW))
    assert near == pytest.approx(loss, rel=0.01)
    assert exact.keys() == found.keys()
    one, other = (torch.cat([each.flatten() for each in grads.values()]) for grads in (exact, found))
    assert torch.nn.functional.cosine_similarity(one, other, dim=0) > 0.99


def test_a_run_is_not_mixed_with_another(checkpoint, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(InputError, match="holds no saved run"):
        trainer(checkpoint, recipe(), folder, resume=True)
    with pytest.raises(InputError, match="no embeddings of the empty prompt"):
        NetworkTrainer(checkpoint, recipe(), CLIPS, folder)
    with pytest.raises(InputError, match="no clips"):
        trainer(checkpoint, recipe(), folder, clips=[])
    trainer(checkpoint, recipe(steps=1), folder).run()
    with pytest.raises(InputError, match="holds a run already"):
        trainer(checkpoint, recipe(), folder)
    with pytest.raises(InputError, match="begun with seed 5, and the recipe says 6"):
        trainer(checkpoint, recipe(seed=6), folder, resume=True)
    with pytest.raises(InputError, match="begun with checkpoint"):
        trainer(Checkpoint(folder / "checkpoint"), recipe(), folder, resume=True)
    longer = trainer(checkpoint, recipe(steps=2), folder, resume=True)
    assert longer.run()
    (folder / "states" / "00000002" / "rank-0.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(InputError, match="cannot be read"):
        trainer(checkpoint, recipe(steps=3), folder, resume=True)
    (folder / "state.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"state\.json is damaged"):
        trainer(checkpoint, recipe(steps=3), folder, resume=True)


class Scarce(list):
    """Clips that find no memory the third time that the last one is read."""

    reads = 0

    def __getitem__(self, place):
        self.reads += 1
        if self.reads == 9:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().__getitem__(place)


def test_memory_that_runs_out_costs_no_step(checkpoint, tmp_path):
    straight, short = tmp_path / "straight", tmp_path / "short"
    trainer(checkpoint, recipe(), straight).run()
    with pytest.raises(MemoryRanOut, match=r"VRAM ran out in step 5.*from step 4 with --resume") as caught:
        trainer(checkpoint, recipe(), short, clips=Scarce(CLIPS), kinds=[1, 1, 1, 2, 2, 2]).run()
    assert "gradient_checkpointing" in caught.value.message
    assert trainer(checkpoint, recipe(), short, resume=True).run()
    one, other = state_of(straight), state_of(short)
    assert all(torch.equal(one[name], other[name]) for name in one)
