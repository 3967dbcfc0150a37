"""Reading media: start offsets, rotation, other containers; and what is no media gets a sentence."""

import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from mova_studio.errors import InputError
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_audio, decode_frames, probe
from mova_studio.media.provenance import read_provenance

RATE = 48000
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = np.zeros((24, 48, 64, 3), np.uint8)
    frames[:, :24, :32] = 255  # the top left corner is white
    audio = np.zeros(RATE, np.float32)
    audio[30000] = 0.9
    path = tmp_path_factory.mktemp("probe") / "take.mp4"
    write_mp4(path, frames, frame_rate=24.0, audio=audio)
    return path


def ffmpeg(*arguments: str) -> None:
    subprocess.run([FFMPEG, "-v", "error", "-y", *arguments], check=True)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_remuxed_files_read_the_same(take: Path, tmp_path: Path, suffix: str):
    copy = tmp_path / f"copy.{suffix}"
    ffmpeg("-i", str(take), "-c", "copy", str(copy))
    info = probe(copy)
    assert info.num_frames == 24 == len(decode_frames(copy))
    assert info.frame_rate == pytest.approx(24.0, abs=0.01)
    assert info.video_seconds == pytest.approx(1.0, abs=0.002)
    assert info.audio_seconds == pytest.approx(1.0, abs=0.03)
    assert decode_audio(copy)[0].shape[1] == pytest.approx(RATE, abs=1500)
    if suffix != "ts":  # a transport stream has nowhere to write the encoder's delay down
        assert abs(np.abs(decode_audio(copy)[0]).argmax() - 30000) <= 48


def test_a_sound_that_starts_later_is_led_in_with_silence(take: Path, tmp_path: Path):
    late = tmp_path / "late.mp4"
    ffmpeg("-i", str(take), "-itsoffset", "0.5", "-i", str(take), "-map", "0:v", "-map", "1:a", "-c", "copy", str(late))
    samples, rate = decode_audio(late)
    assert abs(np.abs(samples).argmax() - (30000 + rate // 2)) <= 48
    assert samples.shape[1] == pytest.approx(1.5 * rate, abs=48)


def test_a_part_cut_by_copying_keeps_its_clock(take: Path, tmp_path: Path):
    part = tmp_path / "part.mp4"
    ffmpeg("-ss", "0.5", "-i", str(take), "-c", "copy", str(part))
    arguments = [FFMPEG, "-v", "error", "-i", str(part), "-f", "f32le", "-ac", "1", "-"]
    by_ffmpeg = np.frombuffer(subprocess.run(arguments, capture_output=True, check=True).stdout, np.float32)
    assert abs(int(np.abs(decode_audio(part)[0]).argmax()) - int(np.abs(by_ffmpeg).argmax())) <= 48


def test_a_turned_video_comes_out_upright(take: Path, tmp_path: Path):
    turned = tmp_path / "turned.mp4"
    ffmpeg(
        "-display_rotation", "90", "-i", str(take), "-c", "copy", str(turned)
    )  # to be shown turned left by 90 degrees
    frame = decode_frames(turned)[0]
    assert frame.shape == (64, 48, 3)
    assert frame[-8, 8].min() > 200  # top left, turned left, is bottom left
    assert frame[8, 8].max() < 60


def test_plain_sound_files_are_read(tmp_path: Path):
    path = tmp_path / "tone.wav"
    samples = (0.5 * np.sin(np.arange(44100) / 10) * 32767).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(samples.tobytes())
    decoded, rate = decode_audio(path)
    assert rate == 44100
    assert np.allclose(decoded[0], samples / 32768, atol=1e-4)
    info = probe(path)
    assert (info.num_frames, info.width, info.audio_seconds) == (0, None, pytest.approx(1.0))
    with pytest.raises(InputError, match="no picture"):
        decode_frames(path)


def test_what_is_no_media_is_named(take: Path, tmp_path: Path):
    folder, empty, text = tmp_path / "folder.mp4", tmp_path / "empty.mp4", tmp_path / "notes.txt"
    folder.mkdir()
    empty.touch()
    text.write_text("hello " * 1000)
    playlist = tmp_path / "playlist.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{take}\n#EXT-X-ENDLIST\n")
    concat = tmp_path / "concat.mp4"
    concat.write_text(f"ffconcat version 1.0\nfile '{take}'\n")
    still = tmp_path / "still.png"
    ffmpeg("-i", str(take), "-frames:v", "1", str(still))
    headless = tmp_path / "headless.mp4"
    headless.write_bytes(b"\0" * 64 + take.read_bytes()[64:])
    cases = {
        folder: "folder",
        empty: "0 bytes",
        text: "not a video",
        playlist: "not a video",  # would make ffmpeg read other files
        concat: "not a video",
        still: "not a video",
        headless: "not a video",
        tmp_path / "nowhere.mp4": "not exist",
    }
    for path, words in cases.items():
        for read in (probe, read_provenance, decode_audio, decode_frames):
            with pytest.raises(InputError, match=words) as refusal:
                read(path)
            assert path.name in refusal.value.message


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_cut_short_is_refused(take: Path, tmp_path: Path, share: float):
    data = take.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"cut short|damaged|neither"):
        probe(cut)
