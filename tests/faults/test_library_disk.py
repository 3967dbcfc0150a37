"""The library's disk fills up, goes away or may not be written: said, waited for, nothing lost."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mova_studio.errors import OutputError
from mova_studio.jobs.saved_run import RunFacts, SavedRun, Saver
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot

QUICK = Shot(prompt="rain", width=48, height=32, num_frames=9, num_inference_steps=2)
DEADLINE_SECONDS = 120


def until(ready: Callable[[], bool]) -> None:
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while not ready():
        assert time.monotonic() < deadline
        tick.wait(0.05)


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of 80 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_queue_on_a_full_disk_waits_and_goes_on_by_itself(disk):
    (disk / "other people's files").write_bytes(b"x" * 60_000_000)
    studio = Studio(disk / "library")
    try:
        job = studio.submit(QUICK, 5)
        until(lambda: "Free some space" in studio.trouble)
        assert studio.snapshot(job).state is JobState.WAITING
        (disk / "other people's files").unlink()
        until(lambda: studio.snapshot(job).state is JobState.DONE)
        assert studio.trouble == "" and studio.takes()[0].seed == 5
    finally:
        studio.close()


def test_a_click_on_a_full_disk_is_answered_with_the_remedy_and_loses_nothing(disk):
    studio = Studio(disk / "library")
    try:
        studio.hold(True)
        kept = studio.submit(QUICK, 5)
        with (disk / "filler").open("wb") as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(b"x" * 100_000)
                filler.flush()
        picture = bytes(500_000)
        with pytest.raises(OutputError, match="disk is full; free some space"):
            studio.submit(QUICK.with_frames(picture, None), 6)
        assert [job.seed for job in studio.line()] == [5]
        (disk / "filler").unlink()
        studio.submit(QUICK.with_frames(picture, None), 6)
        assert [job.seed for job in studio.line()] == [5, 6]
        assert studio.snapshot(kept).state is JobState.WAITING
    finally:
        studio.close()


def test_a_library_that_vanishes_is_missed_and_its_queue_goes_on_when_it_is_back(tmp_path):
    studio = Studio(tmp_path / "library")
    try:
        studio.hold(True)
        job = studio.submit(QUICK, 5)
        (tmp_path / "library").rename(tmp_path / "elsewhere")
        with pytest.raises(OutputError, match="is gone"):
            studio.submit(QUICK, 6)
        (tmp_path / "elsewhere").rename(tmp_path / "library")
        studio.hold(False)
        until(lambda: studio.snapshot(job).state is JobState.DONE)
    finally:
        studio.close()


def test_a_read_only_disk_opens_to_read(disk):
    studio = Studio(disk / "library")
    job = studio.submit(QUICK, 5)
    until(lambda: studio.snapshot(job).state is JobState.DONE)
    studio.submit(Shot(prompt="rain", num_inference_steps=1000))
    studio.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    studio = Studio(disk / "library")
    try:
        assert "read-only" in studio.read_only
        assert [take.seed for take in studio.takes()] == [5]
        assert [job.state for job in studio.line()] == [JobState.WAITING]
        for change in (lambda: studio.submit(QUICK), lambda: studio.store.set_stars(job, 3), lambda: studio.hold(True)):
            with pytest.raises(OutputError, match="open to read only"):
                change()
    finally:
        studio.close()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


def test_a_second_studio_reads_and_the_claim_ends_with_its_process(tmp_path):
    first = Studio(tmp_path)
    first.hold(True)
    second = Studio(tmp_path)
    try:
        assert not first.read_only and "another MOVA Studio" in second.read_only
        job = first.submit(QUICK, 7)
        assert second.snapshot(job).state is JobState.WAITING
        with pytest.raises(OutputError, match="close the other MOVA Studio"):
            second.submit(QUICK)
    finally:
        first.close()
        second.close()
    third = Studio(tmp_path)
    assert not third.read_only
    third.close()


def test_a_folder_with_takes_and_no_list_becomes_a_library(tmp_path):
    studio = Studio(tmp_path / "library")
    job = studio.submit(QUICK, 5)
    until(lambda: studio.snapshot(job).state is JobState.DONE)
    path = studio.snapshot(job).take.path
    studio.close()
    old = tmp_path / "old" / path.parent.name
    old.mkdir(parents=True)
    shutil.copy(path, old)
    studio = Studio(tmp_path / "old")
    until(lambda: bool(studio.takes()))
    assert studio.store.get(job).take.seed == 5
    studio.close()


def test_a_save_that_fails_keeps_the_one_before_and_says_why(disk):
    saver = Saver(SavedRun(disk / ".runs", "job"), every=0)

    def facts(step: int) -> RunFacts:
        return RunFacts(step, "shot", 1, "weights", {}, {}, (), ())

    def fill(_path: Path) -> None:
        with (disk / "filler").open("wb") as filler:
            while True:
                filler.write(b"x" * 100_000)
                filler.flush()

    assert saver.save(facts(1), lambda path: path.write_bytes(b"one") and None)
    assert not saver.save(facts(2), lambda path: _as_output_error(fill, path))
    assert "disk is full" in saver.trouble and "write .runs" in saver.trouble and str(disk) not in saver.trouble
    (disk / "filler").unlink()
    found = saver.saved.read()
    assert found[0].step == 1 and found[1].read_bytes() == b"one"
    assert saver.save(facts(3), lambda path: path.write_bytes(b"three") and None)
    assert saver.trouble is None and [path.name for path in (disk / ".runs").glob("*.safetensors")] == [
        "job.3.safetensors"
    ]


def _as_output_error(action: Callable[[Path], None], path: Path) -> None:
    from mova_studio.atomic import output_error

    try:
        action(path)
    except OSError as error:
        raise output_error(path, error) from error
