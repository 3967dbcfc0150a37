"""A person's own presets: what is typed stays inside the file, and nothing is lost when one goes wrong."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mova_studio.errors import InputError, OutputError
from mova_studio.library.own_presets import OwnPresets, clean_name
from mova_studio.library.preset_file import SETTINGS, shipped_presets
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot

GOOD = {"format": 1, "kind": "render", "name": "Mine", "settings": {"num_inference_steps": 12}}


def put(root: Path, name: str, content: str | dict) -> Path:
    path = root / "presets" / "render" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_shipped_presets_are_whole_in_both_languages() -> None:
    shipped = shipped_presets()
    assert len(shipped) >= 6 and {preset.kind for preset in shipped.values()} == {"shot", "render"}
    for preset in shipped.values():
        assert preset.name.en != preset.name.zh
        if preset.prompt is not None:
            assert len(preset.prompt.en) > 200 and len(preset.prompt.zh) > 80 and preset.prompt.en.isascii()


def test_every_setting_of_a_shot_comes_back(tmp_path: Path) -> None:
    own = OwnPresets(tmp_path)
    assert own.presets() == [] and not own.root.exists()
    shot = Shot(prompt="A bell.", target_lufs=None, step_cache="light", guidance_start=0.25)
    kept = {name: getattr(shot, name) for name in SETTINGS}
    key = own.save("shot", "  My\tbell \n", "A bell.\r\n<b>😀</b>", kept)
    (found,) = own.presets()
    assert found.key == key and found.preset is not None and found.preset.name.en == "My bell"
    assert found.preset.settings == kept and found.preset.prompt is not None
    assert found.preset.prompt.said("zh") == "A bell.\r\n<b>😀</b>"
    assert own.save("shot", "My bell", "Another.", {}) == key and len(own.presets()) == 1
    assert own.save("render", "My bell", None, kept) != key and len(own.presets()) == 2
    own.delete(key)
    with pytest.raises(InputError, match="is not a preset"):
        own.delete(key)
    assert [found.key.partition("/")[0] for found in own.presets()] == ["render"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=100))
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    own = OwnPresets(tmp_path)
    try:
        key = own.save("render", name, None, {})
    except InputError as error:
        assert "name" in error.message
        return
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parts[:2] == ("presets", "render") and len(path.parts) == 3 for path in files)
    assert all(len(path.stem) == 32 and int(path.stem, 16) >= 0 for path in files)
    found = own.find(key)
    assert found.preset is not None and found.preset.name.en == clean_name(name)
    own.delete(key)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/root/x", "a\x00b", "CON", "\u202egnp.exe", "a/../b", "C:\\x"])
def test_hostile_names(tmp_path: Path, name: str) -> None:
    own = OwnPresets(tmp_path)
    key = own.save("shot", name, "A bell.", {})
    assert not set(own.find(key).preset.name.en) & set("\x00\u202e")
    with pytest.raises(InputError):
        own.find(name)


@pytest.mark.parametrize("name", ["", "  \n", "\u200d", "x" * 81, "\x00"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        OwnPresets(tmp_path).save("render", name, None, {})
    assert not (tmp_path / "presets").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"x\.json: The preset is not whole JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("{" + '"a":[],' * 300_000, "has 2100001 bytes and at most 1000000"),
        ("[" + "[]," * 200_000, "holds about 400001 values"),
        (GOOD | {"format": 2}, r"x\.json: The format is 2 and this version reads 1; update"),
        (GOOD | {"format": 0}, "The format is 0, but must be 1"),
        (GOOD | {"colour": 1}, "the field 'colour' is not known; the fields are format, kind"),
        (GOOD | {"settings": {"stpes": 1}}, r"the field 'settings.stpes' is not known; the fields are negative_prompt"),
        (GOOD | {"settings": {"width": "640"}}, r"settings.width is '640', but input should be a valid integer"),
        (GOOD | {"settings": {"width": 641}}, "nearest size is 640x352"),
        (GOOD | {"settings": {"guidance_scale": 1000}}, "guidance_scale is 1000.0, but must be from 0 to 100"),
        (GOOD | {"kind": "video"}, "kind is 'video', but input should be 'shot' or 'render'"),
        (GOOD | {"kind": "shot"}, "A shot preset needs a prompt"),
        (GOOD | {"prompt": "A bell."}, "must have no prompt"),
        (GOOD | {"name": ""}, "The name has 0 characters"),
        (GOOD | {"name": {"en": "a"}}, "the field 'name.zh' is missing"),
        ('{"format": 1, "kind": "render", "name": "\\ud800"}', "lone surrogate"),
        ('{"format": 1, "kind": "render", "name": "a", "settings": {"frame_rate": NaN}}', "NaN is not a number"),
        ("null", "the content is not an object"),
    ],
)
def test_one_damaged_preset_hides_no_other(tmp_path: Path, content: str | dict, said: str) -> None:
    put(tmp_path, "good.json", GOOD)
    put(tmp_path, "x.json", content)
    good, bad = OwnPresets(tmp_path).presets()
    assert good.preset is not None and good.preset.settings == {"num_inference_steps": 12}
    assert bad.preset is None
    with pytest.raises(InputError, match=said):
        raise InputError(bad.fault)
    OwnPresets(tmp_path).delete(bad.key)
    assert len(OwnPresets(tmp_path).presets()) == 1


def test_bytes_that_are_no_text_and_a_file_in_the_wrong_folder(tmp_path: Path) -> None:
    put(tmp_path, "a.json", GOOD | {"kind": "shot", "prompt": "A bell."})
    put(tmp_path, "b.json", "").write_bytes(b"\xff\xfe\x00")
    (put(tmp_path, "d.json", "").unlink(), (tmp_path / "presets" / "render" / "d.json").mkdir())
    faults = [own.fault for own in OwnPresets(tmp_path).presets()]
    assert "its kind is 'shot', but it lies in render" in faults[0] and "UTF-8" in faults[1] and "d.json" in faults[2]


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = OwnPresets(tmp_path)
    own.save("render", "Mine", None, {"num_inference_steps": 12})

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for name in ("Mine", "Other"):
        with pytest.raises(OutputError, match="the disk is full"):
            own.save("render", name, None, {"num_inference_steps": 40})
    (kept,) = own.presets()
    assert kept.preset is not None and kept.preset.settings == {"num_inference_steps": 12}
    assert [path.suffix for path in kept.path.parent.iterdir()] == [".json"]


@pytest.mark.parametrize(
    ("asked", "used"),
    [((640, 352, 193), (160, 80, 49)), ((352, 640, 50), (80, 160, 49)), ((2048, 16, 9), (960, 16, 9)),
     ((160, 96, 49), (160, 96, 49))],
)  # fmt: skip
def test_settings_beyond_the_checkpoint_are_moved_and_said(asked: tuple, used: tuple) -> None:
    names = ("width", "height", "num_frames")
    fitted, notes = preset_for("demo").fit(dict(zip(names, asked, strict=True)))
    assert tuple(fitted[name] for name in names) == used
    assert len(notes) == (asked[:2] != used[:2]) + (asked[2] != used[2])
    preset_for("demo").check_limits(*used)
    assert preset_for("OpenMOSS-Team/MOVA-360p").fit({"width": 2048}) == ({"width": 2048}, ())
