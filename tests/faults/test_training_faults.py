"""A disk that fills up in mid-training: a sentence that says what to do, and a run that goes on from its last save."""

from __future__ import annotations

import subprocess

import pytest
from safetensors.torch import load_file
from training_examples import example

from mova_studio.errors import OutputError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.training.network_trainer import NetworkTrainer
from mova_studio.training.recipe import check_recipe

RATES = dict.fromkeys(("video_dit", "video_dit_2", "audio_dit", "dual_tower_bridge"), 1e-3)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 40 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_the_last_state(small_disk, tmp_path):
    build_untrained(tmp_path / "demo")
    checkpoint, clips = Checkpoint(tmp_path / "demo"), [example(number) for number in range(2)]
    recipe = check_recipe({"format": 1, "mode": "full", "steps": 4, "learning_rates": RATES, "save_seconds": 1.0})
    first = NetworkTrainer(checkpoint, recipe, clips, small_disk / "run")
    first.run(stop=lambda: first.step == 2)
    second = NetworkTrainer(checkpoint, recipe, clips, small_disk / "run", resume=True)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb") as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(OutputError, match=r"disk is full.*from step 2 with --resume"):
        second.run()
    ballast.unlink()
    third = NetworkTrainer(checkpoint, recipe, clips, small_disk / "run", resume=True)
    assert third.step == 2
    assert third.run()
    NetworkTrainer(checkpoint, recipe, clips, tmp_path / "straight").run()
    one, other = (
        load_file(folder / "states" / "00000004" / "rank-0.safetensors")
        for folder in (small_disk / "run", tmp_path / "straight")
    )
    assert all((one[name] == other[name]).all() for name in one)
