"""The render presets in presets/render, and what is said about a file that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mova_studio.errors import InputError
from mova_studio.library.presets import RENDER_PRESETS, load_render_preset, load_render_presets, preset_for
from mova_studio.library.shot import Shot

NEGATIVE = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，"
    "JPEG压缩残留，丑陋的，残缺的，多余的手指"
)


def written(folder: Path, **changes: Any) -> Path:
    """A copy of demo-untrained.json with changes; a value of ... drops the field."""
    values = json.loads((RENDER_PRESETS / "demo-untrained.json").read_text("utf-8")) | changes
    path = folder / "mine.json"
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}), "utf-8")
    return path


def test_shipped_presets() -> None:
    presets = load_render_presets()
    assert list(presets) == ["demo-untrained", "demo", "mova-360p", "mova-720p"]
    demo, trained, small, large = presets.values()
    assert (trained.width, trained.height, trained.num_frames) == (64, 64, 25)
    assert (demo.width, demo.height, demo.num_frames, demo.num_inference_steps) == (160, 96, 49, 10)
    assert demo.negative_prompt == ""
    assert (small.width, small.height, large.width, large.height) == (640, 352, 1280, 720)
    for preset in (small, large):
        assert preset.negative_prompt == NEGATIVE
        assert (preset.num_frames, preset.num_inference_steps, preset.limits) == (193, 50, None)
    for preset in (demo, small, large):
        assert (preset.guidance_scale, preset.bridge_guidance_scale, preset.frame_rate) == (5.0, 1.0, 24.0)
        assert (preset.video_shift, preset.audio_shift) == (5.0, 5.0)


def test_the_mova_presets_are_the_shots_own_defaults_but_for_size_and_negative_prompt() -> None:
    shot = Shot(prompt="a", model="OpenMOSS-Team/MOVA-360p", **preset_for("OpenMOSS-Team/MOVA-360p").settings())
    plain = Shot(prompt="a", model="OpenMOSS-Team/MOVA-360p", negative_prompt=NEGATIVE)
    assert shot == plain


@pytest.mark.parametrize(
    ("model", "checkpoint"),
    [
        ("demo", "demo"),
        ("OpenMOSS-Team/MOVA-360p", "OpenMOSS-Team/MOVA-360p"),
        ("OpenMOSS-Team/MOVA-720p", "OpenMOSS-Team/MOVA-720p"),
        ("checkpoints/my-720P-tune", "OpenMOSS-Team/MOVA-720p"),
        ("720p-trials/plain", "OpenMOSS-Team/MOVA-360p"),
        ("hub/models--OpenMOSS-Team--MOVA-720p/snapshots/0123abcd", "OpenMOSS-Team/MOVA-720p"),
        ("anyone/something", "OpenMOSS-Team/MOVA-360p"),
        ("", "OpenMOSS-Team/MOVA-360p"),
    ],
)
def test_preset_for(model: str, checkpoint: str) -> None:
    assert preset_for(model).checkpoint == checkpoint


@pytest.mark.parametrize("size", [(160, 96), (96, 160), (112, 112), (16, 16)])
def test_sizes_within_the_demos_limit(size: tuple[int, int]) -> None:
    preset_for("demo").check_limits(*size, 49)


def test_beyond_the_demos_limits() -> None:
    demo = preset_for("demo")
    with pytest.raises(InputError, match=r"176x96 is too large for demo.*160x96 or 96x160") as caught:
        demo.check_limits(176, 96, 49)
    assert caught.value.field == "size"
    with pytest.raises(InputError, match="53 frames are too many for demo: at most 49") as caught:
        demo.check_limits(160, 96, 53)
    assert caught.value.field == "num_frames"
    preset_for("OpenMOSS-Team/MOVA-360p").check_limits(2048, 2048, 4093)


def test_a_square_limit_is_told_once(tmp_path: Path) -> None:
    limits = {"max_width": 64, "max_height": 64, "max_frames": 25}
    square = load_render_preset(written(tmp_path, width=64, height=64, num_frames=25, limits=limits))
    with pytest.raises(InputError, match=r"as many pixels as 64x64\.$"):
        square.check_limits(160, 96, 25)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"guidance_scale": 500}, r"guidance_scale is 500.*from 0 to 100"),
        ({"video_shift": 0}, r"video_shift is 0.*from 0.01 to 100"),
        ({"num_frames": 48}, r"48 frames cannot be made.*The nearest length is 49"),
        ({"width": 165}, r"165x96 cannot be made.*nearest size is 160x96"),
        ({"num_inference_steps": 0}, r"0 steps cannot be run; give 1 to 1000"),
        ({"width": "160"}, r"width is '160', but input should be a valid integer"),
        ({"negative_prompt": None}, r"negative_prompt is None, but input should be a valid string"),
        ({"wdith": 160}, r"the field 'wdith' is not known; the fields are checkpoint, width"),
        ({"limits": {"max_width": 8, "max_height": 96, "max_frames": 49}}, r"limits.max_width is 8.*equal to 16"),
        (
            {"limits": {"max_width": 160, "max_height": 96, "max_frames": 49, "max_steps": 1}},
            r"'limits.max_steps' is not known; the fields are max_width, max_height, max_frames",
        ),
        ({"limits": {"max_width": 160, "max_height": 80, "max_frames": 49}}, r"160x96 is too large"),
        ({"height": ...}, r"the field 'height' is missing"),
    ],
)
def test_a_wrong_preset_says_file_field_value_and_range(tmp_path: Path, changes: dict, said: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(InputError, match=said) as caught:
        load_render_preset(path)
    assert caught.value.message.startswith(f"{path}: ")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\xff"])
def test_a_damaged_preset(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"mine\.json"):
        load_render_presets(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no render presets"):
        load_render_presets(tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.json cannot be read"):
        load_render_preset(tmp_path / "gone.json")
