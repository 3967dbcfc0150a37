"""The preview plays, and the waveform shows what is loud."""

import io

import numpy as np
import pytest

from mova_studio.media.preview import encode_preview
from mova_studio.media.probe import decode_frames, probe
from mova_studio.media.waveform import waveform


def test_a_preview_is_a_small_silent_mp4_four_times_the_size(tmp_path):
    rows, columns = np.mgrid[0:44, 0:80]
    frames = np.stack([np.stack([columns * 3, rows * 5, columns + rows + t], -1) % 256 for t in range(49)]).astype(
        np.uint8
    )
    data = encode_preview(frames, 24.0)
    path = tmp_path / "preview.mp4"
    path.write_bytes(data)
    info = probe(path)
    assert (info.width, info.height, info.num_frames, info.frame_rate) == (320, 176, 49, 24.0)
    assert (info.video_codec, info.pixel_format, info.audio_codec) == ("h264", "yuv420p", None)
    assert len(data) < 200_000
    shown = decode_frames(io.BytesIO(data))[:, 2::4, 2::4].astype(int)
    assert np.abs(shown - frames)[:, 4:-4, 4:-4].mean() < 12


@pytest.mark.parametrize(("count", "height", "width"), [(1, 1, 1), (2, 11, 7), (13, 80, 44)])
def test_any_size_makes_a_preview(count: int, height: int, width: int):
    frames = np.full((count, height, width, 3), 200, np.uint8)
    shown = decode_frames(io.BytesIO(encode_preview(frames, 12.5)))
    assert shown.shape == (count, 4 * height, 4 * width, 3)
    assert np.abs(shown.astype(int) - 200).max() < 8


def test_the_waveform_shows_the_peak_of_each_stretch():
    samples = np.zeros((2, 1600), np.float32)
    samples[0, 15] = -0.5
    samples[1, 1590] = 0.25
    outline = waveform(samples)
    assert outline.shape == (160,) and outline.dtype == np.float32
    assert outline[1] == 0.5 and outline[159] == 0.25
    assert np.count_nonzero(outline) == 2


@pytest.mark.parametrize("count", [0, 1, 7, 159, 161, 48000])
def test_every_sample_count_fills_every_bucket(count: int):
    outline = waveform(np.full(count, 2.0), buckets=160)
    assert outline.shape == (160,)
    assert np.all(outline == (1.0 if count else 0.0))


def test_a_broken_sample_does_not_break_the_drawing():
    assert np.all(np.isfinite(waveform(np.array([0.1, np.nan, np.inf, -np.inf]), buckets=2)))
