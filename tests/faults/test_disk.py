"""Disks that fill up and folders that refuse: the message names the remedy, and nothing finished is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mova_studio.atomic import check_writable, replacing
from mova_studio.diffusion import SamplingSettings, SamplingState
from mova_studio.errors import OutputError
from mova_studio.media.probe import probe
from mova_studio.network.demo import build_untrained
from mova_studio.placement.quantized_cache import QuantizedCache

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def read_only_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_what_was_there_survives_a_full_disk(small_disk):
    target = small_disk / "state.json"
    target.write_text("precious")
    with pytest.raises(OutputError, match="disk is full"), replacing(target) as beside:
        beside.write_bytes(b"x" * 10**6)
    assert target.read_text() == "precious"
    assert [path.name for path in small_disk.iterdir()] == ["state.json"]


def test_what_was_there_survives_an_error_inside(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("precious")
    with pytest.raises(ZeroDivisionError), replacing(target) as beside:
        beside.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "precious" and list(tmp_path.iterdir()) == [target]


def test_a_read_only_disk_and_a_missing_folder_are_found_out_at_once(read_only_disk, tmp_path):
    for path, words in [
        (read_only_disk / "a.mp4", "read-only"),
        (tmp_path / "none" / "a.mp4", "does not exist"),
        (tmp_path, "is a folder"),
    ]:
        with pytest.raises(OutputError, match=words):
            check_writable(path)
        with pytest.raises(OutputError, match=words), replacing(path) as beside:
            beside.write_text("x")
    check_writable(tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()


def test_a_finished_take_is_kept_when_its_disk_is_full(small_disk, tmp_path):
    (small_disk / "filler").write_bytes(b"x" * 250_000)
    arguments = ["--prompt", "rain", "--size", "48x32", "--frames", "9", "--steps", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "mova_studio", "generate", *arguments, "--out", small_disk / "take.mp4", "--json"],
        cwd=PROJECT,
        env=os.environ | {"MOVA_STUDIO_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4, done.stderr
    message = json.loads(done.stdout)["error"]["message"]
    assert "disk is full" in message
    assert probe(Path(message.rsplit("kept at ")[1].rstrip("."))).num_frames == 9
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_saving_a_run_on_a_full_disk_keeps_the_earlier_save(small_disk):
    settings = SamplingSettings(32, 48, 9, 24.0, 4, 5.0, 1.0, 5.0, 5.0)
    tensors = [torch.zeros(1, 16, 3, 4, 6), torch.zeros(1, 16, 19), torch.zeros(1, 20, 3, 4, 6)]
    SamplingState(settings, 1, *tensors, None, None).save(small_disk / "run.safetensors")
    with pytest.raises(OutputError, match="disk is full"):
        SamplingState(settings, 2, *tensors, torch.zeros(1, 512, 512), None).save(small_disk / "run.safetensors")
    assert SamplingState.load(small_disk / "run.safetensors").step == 1


def test_a_checkpoint_that_finds_no_room_is_not_taken_for_one(small_disk):
    with pytest.raises(OutputError, match="disk is full"):
        build_untrained(small_disk / "demo")
    assert not (small_disk / "demo" / "model_index.json").exists()


def test_quantized_weights_that_find_no_room_are_done_without(small_disk):
    notices: list[str] = []
    cache = QuantizedCache(small_disk, "abc", notices.append)
    kept = {"a.packed": torch.zeros(1000, dtype=torch.int8)}
    cache.save("video_dit", "int8", "blocks.0", kept)
    for layer in (1, 2):
        cache.save("video_dit", "int8", f"blocks.{layer}", {"a.packed": torch.zeros(10**6, dtype=torch.int8)})
    assert len(notices) == 1 and "disk is full" in notices[0]
    assert torch.equal(cache.load("video_dit", "int8", "blocks.0")["a.packed"], kept["a.packed"])
    assert [file.name for file in small_disk.rglob("*") if file.is_file()] == ["blocks.0.safetensors"]
