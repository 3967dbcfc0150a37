"""`takes list | rebuild | trash | restore | star | template`."""

from __future__ import annotations

import json
import shutil

import pytest

from mova_studio.cli import main
from mova_studio.library.database import Database


@pytest.fixture
def library(tmp_path, take_files, capsys):
    root = tmp_path / "library"
    (root / "day").mkdir(parents=True)
    for seed in range(3):
        shutil.copyfile(take_files[seed], root / "day" / f"{seed}.mp4")
    (root / "other.mp4").write_text("no film")
    assert main(["takes", "rebuild", "--no-measure", "--library", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "added": 3,
        "found_again": 0,
        "passed_over": [
            {
                "path": str(root / "other.mp4"),
                "reason": f"{root / 'other.mp4'} is damaged or not a video or sound file (InvalidDataError).",
            }
        ],
    }
    return root


@pytest.fixture
def ask(library, capsys):
    def run(*arguments: str, code: int = 0):
        assert main(["takes", *arguments, "--library", str(library), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def test_a_list_is_a_list(ask, library):
    first, *others = ask("list")
    assert first == {
        "take": "take-2",
        "path": str(library / "day" / "2.mp4"),
        "seed": 2,
        "prompt": "雨中的猫 cat 0, 100% wet",
        "stars": 0,
        "tags": [],
        "created": "2026-11-21T10:00:02+00:00",
        "size": "16x16",
        "num_frames": 5,
        "frame_rate": 24.0,
        "loudness": first["loudness"],
        "sync": {"av_align": None, "offset_ms": None},
        "flaws": None,
        "model": "demo",
        "untrained": True,
        "missing": False,
        "trashed": None,
    }
    assert first["loudness"]["true_peak_dbtp"] < 0
    assert [each["take"] for each in others] == ["take-1", "take-0"]
    assert [each["seed"] for each in ask("list", "--sort", "oldest", "--limit", "2")] == [0, 1]
    assert ask("list", "--search", "猫 wet", "--trashed") == [] and len(ask("list", "--search", "take")) == 0


def test_a_rebuild_measures_what_is_new(ask, library, take_files):
    shutil.copyfile(take_files[3], library / "3.mp4")
    assert ask("rebuild")["added"] == 1
    measured, *others = ask("list")
    assert isinstance(measured["flaws"], list) and all(each["flaws"] is None for each in others)


def test_a_list_needs_no_permission_to_write(ask, library):
    writer = Database(library)
    with writer.writing():
        assert len(ask("list")) == 3
    writer.close()


def test_stars_trash_and_back(ask, library):
    assert ask("star", "take-1", "4")["takes"][0]["stars"] == 4
    assert ask("star", str(library / "day" / "0.mp4"))["takes"][0]["stars"] == 5
    assert [each["take"] for each in ask("list", "--sort", "rating")] == ["take-0", "take-1", "take-2"]
    gone = ask("trash", "take-0", "take-2")["takes"]
    assert [each["path"] for each in gone] == [str(library / ".trash" / f"take-{seed}.mp4") for seed in (0, 2)]
    assert [each["take"] for each in ask("list")] == ["take-1"]
    assert len(ask("list", "--trashed")) == 2
    ask("restore", "take-0", str(library / ".trash" / "take-2.mp4"))
    assert len(ask("list")) == 3 and (library / "day" / "2.mp4").exists()


def test_the_template_is_shown_and_set(ask):
    assert ask("template")["template"] == "{date}/{time}-{seed}"
    assert ask("template", "{prompt}/{seed}")["template"] == ask("template")["template"] == "{prompt}/{seed}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["star", "take-0", "6"], "6 stars"),
        (["trash", "nobody"], "no take 'nobody'"),
        (["star", "/elsewhere/x.mp4"], "is no take of the library"),
        (["template", "../{seed}"], "'..' cannot be a part"),
        (["list", "--limit", "0"], "from 1 to 1000"),
        (["list", "--sort", "size"], "newest, oldest"),
    ],
)
def test_what_cannot_be_done_is_said(ask, arguments, words):
    assert words in ask(*arguments, code=2)["error"]["message"]


def test_a_library_that_is_not_there_is_not_made(tmp_path, capsys):
    assert main(["takes", "trash", "a", "--library", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_the_list_in_words(library, capsys):
    main(["takes", "star", "take-2", "2", "--library", str(library)])
    assert main(["takes", "list", "--library", str(library)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 4 and "seed 2, ★★" in told[1] and told[1].startswith("take-2  ")
