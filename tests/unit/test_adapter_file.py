"""Adapter files in every spelling that is read, and what is refused with which words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from mova_studio.errors import InputError
from mova_studio.network.adapter import Adapted, Weighted, check_fit
from mova_studio.network.adapter_file import Adapter, read_adapter, write_adapter
from mova_studio.network.adapter_keys import ADAPTABLE, read_key
from mova_studio.network.checkpoint import Checkpoint

A, B = torch.arange(8.0).view(2, 4), torch.ones(6, 2)
LAYER = "blocks.1.attn1.to_q"


def saved(path: Path, tensors: dict[str, torch.Tensor], **metadata: str) -> Path:
    save_file({key: tensor.clone() for key, tensor in tensors.items()}, path, metadata or None)
    return path


def pair(down: str, up: str) -> dict[str, torch.Tensor]:
    return {down: A, up: B}


SPELLINGS = {
    "accelerate": pair("video_dit.blocks.1.self_attn.q.lora_A.weight", "video_dit.blocks.1.self_attn.q.lora_B.weight"),
    "diffsynth": pair(
        "video_dit.blocks.1.self_attn.q.lora_A.default.weight", "video_dit.blocks.1.self_attn.q.lora_B.default.weight"
    ),
    "low-resource": pair("video_dit.blocks.1.self_attn.q.lora_A", "video_dit.blocks.1.self_attn.q.lora_B"),
    "peft": pair(
        "base_model.model.video_dit.blocks.1.attn1.to_q.lora_A.weight",
        "base_model.model.video_dit.blocks.1.attn1.to_q.lora_B.weight",
    ),
    "FSDP": pair(
        "video_dit._fsdp_wrapped_module.blocks.1.self_attn.q.lora_A.weight",
        "video_dit._fsdp_wrapped_module.blocks.1.self_attn.q.lora_B.weight",
    ),
}
WAN_SPELLINGS = {
    "diffusers": pair("transformer.blocks.1.attn1.to_q.lora_A.weight", "transformer.blocks.1.attn1.to_q.lora_B.weight"),
    "diffusers, old": pair(
        "transformer.blocks.1.attn1.to_q.lora.down.weight", "transformer.blocks.1.attn1.to_q.lora.up.weight"
    ),
    "no prefix": pair("blocks.1.self_attn.q.lora_A.weight", "blocks.1.self_attn.q.lora_B.weight"),
    "community": pair(
        "diffusion_model.blocks.1.self_attn.q.lora_down.weight", "diffusion_model.blocks.1.self_attn.q.lora_up.weight"
    ),
    "community, A and B": pair(
        "diffusion_model.blocks.1.self_attn.q.lora_A.weight", "diffusion_model.blocks.1.self_attn.q.lora_B.weight"
    ),
    "kohya": pair("lora_unet_blocks_1_self_attn_q.lora_down.weight", "lora_unet_blocks_1_self_attn_q.lora_up.weight"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_names_the_same_layer(tmp_path, spelling):
    adapter = read_adapter(saved(tmp_path / "a.safetensors", SPELLINGS[spelling]))
    assert list(adapter.layers) == ["video_dit"]
    layer = adapter.layers["video_dit"][LAYER]
    assert torch.equal(layer.down, A) and torch.equal(layer.up, B)
    assert (layer.rank, layer.scale, layer.shape) == (2, 1.0, (6, 4))
    assert not adapter.of("video_dit_2")


@pytest.mark.parametrize("spelling", WAN_SPELLINGS)
def test_wan_adapters_serve_either_expert(tmp_path, spelling):
    adapter = read_adapter(saved(tmp_path / "a.safetensors", WAN_SPELLINGS[spelling]))
    assert list(adapter.of("video_dit")) == list(adapter.of("video_dit_2")) == [LAYER]
    assert not adapter.of("audio_dit") and not adapter.of("dual_tower_bridge")


def test_a_second_transformer_makes_the_first_the_high_noise_expert(tmp_path):
    both = WAN_SPELLINGS["diffusers"] | {
        key.replace("transformer.", "transformer_2."): tensor * 2 for key, tensor in WAN_SPELLINGS["diffusers"].items()
    }
    adapter = read_adapter(saved(tmp_path / "a.safetensors", both))
    assert torch.equal(adapter.of("video_dit")[LAYER].down, A)
    assert torch.equal(adapter.of("video_dit_2")[LAYER].down, A * 2)


@pytest.mark.parametrize(
    ("flat", "path"),
    [
        ("blocks_11_ffn_2", "blocks.11.ffn.net.2"),
        ("blocks_0_cross_attn_o", "blocks.0.attn2.to_out.0"),
        ("text_embedding_0", "condition_embedder.text_embedder.linear_1"),
        ("time_projection_1", "condition_embedder.time_proj"),
        ("head_head", "proj_out"),
    ],
)
def test_underscored_names_are_found(tmp_path, flat, path):
    stem = f"lora_unet_{flat}"
    adapter = read_adapter(
        saved(tmp_path / "a.safetensors", pair(f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"))
    )
    assert list(adapter.of("video_dit")) == [path]


@pytest.mark.parametrize(
    ("metadata", "scale"),
    [
        ({}, 1.0),
        ({"rank": "2", "alpha": "8"}, 4.0),
        ({"alpha": "8"}, 4.0),
        ({"rank": "16", "alpha": "16"}, 1.0),
        ({"rank": "MOVATrain", "alpha": "16"}, 1.0),
        ({"rank": "2", "alpha": "nan"}, 1.0),
        ({"rank": "2", "alpha": "-3"}, 1.0),
    ],
)
def test_the_stored_rank_is_not_believed(tmp_path, metadata, scale):
    adapter = read_adapter(saved(tmp_path / "a.safetensors", SPELLINGS["accelerate"], **metadata))
    assert adapter.layers["video_dit"][LAYER].scale == scale


def test_a_layers_own_alpha_counts_before_the_files(tmp_path):
    tensors = WAN_SPELLINGS["kohya"] | {"lora_unet_blocks_1_self_attn_q.alpha": torch.tensor(1.0, dtype=torch.bfloat16)}
    adapter = read_adapter(saved(tmp_path / "a.safetensors", tensors, rank="2", alpha="8"))
    assert adapter.of("video_dit")[LAYER].scale == 0.5


@pytest.mark.parametrize(("stabilised", "scale"), [(False, 4.0), (True, 8 / math.sqrt(2))])
def test_peft_folders(tmp_path, stabilised, scale):
    saved(tmp_path / "adapter_model.safetensors", SPELLINGS["peft"])
    settings = {"r": 2, "lora_alpha": 8, "use_rslora": stabilised, "alpha_pattern": {}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    assert read_adapter(tmp_path).layers["video_dit"][LAYER].scale == pytest.approx(scale)
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings | {"use_dora": True}))
    with pytest.raises(InputError, match="use_dora"):
        read_adapter(tmp_path)


def test_diffusers_settings_are_in_the_header(tmp_path):
    settings = json.dumps({"transformer.r": 2, "transformer.lora_alpha": 4})
    adapter = read_adapter(
        saved(tmp_path / "a.safetensors", WAN_SPELLINGS["diffusers"], lora_adapter_metadata=settings)
    )
    assert adapter.of("video_dit")[LAYER].scale == 2.0


def test_pickles_are_read_as_tensors_and_nothing_else(tmp_path):
    flat, nested, bad = tmp_path / "flat.pt", tmp_path / "nested.pt", tmp_path / "bad.pt"
    torch.save(SPELLINGS["accelerate"], flat)
    torch.save({"lora_state_dict": SPELLINGS["low-resource"], "rank": 2, "alpha": 4.0}, nested)
    torch.save({"weights": Path("/")}, bad)
    assert read_adapter(flat).layers["video_dit"][LAYER].scale == 1.0
    assert read_adapter(nested).layers["video_dit"][LAYER].scale == 2.0
    with pytest.raises(InputError, match=r"bad\.pt holds more than tensors"):
        read_adapter(bad)


def test_writing_keeps_every_number(tmp_path, parity_dir):
    for source in ("accelerate", "low_resource"):
        adapter = read_adapter(parity_dir / "lora" / source)
        write_adapter(adapter, tmp_path / "again.safetensors")
        assert read_adapter(tmp_path / "again.safetensors") == adapter
    either = read_adapter(saved(tmp_path / "a.safetensors", WAN_SPELLINGS["kohya"]))
    write_adapter(either, tmp_path / "either.safetensors")
    assert read_adapter(tmp_path / "either.safetensors") == either


REFUSED = {
    "another model": ({"double_blocks.0.img_attn.qkv.lora_A.weight": A}, r"double_blocks.*\[2, 4\].*another model"),
    "a norm": ({"video_dit.blocks.0.norm3.lora_A.weight": A}, "belongs to no layer"),
    "not low-rank": ({"diffusion_model.blocks.0.self_attn.q.diff_b": B}, "other than LoRA"),
    "half a pair": ({"video_dit.blocks.0.ffn.0.lora_A.weight": A}, r"video_dit\.blocks\.0\.ffn\.0 has no lora_B"),
    "two ranks": (
        {"blocks.0.ffn.0.lora_A.weight": A, "blocks.0.ffn.0.lora_B.weight": torch.ones(6, 3)},
        r"should be \[6, 2\].*is \[6, 3\]",
    ),
    "not finite": (
        {"blocks.0.ffn.0.lora_A.weight": A, "blocks.0.ffn.0.lora_B.weight": torch.full((6, 2), torch.nan)},
        "not finite",
    ),
    "a convolution": ({"blocks.0.ffn.0.lora_A.weight": A[..., None, None]}, r"\[rank, in\], but is \[2, 4, 1, 1\]"),
    "twice": (
        pair("blocks.0.ffn.0.lora_A.weight", "blocks.0.ffn.0.lora_B.weight")
        | pair("blocks.0.ffn.0.lora_A.b.weight", "blocks.0.ffn.0.lora_B.b.weight"),
        "may hold one adapter",
    ),
    "empty": ({}, "holds no tensors"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_file_key_and_shapes(tmp_path, case):
    tensors, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as caught:
        read_adapter(saved(tmp_path / "style.safetensors", tensors))
    assert "style.safetensors" in caught.value.message


@pytest.mark.parametrize("name", ["accelerate_lora.safetensors", "low_resource/lora_weights.pt"])
@settings(deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_refused(tmp_path_factory, parity_dir, name, share):
    whole = (parity_dir / "lora" / name).read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut.bin"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"cut\.bin"):
        read_adapter(cut)


@settings(deadline=None)
@given(key=st.text(max_size=40))
def test_no_name_breaks_the_reader(key):
    assert read_key(key) is None or read_key(f"{key}.x") is None


def test_a_misfit_names_layer_and_shapes(tiny_checkpoint, tmp_path):
    modules = {name: Checkpoint(tiny_checkpoint).empty(name) for name in ADAPTABLE}
    with pytest.raises(InputError, match=r"video_dit\.blocks\.1\.self_attn\.q is \[48, 48\] here.*\[6, 4\]"):
        check_fit(read_adapter(saved(tmp_path / "a.safetensors", SPELLINGS["accelerate"])), modules)
    deep = pair("blocks.77.ffn.0.lora_A.weight", "blocks.77.ffn.0.lora_B.weight")
    with pytest.raises(InputError, match=r"blocks\.77\.ffn\.0 does not exist here"):
        check_fit(read_adapter(saved(tmp_path / "b.safetensors", deep)), modules)


@pytest.fixture(scope="module")
def adapter(parity_dir) -> Adapter:
    return read_adapter(parity_dir / "lora" / "accelerate_lora.safetensors")


def outputs(pipeline, expert: str = "high") -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(1)
    shapes = ((1, 36, 2, 4, 4), (1, 16, 9), (1, 512, 32))
    inputs = [torch.randn(shape, generator=draw) for shape in shapes]
    return pipeline.predict_velocity(*inputs, torch.tensor([700.0]), expert=expert)


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_taken_off_nothing_is_left(tiny_pipeline, adapter):
    modules = {name: getattr(tiny_pipeline, name) for name in ADAPTABLE}
    before, adapted = outputs(tiny_pipeline), Adapted(modules)
    adapted.put([Weighted(adapter, dict.fromkeys(ADAPTABLE, 1.0))] * 2)
    adapted.bring(ADAPTABLE, torch.device("cpu"))
    twice = outputs(tiny_pipeline)
    adapted.put([Weighted(adapter, dict.fromkeys(ADAPTABLE, 2.0))])
    adapted.bring(ADAPTABLE, torch.device("cpu"))
    double = outputs(tiny_pipeline)
    assert not same(before, twice)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(twice, double, strict=True))
    adapted.put([Weighted(adapter, {"video_dit_2": 1.0})])
    assert same(outputs(tiny_pipeline), before), "the other expert's alone"
    adapted.put([])
    assert same(outputs(tiny_pipeline), before)
    assert not any(part._forward_hooks for module in modules.values() for part in module.modules())


def test_compiled_blocks_hear_of_changes(tiny_checkpoint, adapter):
    from mova_studio.network.joint import joint_forward

    parts = Checkpoint(tiny_checkpoint)
    modules = {name: parts.load(name, torch.float32) for name in ADAPTABLE}
    network = [modules["video_dit"], modules["audio_dit"], modules["dual_tower_bridge"]]
    draw = torch.Generator().manual_seed(1)
    inputs = [torch.randn(shape, generator=draw) for shape in ((1, 36, 2, 4, 4), (1, 16, 9), (1, 512, 32))]
    adapted = Adapted(modules)

    def run(strength: float) -> tuple[torch.Tensor, ...]:
        adapted.put([Weighted(adapter, dict.fromkeys(ADAPTABLE, strength))] if strength else [])
        adapted.bring(ADAPTABLE, torch.device("cpu"))
        with torch.no_grad():
            return joint_forward(*network, *inputs, torch.tensor([700.0]))

    plain = [run(strength) for strength in (0.0, 1.0)]
    modules["video_dit"].blocks[1].compile(backend="eager")
    for strength, expected in zip((0.0, 1.0, 0.0), (*plain, plain[0]), strict=True):
        for found, wanted in zip(run(strength), expected, strict=True):
            assert torch.allclose(found, wanted, atol=1e-5)
