"""Films as they come out: every frame where the layout says, sound with the picture, loudness as promised."""

from __future__ import annotations

import dataclasses
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mova_studio.errors import InputError
from mova_studio.library.preset_file import Words
from mova_studio.media.loudness import measure
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_audio, decode_frames, probe
from mova_studio.timeline.clip import Clip, Source, Title, Transition, clip_length
from mova_studio.timeline.edits import clip_of
from mova_studio.timeline.export_preset import Audio, ExportPreset, Video
from mova_studio.timeline.ffmpeg import executable
from mova_studio.timeline.graph import stretches
from mova_studio.timeline.layout import film_frames, film_samples, place, source_frame_of
from mova_studio.timeline.model import Caption, Timeline
from mova_studio.timeline.proxy import render_proxy
from mova_studio.timeline.render import render
from mova_studio.timeline.source import source_of

NTSC = Fraction(24000, 1001)
WIDTH, HEIGHT = 64, 48
WORDS = Words(en="Test", zh="测试")
PICTURE = ExportPreset(
    format=1, name=WORDS, about=WORDS, container="mp4", video=Video(encoder="h264", quality=1, speed="ultrafast")
)
WEB_LIKE = PICTURE.model_copy(update={"audio": Audio(codec="aac", target_lufs=-14.0)})


def level_of(frame: int) -> int:
    """The grey that stands for a frame's number."""
    return 20 + frame * 3


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Source]:
    """Films whose frames are grey and tell their number, at several rates and sizes."""
    folder = tmp_path_factory.mktemp("sources")
    found = {}
    for name, count, rate, width, height in [
        ("24", 70, 24.0, 64, 48),
        ("25", 60, 25.0, 48, 64),
        ("30", 71, 30.0, 66, 50),
        ("ntsc", 50, 23.976, 128, 96),
    ]:
        frames = np.zeros((count, height, width, 3), np.uint8)
        frames[:] = np.array([level_of(frame) for frame in range(count)])[:, None, None, None]
        write_mp4(folder / f"{name}.mp4", frames, frame_rate=rate, audio=None)
        found[name] = source_of(folder / f"{name}.mp4")
    # Frames of very different lengths, an odd size, and colours without tags.
    varying = folder / "varying.mkv"
    make = "testsrc2=s=51x37:r=24:d=2.5,setpts='PTS+0.018*mod(N*7,5)/TB',format=yuv444p"
    run("-f", "lavfi", "-i", make, "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", str(varying))
    found["varying"] = source_of(varying)
    assert found["varying"].num_frames > 40
    return found


def run(*arguments: str) -> None:
    subprocess.run([executable(), "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True)


def shown_levels(path: Path) -> np.ndarray:
    """The grey in the middle of each frame."""
    frames = decode_frames(path)
    return frames[:, HEIGHT // 2, WIDTH // 2].mean(-1)


@st.composite
def timelines(draw, sources: dict[str, Source]) -> Timeline:
    rate = draw(st.sampled_from([NTSC, Fraction(24), Fraction(25), Fraction(30)]))
    clips: list[Clip] = []
    free = 0
    for number in range(draw(st.integers(1, 6))):
        source = sources[draw(st.sampled_from(sorted(sources)))]
        start = draw(st.integers(0, source.num_frames - 1))
        stop = draw(st.integers(start + 1, min(source.num_frames, start + 30)))
        speed = draw(st.sampled_from([1.0, 1.0, 0.5, 2.0, 1.25, 0.7]))
        clip = Clip(f"c{number}", source, start, stop, speed=speed, fit=draw(st.sampled_from(["letterbox", "crop"])))
        length = clip_length(clip, rate)
        kind = draw(st.sampled_from([None, "dissolve", "black", "white"])) if clips else None
        taken = 0
        if kind is not None and min(free, length) > 0:
            frames = draw(st.integers(1, min(free, length)))
            clip = dataclasses.replace(clip, transition=Transition(kind, frames))
            taken = frames if kind == "dissolve" else frames - frames // 2
        free = length - taken
        clips.append(clip)
    return Timeline(WIDTH, HEIGHT, rate, clips=tuple(clips))


def expected_levels(timeline: Timeline) -> np.ndarray:
    """What the layout says, in greys."""
    film = np.zeros(film_frames(timeline))
    placed = place(timeline)
    for index, each in enumerate(placed):
        after = placed[index + 1].clip.transition if index + 1 < len(placed) else None
        for frame in range(each.length):
            level = float(level_of(source_frame_of(each, each.start + frame, timeline.frame_rate)))
            weight = 1.0
            for transition, before, position in (
                (each.clip.transition, False, frame),
                (after, True, each.length - 1 - frame),
            ):
                if transition is None:
                    continue
                half = transition.frames // 2
                frames = transition.frames
                if transition.kind != "dissolve":
                    frames = half if before else frames - half
                if position < frames:
                    share = (position + 0.5) / frames
                    if transition.kind == "dissolve":
                        weight *= share
                    else:
                        level = share * level + (1 - share) * (0 if transition.kind == "black" else 255)
            film[each.start + frame] += weight * level
    return film


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_film_has_exactly_the_frames_of_its_layout(data, sources, tmp_path):
    timeline = data.draw(timelines(sources))
    rendered = render(timeline, PICTURE, tmp_path / "film.mp4")
    info = probe(tmp_path / "film.mp4")
    assert info.num_frames == rendered.frames == film_frames(timeline)
    assert info.video_seconds == pytest.approx(float(film_frames(timeline) / timeline.frame_rate), abs=1e-3)
    assert (info.width, info.height) == (WIDTH, HEIGHT)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_frame_is_the_one_that_the_layout_names(data, sources, tmp_path):
    plain = {name: source for name, source in sources.items() if name != "varying"}
    timeline = data.draw(timelines(plain))
    cropped = tuple(dataclasses.replace(clip, fit="crop") for clip in timeline.clips)
    timeline = dataclasses.replace(timeline, clips=cropped)
    render(timeline, PICTURE, tmp_path / "film.mp4")
    assert np.abs(shown_levels(tmp_path / "film.mp4") - expected_levels(timeline)).max() < 2.5


def test_a_film_in_stretches_is_the_film_in_one(sources, tmp_path):
    """40 clips make two graphs, whose border lies in a dissolve."""
    clips = []
    for number in range(40):
        start = number % 7
        transition = Transition("dissolve", 2 + number % 2) if number and number % 4 == 0 else None
        clips.append(Clip(f"c{number}", sources["24"], start, start + 8, transition=transition, fit="crop"))
    timeline = Timeline(WIDTH, HEIGHT, Fraction(24), clips=tuple(clips))
    assert len(stretches(timeline)) == 2 and clips[stretches(timeline)[1].first].transition is not None
    render(timeline, PICTURE, tmp_path / "film.mp4")
    assert np.abs(shown_levels(tmp_path / "film.mp4") - expected_levels(timeline)).max() < 2.5


def test_a_deep_cut_in_a_source_begins_with_its_frame(tmp_path):
    """Where reading begins at a key frame in the middle, and where the container has no index of them."""
    frames = np.zeros((200, HEIGHT, WIDTH, 3), np.uint8)
    frames[:] = (20 + np.arange(200))[:, None, None, None]
    write_mp4(tmp_path / "long.mp4", frames, frame_rate=24.0, audio=None)
    run("-i", str(tmp_path / "long.mp4"), "-c", "copy", str(tmp_path / "long.ts"))
    run("-i", str(tmp_path / "long.mp4"), "-c", "copy", str(tmp_path / "long.mkv"))
    for name in ("long.mp4", "long.mkv", "long.ts"):
        source = source_of(tmp_path / name)
        clips = tuple(clip_of(source, start, start + 3) for start in (150, 60, 100, 197))
        timeline = Timeline(WIDTH, HEIGHT, Fraction(24), clips=clips)
        render(timeline, PICTURE, tmp_path / "film.mp4")
        expected = [20 + start + frame for start in (150, 60, 100, 197) for frame in range(3)]
        assert np.abs(shown_levels(tmp_path / "film.mp4") - expected).max() < 2.5, name


def test_picture_and_sound_stay_together_over_fifty_clips(tmp_path):
    """In each clip a frame flashes while a click sounds; both are found in the decoded file."""
    count, flash = 30, 6
    frames = np.full((count, HEIGHT, WIDTH, 3), 30, np.uint8)
    frames[flash] = 230
    sound = np.zeros((2, round(count / NTSC * 48000)), np.float32)
    click = round(flash / NTSC * 48000)
    sound[:, click : click + 48] = 0.8 * np.hanning(48).astype(np.float32)
    write_mp4(tmp_path / "flash.mp4", frames, frame_rate=23.976, audio=sound, target_lufs=None)
    source = source_of(tmp_path / "flash.mp4")
    clips = tuple(clip_of(source, number % 5, 14 + number % 11) for number in range(50))
    timeline = Timeline(WIDTH, HEIGHT, NTSC, clips=clips)
    rendered = render(timeline, WEB_LIKE, tmp_path / "film.mp4")
    assert rendered.frames == film_frames(timeline)
    levels = shown_levels(tmp_path / "film.mp4")
    heard, rate = decode_audio(tmp_path / "film.mp4")
    flashes = np.flatnonzero(levels > 130)
    assert len(flashes) == 50
    for number, frame in enumerate(flashes):
        due = float(frame / NTSC)
        first = round((due - 0.05) * rate)
        at = first + int(np.abs(heard[0, first : first + 4800]).argmax())
        assert abs((at - 24) / rate - due) < 1e-3, f"clip {number}"
    assert probe(tmp_path / "film.mp4").audio_seconds == pytest.approx(film_samples(timeline) / 48000, abs=1e-5)


def sounds() -> dict[str, np.ndarray]:
    clock = np.arange(4 * 48000) / 48000
    random = np.random.default_rng(1)
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * clock), 0, 1) * (np.sin(2 * np.pi * 0.4 * clock) > -0.5)
    clicks = 0.9 * np.sin(2 * np.pi * 1000 * clock) * np.exp(-(clock % 0.125) * 60)
    chord = sum(np.sin(2 * np.pi * pitch * clock) for pitch in (220, 277, 330, 440)) / 8
    return {
        "speech": 0.3 * syllables * random.normal(0, 0.4, len(clock)),
        "music": chord * (0.5 + 0.5 * np.exp(-((clock * 2) % 1) * 4)),
        "clicks": clicks,
        "tone": 0.05 * np.sin(2 * np.pi * 997 * clock),
    }


@pytest.mark.parametrize("name", sorted(sounds()))
def test_the_film_is_as_loud_as_its_preset_says(name, tmp_path):
    frames = np.zeros((96, HEIGHT, WIDTH, 3), np.uint8)
    sound = np.stack([sounds()[name]] * 2).astype(np.float32)
    write_mp4(tmp_path / "a.mp4", frames, frame_rate=24.0, audio=sound, target_lufs=None)
    clip = clip_of(source_of(tmp_path / "a.mp4"))
    rendered = render(Timeline(WIDTH, HEIGHT, Fraction(24), clips=(clip,)), WEB_LIKE, tmp_path / "film.mp4")
    found = measure(*decode_audio(tmp_path / "film.mp4"))
    assert found.integrated_lufs is not None and found.true_peak_dbtp is not None
    assert abs(found.integrated_lufs + 14) <= 0.3
    assert found.true_peak_dbtp <= -1.0
    assert rendered.loudness is not None and rendered.loudness.integrated_lufs == pytest.approx(found.integrated_lufs)


def test_near_silence_is_not_blown_up_and_silence_stays_silence(tmp_path, sources):
    noise = np.random.default_rng(2).normal(0, 1e-3, (2, 4 * 48000)).astype(np.float32)
    frames = np.zeros((96, HEIGHT, WIDTH, 3), np.uint8)
    write_mp4(tmp_path / "a.mp4", frames, frame_rate=24.0, audio=noise, target_lufs=None)
    before = measure(*decode_audio(tmp_path / "a.mp4")).integrated_lufs
    clip = clip_of(source_of(tmp_path / "a.mp4"))
    quiet = render(Timeline(WIDTH, HEIGHT, Fraction(24), clips=(clip,)), WEB_LIKE, tmp_path / "quiet.mp4")
    assert quiet.loudness is not None and before is not None
    if quiet.loudness.integrated_lufs is not None:
        assert quiet.loudness.integrated_lufs <= before + 31
    silent = Timeline(WIDTH, HEIGHT, Fraction(24), clips=(clip_of(sources["24"]),))
    assert render(silent, WEB_LIKE, tmp_path / "silent.mp4").loudness.to_dict()["integrated_lufs"] is None
    assert not decode_audio(tmp_path / "silent.mp4")[0].any()


def test_a_turned_picture_is_shown_upright_and_its_shape_is_kept(tmp_path):
    frames = np.zeros((4, 32, 64, 3), np.uint8)
    frames[:, :, :32] = 255
    write_mp4(tmp_path / "wide.mp4", frames, frame_rate=24.0, audio=None)
    run("-display_rotation", "90", "-i", str(tmp_path / "wide.mp4"), "-c", "copy", str(tmp_path / "turned.mp4"))
    turned = source_of(tmp_path / "turned.mp4")
    assert (turned.width, turned.height) == (32, 64)
    timeline = Timeline(64, 64, Fraction(24), clips=(clip_of(turned),))
    render(timeline, PICTURE, tmp_path / "film.mp4")
    picture = decode_frames(tmp_path / "film.mp4")[0].mean(-1)
    upright = decode_frames(tmp_path / "turned.mp4")[0].mean(-1)
    assert upright.shape == (64, 32)
    assert picture[:, :12].max() < 20 and picture[:, -12:].max() < 20
    assert np.abs(picture[:, 20:44] - upright[:, 4:28])[[8, 20, 44, 56]].max() < 12


def test_a_crop_lies_where_its_focus_does(tmp_path):
    frames = np.zeros((2, 48, 128, 3), np.uint8)
    frames[:, :, :32] = 255
    write_mp4(tmp_path / "wide.mp4", frames, frame_rate=24.0, audio=None)
    source = source_of(tmp_path / "wide.mp4")
    found = {}
    for focus in (0.0, 1.0):
        clip = clip_of(source, fit="crop", focus_x=focus)
        render(Timeline(32, 48, Fraction(24), clips=(clip,)), PICTURE, tmp_path / "film.mp4")
        found[focus] = decode_frames(tmp_path / "film.mp4")[0].mean()
    assert found[0.0] > 240 and found[1.0] < 15


def test_colours_are_matched_to_the_end_of_the_clip_before(tmp_path):
    random = np.random.default_rng(3)
    picture = random.integers(60, 180, (HEIGHT // 8, WIDTH // 8, 3)).repeat(8, 0).repeat(8, 1)
    for name, shift in (("first", [0, 0, 0]), ("second", [12, -10, 8])):
        frames = np.clip(np.stack([picture + shift] * 8), 0, 255).astype(np.uint8)
        write_mp4(tmp_path / f"{name}.mp4", frames, frame_rate=24.0, audio=None)
    first, second = (source_of(tmp_path / f"{name}.mp4") for name in ("first", "second"))
    apart = {}
    for matched in (False, True):
        clips = (clip_of(first), clip_of(second, match_colour=matched))
        render(Timeline(WIDTH, HEIGHT, Fraction(24), clips=clips), PICTURE, tmp_path / "film.mp4")
        film = decode_frames(tmp_path / "film.mp4").astype(float)
        apart[matched] = np.abs(film[12].mean((0, 1)) - film[4].mean((0, 1))).max()
    assert apart[False] > 8 and apart[True] < 2.5


def test_an_upscaler_is_given_the_small_sources_and_its_pictures_are_shown(tmp_path, sources):
    asked = []

    def upscale(path: Path, width: int, height: int, folder: Path) -> Path:
        asked.append((path.name, width, height))
        larger = folder / f"larger-{path.name}"
        run("-i", str(path), "-vf", f"negate,scale={width}:{height}:flags=neighbor", "-qp", "0", str(larger))
        return larger

    clips = (clip_of(sources["24"], 5, 15), clip_of(sources["ntsc"]), clip_of(sources["24"], 30, 40))
    film = Timeline(128, 96, Fraction(24), clips=clips)
    render(film, PICTURE, tmp_path / "film.mp4", upscale=upscale)
    assert asked == [("24.mp4", 128, 96)]
    shown = shown_levels(tmp_path / "film.mp4")
    assert shown.size == film_frames(film)
    assert abs(shown[0] - (255 - level_of(5))) < 6 and abs(shown[10] - level_of(0)) < 6
    assert abs(shown[-1] - (255 - level_of(39))) < 6


def test_a_title_appears_and_goes_on_its_ground(tmp_path):
    clip = clip_of(Title("Rain\n雨", 48, ink="#ffffff", ground="#203040"))
    try:
        render(Timeline(128, 96, Fraction(24), clips=(clip,)), PICTURE, tmp_path / "film.mp4")
    except InputError as error:
        pytest.skip(error.message)
    film = decode_frames(tmp_path / "film.mp4").astype(int)
    bright = (film.min(-1) > 150).sum((1, 2))
    assert bright[24] > 40 and bright[0] == bright[-1] == 0
    assert np.abs(film[:, 2, 2] - [0x20, 0x30, 0x40]).max() < 8


def test_captions_are_burned_in_while_they_are_said_and_written_beside(tmp_path, sources):
    clip = clip_of(sources["24"], 0, 40, fit="crop")
    captions = (Caption("a", clip.clip_id, 10, 20, "Hello, it's: 100% {rain}"),)
    timeline = Timeline(320, 240, Fraction(24), clips=(clip,), captions=captions)
    plain = render(timeline, PICTURE, tmp_path / "plain.mp4", captions="files")
    assert [path.name for path in plain.caption_files] == ["plain.srt", "plain.vtt"]
    assert "Hello" in (tmp_path / "plain.srt").read_text("utf-8")
    render(timeline, PICTURE, tmp_path / "it's: a [name],.mp4", captions="burn")
    drawn = decode_frames(tmp_path / "it's: a [name],.mp4").max((1, 2, 3))
    bright = np.flatnonzero(drawn > 230)
    assert bright[0] == 10 and bright[-1] == 19


def test_a_preview_has_every_frame_and_a_key_frame_every_twelve(tmp_path, sources):
    import av

    timeline = Timeline(1280, 720, Fraction(24), clips=(clip_of(sources["24"]),))
    rendered = render_proxy(timeline, tmp_path / "proxy.mp4")
    assert (rendered.frames, rendered.width, rendered.height) == (70, 640, 360)
    with av.open(str(tmp_path / "proxy.mp4")) as container:
        keys = [packet.pts * packet.time_base * 24 for packet in container.demux(video=0) if packet.is_keyframe]
    assert max(np.diff([*map(float, keys), 70.0])) <= 12


def test_a_name_that_looks_like_an_option_or_an_address_is_a_file(tmp_path, sources, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "-i http:%03d.mp4"
    odd.write_bytes(Path(sources["24"].path).read_bytes())
    timeline = Timeline(WIDTH, HEIGHT, Fraction(24), clips=(clip_of(source_of(odd), 0, 5),))
    assert render(timeline, PICTURE, Path("-y.mp4")).frames == 5
    assert probe(tmp_path / "-y.mp4").num_frames == 5


def test_what_cannot_be_rendered_is_refused_before_anything_is_written(tmp_path, sources):
    timeline = Timeline(WIDTH, HEIGHT, Fraction(24), clips=(clip_of(sources["24"], 0, 5),))
    for bad, size, out, words in [
        (dataclasses.replace(timeline, clips=()), None, "film.mp4", "no clips"),
        (timeline, (63, 48), "film.mp4", "even number"),
        (timeline, None, "film.mov", "end the name in .mp4"),
    ]:
        with pytest.raises(InputError, match=words):
            render(bad, PICTURE, tmp_path / out, size=size)
    assert list(tmp_path.iterdir()) == []
