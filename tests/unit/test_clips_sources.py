"""Clips are found in folders, in metadata.json and in shards; captions are read whatever wrote them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from clip_films import clicks, numbers, write_film
from hypothesis import given
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.training.clips.captions import MAX_BYTES, decode_caption
from mova_studio.training.clips.decode import read_clip
from mova_studio.training.clips.sources import list_clips

CHINESE = "一只红球落在木头上，发出低沉的声音。"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mov", [n / 24 for n in range(9)], clicks([0.1], 0.4))


def shard_of(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as shard:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_chinese_captions_in_every_encoding(encoding: str):
    assert decode_caption(f"  {CHINESE}\r\n".encode(encoding)) == CHINESE


@pytest.mark.parametrize("text", ["A naïve café", "Ein Ball fällt auf Holz", "“Quoted” – and dashes"])
def test_accents_are_not_taken_for_chinese(text: str):
    assert decode_caption(text.encode("cp1252")) == text
    assert decode_caption(text.encode("utf-8")) == text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=50))
def test_utf_8_is_always_read_as_it_is(text: str):
    assert decode_caption(text.encode("utf-8")) == text.removeprefix("\ufeff") or not text.strip("\ufeff")


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_a_sentence(written: bytes):
    try:
        assert decode_caption(written).strip()
    except InputError as error:
        assert error.message.endswith(".")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b" \r\n\t", "empty"),
        ("A ball".encode("utf-16-le"), "save it as UTF-8"),
        (b"\x00\x01\x02\xff", "save it as UTF-8"),
        (b"a" * (MAX_BYTES + 1), "shorten it"),
    ],
)
def test_what_is_no_caption_gets_a_sentence(written: bytes, words: str):
    with pytest.raises(InputError, match=words):
        decode_caption(written)


def test_a_folder_with_captions_beside_its_videos(tmp_path: Path, film: Path):
    for name, caption in [
        ("b.MP4", CHINESE.encode("gb18030")),
        ("sub/a.mov", b"A ball"),
        ("c.mkv", b" "),
        ("d.mp4", None),
    ]:
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(film.read_bytes())
        if caption is not None:
            target.with_suffix(".txt").write_bytes(caption)
    (tmp_path / ".hidden.mp4").write_bytes(b"x")
    (tmp_path / "readme.md").write_text("no video")
    listing = list_clips(tmp_path)
    assert {clip.name: clip.caption for clip in listing.clips} == {
        "b.MP4": CHINESE,
        "c.mkv": "",
        "d.mp4": "",
        "sub/a.mov": "A ball",
    }
    reasons = {clip.name: clip.no_caption for clip in listing.clips}
    assert "c.txt" in reasons["c.mkv"] and "empty" in reasons["c.mkv"]
    assert "no caption" in reasons["d.mp4"] and "d.txt" in reasons["d.mp4"]
    assert listing == list_clips(tmp_path)


def test_metadata_names_files_of_its_own_folder_only(tmp_path: Path, film: Path):
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "一.mov").write_bytes(film.read_bytes())
    rows = [
        {"video_path": "一.mov", "caption": CHINESE},
        {"video_path": str(folder / "一.mov"), "caption": "again"},
        {"video_path": "../film.mov", "caption": "outside"},
        {"video_path": "/etc/passwd", "caption": "outside"},
        {"video_path": "gone.mov", "caption": "x"},
        {"caption": "no path"},
        "nonsense",
        {"video_path": "一.mov", "caption": ["a list"]},
    ]
    (folder / "metadata.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8-sig")
    listing = list_clips(folder)
    assert [(clip.name, clip.caption) for clip in listing.clips] == [
        ("一.mov", CHINESE),
        ("一.mov", "again"),
        ("一.mov", ""),
    ]
    assert [skipped.name for skipped in listing.skipped] == [
        "../film.mov",
        "/etc/passwd",
        "gone.mov",
        "metadata.json entry 6",
        "metadata.json entry 7",
    ]
    assert "outside" in listing.skipped[0].reason and "does not exist" in listing.skipped[2].reason
    assert list_clips(folder / "metadata.json") == listing


def test_shards_are_read_in_place(tmp_path: Path, film: Path):
    content = film.read_bytes()
    members = {
        "000.mov": content,
        "000.txt": CHINESE.encode("utf-16"),
        "a/001.json": json.dumps({"caption": "Röhre"}).encode(),
        "a/001.mov": content,
        "../../evil.mov": content,
        "002.other.txt": b"not a caption",
        "002.mov": content,
    }
    listing = list_clips(shard_of(tmp_path / "shard-0.tar", members))
    assert [(clip.name, clip.caption) for clip in listing.clips] == [
        ("shard-0.tar/000.mov", CHINESE),
        ("shard-0.tar/a/001.mov", "Röhre"),
        ("shard-0.tar/../../evil.mov", ""),
        ("shard-0.tar/002.mov", ""),
    ]
    assert all(numbers(read_clip(clip.media(), 9).frames) == list(range(9)) for clip in listing.clips)
    assert len({clip.digest() for clip in listing.clips}) == 1
    assert [file.name for file in tmp_path.parent.rglob("evil*")] == []
    assert list_clips(tmp_path) == listing


def test_a_shard_that_is_cut_short_gives_what_is_whole(tmp_path: Path, film: Path):
    whole = shard_of(tmp_path / "whole.tar", {f"{n}.mov": film.read_bytes() for n in range(3)})
    size = film.stat().st_size
    for cut in (600, 512 + size // 2, 512 * (size // 512 + 2) + 700, whole.stat().st_size - 9000 - size):
        part = tmp_path / "part.tar"
        part.write_bytes(whole.read_bytes()[:cut])
        listing = list_clips(part)
        assert listing.skipped and all(skipped.reason for skipped in listing.skipped)
        for clip in listing.clips:
            assert numbers(read_clip(clip.media(), 9).frames) == list(range(9))


def test_what_is_no_place_of_clips_gets_a_sentence(tmp_path: Path, film: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    compressed = shard_of(tmp_path / "a.tar", {"0.mov": film.read_bytes()}, "w:gz")
    (tmp_path / "metadata.json").write_text("{]")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "metadata.json").write_text("[]")
    (tmp_path / "b.json").write_text('{"video_path": "x"}')
    for place, words in [
        (empty, "holds no clip"),
        (nothing, "metadata.json lists no clip"),
        (compressed, "unpack it"),
        (tmp_path, "no JSON"),
        (tmp_path / "b.json", "must be a list"),
        (tmp_path / "gone", "is no folder"),
        (tmp_path / "gone.tar", "No such file"),
        (tmp_path / "gone.json", "cannot be read"),
    ]:
        with pytest.raises(InputError, match=words):
            list_clips(place)
