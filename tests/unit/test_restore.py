"""Settings come back out of takes, stills and JSON; what is hostile gets a sentence."""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
import subprocess
import time
import zlib
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mova_studio.errors import InputError
from mova_studio.library.own_presets import OwnPresets
from mova_studio.library.presets import RENDER_PRESETS
from mova_studio.library.provenance import describe_take
from mova_studio.library.restore import MAX_FILE, restore_from
from mova_studio.library.shot import Shot
from mova_studio.media.images import encode_png
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.png_record import SIGNATURE, embed, read_png_record
from mova_studio.media.provenance import Provenance, pack
from mova_studio.media.stills import still_from_end

FIRST = encode_png(Image.radial_gradient("L").convert("RGB").resize((96, 64)))
PROMPT = '<img src=x onerror=alert(1)> "ok" 😀🏳️‍🌈 שלום \u202eabc\x00\x1b[31m\r\nend'
SHOT = Shot(PROMPT, "anyone/else", "no \u2028", FIRST, None, 96, 64, 13, 25.0, 7, target_lufs=None, step_cache="light")
SEED = 2**62 + 1
FRAMES = np.stack([np.full((64, 96, 3), 20 * index, np.uint8) for index in range(13)])


def record(shot: Shot = SHOT) -> Provenance:
    return describe_take(
        shot, SEED, checkpoint="0", untrained=True, plan={}, seconds={}, program="0", created="", notes=()
    )


def take(folder: Path, provenance: Provenance | None) -> Path:
    path = folder / "take.mp4"
    write_mp4(path, FRAMES, frame_rate=24.0, audio=np.zeros(26000, np.float32), provenance=provenance, title="")
    return path


def written(folder: Path, values: object, name: str = "x.json") -> Path:
    path = folder / name
    path.write_text(values if isinstance(values, str) else json.dumps(values), "utf-8")
    return path


def same_shot(path: Path, shot: Shot = SHOT) -> bool:
    restored = restore_from(path)
    whole = Shot(model=restored.model, **restored.settings, **restored.frames)
    return whole == shot and restored.seed == SEED and restored.notes == ()


def test_everything_comes_back_from_an_mp4_and_a_png(tmp_path: Path) -> None:
    mp4 = take(tmp_path, record())
    assert same_shot(mp4)
    still = tmp_path / "still.png"
    still.write_bytes(embed(encode_png(still_from_end(mp4)), record()))
    assert same_shot(still)
    with Image.open(still) as image:
        image.load()
        assert image.size == (96, 64) and json.loads(image.text["mova_studio"])["mova_studio"] == 1
    assert same_shot(mp4.rename(tmp_path / "renamed.json")), "content counts, not the name"


def test_stills_are_counted_from_the_end(tmp_path: Path) -> None:
    mp4 = take(tmp_path, None)
    for count in (1, 4, 13):
        assert abs(np.asarray(still_from_end(mp4, count)).mean() - 20 * (13 - count)) < 4
    with pytest.raises(InputError, match=r"take\.mp4 has 13 pictures"):
        still_from_end(mp4, 14)


def test_everything_comes_back_from_json(tmp_path: Path) -> None:
    assert same_shot(written(tmp_path, pack(record())))
    assert same_shot(written(tmp_path, "\ufeff \n" + json.dumps({"shot": SHOT.to_dict(), "seed": SEED, "size": 1})))
    assert same_shot(written(tmp_path, SHOT.to_dict() | {"seed": SEED}))


def test_what_json_leaves_out_is_left_alone(tmp_path: Path) -> None:
    inspected = {"media": {}, "provenance": record().record, "images": {"first_frame": {"width": 96}}}
    info = SHOT.to_dict() | {"has_first_frame": True, "has_last_frame": False}
    del info["first_frame"], info["last_frame"]
    for values in (inspected, {"shot": info, "seed": SEED, "name": "x"}):
        restored = restore_from(written(tmp_path, values))
        assert restored.frames == {"last_frame": None} if "media" in values else "first_frame" not in restored.frames
        assert restored.seed == SEED and "does not hold them" in restored.notes[0]
        assert restored.settings["prompt"] == PROMPT
    partial = restore_from(written(tmp_path, {"prompt": "A bell.", "num_inference_steps": 9}))
    assert partial.settings == {"prompt": "A bell.", "num_inference_steps": 9} and partial.frames == {}
    assert restore_from(RENDER_PRESETS / "mova-720p.json").settings["width"] == 1280
    own = OwnPresets(tmp_path)
    preset = restore_from(own.find(own.save("shot", "Mine", "A bell.", {"width": 96})).path)
    assert preset.settings == {"width": 96} and preset.prompts == {"en": "A bell.", "zh": "A bell."}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(text: bytes) -> bytes:
    plain = encode_png(Image.new("RGB", (16, 16)))
    return plain[:33] + chunk(b"iTXt", b"mova_studio\0" + text) + plain[33:]


HOSTILE = {
    "an empty file": (b"", "is empty"),
    "text": (b"hello", "no mp4, PNG or JSON file"),
    "deep JSON": (b"[" * 10**6, "holds about 1000000 values"),
    "deep JSON within bounds": (b'{"a":' * 90_000, "nested too deeply"),
    "cut JSON": (b'{"prompt": "A b', "not whole JSON"),
    "a long number": (b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}", "not whole JSON"),
    "a list": (b"[{}]", "is a list of 1 things"),
    "foreign JSON": (b'{"nodes": []}', "holds no settings of MOVA Studio"),
    "an unknown field": (b'{"prompt": "a", "hair": 1}', "no field hair; it was written by a newer version"),
    "NaN": (b'{"prompt": "a", "guidance_scale": NaN}', "NaN is not a number"),
    "half a letter": (b'{"prompt": "\\ud83d"}', "lone surrogate"),
    "a huge prompt": (json.dumps({"prompt": "a" * 30_000}).encode(), "at most 20000 are taken"),
    "a wrong seed": (b'{"prompt": "a", "seed": -4}', "The seed in the file is -4"),
    "no picture": (
        json.dumps({"prompt": "a", "first_frame": "aGk="}).encode(),
        "The first frame in the file is no PNG",
    ),
    "a cut picture": (
        json.dumps({"prompt": "a", "first_frame": base64.b64encode(FIRST[:200]).decode()}).encode(),
        "damaged or cut short",
    ),
    "a picture that claims too much": (
        json.dumps(
            {"prompt": "a", "first_frame": base64.b64encode(FIRST[:16] + b"\0\1" * 4 + FIRST[24:]).decode()}
        ).encode(),
        "no PNG of up to 2048",
    ),
    "a preset": (b'{"format": 1, "kind": "shot", "name": "a", "settings": {}}', "A shot preset needs a prompt"),
    "a render preset": (b'{"checkpoint": "demo", "limits": null}', "no whole render preset"),
    "inspected without a record": (b'{"media": {}, "provenance": null}', "holds no settings of MOVA Studio"),
    "inspected oddly": (b'{"media": {}, "provenance": {"format": 1, "shot": 5}, "images": 5}', "there is no shot"),
    "a newer record": (b'{"media": {}, "provenance": {"format": 9}}', "has format 9 and this version reads 1"),
    "a newer packing": (b'{"mova_studio": 9}', "written by a newer version"),
    "a wrong checksum": (pack(record()).replace("light", "off").encode(), "checksum does not fit"),
    "a plain PNG": (FIRST, "holds no settings of MOVA Studio"),
    "a cut PNG": (SIGNATURE + b"\0\0", "damaged or cut short"),
    "a PNG chunk that lies": (SIGNATURE + b"\xff\xff\xff\xffiTXt" + b"x" * 99, "damaged or cut short"),
    "a PNG bomb": (png_with(b"\1\0\0\0" + zlib.compress(b"\0" * 2**27, 9)), "unpacks to more than 40 MiB"),
    "a PNG with noise": (png_with(b"\1\0\0\0abc"), "damaged and cannot be read"),
    "a PNG without fields": (png_with(b""), "not whole JSON"),
    "a PNG with deep JSON": (png_with(b"\0\0\0\0" + b"[" * 90_000), "nested too deeply"),
    "a PNG of many chunks": (SIGNATURE + chunk(b"teSt", b"") * 100_001, "more than 100000 parts"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_a_sentence_soon(tmp_path: Path, name: str) -> None:
    content, said = HOSTILE[name]
    path = tmp_path / "dropped"
    path.write_bytes(content)
    started = time.process_time()
    with pytest.raises(InputError, match=said) as caught:
        restore_from(path)
    assert time.process_time() - started < 2
    assert str(tmp_path) not in caught.value.message and len(caught.value.message) < 400


def test_other_programs_are_named(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "{}")
    Image.new("RGB", (8, 8)).save(tmp_path / "comfy.png", pnginfo=info)
    with pytest.raises(InputError, match="another program \\(ComfyUI\\)"):
        restore_from(tmp_path / "comfy.png")


def test_mp4_tags_that_are_broken(tmp_path: Path) -> None:
    mp4 = take(tmp_path, record())
    for tag, said in (
        ('{"mova_studio": 1, "record": ' + "[" * 5000, "nested too deeply|not whole JSON"),
        ('{"mova_studio": 1}', "damaged"),
        ('{"mova_studio": 2}', "newer version"),
        ("by hand", "holds no settings"),
    ):
        broken = tmp_path / "broken.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(mp4), "-c", "copy"]
        subprocess.run([*command, "-metadata", f"synopsis={tag}", str(broken)], check=True)
        with pytest.raises(InputError, match=said) as caught:
            restore_from(broken)
        assert str(tmp_path) not in caught.value.message
    half = tmp_path / "half.mp4"
    half.write_bytes(mp4.read_bytes()[:3000])
    with pytest.raises(InputError):
        restore_from(half)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(InputError, match="64 MiB and at most 64"):
        restore_from(path)
    missing = tmp_path / "gone.png"
    with pytest.raises(InputError, match=r"gone\.png cannot be read"):
        restore_from(missing)


@given(data=st.binary(max_size=300), at=st.integers(0, 5))
def test_any_bytes_get_a_record_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    start = (b"", b"{", SIGNATURE, embed(FIRST, record())[: 40 + len(data)], b'{"prompt": "a", ', png_with(data))[at]
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(start + data)
    try:
        restored = restore_from(path)
    except InputError:
        return
    assert dataclasses.asdict(restored)


def test_a_record_needs_a_png(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no PNG"):
        embed(b"jpeg", record())
    path = tmp_path / "x.jpg"
    path.write_bytes(b"jpeg")
    with pytest.raises(InputError, match="no PNG"):
        read_png_record(path)
