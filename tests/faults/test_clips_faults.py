"""Clips and captions as people really have them: used, or skipped with a sentence; a full disk costs nothing."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from clip_films import clicks, write_film

from mova_studio.cli import main
from mova_studio.errors import InputError
from mova_studio.media.mp4 import write_mp4
from mova_studio.training.clips.cache import LatentCache
from mova_studio.training.clips.decode import read_clip
from mova_studio.ui.translated import translate

TIMES = [n / 24 for n in range(9)]
KIND = ["--kind", "32x32x9"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """An mp4 whose index stands in front, so that a part of it can still be opened."""
    rng = np.random.default_rng(0)
    frames = np.clip(rng.normal(128, 40, (9, 32, 32, 3)), 0, 255).astype(np.uint8)
    file = tmp_path_factory.mktemp("whole") / "whole.mp4"
    write_mp4(file, frames, frame_rate=24.0, audio=rng.normal(0, 0.1, (2, 18_000)).astype(np.float32))
    return file


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 192 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def film(path: Path, caption: bytes | None = b"A ball", times=TIMES, sound=None, **how) -> Path:
    if caption is not None:
        path.with_suffix(".txt").write_bytes(caption)
    return write_film(path, times, clicks([0.1], 0.4) if sound is None else sound, size=(32, 32), **how)


def encode(clips: Path, cache: Path, checkpoint: Path, capsys, code: int = 0) -> dict:
    arguments = ["train", "encode", str(clips), "--out", str(cache), "--checkpoint", str(checkpoint), *KIND]
    assert main([*arguments, "--device", "cpu", "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_every_clip_is_used_or_skipped_with_a_sentence(tmp_path, tiny_checkpoint, whole, capsys):
    clips = tmp_path / "clips"
    clips.mkdir()
    tone = np.sin(np.arange(20_000) / 9).astype(np.float32)
    film(clips / "variable.mkv", times=[0, 0.02, 0.1, 0.11, 0.3, 0.4])
    film(clips / "stereo.mov", sound=np.stack([tone, -tone]), layout="stereo")
    film(clips / "surround.mov", sound=np.stack([tone] * 6), layout="5.1")
    film(clips / "telephone.mov", sound=tone[None, :4000], rate=8000)
    film(clips / "short_sound.mov", sound=tone[None, :100])
    film(clips / "one_frame.mov", times=[0.0])
    write_film(clips / "silent.mov", TIMES, None, size=(32, 32))
    (clips / "silent.txt").write_text("A ball")
    (clips / "broken.mp4").write_bytes(b"no film at all" * 100)
    (clips / "empty.mp4").write_bytes(b"")
    (clips / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    for name in ("broken", "empty", "cut"):
        (clips / f"{name}.txt").write_text("A ball")
    film(clips / "words_missing.mov", None)
    film(clips / "words_empty.mov", b"\r\n ")
    film(clips / "words_binary.mov", bytes(range(256)))
    film(clips / "words_utf16.mov", "一只红球".encode("utf-16"))
    film(clips / "words_gb.mov", "一只红球".encode("gb18030"))
    answer = encode(clips, tmp_path / "cache", tiny_checkpoint, capsys)
    cache = LatentCache(tmp_path / "cache")
    assert {row.name.partition(".")[0]: row.caption for row in cache.rows} == {
        **dict.fromkeys(["variable", "stereo", "surround", "telephone", "short_sound"], "A ball"),
        **dict.fromkeys(["words_utf16", "words_gb"], "一只红球"),
    }
    assert len(cache[:]) == 7
    assert (answer["made"], answer["kept"]) == (6, 1)  # the last two are the same film
    skipped = {each["name"].partition(".")[0]: each["reason"] for each in answer["skipped"]}
    for name, words in {
        "one_frame": "It has 1 frame at 24 a second",
        "silent": "no sound",
        "broken": "damaged or not a video",
        "empty": "empty (0 bytes)",
        "cut": "is cut short",
        "words_missing": "It has no caption; write one into words_missing.txt.",
        "words_empty": "The caption is empty",
        "words_binary": "save it as UTF-8",
    }.items():
        reason = skipped.pop(name)
        assert words in reason
        chinese = translate("zh", f"{name}.mov: {reason}")
        assert chinese.startswith(f"{name}.mov：") and not re.search("[a-z]{2,} [a-z]{2,}", chinese), chinese
    assert skipped == {}


def test_a_film_cut_at_any_byte_is_whole_or_named(whole, tmp_path):
    content = whole.read_bytes()
    expected = read_clip(whole, 9)
    part = tmp_path / "part.mp4"
    for cut in [0, 1, 7, 8, 40, *range(500, len(content), len(content) // 25), len(content) - 1]:
        part.write_bytes(content[:cut])
        with pytest.raises(InputError) as caught:
            read_clip(part, 9)
        assert str(part) in caught.value.message and caught.value.message.endswith(".")
    part.write_bytes(content)
    assert np.array_equal(read_clip(part, 9).frames, expected.frames)


def test_altered_bytes_are_a_clip_or_a_sentence(tmp_path):
    content = film(tmp_path / "film.mkv").read_bytes()
    rng = np.random.default_rng(1)
    part = tmp_path / "altered.mkv"
    for _ in range(40):
        altered = bytearray(content)
        for place in rng.integers(0, len(content), 5):
            altered[place] ^= int(rng.integers(1, 256))
        part.write_bytes(altered)
        try:
            clip = read_clip(part, 9)
        except InputError as error:
            assert error.message.endswith(".")
        else:
            assert clip.audio.size == 2000 * len(clip.frames) and np.isfinite(clip.audio).all()


def test_a_full_disk_is_said_and_the_next_run_goes_on(small_disk, tmp_path, tiny_checkpoint, capsys):
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(4):
        film(clips / f"{number}.mov", f"Ball {number}".encode(), sound=clicks([0.01 * number], 0.4))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 138_000)
    answer = encode(clips, small_disk / "cache", tiny_checkpoint, capsys, code=4)
    assert "disk is full" in answer["error"]["message"]
    assert not [file for file in small_disk.rglob(".*") if file.is_file()]
    with pytest.raises(InputError, match="no finished cache"):
        LatentCache(small_disk / "cache")
    kept = len(list((small_disk / "cache" / "clips").glob("*")))
    assert 0 < kept < 4
    filler.unlink()
    answer = encode(clips, small_disk / "cache", tiny_checkpoint, capsys)
    assert (answer["kept"], answer["made"]) == (kept, 4 - kept)
    assert answer["kinds"] == {"32x32x9": 4}


def test_a_place_that_cannot_be_written_is_found_out_at_once(tmp_path, tiny_checkpoint, capsys):
    film(tmp_path / "0.mov")
    (tmp_path / "file").write_text("x")
    answer = encode(tmp_path, tmp_path / "file" / "cache", tiny_checkpoint, capsys, code=4)
    assert "a part of that path is a file" in answer["error"]["message"]


def raw_film(path: Path, seed: int, **how) -> Path:
    rng = np.random.default_rng(seed)
    texture = rng.integers(0, 255, (8, 8, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    pictures = [np.roll(texture, 2 * shift, axis=1) for shift in range(12)]
    sound = rng.normal(0, 0.1, (1, 24_000)).astype(np.float32)
    return write_film(path, [n / 24 for n in range(12)], sound, size=(32, 32), pictures=pictures, **how)


def prepare(raw: Path, out: Path, capsys, code: int = 0) -> dict:
    arguments = ["train", "prepare", str(raw), "--out", str(out), "--seconds", "0.375", "--size", "32x32", "--json"]
    assert main(arguments) == code
    return json.loads(capsys.readouterr().out)


def test_raw_films_that_are_broken_are_named_and_the_others_prepared(tmp_path, whole, capsys):
    raw = tmp_path / "raw"
    raw.mkdir()
    raw_film(raw / "good.mov", 0)
    for name, share in (("cut_index", 0.01), ("cut_early", 0.3), ("cut_late", 0.99)):
        (raw / f"{name}.mp4").write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    (raw / "text.mp4").write_text("no film")
    write_film(raw / "one_frame.mov", [0.0], clicks([0.1], 0.4), size=(32, 32))
    write_film(raw / "jumps.mkv", [0, 0.04, 900.0], clicks([0.1], 0.4), size=(32, 32))
    write_film(raw / "silent.mov", TIMES, None, size=(32, 32))
    answer = prepare(raw, tmp_path / "out", capsys)
    assert answer["clips"] == 1
    reasons = {fault["name"].partition(".")[0]: fault["reason"] for fault in answer["faults"]}
    for name, words in {
        "cut_index": "neither picture nor sound that can be read",
        "cut_early": "cut short",
        "cut_late": "cut short",
        "text": "damaged or not a video",
        "jumps": "clock jumps by 900 s",
        "silent": "no sound",
    }.items():
        assert words in reasons.pop(name)
    assert reasons == {} and answer["dropped"]["no whole clip left in the scene"] > 0


def test_preparing_goes_on_after_a_full_disk_and_a_damaged_record(small_disk, tmp_path, capsys):
    raw = tmp_path / "raw"
    raw.mkdir()
    out = small_disk / "out"
    for number in range(5):
        raw_film(raw / f"{number}.mov", number)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 138_000)
    answer = prepare(raw, out, capsys, code=4)
    assert "disk is full" in answer["error"]["message"]
    kept = {file: file.stat().st_mtime_ns for file in (out / "clips").iterdir()}
    assert 1 < len(kept) < 5 and all(read_clip(file, 9).audio.size == 18_000 for file in kept)
    filler.unlink()
    assert prepare(raw, out, capsys)["clips"] == 5
    # The last one may have been written without its record.
    assert sum(file.stat().st_mtime_ns == time for file, time in kept.items()) >= len(kept) - 1
    for record in (out / ".prepare").iterdir():
        record.write_bytes(record.read_bytes()[:-20])
    assert prepare(raw, out, capsys)["clips"] == 5
