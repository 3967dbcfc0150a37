"""Renders that cannot go on: the message says why, what was there before stays, and nothing is left beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from mova_studio.errors import Cancelled, InputError, OutputError
from mova_studio.media.mp4 import write_mp4
from mova_studio.timeline.edits import clip_of
from mova_studio.timeline.export_preset import export_preset
from mova_studio.timeline.file import save
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.render import render
from mova_studio.timeline.scratch import remove_abandoned
from mova_studio.timeline.source import source_of

WEB = export_preset("web")
SIZE = (640, 360)
PROJECT = Path(__file__).parents[2]
# Renders until the first pictures are encoded, says so, and waits to be killed.
UNTIL_KILLED = """
import sys
from pathlib import Path
from mova_studio.timeline.export_preset import export_preset
from mova_studio.timeline.file import load
from mova_studio.timeline.render import render

def wait_in_the_middle(progress):
    if progress.frame:
        print("rendering", flush=True)
        sys.stdin.read()

timeline, out = load(Path(sys.argv[1])), Path(sys.argv[2])
render(timeline, export_preset("web"), out, size=(320, 180), on_progress=wait_in_the_middle)
"""


@pytest.fixture
def timeline(tmp_path) -> Timeline:
    """Noise, which no encoder makes small, in 40 clips: more than one graph."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (24, 90, 160, 3), np.uint8)
    sound = random.normal(0, 0.1, (2, 48000)).astype(np.float32)
    write_mp4(tmp_path / "noise.mp4", frames, frame_rate=24.0, audio=sound)
    source = source_of(tmp_path / "noise.mp4")
    return Timeline(160, 90, Fraction(24), clips=tuple(clip_of(source) for _ in range(40)))


@pytest.fixture
def films(tmp_path) -> Path:
    """A folder with a film of before."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.mp4").write_text("precious")
    return folder


def as_before(folder: Path) -> bool:
    return [path.name for path in folder.iterdir()] == ["film.mp4"] and (
        (folder / "film.mp4").read_text("utf-8") == "precious"
    )


def encoders_of_ours() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if "ffmpeg" in each.name()]


def test_a_disk_that_fills_up_in_mid_render(timeline, films):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", films], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        (films / "film.mp4").write_text("precious")
        short = Timeline(160, 90, Fraction(24), clips=timeline.clips[:3])
        with pytest.raises(OutputError, match="disk is full"):
            render(short, WEB, films / "film.mp4", size=SIZE)
        assert as_before(films)
        with pytest.raises(OutputError, match="MB free"):
            render(timeline, WEB, films / "film.mp4", size=(1920, 1080))
        assert as_before(films)
    finally:
        subprocess.run(["umount", films], check=True)


@pytest.mark.parametrize("clips", [3, 40])
def test_an_ffmpeg_that_is_killed(clips, timeline, films):
    """With three clips it is one process, with forty one of two that feed each other."""
    killed = []

    def kill_once() -> bool:
        if not killed and encoders_of_ours():
            killed.append(encoders_of_ours()[-1])
            killed[0].kill()
        return False

    film = Timeline(160, 90, Fraction(24), clips=timeline.clips[:clips])
    with pytest.raises(OutputError, match="signal 9"):
        render(film, WEB, films / "film.mp4", size=SIZE, cancelled=kill_once)
    assert killed and as_before(films) and encoders_of_ours() == []


@pytest.mark.parametrize("clips", [3, 40])
def test_a_cancelled_render_ends_its_encoders_and_leaves_nothing(clips, timeline, films):
    asked = []

    def cancelled() -> bool:
        if encoders_of_ours() and not asked:
            asked.append(True)
        return bool(asked)

    film = Timeline(160, 90, Fraction(24), clips=timeline.clips[:clips])
    with pytest.raises(Cancelled):
        render(film, WEB, films / "film.mp4", size=SIZE, cancelled=cancelled)
    assert as_before(films) and encoders_of_ours() == []


def test_a_source_that_has_gone_is_named_before_anything_begins(timeline, films, tmp_path):
    (tmp_path / "noise.mp4").rename(tmp_path / "moved.mp4")
    with pytest.raises(InputError, match=r"noise\.mp4 is no longer"):
        render(timeline, WEB, films / "film.mp4", size=SIZE)
    assert as_before(films)


def test_a_source_that_was_cut_short_is_named(timeline, films, tmp_path):
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(noise.read_bytes()[: noise.stat().st_size // 2])
    with pytest.raises(InputError, match=r"noise\.mp4"):
        render(timeline, WEB, films / "film.mp4", size=SIZE)
    assert as_before(films)


def test_a_folder_that_is_not_there_is_named(timeline, tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        render(timeline, WEB, tmp_path / "none" / "film.mp4", size=SIZE)


def age(folder: Path) -> None:
    os.utime(folder, (0, 0))


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_a_killed_render_left_is_removed_by_the_next_and_a_living_ones_folder_is_not(timeline, films, tmp_path):
    save(timeline, tmp_path / "film.json")
    command = [sys.executable, "-c", UNTIL_KILLED, str(tmp_path / "film.json"), str(films / "film.mp4")]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        assert app.stdout.readline() == b"rendering\n"
        [left] = films.glob(".film-*")
        age(left)
        remove_abandoned(films)
        assert left.is_dir() and (left / "picture.mp4").is_file()
        encoders = psutil.Process(app.pid).children(recursive=True)
        assert encoders
        app.kill()
    assert sorted(path.name for path in films.iterdir()) == [left.name, "film.mp4"]
    assert (films / "film.mp4").read_text("utf-8") == "precious"
    age(left)
    (films / ".film-of-mine").mkdir()
    (films / ".film-of-mine" / "notes.txt").write_text("no folder of ours: it has no lock")
    age(films / ".film-of-mine")
    render(Timeline(160, 90, Fraction(24), clips=timeline.clips[:1]), WEB, films / "film.mp4", size=SIZE)
    assert sorted(path.name for path in films.iterdir()) == [".film-of-mine", "film.mp4"]
    assert (films / "film.mp4").stat().st_size > 1000 and (films / ".film-of-mine" / "notes.txt").is_file()
    patience = time.monotonic() + 60
    while any(map(lives, encoders)):
        assert time.monotonic() < patience, "the killed render's encoders go on"
        time.sleep(0.05)
