"""A disk that fills up under a training run of the studio: the sentence arrives all the same, and room mends it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from training_examples import encoded_place

from mova_studio.errors import OutputError
from mova_studio.jobs.training_order import TrainingOrder
from mova_studio.jobs.training_snapshot import Stage
from mova_studio.jobs.trainings import Trainings

DEADLINE_SECONDS = 300


class Idle:
    """A machine without takes."""

    def reserve(self) -> bool:
        return True

    def release(self) -> None:
        return


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 80 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_and_mended(small_disk, tmp_path):
    place = encoded_place(tmp_path)
    trainings = Trainings(small_disk / "trainings", "")
    trainings.attend(Idle())
    asked = TrainingOrder(str(place / "cache"), "adapter", rank=2, sample_every=0, steps=100_000)
    run_id = trainings.start(asked, str(place / "demo"))
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while trainings.snapshot(run_id).step < 1:
        assert time.monotonic() < deadline
        tick.wait(0.05)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb") as file:
        while True:
            file.write(bytes(4096))
    trainings.stop(run_id)
    assert trainings.wait(DEADLINE_SECONDS)
    failed = trainings.snapshot(run_id)
    assert failed.stage is Stage.FAILED and "disk is full" in failed.error
    with pytest.raises(OutputError, match="Free some space"):
        trainings.resume(run_id)
    ballast.unlink()
    trainings.resume(run_id)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while trainings.snapshot(run_id).step < 1:
        assert time.monotonic() < deadline
        tick.wait(0.05)
    trainings.close()
    assert trainings.snapshot(run_id).stage is Stage.STOPPED
