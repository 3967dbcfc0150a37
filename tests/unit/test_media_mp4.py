"""The written file is measured: frames, lengths, loudness, true peak, colours, and a click where it belongs."""

import math
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from scipy.signal import resample_poly

from mova_studio.errors import Cancelled, InputError, StudioError
from mova_studio.media.aac import encode_levelled
from mova_studio.media.loudness import Loudness, measure
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_audio, decode_frames, probe
from mova_studio.media.rate import exact_rate

RATE = 48000
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def moving_picture(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack(
        [np.stack([columns * 2 + 5 * t, rows * 3 + 2 * t, columns + rows + t], -1) % 256 for t in range(count)]
    ).astype(np.uint8)


def noise(seconds: float, level: float = 0.2, channels: int = 1) -> np.ndarray:
    return (level * np.random.default_rng(1).standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


def bursts(seconds: float) -> np.ndarray:
    """Loud and peaky in stereo: AAC overshoots on this by more than half a decibel."""
    time = np.arange(round(seconds * RATE)) / RATE
    return noise(seconds, 0.9, 2) * np.exp(-12 * (time % 0.25)).astype(np.float32)


def clicks(count: int, places: list[int]) -> np.ndarray:
    train = np.zeros((1, count), np.float32)
    train[0, places] = 0.9
    return train


def ffmpeg_audio(path: Path) -> np.ndarray:
    arguments = [FFMPEG, "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(arguments, capture_output=True, check=True).stdout, np.float32)


def ffmpeg_frame_count(path: Path, width: int, height: int) -> int:
    arguments = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    arguments += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    return len(subprocess.run(arguments, capture_output=True, check=True).stdout) // (width * height)


@pytest.mark.parametrize(
    ("frame_rate", "exact", "count"),
    [
        (24.0, Fraction(24), 49),
        (23.976, Fraction(24000, 1001), 193),
        (29.97, Fraction(30000, 1001), 97),
        (25.0, Fraction(25), 1),
        (12.5, Fraction(25, 2), 13),
        (17.3, Fraction(173, 10), 29),
        (60.0, Fraction(60), 5),
    ],
)
def test_frames_and_both_lengths_are_exact(tmp_path: Path, frame_rate: float, exact: Fraction, count: int):
    path = tmp_path / "take.mp4"
    seconds = count / exact
    written = write_mp4(path, moving_picture(count), frame_rate=frame_rate, audio=noise(float(seconds)))
    assert written.num_frames == count == len(decode_frames(path)) == ffmpeg_frame_count(path, 64, 48)
    assert written.video_seconds == pytest.approx(float(seconds), abs=1e-4)
    assert abs(written.audio_seconds - written.video_seconds) < 1024 / RATE
    assert decode_audio(path)[0].shape[1] == pytest.approx(float(seconds) * RATE, abs=1)
    assert ffmpeg_audio(path).size == pytest.approx(float(seconds) * RATE, abs=1)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == exact
        assert container.streams.video[0].start_time == 0
        assert container.streams.audio[0].start_time == 0


@pytest.mark.parametrize("place", [0, 12345, 48000, 95990])
def test_a_click_comes_out_where_it_went_in(tmp_path: Path, place: int):
    path = tmp_path / "click.mp4"
    write_mp4(path, moving_picture(48), frame_rate=24.0, audio=clicks(2 * RATE, [place]))
    for heard in (decode_audio(path)[0][0], ffmpeg_audio(path)):
        assert abs(int(np.abs(heard).argmax()) - place) <= RATE // 1000


def test_a_flash_and_a_click_stay_together(tmp_path: Path):
    frames = np.zeros((48, 48, 64, 3), np.uint8)
    frames[31] = 255
    path = tmp_path / "sync.mp4"
    write_mp4(path, frames, frame_rate=24.0, audio=clicks(2 * RATE, [31 * 2000]))
    with av.open(str(path)) as container:
        flash = [frame.time for frame in container.decode(video=0) if frame.to_ndarray(format="gray").mean() > 128]
    assert flash == [pytest.approx(31 / 24, abs=1e-6)]
    assert np.abs(decode_audio(path)[0]).argmax() / RATE == pytest.approx(31 / 24, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "audio", "target"),
    [
        ("noise", noise(4.0), -16.0),
        ("bursts", bursts(4.0), -16.0),
        ("bursts", bursts(4.0), -14.0),
        ("full scale", np.clip(noise(4.0, 1.0), -1, 1), -9.0),
        ("quiet", noise(4.0, 0.01), -23.0),
    ],
)
def test_the_decoded_file_keeps_its_loudness_and_its_ceiling(tmp_path: Path, name: str, audio: np.ndarray, target):
    path = tmp_path / "loud.mp4"
    written = write_mp4(path, moving_picture(96), frame_rate=24.0, audio=audio, target_lufs=target)
    heard, rate = decode_audio(path)
    assert written.loudness == measure(heard, rate)
    assert written.loudness.integrated_lufs == pytest.approx(target, abs=0.3)
    assert 20 * math.log10(np.abs(resample_poly(heard.astype(np.float64), 4, 1, axis=-1)).max()) <= -1.0


def test_without_a_target_the_level_stays_and_only_peaks_are_limited(tmp_path: Path):
    path = tmp_path / "as-is.mp4"
    quiet = noise(2.0, 0.02)
    level = measure(quiet, RATE).integrated_lufs
    written = write_mp4(path, moving_picture(48), frame_rate=24.0, audio=quiet, target_lufs=None)
    assert written.loudness.integrated_lufs == pytest.approx(level, abs=0.3)  # AAC drops what is above 20 kHz
    hot = write_mp4(path, moving_picture(48), frame_rate=24.0, audio=8 * bursts(2.0), target_lufs=None)
    assert hot.loudness.true_peak_dbtp <= -1.0


def test_the_ceiling_is_kept_when_every_encoding_overshoots_anew():
    # One sample per AAC frame: the worst that the codec can be given.
    encoded = encode_levelled(clicks(RATE, list(range(100, RATE, 1024))), target_lufs=-5.0, ceiling_dbtp=-3.0)
    assert encoded.loudness.true_peak_dbtp <= -3.0


def test_silence_and_short_sound_are_written_and_measured_as_none(tmp_path: Path):
    path = tmp_path / "quiet.mp4"
    silent = write_mp4(path, moving_picture(24), frame_rate=24.0, audio=np.zeros(RATE, np.float32))
    assert silent.loudness == Loudness(None, None)
    assert silent.audio_seconds == pytest.approx(1.0)
    short = write_mp4(path, moving_picture(9), frame_rate=24.0, audio=noise(9 / 24))
    assert short.loudness.integrated_lufs is None
    assert short.loudness.true_peak_dbtp <= -1.0


def test_no_sound_means_no_sound_track(tmp_path: Path):
    path = tmp_path / "mute.mp4"
    written = write_mp4(path, moving_picture(24), frame_rate=24.0, audio=None)
    info = probe(path)
    assert (info.num_frames, info.audio_codec, info.audio_seconds) == (24, None, 0.0)
    assert written.loudness == Loudness(None, None)
    with pytest.raises(InputError, match="no sound"):
        decode_audio(path)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 3.0])
def test_sound_is_cut_or_led_out_to_the_picture(tmp_path: Path, seconds: float):
    path = tmp_path / "fit.mp4"
    write_mp4(path, moving_picture(48), frame_rate=24.0, audio=noise(seconds))
    heard, _ = decode_audio(path)
    assert heard.shape == (1, 2 * RATE)
    assert (np.abs(heard[0, -RATE // 2 :]).max() < 1e-3) == (seconds < 2)


def test_sound_at_another_rate_keeps_its_length_and_pitch(tmp_path: Path):
    path = tmp_path / "rate.mp4"
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(2 * 44100) / 44100)
    write_mp4(path, moving_picture(48), frame_rate=24.0, audio=tone.astype(np.float32), sample_rate=44100)
    heard, rate = decode_audio(path)
    assert rate == RATE
    assert np.abs(np.fft.rfft(heard[0])).argmax() * RATE / heard.shape[1] == pytest.approx(1000, abs=1)


def test_colours_survive_and_are_tagged(tmp_path: Path):
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [128, 128, 128], [200, 100, 50]]
    frame = np.repeat(np.repeat(np.array([colours], np.uint8), 64, 0), 64, 1)
    path = tmp_path / "colours.mp4"
    write_mp4(path, np.stack([frame] * 5), frame_rate=24.0, audio=None)
    decoded = decode_frames(path)[2]
    middles = decoded[32, 32::64].astype(int)
    assert np.abs(middles - colours).max() <= 4
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
    arguments = [FFMPEG, "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(arguments, capture_output=True, check=True).stdout
    assert np.abs(np.frombuffer(raw, np.uint8).reshape(frame.shape)[32, 32::64].astype(int) - colours).max() <= 6


def test_the_file_is_what_players_expect(tmp_path: Path):
    path = tmp_path / "take: 1 ‘q’ 视频.mp4"
    write_mp4(path, moving_picture(24), frame_rate=24.0, audio=noise(1.0, channels=2), title="line one\nline \x00two")
    info = probe(path)
    assert (info.video_codec, info.audio_codec, info.pixel_format) == ("h264", "aac", "yuv420p")
    assert (info.sample_rate, info.channels, info.width, info.height) == (RATE, 2, 64, 48)
    assert info.frame_rate == 24.0
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")  # faststart
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "line one line two"


def test_frames_may_come_one_by_one_and_progress_rises(tmp_path: Path):
    frames = moving_picture(24)
    shares: list[float] = []
    path = tmp_path / "lazy.mp4"
    lazy = write_mp4(path, (frame for frame in frames), frame_rate=24.0, audio=noise(1.0), on_progress=shares.append)
    assert lazy.num_frames == 24
    assert shares == sorted(shares) and shares[-1] == 1.0
    one_by_one = decode_frames(path)
    at_once: list[float] = []
    write_mp4(path, frames, frame_rate=24.0, audio=noise(1.0), on_progress=at_once.append)
    assert np.array_equal(decode_frames(path), one_by_one)
    assert at_once == sorted(at_once) and len(at_once) > 24


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"audio": np.full(RATE, np.nan, np.float32)}, "not numbers"),
        ({"audio": np.full((1, RATE), np.inf, np.float32)}, "not numbers"),
        ({"audio": np.zeros((3, RATE), np.float32)}, "3 channels"),
        ({"audio": np.zeros((1, 1, 9), np.float32)}, "shape"),
        ({"frames": np.zeros((4, 47, 64, 3), np.uint8)}, "even"),
        ({"frames": np.zeros((4, 48, 64), np.uint8)}, "shape"),
        ({"frames": np.zeros((4, 48, 64, 3), np.float32)}, "uint8"),
        ({"frames": np.zeros((0, 48, 64, 3), np.uint8)}, "no frame"),
        ({"frames": [np.zeros((48, 64, 3), np.uint8), np.zeros((64, 48, 3), np.uint8)]}, "alike"),
        ({"frame_rate": math.nan}, "frames per second"),
        ({"frame_rate": 0.0}, "frames per second"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path, change: dict, words: str):
    given = {"frames": moving_picture(4), "frame_rate": 24.0, "audio": None, **change}
    with pytest.raises(InputError, match=words):
        write_mp4(tmp_path / "bad.mp4", given.pop("frames"), **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [0, 10, 25])
def test_cancelling_leaves_the_old_file_untouched(tmp_path: Path, after: int):
    path = tmp_path / "take.mp4"
    path.write_bytes(b"the old take")
    asked = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) > after

    with pytest.raises(Cancelled):
        write_mp4(path, moving_picture(24), frame_rate=24.0, audio=noise(1.0), cancelled=cancelled)
    assert path.read_bytes() == b"the old take"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("height", "width"), [(96, 160), (176, 320)])
def test_the_same_take_gives_the_same_file(tmp_path: Path, height: int, width: int):
    frames = moving_picture(24, height, width)
    files = set()
    for number in range(4):
        path = tmp_path / f"{number}.mp4"
        write_mp4(path, frames, frame_rate=24.0, audio=noise(1.0))
        files.add(path.read_bytes())
    assert len(files) == 1


def test_a_failing_source_of_frames_leaves_nothing(tmp_path: Path):
    def broken():
        yield from moving_picture(5)
        raise StudioError("The decoder stopped.")

    with pytest.raises(StudioError, match="decoder stopped"):
        write_mp4(tmp_path / "take.mp4", broken(), frame_rate=24.0, audio=noise(1.0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (23.98, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24.0, 24),
        (30.0, 30),
        (14.985, Fraction(2997, 200)),
    ],
)
def test_exact_rate(given: float, meant: Fraction):
    assert exact_rate(given) == meant
