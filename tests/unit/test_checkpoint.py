"""The published layout: read, refused with the reason, and written back tensor for tensor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mova_studio.diffusion import MovaPipeline
from mova_studio.errors import CheckpointError
from mova_studio.network.checkpoint import Checkpoint, save_component
from mova_studio.network.demo import build_untrained
from mova_studio.network.layout import COMPONENTS, tower_name_to_disk, tower_name_to_module

WEIGHTS = {name: f"{component.weights}.safetensors" for name, component in COMPONENTS.items()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    return folder


@pytest.fixture
def copy(demo, tmp_path) -> Path:
    return shutil.copytree(demo, tmp_path / "copy")


def tensors_of(folder: Path) -> dict[str, bytes]:
    found = {}
    for file in folder.glob("*.safetensors"):
        for name, tensor in load_file(file).items():
            found[name] = (
                str(tensor.dtype),
                tuple(tensor.shape),
                tensor.contiguous().view(torch.uint8).numpy().tobytes(),
            )
    return found


@pytest.mark.parametrize("max_shard_bytes", [10**9, 200_000])
def test_saving_gives_back_the_same_names_and_bytes(tiny_checkpoint, tiny_pipeline, tmp_path, max_shard_bytes):
    tiny_pipeline.save_pretrained(tmp_path / "saved", max_shard_bytes=max_shard_bytes)
    for name in COMPONENTS:
        assert tensors_of(tmp_path / "saved" / name) == tensors_of(tiny_checkpoint / name), name
        theirs = json.loads((tiny_checkpoint / name / "config.json").read_text())
        ours = json.loads((tmp_path / "saved" / name / "config.json").read_text())
        ignored = {"_diffusers_version", "transformers_version", "dtype", "architectures", "torch_dtype"}
        differing = {
            key: (value, ours.get(key))
            for key, value in theirs.items()
            if key not in ignored and ours.get(key) != value
        }
        if name != "text_encoder":
            assert not differing, name
    shards = list((tmp_path / "saved" / "video_dit").glob("*.safetensors"))
    assert (len(shards) > 1) == (max_shard_bytes == 200_000)
    again = Checkpoint(tmp_path / "saved")
    assert again.check() == []
    theirs = json.loads((tiny_checkpoint / "model_index.json").read_text())
    ours = json.loads((tmp_path / "saved" / "model_index.json").read_text())
    assert {key: value for key, value in theirs.items() if key != "_diffusers_version"} == ours
    reloaded = MovaPipeline.from_pretrained(tmp_path / "saved", torch_dtype=torch.float32)
    for name in COMPONENTS:
        left, right = getattr(tiny_pipeline, name).state_dict(), getattr(reloaded, name).state_dict()
        assert left.keys() == right.keys()
        assert all(torch.equal(left[key], right[key]) for key in left), name


def test_the_saved_scheduler_config_is_the_published_one(tiny_checkpoint, tiny_pipeline, tmp_path):
    tiny_pipeline.save_pretrained(tmp_path / "saved")
    read = [
        json.loads((root / "scheduler" / "scheduler_config.json").read_text())
        for root in (tiny_checkpoint, tmp_path / "saved")
    ]
    assert {key: value for key, value in read[0].items() if key != "_diffusers_version"} == read[1]


def test_weights_of_the_stored_dtype_stay_memory_mapped(tiny_checkpoint):
    script = (
        "import sys; from pathlib import Path; from mova_studio.network.checkpoint import Checkpoint\n"
        "module = Checkpoint(Path(sys.argv[1])).load('video_dit')\n"
        "pointer = module.blocks[0].attn1.to_q.weight.data_ptr()\n"
        "for line in open('/proc/self/maps'):\n"
        "    low, high = (int(part, 16) for part in line.split()[0].split('-'))\n"
        "    if low <= pointer < high: print(line.split()[-1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tiny_checkpoint], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("video_dit/diffusion_pytorch_model.safetensors")


def test_loading_never_holds_two_copies(tmp_path):
    """Converting a 200 MB component to half its size raises the peak by little more than the result."""
    from mova_studio.network.towers import AudioTower

    tower = AudioTower(num_attention_heads=8, attention_head_dim=64, ffn_dim=2048, num_layers=12, text_dim=64)
    save_component(tower, "audio_dit", tmp_path / "audio_dit")
    stored = (tmp_path / "audio_dit" / WEIGHTS["audio_dit"]).stat().st_size
    script = (
        "import resource, sys, torch; from pathlib import Path\n"
        "from mova_studio.network.checkpoint import Checkpoint\n"
        "def anonymous():\n"
        "    fields = dict(line.split(':') for line in open('/proc/self/status') if ':' in line)\n"
        "    return int(fields['RssAnon'].split()[0]) * 1024\n"
        "before = anonymous()\n"
        "module = Checkpoint(Path(sys.argv[1])).load('audio_dit', torch.bfloat16)\n"
        "print(anonymous() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert stored > 180e6
    assert int(done.stdout) < 0.65 * stored


def test_float32_parts_stay_float32(tiny_checkpoint):
    tower = Checkpoint(tiny_checkpoint).load("video_dit", torch.bfloat16)
    assert tower.blocks[0].attn1.to_q.weight.dtype == torch.bfloat16
    assert tower.blocks[0].scale_shift_table.dtype == torch.float32
    assert tower.condition_embedder.time_embedder.linear_1.weight.dtype == torch.float32
    assert tower.rope.freqs_cos.dtype == torch.float32
    assert Checkpoint(tiny_checkpoint).load("audio_vae", torch.bfloat16).dtype == torch.float32
    assert {p.dtype for p in Checkpoint(tiny_checkpoint).load("text_encoder", torch.bfloat16).parameters()} == {
        torch.bfloat16
    }


def test_identity_follows_the_weights_and_not_the_place(demo, copy):
    assert Checkpoint(copy).identity() == Checkpoint(demo).identity()
    file = copy / "audio_dit" / WEIGHTS["audio_dit"]
    tensors = load_file(file)
    tensors["head.head.bias"] = tensors["head.head.bias"] + 1
    save_file(tensors, file)
    assert Checkpoint(copy).identity() != Checkpoint(demo).identity()


def test_the_demo_checkpoint_is_the_same_every_time(demo, tmp_path):
    build_untrained(tmp_path / "again")
    assert Checkpoint(tmp_path / "again").identity() == Checkpoint(demo).identity()
    assert Checkpoint(demo).untrained


def _edit(file: Path, change) -> None:
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def _rewrite(file: Path, **changes) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _wrong_shape(root: Path) -> None:
    _edit(root / "video_dit" / WEIGHTS["video_dit"], lambda t: t.update({"blocks.1.ffn.0.weight": torch.zeros(7, 48)}))


def _missing(root: Path) -> None:
    _edit(
        root / "dual_tower_bridge" / WEIGHTS["audio_dit"], lambda t: t.pop("video_to_audio_conditioners.0.inner.q.bias")
    )


def _unexpected(root: Path) -> None:
    _edit(root / "audio_vae" / WEIGHTS["audio_vae"], lambda t: t.update({"stray": torch.zeros(3)}))


def _truncated(root: Path) -> None:
    file = root / "video_vae" / WEIGHTS["video_vae"]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _empty(root: Path) -> None:
    (root / "video_dit_2" / WEIGHTS["video_dit_2"]).write_bytes(b"")


def _pickled(root: Path) -> None:
    (root / "audio_dit" / WEIGHTS["audio_dit"]).rename(root / "audio_dit" / "diffusion_pytorch_model.bin")


def _no_folder(root: Path) -> None:
    shutil.rmtree(root / "text_encoder")


def _other_class(root: Path) -> None:
    _rewrite(root / "model_index.json", _class_name="WanPipeline")


def _damaged_index(root: Path) -> None:
    (root / "model_index.json").write_text("{")


def _mixed(root: Path) -> None:
    _rewrite(root / "audio_vae" / "config.json", latent_dim=32)


def _unsupported(root: Path) -> None:
    _rewrite(root / "dual_tower_bridge" / "config.json", pooled_adaln=True)


def _tokenizer(root: Path) -> None:
    (root / "tokenizer" / "tokenizer.json").write_text("not json")


def _missing_shard(root: Path) -> None:
    (root / "video_dit" / WEIGHTS["video_dit"]).rename(root / "video_dit" / "shard-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "shard-00001-of-00002.safetensors", "b": "shard-00002-of-00002.safetensors"}}
    (root / "video_dit" / f"{WEIGHTS['video_dit']}.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            _wrong_shape,
            ["blocks.1.ffn.0.weight", "video_dit", WEIGHTS["video_dit"], "expected [96, 48]", "found [7, 48]"],
        ),
        (_missing, ["video_to_audio_conditioners.0.inner.q.bias", "expected [24]", "found none"]),
        (_unexpected, ["stray", WEIGHTS["audio_vae"], "expected none", "found [3]"]),
        (_truncated, ["video_vae", WEIGHTS["video_vae"], "truncated", "bytes"]),
        (_empty, ["video_dit_2", "0 bytes", "truncated"]),
        (_pickled, ["audio_dit", "pickled", "diffusion_pytorch_model.bin"]),
        (_no_folder, ["text_encoder", "config.json", "does not exist"]),
        (_other_class, ["WanPipeline", "MOVA"]),
        (_damaged_index, ["model_index.json", "cannot be read"]),
        (_mixed, ["latent_dim", "32", "16"]),
        (_unsupported, ["pooled_adaln", "True", "dual_tower_bridge"]),
        (_tokenizer, ["tokenizer"]),
        (_missing_shard, ["shard-00002-of-00002.safetensors", "2 shards and 1 are missing"]),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_faults_are_named(copy, damage, words):
    damage(copy)
    faults = Checkpoint(copy).check()
    assert any(all(word in fault for word in words) for fault in faults), faults
    with pytest.raises(CheckpointError) as caught:
        MovaPipeline.from_pretrained(copy)
    assert len(caught.value.message) < 2000


def test_shards_and_plain_files_load_alike(demo, tmp_path):
    whole = Checkpoint(demo)
    shutil.copytree(demo, tmp_path / "sharded")
    (tmp_path / "sharded" / "video_dit" / WEIGHTS["video_dit"]).unlink()
    save_component(whole.load("video_dit"), "video_dit", tmp_path / "sharded" / "video_dit", max_shard_bytes=100_000)
    index = json.loads((tmp_path / "sharded" / "video_dit" / f"{WEIGHTS['video_dit']}.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 2
    left, right = whole.load("video_dit").state_dict(), Checkpoint(tmp_path / "sharded").load("video_dit").state_dict()
    assert all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("name", ["video_dit", "video_dit_2", "audio_dit"])
def test_tower_names_map_one_to_one(demo, name):
    with safe_open(demo / name / WEIGHTS[name], framework="pt") as opened:
        names = list(opened.keys())
    module = Checkpoint(demo).empty(name).state_dict()
    assert {tower_name_to_module(each) for each in names} == set(module)
    assert [tower_name_to_disk(tower_name_to_module(each)) for each in names] == names


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz_.0123456789", max_size=40))
def test_unknown_names_pass_through_unharmed(name):
    if tower_name_to_module(name) == name:
        assert tower_name_to_module(tower_name_to_module(name)) == name


def test_a_bridge_with_other_settings_round_trips(demo, tmp_path):
    from mova_studio.network.bridge import Bridge

    settings = {
        "visual_layers": 4,
        "audio_layers": 3,
        "visual_hidden_dim": 48,
        "audio_hidden_dim": 24,
        "head_dim": 24,
        "interaction_strategy": "distributed",
        "trainable_condition_scale": True,
        "apply_cross_rope": False,
        "audio_fps": 21.53,
    }
    folder = shutil.copytree(demo, tmp_path / "copy")
    shutil.rmtree(folder / "dual_tower_bridge")
    bridge = Bridge(**settings)
    save_component(bridge, "dual_tower_bridge", folder / "dual_tower_bridge")
    loaded = Checkpoint(folder).load("dual_tower_bridge")
    assert {name: loaded.config[name] for name in settings} == settings
    assert list(loaded.audio_to_video_conditioners) == ["0"]
    assert torch.equal(loaded.condition_scale, bridge.condition_scale)
