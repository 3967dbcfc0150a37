"""Shots: what is refused, what is snapped to, and the way through JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.library.shot import Shot, parse_size, snap_num_frames, snap_side


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"prompt": " \n\t"}, "prompt", ["empty"]),
        ({"prompt": "x" * 20_001}, "prompt", ["20001", "20000"]),
        ({"width": 630}, "size", ["630x352", "16", "624x352"]),
        ({"height": 5000}, "size", ["2048"]),
        ({"num_frames": 192}, "num_frames", ["192", "4n + 1", "193"]),
        ({"num_frames": -3}, "num_frames", ["-3", "1 frames"]),
        ({"num_inference_steps": 0}, "num_inference_steps", ["0", "1 to 1000"]),
        ({"guidance_scale": math.nan}, "guidance_scale", ["nan", "0 to 100"]),
        ({"bridge_guidance_scale": -1.0}, "bridge_guidance_scale", ["-1", "0 to 100"]),
        ({"video_shift": 0.0}, "video_shift", ["0.0"]),
        ({"frame_rate": math.inf}, "frame_rate", ["inf", "1 to 120"]),
        ({"target_lufs": 3.0}, "target_lufs", ["3.0", "-60 to -5"]),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_remedy(changes, field, words):
    with pytest.raises(InputError) as caught:
        Shot(**{"prompt": "rain"} | changes)
    assert caught.value.field == field
    assert all(word in caught.value.message for word in words), caught.value.message


@given(st.floats(-1e4, 1e6))
def test_snapped_values_are_always_allowed(value):
    Shot(prompt="rain", width=snap_side(value), height=snap_side(value), num_frames=snap_num_frames(value))


@given(st.integers(16, 2048), st.integers(1, 4093))
def test_snapping_moves_by_less_than_one_unit_and_only_once(side, frames):
    assert abs(snap_side(side) - side) <= 8
    assert abs(snap_num_frames(frames) - frames) <= 2
    assert snap_side(snap_side(side)) == snap_side(side)
    assert snap_num_frames(snap_num_frames(frames)) == snap_num_frames(frames)


@given(
    st.text(min_size=1, max_size=300).filter(lambda text: text.strip()),
    st.none() | st.binary(max_size=50),
    st.floats(0, 100),
)
def test_a_shot_survives_json(prompt, frame, scale):
    shot = Shot(prompt=prompt, first_frame=frame, guidance_scale=scale)
    assert Shot.from_dict(json.loads(json.dumps(shot.to_dict()))) == shot


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "rain", "sparkle": 1},
        {"prompt": 7},
        {"prompt": "rain", "width": "wide"},
        {"prompt": "rain", "first_frame": "not base64!"},
        {"width": 640},
        {"prompt": "rain", "num_frames": None},
    ],
)
def test_a_damaged_record_is_refused_and_not_crashed_on(values):
    with pytest.raises(InputError):
        Shot.from_dict(values)


@pytest.mark.parametrize(("text", "size"), [("640x352", (640, 352)), (" 160 × 96 ", (160, 96)), ("96X160", (96, 160))])
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "640", "640x", "x352", "-640x352", "640x352x3", "6.4x3", "1e3x16"])
def test_other_sizes_are_refused_with_an_example(text):
    with pytest.raises(InputError, match="640x352"):
        parse_size(text)
