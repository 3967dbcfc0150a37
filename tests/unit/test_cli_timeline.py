"""`python -m mova_studio timeline`, from an empty file to a film."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mova_studio.cli import main
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import probe
from mova_studio.timeline.file import load

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def media(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        frames = random.integers(0, 255, (30, 48, 64, 3), np.uint8)
        sound = random.normal(0, 0.1, (2, 60000)).astype(np.float32)
        write_mp4(folder / f"{name}.mp4", frames, frame_rate=24.0, audio=sound)
    return folder


@pytest.fixture(autouse=True)
def handlers():
    """Commands that can be stopped take over these signals."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def timeline(capsys):
    def run(*arguments: object) -> tuple[int, dict]:
        code = main(["timeline", *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_film_from_an_empty_file(timeline, media, tmp_path):
    file, out = tmp_path / "film.json", tmp_path / "film.mp4"
    code, made = timeline("new", file, "--size", "64x48", "--fps", "23.976")
    assert code == 0 and made["exact_frame_rate"] == "24000/1001" and made["frames"] == 0
    code, added = timeline("add", file, media / "a.mp4", "--in", 4, "--out", 24)
    assert code == 0 and added["frames"] == 20
    code, added = timeline("add", file, media / "b.mp4", "--transition", "dissolve", "--frames", 6, "--speed", 1.5)
    assert code == 0 and added["clips"][1] == {"clip": added["clip"], "start": 14, "frames": 20, "overlap": 6}
    code, checked = timeline("check", file)
    assert code == 0 and checked["problems"] == [] and checked["frames"] == 34
    code, rendered = timeline("render", file, "--preset", "web", "--out", out, "--size", "96x64")
    assert code == 0
    assert {"path", "frames", "frame_rate", "seconds", "loudness"} <= set(rendered)
    assert rendered["path"] == str(out) and rendered["frames"] == 34
    assert rendered["frame_rate"] == pytest.approx(23.976, abs=1e-3)
    assert rendered["seconds"] == pytest.approx(34 * 1001 / 24000)
    assert rendered["loudness"]["integrated_lufs"] == pytest.approx(-14, abs=0.3)
    assert probe(out).num_frames == 34 and (probe(out).width, probe(out).height) == (96, 64)
    code, quick = timeline("proxy", file, "--out", tmp_path / "proxy.mp4", "--events")
    assert code == 0 and quick["frames"] == 34


def test_a_timeline_goes_out_and_comes_back(timeline, media, tmp_path):
    file, otio = tmp_path / "film.json", tmp_path / "film.otio"
    timeline("new", file, "--size", "64x48", "--fps", "30000/1001")
    timeline("add", file, media / "a.mp4")
    timeline("add", file, media / "b.mp4", "--transition", "dissolve", "--frames", 5)
    code, exported = timeline("export-otio", file, otio)
    assert code == 0 and exported["path"] == str(otio)
    code, _ = timeline("import-otio", otio, tmp_path / "back.json")
    assert code == 0 and load(tmp_path / "back.json").clips == load(file).clips
    code, exported = timeline("export-folder", file, tmp_path / "folder")
    assert code == 0 and Path(exported["path"]) == tmp_path / "folder"
    (tmp_path / "folder").rename(tmp_path / "moved")
    moved = load(tmp_path / "moved" / "timeline.json")
    assert all(Path(clip.source.path).is_relative_to(tmp_path / "moved") for clip in moved.clips)
    code, answer = timeline("export-folder", file, tmp_path / "moved")
    assert code != 0 and "not an empty folder" in answer["error"]["message"]


def test_a_timeline_is_not_replaced_by_an_empty_one(timeline, tmp_path):
    file = tmp_path / "film.json"
    assert timeline("new", file)[0] == 0
    code, refused = timeline("new", file)
    assert code == 4 and "--force" in refused["error"]["message"]
    assert timeline("new", file, "--force", "--fps", "25")[1]["frame_rate"] == 25


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--transition", "dissolve", "--frames", "4"], "first clip"),
        (["--frames", "4"], "cut has no length"),
        (["--in", "30"], "cannot start at frame 30"),
        (["--out", "31"], "cannot stop before frame 31"),
        (["--speed", "3"], "speed"),
        (["--gain", "99"], "gain_db"),
    ],
)
def test_a_clip_that_cannot_be_leaves_the_file_as_it_was(arguments, words, timeline, media, tmp_path):
    file = tmp_path / "film.json"
    timeline("new", file)
    before = file.read_bytes()
    code, refused = timeline("add", file, media / "a.mp4", *arguments)
    assert code == 2 and words in refused["error"]["message"]
    assert file.read_bytes() == before


def test_a_dissolve_longer_than_its_clips_is_refused(timeline, media, tmp_path):
    file = tmp_path / "film.json"
    timeline("new", file)
    timeline("add", file, media / "a.mp4", "--out", 10)
    code, refused = timeline("add", file, media / "b.mp4", "--transition", "dissolve", "--frames", 11)
    assert code == 2 and "shorten them to 10" in refused["error"]["message"]
    assert len(load(file).clips) == 1


@pytest.mark.parametrize("rate", ["0", "fast", "24/0", "1/2", "nan"])
def test_a_rate_that_cannot_be_is_refused(rate, timeline, tmp_path):
    code, refused = timeline("new", tmp_path / "film.json", "--fps", rate)
    assert code == 2 and refused["error"]["field"] == "frame_rate"
    assert not (tmp_path / "film.json").exists()


def test_everything_that_stops_a_render_is_listed(timeline, media, tmp_path):
    file = tmp_path / "film.json"
    timeline("new", file, "--size", "64x48")
    for name in ("x", "y"):
        copy = tmp_path / f"{name}.mp4"
        copy.write_bytes((media / "a.mp4").read_bytes())
        timeline("add", file, copy)
        copy.unlink()
    code, checked = timeline("check", file)
    assert code == 2
    assert ["x.mp4" in problem["message"] or "y.mp4" in problem["message"] for problem in checked["problems"]] == [
        True,
        True,
    ]
    code, refused = timeline("render", file, "--preset", "web", "--out", tmp_path / "film.mp4")
    assert code == 2 and "x.mp4" in refused["error"]["message"] and "y.mp4" in refused["error"]["message"]
    assert not (tmp_path / "film.mp4").exists()


def test_a_file_cut_short_or_from_a_newer_version_is_named(timeline, tmp_path):
    file = tmp_path / "film.json"
    timeline("new", file)
    whole = file.read_text("utf-8")
    for text, words in [
        (whole[:40], "film.json"),
        (whole.replace('"format": 1', '"format": 9'), "update MOVA Studio"),
        ("", "film.json"),
    ]:
        file.write_text(text, "utf-8")
        code, refused = timeline("render", file, "--preset", "web", "--out", tmp_path / "film.mp4")
        assert code == 2 and words in refused["error"]["message"]
        assert file.read_text("utf-8") == text


def test_a_stopped_render_leaves_nothing(media, tmp_path):
    file = tmp_path / "film.json"
    main(["timeline", "new", str(file), "--size", "64x48"])
    for _ in range(10):
        main(["timeline", "add", str(file), str(media / "a.mp4")])
    command = [sys.executable, "-m", "mova_studio", "timeline", "render", str(file), "--preset", "web"]
    process = subprocess.Popen(
        [*command, "--size", "640x360", "--out", str(tmp_path / "film.mp4"), "--json", "--events"],
        cwd=PROJECT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None and process.stdout is not None
    for line in process.stderr:
        event = json.loads(line)
        assert {"fraction", "seconds_left", "stage"} <= set(event)
        if event["frame"] > 0:
            break
    process.terminate()
    answer, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and json.loads(answer)["error"]["kind"] == "Cancelled"
    assert [path.name for path in tmp_path.iterdir()] == ["film.json"]
