"""From the fields of the page to a shot."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import SEED_LIMIT
from mova_studio.ui.reading import optional_number, read_order, read_seed, uploaded
from mova_studio.ui.sizes import common_sizes, seconds_of, settle_frames, settle_seconds, settle_side, size_label

PRESET = preset_for("demo")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def fields(**changes):
    return {
        **PRESET.settings(),
        "prompt": "A bell rings.",
        "seconds": 2.042,
        "seed": "-1",
        "target_lufs": -16,
        "first_frame": None,
        "last_frame": None,
        "step_cache": "off",
        "guidance_start": 0,
        "guidance_stop": 1,
        **changes,
    }


def order(length="num_frames", **changes):
    return read_order(fields(**changes), "demo", PRESET, "en", length)


def test_untouched_fields_are_the_preset():
    shot = order().shot
    assert {name: getattr(shot, name) for name in PRESET.settings()} == PRESET.settings()
    assert order().seed is None


def test_sizes_and_lengths_snap():
    made = order(width=101, height=63, num_frames=11)
    assert (made.shot.width, made.shot.height, made.shot.num_frames) == (96, 64, 13)
    assert [side.changed for side in made.sides] == [True, True] and made.length.changed


def test_the_field_changed_last_gives_the_length():
    assert order("seconds", seconds=1.0, num_frames=49).shot.num_frames == 25
    assert order("num_frames", seconds=1.0, num_frames=49).shot.num_frames == 49


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "x" * 20_001}, "prompt"),
        ({"width": None}, "size"),
        ({"width": 320, "height": 192}, "size"),
        ({"num_frames": None}, "num_frames"),
        ({"num_frames": 53}, "num_frames"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"num_inference_steps": ""}, "num_inference_steps"),
        ({"guidance_scale": float("nan")}, "guidance_scale"),
        ({"guidance_scale": -1}, "guidance_scale"),
        ({"bridge_guidance_scale": float("inf")}, "bridge_guidance_scale"),
        ({"video_shift": 0}, "video_shift"),
        ({"audio_shift": None}, "audio_shift"),
        ({"frame_rate": 0}, "frame_rate"),
        ({"frame_rate": 500}, "frame_rate"),
        ({"target_lufs": 3}, "target_lufs"),
        ({"step_cache": "wild"}, "step_cache"),
        ({"guidance_start": -0.1}, "guidance_start"),
        ({"guidance_start": 0.6, "guidance_stop": 0.5}, "guidance_stop"),
        ({"guidance_stop": None}, "guidance_stop"),
        ({"seed": "seven"}, "seed"),
        ({"seed": "-2"}, "seed"),
        ({"seed": "1.5"}, "seed"),
    ],
)
def test_an_error_names_its_field(changes, field):
    with pytest.raises(InputError) as caught:
        order(**changes)
    assert caught.value.field == field and caught.value.message


def test_seeds():
    assert read_seed("", "en") is read_seed("-1", "en") is read_seed(None, "en") is read_seed(-1, "en") is None
    assert read_seed(str(SEED_LIMIT - 1), "en") == SEED_LIMIT - 1
    assert read_seed(" 7 ", "en") == read_seed(7, "en") == 7


def test_empty_loudness_leaves_the_level_alone():
    assert order(target_lufs=None).shot.target_lufs is None


def test_picture_of_the_cache_is_cut_to_the_take(cache):
    Image.new("RGB", (300, 300), "red").save(cache / "p.png")
    made = order(first_frame={"path": str(cache / "p.png")})
    assert made.shot.first_frame.startswith(b"\x89PNG") and "cut off" in made.notes[0]
    assert order(first_frame=None).shot.first_frame is None


def test_no_other_file_of_the_server_is_opened(cache, tmp_path):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (32, 32)).save(secret)
    (cache / "link.png").symlink_to(secret)
    for path in (secret, cache / ".." / "secret.png", cache / "link.png", cache, cache / "absent.png"):
        with pytest.raises(InputError, match="not a file that was dropped here") as caught:
            uploaded({"path": str(path)}, "first_frame", "en")
        assert caught.value.field == "first_frame"
    for value in ({"path": 7}, {"url": "data:image/png;base64,AAAA"}, 7):
        with pytest.raises(InputError):
            uploaded(value, "first_frame", "en")


def test_unreadable_picture_names_its_field(cache):
    (cache / "p.png").write_bytes(b"")
    with pytest.raises(InputError, match="0 bytes") as caught:
        order(last_frame={"path": str(cache / "p.png")})
    assert caught.value.field == "last_frame"


@pytest.mark.parametrize(
    ("value", "number"), [("3", 3.0), (2, 2.0), (None, None), ("", None), ("x", None), ("nan", None)]
)
def test_numbers(value, number):
    assert optional_number(value) == number


@pytest.mark.parametrize(("width", "height"), [(160, 96), (640, 352), (1280, 720), (352, 640)])
def test_common_sizes_can_be_made_and_cost_no_more(width, height):
    sizes = common_sizes(width, height)
    assert len(sizes) >= 4 and len({value for _label, value in sizes}) == len(sizes)
    assert f"{width}x{height}" in [value for _label, value in sizes]
    for label, value in sizes:
        w, h = (int(side) for side in value.split("x"))
        assert w % 16 == h % 16 == 0 and 0.7 * width * height <= w * h <= width * height
        assert label.startswith(f"{w} × {h}")


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (160, 96, " · 5:3"),
        (96, 160, " · 3:5"),
        (640, 352, " · 16:9"),
        (352, 640, " · 9:16"),
        (1280, 720, " · 16:9"),
        (464, 464, " · 1:1"),
        (1024, 432, " · 21:9"),
        (96, 64, " · 3:2"),
        (2048, 16, ""),
        (1008, 592, ""),
    ],
)
def test_a_size_is_called_by_its_true_shape(width, height, shape):
    assert size_label(width, height) == f"{width} × {height}{shape}"


def test_step_cache_and_guidance_interval_reach_the_shot():
    shot = order(step_cache="light", guidance_start=0.1, guidance_stop=0.75).shot
    assert (shot.step_cache, shot.guidance_start, shot.guidance_stop) == ("light", 0.1, 0.75)


def test_settling():
    assert settle_side(160).used == 160 and not settle_side(160).changed
    assert settle_side(101).used == 96 and settle_side(101).changed
    assert settle_frames(24).used == 25 and settle_frames(24).changed
    assert settle_seconds(8.04, 24).used == 193 and not settle_seconds(8.04, 24).changed
    assert settle_seconds(1, 24).used == 25 and settle_seconds(1, 24).changed
    assert settle_seconds(0, 24).used == 1


@pytest.mark.parametrize("rate", [7.3, 12, 23.976, 24, 25, 30, 60, 120])
def test_seconds_shown_lead_back_to_their_frames(rate):
    for frames in range(1, 400, 4):
        settled = settle_seconds(seconds_of(frames, rate), rate)
        assert settled.used == frames and not settled.changed
