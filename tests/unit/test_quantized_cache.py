"""The quantized cache: read at the second start, made anew when damaged, done without when the disk is full."""

from __future__ import annotations

import pytest
import torch

from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import save_tensors
from mova_studio.placement.plan import Plan
from mova_studio.placement.prompt_cache import KEPT, PromptCache
from mova_studio.placement.quantized_cache import QuantizedCache, checksum
from mova_studio.placement.source import WeightSource, sources_of


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    return Checkpoint(folder)


def source(checkpoint, folder, notices, weights="int8") -> WeightSource:
    return source_of(checkpoint, QuantizedCache(folder, checkpoint.identity(), notices.append), weights)


def source_of(checkpoint, cache, weights) -> WeightSource:
    plan = Plan("cpu", dict.fromkeys(COMPONENTS, "fp32") | {"video_dit": weights}, "none", 4, 4)
    return sources_of(checkpoint, plan, cache)["video_dit"]


def layer_files(folder):
    return sorted(folder.rglob("blocks.*.safetensors"))


def test_the_second_start_reads_what_the_first_one_made(checkpoint, tmp_path):
    first = source(checkpoint, tmp_path, notices := []).read("blocks.0")
    (file,) = layer_files(tmp_path)
    # Other contents under a true checksum: only a reader of this file can see them.
    marked = {name: tensor.clone() for name, tensor in first.items() if name.endswith((".packed", ".scale"))}
    marked["blocks.0.attn1.to_q.packed"].fill_(7)
    save_tensors(marked, file, {"format": "mova_studio.quantized.1", "sum": checksum(marked)})
    second = source(checkpoint, tmp_path, notices).read("blocks.0")
    assert (second["blocks.0.attn1.to_q.packed"] == 7).all() and notices == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_damaged_files_are_made_anew_with_a_notice(checkpoint, tmp_path, damage):
    whole = source(checkpoint, tmp_path, []).read("blocks.1")
    (file,) = layer_files(tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[-100] ^= 0x40
    elif damage == "empty":
        content = bytearray()
    file.write_bytes(content)
    if damage == "other":
        save_tensors({"x": torch.zeros(3)}, file, {"format": "mova_studio.quantized.0"})
    again = source(checkpoint, tmp_path, notices := []).read("blocks.1")
    assert all(torch.equal(again[name].view(torch.uint8), whole[name].view(torch.uint8)) for name in whole)
    assert len(notices) == 1 and "made anew" in notices[0]
    assert source(checkpoint, tmp_path, later := []).read("blocks.1") and later == []


def test_checkpoints_and_formats_do_not_mix(checkpoint, tmp_path):
    source(checkpoint, tmp_path, []).read("blocks.0")
    eight = source(checkpoint, tmp_path, notices := [], "fp8").read("blocks.0")
    assert eight["blocks.0.attn1.to_q.packed"].dtype == torch.float8_e4m3fn
    source(checkpoint, tmp_path, notices, "fp8_compute").read("blocks.0")
    assert notices == [] and len(layer_files(tmp_path)) == 2, "both kinds of fp8 share one file"


def test_too_little_disk_costs_only_the_cache(checkpoint, tmp_path):
    cache = QuantizedCache(tmp_path, checkpoint.identity(), (notices := []).append)
    cache.expect(10**18)
    component = source_of(checkpoint, cache, "int8")
    assert component.read("blocks.0") and layer_files(tmp_path) == []
    assert len(notices) == 1 and "not kept" in notices[0] and "GiB free" in notices[0]


def test_checksums_see_single_bits():
    tensors = {"a": torch.arange(37, dtype=torch.int8), "b": torch.randn(5, 3)}
    before = checksum(tensors)
    tensors["a"][36] += 1
    assert checksum(tensors) != before


def test_prompts_are_kept_without_their_words(tmp_path):
    cache = PromptCache(tmp_path, "abc", "fp32")
    states = torch.zeros(1, 512, 8)
    states[0, :5] = torch.randn(5, 8)
    assert cache.load("a secret bell") is None
    cache.save("a secret bell", states)
    assert torch.equal(cache.load("a secret bell"), states)
    assert cache.load("a secret ball") is None
    assert PromptCache(tmp_path, "abc", "int8").load("a secret bell") is None
    assert PromptCache(tmp_path, "abd", "fp32").load("a secret bell") is None
    (file,) = tmp_path.iterdir()
    assert b"secret" not in file.read_bytes() and "secret" not in file.name
    file.write_bytes(file.read_bytes()[:-7])
    assert cache.load("a secret bell") is None


def test_old_prompts_make_room(tmp_path):
    cache = PromptCache(tmp_path, "abc", "fp32")
    for number in range(KEPT + 3):
        cache.save(f"prompt {number}", torch.ones(1, 2, 1))
    assert len(list(tmp_path.iterdir())) == KEPT
    assert cache.load(f"prompt {KEPT + 2}") is not None
