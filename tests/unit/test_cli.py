"""The command line as a person or a script uses it: real commands, real files, real exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mova_studio.cli import build_parser, main
from mova_studio.cli.generate import describe_progress
from mova_studio.media.images import open_image
from mova_studio.media.probe import decode_audio, decode_frames, probe

PROJECT = Path(__file__).parents[2]
SMALL = ["--size", "48x32", "--frames", "9", "--steps", "2"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mova_studio", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def take(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("take")
    picture = Image.new("RGB", (300, 100), "navy")
    picture.save(folder / "first.png")
    arguments = ["--prompt", 'A dog. "你好" 🎉', "--negative", "dull", "--image", folder / "first.png", "--seed", "7"]
    done = run("generate", *arguments, *SMALL, "--out", folder / "take.mp4", "--json")
    assert done.returncode == 0, done.stderr
    return {"folder": folder, "stderr": done.stderr} | json.loads(done.stdout)


def test_generate_answers_with_one_json_object(take):
    assert take["path"] == str(take["folder"] / "take.mp4")
    assert (take["seed"], take["size"], take["num_frames"], take["steps"]) == (7, "48x32", 9, 2)
    assert take["frame_rate"] == 24.0
    assert set(take["seconds"]) == {"load", "text", "frames", "denoise", "decode", "write"}
    assert take["untrained"] is True
    assert any("noise on purpose" in note for note in take["notes"])
    assert any("cropped" in note for note in take["notes"])
    assert "cropped" in take["stderr"] and "noise on purpose" in take["stderr"]


def test_the_file_is_what_was_said(take):
    info = probe(Path(take["path"]))
    assert (info.width, info.height, info.num_frames, info.frame_rate) == (48, 32, 9, 24.0)
    assert (info.video_codec, info.pixel_format, info.audio_codec, info.sample_rate) == (
        "h264",
        "yuv420p",
        "aac",
        48000,
    )
    assert abs(info.video_seconds - info.audio_seconds) < 1024 / 48000
    samples, rate = decode_audio(Path(take["path"]))
    assert (rate, decode_frames(Path(take["path"])).shape) == (48000, (9, 32, 48, 3))
    assert np.abs(samples).max() > 0.01


def test_inspect_gives_back_everything_needed_to_repeat(take, tmp_path):
    done = run("inspect", take["path"], "--extract", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    shot = answer["provenance"]["shot"]
    assert shot["prompt"] == 'A dog. "你好" 🎉' and shot["negative_prompt"] == "dull"
    assert (answer["provenance"]["seed"], answer["provenance"]["checkpoint"]) == (7, take["checkpoint"])
    assert answer["provenance"]["plan"]["weights"]["video_dit"] == "fp32"
    assert answer["loudness"]["true_peak_dbtp"] == pytest.approx(take["loudness"]["true_peak_dbtp"], abs=0.01)
    assert set(answer["measures"]) == {"av_align", "offset_ms", "freeze", "black", "silence", "clipped_samples"}
    assert answer["images"]["first_frame"]["width"] == 48
    extracted = Path(answer["images"]["first_frame"]["path"])
    assert open_image(extracted).image.getpixel((3, 3)) == (0, 0, 128)

    again = tmp_path / "again.mp4"
    size = f"{shot['width']}x{shot['height']}"
    arguments = [
        "--prompt",
        shot["prompt"],
        "--negative",
        shot["negative_prompt"],
        "--image",
        extracted,
        "--size",
        size,
    ]
    arguments += ["--frames", str(shot["num_frames"]), "--steps", str(shot["num_inference_steps"]), "--seed", "7"]
    assert run("generate", *arguments, "--out", again).returncode == 0
    assert np.array_equal(decode_frames(again), decode_frames(Path(take["path"])))
    assert np.array_equal(decode_audio(again)[0], decode_audio(Path(take["path"]))[0])


def test_inspect_and_generate_speak_to_people_too(take):
    done = run("inspect", take["path"])
    assert done.returncode == 0
    assert "clipped_samples: 0" in done.stdout
    assert "num_frames: 9" in done.stdout and "seed: 7" in done.stdout and "你好" in done.stdout


def _picture(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    ("arguments", "code", "field", "words"),
    [
        (["--size", "630x352"], 2, "size", ["630x352", "624x352"]),
        (["--size", "wide"], 2, "size", ["640x352"]),
        (["--frames", "48"], 2, "num_frames", ["48", "49"]),
        (["--steps", "0"], 2, "num_inference_steps", ["0"]),
        (["--guidance", "nan"], 2, "guidance_scale", ["nan"]),
        (["--bridge-guidance", "inf"], 2, "bridge_guidance_scale", ["inf"]),
        (["--prompt", "  "], 2, "prompt", ["empty"]),
        (["--seed", "-7"], 2, "seed", ["-7"]),
        (["--image", "/nowhere/at/all.png"], 2, "first_frame", ["all.png", "does not exist"]),
        (["--last-image", "EMPTY"], 2, "last_frame", ["0 bytes"]),
        (["--image", "TEXT"], 2, "first_frame", ["text.png"]),
        (["--out", "/nowhere/at/all.mp4"], 4, "out", ["/nowhere/at", "folder"]),
        (["--out", "take.avi"], 2, "out", ["take.avi", ".mp4"]),
        (["--model", "/nowhere/at/all"], 3, None, ["/nowhere/at/all"]),
        (["--model", "OpenMOSS-Team/MOVA-360p"], 3, None, ["78 GB", "model download OpenMOSS-Team/MOVA-360p"]),
    ],
    ids=lambda value: "-".join(value).strip("-").replace("/", "_") if isinstance(value, list) else "",
)
def test_bad_input_gets_a_sentence_and_an_exit_code(arguments, code, field, words, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    stand_ins = {
        "EMPTY": _picture(tmp_path, "empty.png", b""),
        "TEXT": _picture(tmp_path, "text.png", b"not a picture"),
    }
    given = [str(stand_ins.get(argument, argument)) for argument in arguments]
    defaults = ["--prompt", "rain", "--out", str(tmp_path / "take.mp4"), *SMALL]
    assert main(["generate", "--json", *defaults, *given]) == code
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["exit_code"] == code
    if field is not None:
        assert error["field"] == field
    assert all(word in error["message"] for word in words), error["message"]
    assert error["message"] in printed.err
    assert not (tmp_path / "take.mp4").exists()


def test_a_prompt_beyond_512_tokens_says_what_is_lost(tmp_path):
    prompt = " ".join(f"w{index}" for index in range(400))
    done = run("generate", "--prompt", prompt, *SMALL, "--out", tmp_path / "a.mp4", "--json")
    assert done.returncode == 0
    note = next(note for note in json.loads(done.stdout)["notes"] if "tokens" in note)
    assert "512 are read" in note and "w399" in note


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"ftyp"], ids=["empty", "zeros", "text"])
def test_inspecting_something_else_is_refused(content, tmp_path, capsys):
    file = tmp_path / "a.mp4"
    file.write_bytes(content)
    assert main(["inspect", str(file), "--json"]) == 2
    assert str(file) in json.loads(capsys.readouterr().out)["error"]["message"]


def test_model_check_tells_sizes_and_faults(tiny_checkpoint, tmp_path, capsys):
    assert main(["model", "check", str(tiny_checkpoint), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] and answer["faults"] == [] and not answer["untrained"]
    assert answer["bytes"]["video_dit"] == 599712
    (tmp_path / "model_index.json").write_text("{}")
    assert main(["model", "check", str(tmp_path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"] and "MOVA" in answer["faults"][0]
    assert answer["bytes"]["video_dit"] == 0
    assert main(["model", "check", str(tmp_path)]) == 1
    assert "cannot be used" in capsys.readouterr().out


def test_interrupting_leaves_nothing_behind(tmp_path):
    out = tmp_path / "take.mp4"
    arguments = ["--prompt", "rain", "--size", "160x96", "--frames", "49", "--steps", "1000"]
    command = [sys.executable, "-m", "mova_studio", "generate", *arguments, "--out", str(out)]
    process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("denoise"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait() == 130
    assert "Cancelled" in rest
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_words_and_numbers():
    event = {"stage": "denoise", "step": 21, "steps": 50, "expert": "high", "seconds_left": 408.2}
    assert describe_progress(event) == "denoise 21/50, high-noise expert, 6 min 48 s left"
    assert describe_progress(event | {"seconds_left": None, "expert": None}) == "denoise 21/50"
    assert describe_progress(event | {"stage": "decode", "seconds_left": 3.4}) == "decode, 3 s left"


def test_every_option_is_explained():
    for action in build_parser()._subparsers._group_actions[0].choices["generate"]._actions:
        assert action.help or action.metavar, action.option_strings
