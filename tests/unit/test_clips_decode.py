"""Pictures at 24 a second by their times, and sound to the sample, whatever the film is like."""

from __future__ import annotations

import io
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from clip_films import STEP, clicks, numbers, write_film
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.training.clips.buckets import Bucket, as_video, choose, choose_size, fit_to, parse_bucket
from mova_studio.training.clips.decode import pictures, read_clip, sound

TONE = np.sin(np.arange(96_000) / 7).astype(np.float32)[None] * 0.4


def steady(rate: float, count: int) -> list[float]:
    return [number / rate for number in range(count)]


@pytest.mark.parametrize(("rate", "count", "found"), [(24, 30, 30), (30, 30, 24), (60, 31, 13), (12, 12, 24)])
def test_every_rate_becomes_24_by_the_nearest_time(tmp_path: Path, rate: int, count: int, found: int):
    times = steady(rate, count)
    film = write_film(tmp_path / "film.mov", times, TONE)
    exact = [Fraction(number, rate) for number in range(count)]
    wanted = [min(range(count), key=lambda n, k=k: (abs(exact[n] - Fraction(k, 24)), n)) for k in range(found)]
    assert numbers(np.stack(list(pictures(film)))) == wanted


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.sampled_from([0.01, 0.02, 0.05, 0.2]), min_size=2, max_size=12))
def test_variable_frame_rates_are_followed(tmp_path: Path, gaps: list[float]):
    times = [0.0, *np.cumsum(gaps).tolist()]
    film = write_film(tmp_path / "film.mkv", times, None)
    said = numbers(np.stack(list(pictures(film))))
    for index, number in enumerate(said):
        nearest = min(abs(time - index / 24) for time in times)
        assert abs(times[number] - index / 24) <= nearest + 0.0015  # mkv has a clock of milliseconds
    assert len(said) >= (times[-1] - 0.0015) * 24


def test_a_part_from_the_middle_is_that_part_of_the_whole(tmp_path: Path):
    film = write_film(tmp_path / "film.mov", steady(25, 48), clicks([0.75, 1.5], 2))
    whole = list(pictures(film))
    part = read_clip(film, 9, start=Fraction(1, 2))
    assert numbers(part.frames) == numbers(np.stack(whole[12:21]))
    assert part.audio.shape == (18_000,) and np.flatnonzero(np.abs(part.audio) > 0.2).tolist() == [12_000]


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_sound_lies_on_the_sample_and_is_led_in_and_out(tmp_path: Path, suffix: str):
    film = write_film(tmp_path / f"film.{suffix}", steady(24, 24), clicks([0.0, 0.5], 0.6), sound_start=0.25)
    clip = read_clip(film, 24)
    assert clip.audio.shape == (48_000,) and clip.audio.dtype == np.float32
    assert np.flatnonzero(np.abs(clip.audio) > 0.2).tolist() == [12_000, 36_000]


def test_sound_keeps_time_with_pictures_that_begin_late(tmp_path: Path):
    film = write_film(tmp_path / "film.mkv", [0.5 + time for time in steady(24, 24)], clicks([0.25, 1.0], 2))
    clip = read_clip(film, 24)
    assert numbers(clip.frames)[:3] == [0, 1, 2]
    assert np.flatnonzero(np.abs(clip.audio) > 0.2).tolist() == [24_000]


@pytest.mark.parametrize(
    ("layout", "weights"),
    [("stereo", [0.5, 0.5]), ("5.1", [w / 4.4142 for w in (1, 1, 1, 0, 0.7071, 0.7071)])],
)
def test_channels_become_one(tmp_path: Path, layout: str, weights: list[float]):
    for channel, weight in enumerate(weights):
        samples = np.zeros((len(weights), 48_000), np.float32)
        samples[channel] = 0.8
        heard = sound(write_film(tmp_path / "film.mkv", steady(24, 24), samples, layout=layout))
        assert heard == pytest.approx(np.full(48_000, 0.8 * weight), abs=1e-3)


def test_telephone_sound_is_brought_to_48_khz(tmp_path: Path):
    samples = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)[None] * 0.5
    clip = read_clip(write_film(tmp_path / "film.mkv", steady(24, 24), samples, rate=8000), 24)
    wanted = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000) * 0.5
    assert np.abs(clip.audio - wanted)[500:-500].max() < 0.01


def test_pictures_are_upright_with_square_pixels(tmp_path: Path):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    film = write_film(tmp_path / "film.mov", steady(24, 2), TONE, pictures=[picture] * 2)
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    turned, wide = tmp_path / "turned.mov", tmp_path / "wide.mov"
    subprocess.run([*ffmpeg, "-display_rotation", "90", "-i", film, "-c", "copy", turned], check=True)
    subprocess.run([*ffmpeg, "-i", film, "-c:a", "copy", "-vf", "setsar=2", wide], check=True)
    upright = next(pictures(turned))
    assert upright.shape == (64, 48, 3) and upright[48, 8].mean() > 200 and upright[8, 8].mean() < 50
    assert next(pictures(wide)).shape == (48, 128, 3)


def test_a_clip_in_a_shard_is_read_from_its_bytes(tmp_path: Path):
    film = write_film(tmp_path / "film.mov", steady(24, 9), clicks([0.25], 0.5))
    from_disk, from_bytes = read_clip(film, 9), read_clip(io.BytesIO(film.read_bytes()), 9)
    assert np.array_equal(from_disk.frames, from_bytes.frames) and np.array_equal(from_disk.audio, from_bytes.audio)


def test_a_clock_that_jumps_is_refused(tmp_path: Path):
    film = write_film(tmp_path / "film.mkv", [0, 0.04, 500.0], TONE)
    with pytest.raises(InputError, match="clock jumps by 500 s"):
        list(pictures(film))


@given(
    st.integers(16, 4000),
    st.integers(16, 4000),
    st.lists(st.builds(Bucket, *[st.sampled_from([16, 352, 640, 720, 1280])] * 2, st.just(5)), min_size=1),
)
def test_the_size_with_the_nearest_aspect_is_chosen(width: int, height: int, buckets: list[Bucket]):
    def apart(size: tuple[int, int]) -> float:
        return abs(np.log(size[0] / size[1]) - np.log(width / height))

    chosen = choose_size(width, height, buckets)
    assert apart(chosen) <= min(apart((bucket.width, bucket.height)) for bucket in buckets) + 0.0101


def test_of_one_aspect_the_largest_size_that_need_not_enlarge():
    buckets = [Bucket(320, 176, 5), Bucket(640, 352, 5), Bucket(1280, 704, 5)]
    assert choose_size(1000, 550, buckets) == (640, 352)
    assert choose_size(100, 55, buckets) == (320, 176)


def test_the_longest_length_that_is_filled():
    buckets = [Bucket(32, 32, 9), Bucket(32, 32, 25), Bucket(64, 32, 1)]
    assert choose((32, 32), 30, buckets).num_frames == 25
    assert choose((32, 32), 24, buckets).num_frames == 9
    with pytest.raises(InputError, match="has 1 frame at 24 a second, and the shortest kind of clip has 9"):
        choose((32, 32), 1, buckets)


def test_pictures_are_cropped_in_the_middle_never_stretched():
    picture = np.zeros((64, 256, 3), np.uint8)
    picture[:, 96:160] = 200
    fitted = fit_to([Bucket(32, 32, 1)])(picture)
    assert fitted.shape == (32, 32, 3) and fitted.min() == 200
    video = as_video(np.stack([fitted, fitted * 0]))
    assert tuple(video.shape) == (3, 2, 32, 32)
    assert video[:, 0].unique().tolist() == pytest.approx([200 / 127.5 - 1]) and video[:, 1].unique().tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [("640x360x193", "multiples of 16"), ("64x64x8", "5 or 9"), ("64x64", "width, height and frames")],
)
def test_kinds_that_cannot_be_are_refused(text: str, words: str):
    with pytest.raises(InputError, match=words):
        parse_bucket(text)
    assert str(parse_bucket("640x352x193")) == "640x352x193"


def test_levels_that_pictures_say_survive_the_codec(tmp_path: Path):
    film = write_film(tmp_path / "film.mkv", steady(24, 51), None)
    assert numbers(np.stack(list(pictures(film)))) == list(range(51)) and STEP * 50 < 256
