"""`train encode`: one JSON value on standard output, events and skipped clips on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clip_films import clicks, write_film

from mova_studio.cli import main


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, caption in [("a", "A ball"), ("b", "")]:
        write_film(folder / f"{name}.mov", [n / 24 for n in range(5)], clicks([0.1], 0.3), size=(32, 32))
        (folder / f"{name}.txt").write_text(caption)
    return folder


def test_the_answer_is_json_and_events_are_lines(clips: Path, tiny_checkpoint: Path, tmp_path: Path, capsys):
    arguments = ["train", "encode", str(clips), "--checkpoint", str(tiny_checkpoint), "--out", str(tmp_path / "c")]
    arguments += ["--kind", "32x32x5", "--kind", "64x32x5", "--device", "cpu"]
    assert main([*arguments, "--json", "--events"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {
        "cache": str(tmp_path / "c"),
        "kinds": {"32x32x5": 1},
        "made": 1,
        "kept": 0,
        "skipped": [{"name": "b.mov", "reason": "b.txt: The caption is empty; write what can be seen and heard."}],
    }
    events = [json.loads(line) for line in told.err.splitlines()]
    assert [event["event"] for event in events] == ["skipped", "caption", "caption", "clip"]
    assert events[-1].pop("seconds") > 0
    assert events[-1] == {"event": "clip", "name": "a.mov", "done": 1, "total": 1}
    assert main([*arguments, "--json", "--events"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event.get("seconds") for event in again] == [None] * 4, "nothing was made anew"
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'c'}: 1 of 32x32x5 (0 encoded, 1 there already, 1 skipped)\n"
    assert "skipped: b.mov: b.txt: The caption is empty" in told.err and "clip 1 of 1" in told.err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--kind", "33x32x5"], "multiples of 16"),
        (["--device", "abacus"], "--device abacus cannot be used here"),
        (["--checkpoint", "/nowhere"], "/nowhere"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(clips: Path, tmp_path: Path, capsys, changed, words):
    code = main(["train", "encode", str(clips), "--out", str(tmp_path / "c"), *changed, "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == error["exit_code"] != 0 and words in error["message"]
    assert not (tmp_path / "c").exists()
