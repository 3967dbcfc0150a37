"""What made a take is inside its mp4, word for word, and stays there when the file is copied into another."""

import io
import re
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mova_studio.errors import InputError
from mova_studio.media.images import encode_png
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_frames, probe
from mova_studio.media.provenance import Provenance, read_provenance, to_tags

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PICTURE = np.full((5, 48, 64, 3), 99, np.uint8)
PROMPT = '一只猫 says “hi” \\ "ok" 😀🏳️‍🌈\nline two\r\n\ttab \x00\x01\x1b[31m \x7f ; = # [x]\u2028end'


def write(path: Path, provenance: Provenance | None, title: str = "") -> None:
    write_mp4(path, PICTURE, frame_rate=24.0, audio=np.zeros(10000, np.float32), provenance=provenance, title=title)


def big_png() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    return encode_png(Image.fromarray(pixels))


def test_record_and_pictures_come_back_and_survive_a_plain_copy(tmp_path: Path):
    png = big_png()
    assert len(png) > 2_900_000
    kept = Provenance(
        {"shot": {"prompt": PROMPT, "seed": 2**63 - 1, "scale": 0.1, "none": None, "list": [1, [2.5, "x"]]}},
        {"first_frame": png, "last_frame": b"\x89PNG"},
    )
    path, copy, again = tmp_path / "take.mp4", tmp_path / "copy.mp4", tmp_path / "again.mp4"
    write(path, kept, title=PROMPT)
    for source, target in ((path, copy), (copy, again)):
        subprocess.run([FFMPEG, "-v", "error", "-i", str(source), "-c", "copy", str(target)], check=True)
    for file in (path, copy, again):
        assert read_provenance(file) == kept
        info = probe(file)
        assert (info.num_frames, len(decode_frames(file))) == (5, 5)
        assert info.video_seconds == pytest.approx(5 / 24, abs=1e-3)
        with av.open(str(file)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            assert container.duration == pytest.approx(5 / 24 * 1e6, abs=1000)
            assert container.metadata["title"].startswith("一只猫 says “hi”")
            assert "inspect" in container.metadata["comment"]
    image = Image.open(io.BytesIO(read_provenance(again).images["first_frame"]))
    assert image.size == (1000, 1000)


@given(
    record=st.dictionaries(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    ),
    images=st.dictionaries(st.text(max_size=10), st.binary(max_size=200), max_size=2),
    title=st.text(max_size=300),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was(tmp_path: Path, record: dict, images: dict, title: str):
    path = tmp_path / "take.mp4"
    write(path, Provenance(record, images), title)
    assert read_provenance(path) == Provenance(record, images)


def test_a_file_of_somebody_else_has_none(tmp_path: Path):
    plain = tmp_path / "plain.mp4"
    write(plain, None, title="A title")
    assert read_provenance(plain) is None
    other = tmp_path / "other.mp4"
    arguments = [FFMPEG, "-v", "error", "-i", str(plain), "-c", "copy", "-metadata", "synopsis=A story.", str(other)]
    subprocess.run(arguments, check=True)
    assert read_provenance(other) is None


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (rb'"seed": 7', b'"seed": 8'),
        (rb'"record": \{', b'"record": ['),
        (rb'"sha256": "[0-9a-f]{4}', b'"sha256": "zzzz'),
        (rb'"first_frame": "AAAA', b'"first_frame": "A!AA'),
        (rb'"images"', b'"imagez"'),
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, pattern: bytes, replacement: bytes):
    path = tmp_path / "take.mp4"
    write(path, Provenance({"seed": 7}, {"first_frame": bytes(90)}))
    data, count = re.subn(pattern, replacement, path.read_bytes())
    assert count == 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read_provenance(path)


def test_a_record_of_a_newer_version_says_so(tmp_path: Path):
    path = tmp_path / "take.mp4"
    write(path, Provenance({"seed": 7}))
    path.write_bytes(path.read_bytes().replace(b'"mova_studio": 1', b'"mova_studio": 9'))
    with pytest.raises(InputError, match="newer version"):
        read_provenance(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path, value):
    with pytest.raises(InputError, match="cannot be kept"):
        write(tmp_path / "take.mp4", Provenance({"guidance": value}))
    assert list(tmp_path.iterdir()) == []


def test_the_title_is_one_short_line():
    assert to_tags(None, " a\n\tb\x00c ") == {"title": "a b c"}
    assert to_tags(None, "\ud800x") == {"title": "x"}
    assert to_tags(None, "\n") == {}
    assert len(to_tags(None, "word " * 100)["title"]) == 200
