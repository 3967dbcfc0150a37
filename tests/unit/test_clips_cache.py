"""Encoded clips are what the pipeline makes of the same pictures, sound and words, and are made once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_films import clicks, write_film

from mova_studio.errors import Cancelled, InputError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.training.batch import collate
from mova_studio.training.clips.buckets import Bucket
from mova_studio.training.clips.cache import LatentCache
from mova_studio.training.clips.encode import encode_clips
from mova_studio.training.clips.encoders import ENCODERS, encoders_identity
from mova_studio.training.clips.sources import list_clips

BUCKETS = [Bucket(48, 32, 5), Bucket(48, 32, 9), Bucket(32, 48, 5)]
NUM = 12


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Three clips that can be used and one that has no caption."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for name, size, count in [("a", (48, 32), NUM), ("b", (64, 96), 6), ("c", (96, 64), 6), ("d", (48, 32), NUM)]:
        drawn = rng.integers(0, 255, (count, size[1] // 8, size[0] // 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
        write_film(
            folder / f"{name}.mov", [n / 24 for n in range(count)], clicks([0.1], 0.3), size=size, pictures=drawn
        )
        if name != "d":
            (folder / f"{name}.txt").write_text(f"Clip {name}, 一只球。", "utf-8")
    return folder


@pytest.fixture(scope="module")
def checkpoint(tiny_checkpoint: Path) -> Checkpoint:
    return Checkpoint(tiny_checkpoint)


@pytest.fixture(scope="module")
def encoded(clips: Path, checkpoint: Checkpoint, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    told: list[dict] = []
    done = encode_clips(list_clips(clips), checkpoint, folder, BUCKETS, on_event=told.append)
    assert (done.made, done.kept, [each.name for each in done.skipped]) == (3, 0, ["d.mov"])
    assert [event["name"] for event in told if event["kind"] == "clip"] == ["a.mov", "b.mov", "c.mov"]
    return folder


@pytest.fixture
def copied(encoded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(encoded, tmp_path / "cache"))


def test_an_example_is_what_the_pipeline_makes(encoded: Path, clips: Path, checkpoint: Checkpoint, tiny_pipeline):
    from mova_studio.diffusion.conditioning import latent_statistics
    from mova_studio.training.clips.decode import read_clip

    cache = LatentCache(encoded, encoders_identity(checkpoint))
    example, clip = cache[0], read_clip(clips / "a.mov", 9)
    video = torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None] / 127.5 - 1
    mean, std = latent_statistics(tiny_pipeline.video_vae, torch.device("cpu"))
    with torch.no_grad():
        latents = (tiny_pipeline.video_vae.encode(video).latent_dist.mode() - mean) / std
        grey = torch.cat([video[:, :, :1], torch.zeros_like(video[:, :, 1:])], dim=2)
        first = (tiny_pipeline.video_vae.encode(grey).latent_dist.mode() - mean) / std
        padded = torch.nn.functional.pad(torch.from_numpy(clip.audio)[None, None], (0, 240))
        sound = tiny_pipeline.audio_vae.encode(padded).mean
    assert tuple(example.video_latents.shape) == (16, 3, 4, 6) and clip.audio.size == 18_000
    assert torch.allclose(example.video_latents, latents[0], atol=1e-5)
    assert torch.allclose(example.condition[4:], first[0], atol=1e-5)
    assert example.condition[:4].sum(dim=(0, 2, 3)).tolist() == [4 * 24, 0, 0]
    assert torch.allclose(example.audio_latents, sound[0], atol=1e-5)


def test_the_caption_keeps_its_own_tokens_and_the_empty_one_has_one(encoded: Path, tiny_pipeline):
    from mova_studio.diffusion.text import encode_prompts

    cache = LatentCache(encoded)
    whole = encode_prompts(
        tiny_pipeline.text_encoder, tiny_pipeline.tokenizer, ["Clip a, 一只球。", ""], torch.device("cpu")
    )
    batch = collate([cache[0]])
    assert torch.allclose(batch.prompt_embeds[0], whole[0], atol=1e-6)
    assert cache.empty_prompt.shape[0] == 1 and torch.allclose(cache.empty_prompt[0], whole[1, 0], atol=1e-6)


def test_clips_of_one_kind_make_a_batch(encoded: Path):
    cache = LatentCache(encoded)
    assert cache.buckets() == {Bucket(32, 48, 5): (1,), Bucket(48, 32, 5): (2,), Bucket(48, 32, 9): (0,)}
    assert len(cache) == 3 and len(cache[1:]) == 2
    with pytest.raises(InputError, match="one size"):
        collate(cache[:])


def test_a_second_run_makes_nothing_and_a_new_caption_only_itself(copied: Path, clips: Path, checkpoint: Checkpoint):
    files = {file: file.stat().st_mtime_ns for file in copied.rglob("*.safetensors")}
    done = encode_clips(list_clips(clips), checkpoint, copied, BUCKETS)
    assert (done.made, done.kept) == (0, 3)
    assert files == {file: file.stat().st_mtime_ns for file in copied.rglob("*.safetensors")}
    listing = list_clips(clips)
    changed = type(listing)((type(listing.clips[0])(**vars(listing.clips[0]) | {"caption": "New"}),), ())
    done = encode_clips(changed, checkpoint, copied, BUCKETS)
    assert (done.made, done.kept) == (0, 1)
    assert len(set(copied.rglob("*.safetensors")) - set(files)) == 1
    assert [row.caption for row in LatentCache(copied).rows] == ["New"]


def test_other_kinds_and_other_pictures_are_encoded_anew(copied: Path, clips: Path, checkpoint: Checkpoint, tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    shutil.copy(clips / "a.mov", one / "renamed.mov")
    (one / "renamed.txt").write_text("Clip a, 一只球。", "utf-8")
    assert encode_clips(list_clips(one), checkpoint, copied, BUCKETS).made == 0
    assert encode_clips(list_clips(one), checkpoint, copied, [Bucket(48, 32, 1)]).made == 1
    assert LatentCache(copied)[0].video_latents.shape[1] == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_a_damaged_file_is_named_and_made_anew(copied: Path, clips: Path, checkpoint: Checkpoint, damage: str):
    cache = LatentCache(copied)
    before = cache[0]
    for file in [copied / "clips" / f"{cache.rows[0].clip}.safetensors", *(copied / "prompts").iterdir()]:
        content = bytearray(file.read_bytes())
        content[-5] ^= 64
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes({"cut": content[:-40], "flipped": content, "empty": b""}[damage])
    with pytest.raises(InputError, match=r"a\.mov .*cannot be used.*Run `train encode` again"):
        cache[0]
    with pytest.raises(InputError, match="the empty caption"):
        _ = cache.empty_prompt
    told: list[dict] = []
    done = encode_clips(list_clips(clips), checkpoint, copied, BUCKETS, on_event=told.append)
    assert (done.made, done.kept) == (1, 2)
    notes = [event["text"] for event in told if event["kind"] == "note"]
    assert len(notes) == (0 if damage == "gone" else 5) and all("made anew" in note for note in notes)
    assert torch.equal(LatentCache(copied)[0].video_latents, before.video_latents)


def test_a_run_that_is_stopped_goes_on(clips: Path, checkpoint: Checkpoint, tmp_path: Path):
    left = iter([False] * 6)
    with pytest.raises(Cancelled):
        encode_clips(list_clips(clips), checkpoint, tmp_path, BUCKETS, cancelled=lambda: next(left, True))
    assert len(list((tmp_path / "clips").iterdir())) == 2
    with pytest.raises(InputError, match="no finished cache"):
        LatentCache(tmp_path)
    done = encode_clips(list_clips(clips), checkpoint, tmp_path, BUCKETS)
    assert (done.made, done.kept) == (1, 2) and len(LatentCache(tmp_path)) == 3


def test_a_cache_of_another_checkpoint_is_refused_but_not_for_another_network(
    encoded: Path, checkpoint: Checkpoint, tmp_path: Path
):
    other = tmp_path / "other"
    shutil.copytree(checkpoint.folder, other)
    for file in [other, *other.rglob("*")]:
        file.chmod(0o755)
    config = other / "video_dit" / "config.json"
    config.write_text(config.read_text() + " ")
    weights = other / "video_dit" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\1\1\1\1")
    assert Checkpoint(other).identity() != checkpoint.identity()
    assert len(LatentCache(encoded, encoders_identity(Checkpoint(other)))) == 3
    config = other / ENCODERS[2] / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_dim": 16}))
    with pytest.raises(InputError, match="another checkpoint"):
        LatentCache(encoded, encoders_identity(Checkpoint(other)))


def test_nothing_to_train_on_is_said(clips: Path, checkpoint: Checkpoint, tmp_path: Path):
    with pytest.raises(InputError, match=r"None of the 4 clips can be trained on\. .*d\.mov: It has no caption"):
        encode_clips(list_clips(clips), checkpoint, tmp_path, [Bucket(48, 32, 49)])
