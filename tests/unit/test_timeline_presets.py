"""Export presets: each makes the file that it promises, and a wrong one is refused with its fault."""

from __future__ import annotations

import json
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from mova_studio.errors import InputError, OutputError
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import probe
from mova_studio.timeline import encoders
from mova_studio.timeline.clip import Transition
from mova_studio.timeline.edits import clip_of
from mova_studio.timeline.export_preset import check_preset, export_preset, export_presets, read_preset
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.render import render
from mova_studio.timeline.source import source_of

PRESETS = export_presets()
CODECS = {"h264": "h264", "h265": "hevc", "av1": "libdav1d", "prores": "prores"}


@pytest.fixture(scope="module")
def timeline(tmp_path_factory) -> Timeline:
    """24 frames of 64x36, two clips that dissolve, with noise."""
    folder = tmp_path_factory.mktemp("preset")
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (30, 9, 16, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    sound = random.normal(0, 0.1, (2, 60000)).astype(np.float32)
    write_mp4(folder / "a.mp4", frames, frame_rate=24.0, audio=sound)
    source = source_of(folder / "a.mp4")
    clips = (clip_of(source, 0, 14), clip_of(source, 10, 24, transition=Transition("dissolve", 4)))
    return Timeline(64, 36, Fraction(24), clips=clips)


def test_the_presets_that_were_promised_are_there():
    assert {"web", "vertical", "square", "intermediate", "gif", "webp", "sound", "stills"} <= set(PRESETS)
    web = PRESETS["web"]
    assert web.audio is not None and web.audio.target_lufs == -14.0
    for preset in PRESETS.values():
        assert preset.name.en and preset.name.zh and preset.about.en and preset.about.zh


@pytest.mark.parametrize("preset_id", sorted(PRESETS))
def test_a_preset_makes_its_file(preset_id, timeline, tmp_path):
    preset = PRESETS[preset_id]
    size = (64, 64) if preset.video is not None and preset.video.size is not None else None
    out = tmp_path / f"film{preset.suffix}"
    rendered = render(timeline, preset, out, size=size)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    if preset_id == "stills":
        with zipfile.ZipFile(out) as archive:
            assert archive.namelist() == ["001.png", "002.png"]
            assert Image.open(archive.open("001.png")).size == (64, 36)
        return
    if preset.container in ("gif", "webp"):
        with Image.open(out) as film:
            assert film.size == (64, 36)
            assert getattr(film, "n_frames", 1) == 24
        return
    info = probe(out)
    if preset.video is None:
        assert info.video_codec is None and rendered.frames == 0
    else:
        assert info.num_frames == rendered.frames == 24
        assert (info.width, info.height) == (size or (64, 36))
        assert info.video_codec == CODECS[encoders.chosen(preset.video.encoder)]
    assert info.sample_rate == 48000 and info.channels == 2
    assert info.audio_seconds == pytest.approx(1.0, abs=1e-4)
    target = preset.audio.target_lufs if preset.audio else None
    assert rendered.loudness is not None and rendered.loudness.true_peak_dbtp <= -1.0
    if target is not None:
        assert rendered.loudness.integrated_lufs == pytest.approx(target, abs=0.3)


def test_presets_set_the_size_they_say(timeline):
    sizes = {name: preset.size_for(timeline) for name, preset in PRESETS.items() if preset.video}
    assert sizes["web"] == (1920, 1080) and sizes["vertical"] == (1080, 1920) and sizes["square"] == (1080, 1080)
    wide = Timeline(1920, 800, Fraction(24))
    assert PRESETS["gif"].size_for(wide) == (480, 200) and PRESETS["intermediate"].size_for(wide) == (1920, 800)


def test_a_film_carries_the_colours_of_bt709(timeline, tmp_path):
    import av

    render(timeline, PRESETS["web"], tmp_path / "film.mp4", size=(64, 36))
    with av.open(str(tmp_path / "film.mp4")) as container:
        context = container.streams.video[0].codec_context
        found = context.colorspace, context.color_primaries, context.color_trc, context.color_range
        assert found == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
    content = (tmp_path / "film.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_stills_go_into_a_folder_too_but_into_no_full_one(timeline, tmp_path):
    stills = PRESETS["stills"]
    assert render(timeline, stills, tmp_path / "stills").frames == 2
    assert sorted(path.name for path in (tmp_path / "stills").iterdir()) == ["001.png", "002.png"]
    with pytest.raises(OutputError, match="there already"):
        render(timeline, stills, tmp_path / "stills")


def test_an_encoder_that_the_machine_lacks_is_replaced(monkeypatch):
    assert encoders.works("h264")
    monkeypatch.setattr(encoders, "works", lambda name: name == "h264")
    assert encoders.chosen("h265-nvenc") == "h264"
    with pytest.raises(InputError, match="choose another preset"):
        encoders.chosen("prores")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "update MOVA Studio"),
        ({"sound": 1}, "'sound' is not known"),
        ({"container": "avi"}, "container is 'avi'"),
        ({"video": None}, "needs a video"),
        ({"video": {"encoder": "gif"}}, "must be one of h264"),
        ({"video": {"encoder": "h264", "size": [63, 36]}}, "even number"),
        ({"video": {"encoder": "h264", "size": [64, 36], "longest": 64}}, "one of them"),
        ({"video": {"encoder": "h264", "speed": "a b; rm"}}, "video.speed"),
        ({"audio": {"codec": "flac", "target_lufs": -14.0}}, "must be one of aac"),
        ({"audio": {"codec": "aac", "target_lufs": -14.0, "ceiling_dbtp": 0.0}}, "audio.ceiling_dbtp"),
    ],
)
def test_a_wrong_preset_is_refused_with_its_fault(change, words, tmp_path):
    values = json.loads((PRESETS["web"]).model_dump_json()) | change
    with pytest.raises(InputError, match=words):
        check_preset(values)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(values), "utf-8")
    with pytest.raises(InputError, match=r"mine\.json"):
        read_preset(file)


def test_an_unknown_preset_names_those_that_there_are():
    with pytest.raises(InputError, match="web"):
        export_preset("cinema")
