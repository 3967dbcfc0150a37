"""Captions: of what a prompt says, when the sound says it; as files, and burned into pictures that show them."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import wavfile
from test_media_loudness import speech

from mova_studio.errors import InputError, OutputError
from mova_studio.media.speech import speech_stretches, voiced_stretches
from mova_studio.timeline import fonts
from mova_studio.timeline.caption_text import LINE, cue_texts, syllables, width
from mova_studio.timeline.captions import captions_from_prompt
from mova_studio.timeline.clip import Clip, Source, Title, Transition
from mova_studio.timeline.fonts import font_for
from mova_studio.timeline.model import Caption, Timeline
from mova_studio.timeline.subtitles import cues, plain_lines, read_srt, read_vtt, write_ass, write_srt, write_vtt

RATE = 48_000
ENGLISH = (
    'A man at a bar says: "Hello there, friend." The woman answers, "I have not seen you for a very long time, and I '
    'wondered where you had gone." A neon sign reads "OPEN".'
)
CHINESE = (
    "男人说：“你好，好久不见。”女人回答：“我一直在等你回来，可是你从来没有写过信，也没有打过电话，我还以为你已经忘记了"
    "我们曾经说过的那些话。”"
)


def talk(path: Path, *words: tuple[float, float], seconds: float = 8.0) -> Source:
    """A take in which a voice is heard from one second to another."""
    sound = np.random.default_rng(0).normal(0, 1e-4, round(seconds * RATE))
    for begin, end in words:
        voice = speech(end - begin)[0]
        sound[round(begin * RATE) : round(begin * RATE) + voice.size] += voice
    wavfile.write(path, RATE, sound.astype(np.float32))
    return Source(str(path), round(seconds * 24), Fraction(24), 64, 48, sound.size)


@pytest.fixture(scope="module")
def two_lines(tmp_path_factory) -> Source:
    return talk(tmp_path_factory.mktemp("talk") / "two.wav", (1.0, 2.5), (4.0, 7.0))


def captioned(source: Source, prompt: str, **clip) -> tuple[Caption, ...]:
    timeline = Timeline(64, 48, Fraction(24), clips=(Clip("a", source, 0, source.num_frames, **clip),))
    return captions_from_prompt(timeline, "a", prompt)


def shown(*captions: tuple[int, int, str], rate: Fraction = Fraction(24), frames: int = 100_000) -> Timeline:
    made = tuple(Caption(f"c{n}", "a", start, stop, text) for n, (start, stop, text) in enumerate(captions))
    return Timeline(640, 360, rate, clips=(Clip("a", Title("x", frames), 0, frames),), captions=made)


def test_speech_is_told_from_what_is_none(two_lines):
    sound = np.zeros((2, 8 * RATE), np.float32)
    assert voiced_stretches(sound) == [] and speech_stretches(sound) == []
    hum = np.tile(0.3 * np.sin(2 * np.pi * 300 * np.arange(4 * RATE) / RATE), (2, 1)).astype(np.float32)
    assert speech_stretches(hum) == []
    hiss = np.random.default_rng(0).normal(0, 0.1, (2, 4 * RATE)).astype(np.float32)
    assert speech_stretches(hiss) == []
    voice = wavfile.read(two_lines.path)[1][None]
    (first, second) = speech_stretches(voice)
    assert np.allclose([*first, *second], np.array([1.0, 2.5, 4.0, 7.0]) * RATE, atol=0.15 * RATE)


@pytest.mark.parametrize("prompt", [ENGLISH, CHINESE])
def test_dialogue_is_laid_where_it_is_said(two_lines, prompt):
    captions = captioned(two_lines, prompt)
    assert len(captions) >= 2 and all(caption.clip_id == "a" for caption in captions)
    assert "OPEN" not in "".join(caption.text for caption in captions)
    assert captions[0].text in ("Hello there, friend.", "你好，好久不见。")
    assert captions[-1].text.endswith(("gone.", "那些话。"))
    for caption, following in pairwise(captions):
        assert caption.stop <= following.start
    assert 12 <= captions[0].start <= 25
    assert all(caption.stop - caption.start >= 19 for caption in captions)
    assert captions[-1].stop == pytest.approx(7 * 24, abs=4)
    for caption in captions:
        lines = caption.text.split("\n")
        assert len(lines) <= 2 and all(width(line) <= LINE for line in lines)


def test_two_speakers_are_parted_at_the_pause_between_them(two_lines):
    first, second = captioned(two_lines, ENGLISH)
    assert first.stop <= 2.6 * 24 and second.start == pytest.approx(4 * 24, abs=4)


def test_no_dialogue_makes_no_captions_and_sounds_are_noted_only_in_brackets(two_lines):
    assert captioned(two_lines, "A cat sleeps on a sofa while thunder rumbles.") == ()
    assert captioned(two_lines, "") == ()
    (note,) = captioned(two_lines, "A cat sleeps [thunder rumbles] on [S01] a sofa. [Camera: slow pan]")
    assert note.text == "[thunder rumbles]"
    title = Timeline(64, 48, Fraction(24), clips=(Clip("t", Title("x", 9), 0, 9),))
    assert captions_from_prompt(title, "t", ENGLISH) == ()
    with pytest.raises(InputError, match="no clip 'b'"):
        captions_from_prompt(title, "b", ENGLISH)


def test_silence_and_takes_without_sound_spread_the_words_over_the_picture(tmp_path):
    silent = talk(tmp_path / "silent.wav", seconds=4.0)
    wavfile.write(silent.path, RATE, np.zeros(4 * RATE, np.float32))
    mute = Source(str(tmp_path / "none.mp4"), 96, Fraction(24), 64, 48, 0)
    for source in (silent, mute):
        captions = captioned(source, ENGLISH)
        assert captions[0].start == 0 and captions[-1].stop <= 96 and len(captions) == 2


def test_a_clip_of_a_frame_or_two_is_captioned_without_overlap(tmp_path):
    for frames in (1, 2, 5):
        tiny = Source(str(tmp_path / "none.mp4"), frames, Fraction(24), 64, 48, 0)
        captions = captioned(tiny, ENGLISH + CHINESE)
        assert 1 <= len(captions) <= frames and captions[-1].stop <= frames
        for caption, following in pairwise(captions):
            assert caption.stop <= following.start


def test_captions_move_and_are_cut_with_their_clip(two_lines, tmp_path):
    captions = captioned(two_lines, ENGLISH)
    clips = Clip("t", Title("x", 48), 0, 48), Clip("a", two_lines, 36, 150, speed=2.0)
    write_srt(Timeline(64, 48, Fraction(24), clips=clips, captions=captions), tmp_path / "film.srt")
    (first, second) = read_srt(tmp_path / "film.srt")
    assert first[0] == 2.0 and first[1] == pytest.approx(2 + (captions[0].stop - 36) / 48, abs=0.05)
    assert second[0] == pytest.approx(2 + (captions[1].start - 36) / 48, abs=0.05)
    assert second[1] == pytest.approx(2 + 114 / 48, abs=0.03)


@given(st.text(st.sampled_from("abc de,.!?—你好吗，。！？「」' \n"), max_size=400))
def test_long_lines_are_broken_without_losing_a_letter(words):
    texts = cue_texts(words)
    assert "".join("".join(texts).split()) == "".join(words.split())
    for text in texts:
        lines = text.split("\n")
        assert len(lines) <= 2
        assert all(width(line) <= LINE + 1 for line in lines)


def test_lines_break_at_sentences_first():
    long = (
        "This is the first sentence of three, here. And this one is the second of them all. Here comes the third one."
    )
    assert [text.replace("\n", " ") for text in cue_texts(long)] == [
        "This is the first sentence of three, here.",
        "And this one is the second of them all. Here comes the third one.",
    ]
    assert syllables("Hello there, my friend.") == pytest.approx(5, abs=1)
    assert syllables("你好，好久不见。") == pytest.approx(6, abs=1)
    assert syllables("") == 1


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2060"), min_size=1, max_size=60)
TRICKY = st.sampled_from(
    ["<b>bold</b>", "1 --> 2", "{\\an8}up", "a & b &amp; c", "one\n\ntwo", "12\n13", "C:\\new", "5 < 6"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.one_of(TEXT, TRICKY), min_size=1, max_size=5),
    gaps=st.lists(st.integers(0, 500), min_size=5, max_size=5),
    rate=st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(240)]),
)
def test_srt_and_vtt_are_read_back_as_written(tmp_path, texts, gaps, rate):
    at, captions = 0, []
    for text, gap in zip(texts, gaps, strict=False):
        captions.append((at + gap, at + gap + 20, text))
        at += gap + 20
    timeline = shown(*captions, rate=rate)
    expected = [(start / rate, stop / rate, plain_lines(text)) for start, stop, text in captions if plain_lines(text)]
    if not expected:
        return
    for write, read, name in ((write_srt, read_srt, "a.srt"), (write_vtt, read_vtt, "a.vtt")):
        write(timeline, tmp_path / name)
        found = read(tmp_path / name)
        assert [text for _, _, text in found] == [text for _, _, text in expected]
        for (start, stop, _), (due, done, _) in zip(found, expected, strict=True):
            assert abs(start - due) <= 0.0005001 and abs(stop - done) <= 0.0005001
        for (_, stop, _), (start, _, _) in pairwise(found):
            assert stop <= start


def test_the_formats_are_written_as_players_expect(tmp_path):
    timeline = shown((24, 36, "Hi <i>you</i>"), (90_000, 90_024, "你好"), rate=Fraction(24000, 1001))
    write_srt(timeline, tmp_path / "a.srt")
    assert (tmp_path / "a.srt").read_bytes() == (
        "1\n00:00:01,001 --> 00:00:01,502\nHi <\u2060i>you<\u2060/i>\n\n2\n01:02:33,750 --> 01:02:34,751\n你好\n"
    ).encode()
    write_vtt(timeline, tmp_path / "a.vtt")
    assert (
        (tmp_path / "a.vtt")
        .read_text("utf-8")
        .startswith("WEBVTT\n\n1\n00:00:01.001 --> 00:00:01.502\nHi &lt;i&gt;you&lt;/i&gt;\n\n2\n")
    )
    with pytest.raises(OutputError):
        write_srt(timeline, tmp_path / "no such folder" / "a.srt")


def test_captions_of_a_dissolve_follow_one_another(tmp_path):
    clips = Clip("a", Title("x", 40), 0, 40), Clip("b", Title("y", 40), 0, 40, transition=Transition("dissolve", 10))
    captions = Caption("1", "a", 20, 40, "one"), Caption("2", "b", 0, 20, "two"), Caption("3", "b", 0, 5, "three")
    found = cues(Timeline(64, 48, Fraction(24), clips=clips, captions=captions))
    assert [(cue.start, cue.stop) for cue in found] == [(20, 30), (30, 50)]
    assert sorted(found[1].text.split("\n")) == ["three", "two"]


def test_files_of_others_are_read_with_their_habits(tmp_path):
    path = tmp_path / "other.srt"
    path.write_bytes(
        "\ufeff1\r\n00:01,5 --> 00:02.250\r\n<i>Hi</i>\r\nyou\r\n\r\n\r\n".encode()
        + b"00:00:03,000 --> 00:00:04,000\r\n12\r\n"
    )
    assert read_srt(path) == [(1.5, 2.25, "Hi\nyou"), (3.0, 4.0, "12")]
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\n你好\n".encode("utf-16"))
    assert read_srt(path) == [(1.0, 2.0, "你好")]
    vtt = tmp_path / "other.vtt"
    vtt.write_text(
        "WEBVTT - a film\nKind: captions\n\nNOTE 00:09.000 --> 00:10.000\nno cue\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start\n<v Anna>Tom &amp; I\n\n01:00:00.000 --> 01:00:01.000\nEnd\n"
    )
    assert read_vtt(vtt) == [(1.0, 2.0, "Tom & I"), (3600.0, 3601.0, "End")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:0x --> 1\nb\n", "Cue 2 of bad.srt"),
        (b"1\n00:00:02,000 --> 00:00:01,000\na\n", "Cue 1 of bad.srt ends before"),
        (b"", "no captions"),
        (b"\xff\x00\xfa", "UTF-8"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_bad_cues_are_named(tmp_path, content, message):
    (tmp_path / "bad.srt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_srt(tmp_path / "bad.srt")
    with pytest.raises(InputError, match=r"WEBVTT|UTF-8"):
        read_vtt(tmp_path / "bad.srt")


def test_fonts_have_every_character():
    assert font_for("Hello, world").path.is_file()
    assert "CJK" in font_for("你好 Hello").family or font_for("你好 Hello").path.is_file()
    assert font_for("") == font_for("A")
    with pytest.raises(InputError, match=r"U\+13000.*fonts-noto-core"):
        font_for("Hello \U00013000")


def test_fonts_are_found_without_fontconfig(monkeypatch):
    monkeypatch.setenv("PATH", "")
    font = font_for("你好 Hello")
    assert font.path.is_file() and font.family
    with pytest.raises(InputError, match="fonts-noto-core"):
        font_for("\U00013000")
    assert fonts.font_for("Hello").path.is_file()


def burned(timeline: Timeline, text: str, folder: Path, width: int, height: int) -> np.ndarray:
    """Frames [F, H, W] of the least of the three colours, with the captions drawn by ffmpeg on dark blue."""
    write_ass(timeline, width, height, folder / "film.ass", font_for(text))
    ground = f"color=0x203050:s={width}x{height}:r={timeline.frame_rate}:d=1.5"
    drawn = subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", ground),
            *("-vf", "ass=film.ass", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"),
        ],
        capture_output=True,
        check=True,
        cwd=folder,
    ).stdout
    return np.frombuffer(drawn, np.uint8).reshape(-1, height, width, 3).min(axis=3)


@pytest.mark.parametrize("text", ["Hello there,\nfriend {1} \\N", "你好，世界！我们一起去看海吧"])
@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320)])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001)])
def test_burned_captions_are_seen_in_their_frames_and_inside_the_margins(tmp_path, text, width, height, rate):
    pictures = burned(shown((6, 18, text), rate=rate, frames=30), text, tmp_path, width, height)
    seen = [int((picture > 200).sum()) for picture in pictures]
    assert all(count > 40 for count in seen[6:18])
    assert not any(seen[:6]) and not any(seen[18:])
    rows, columns = np.nonzero(pictures[10] > 200)
    assert rows.min() > 0.6 * height and rows.max() < 0.97 * height
    assert columns.min() >= 0.03 * width and columns.max() <= 0.97 * width
    assert abs((columns.min() + columns.max()) / 2 - width / 2) < 0.05 * width


def test_what_is_burned_depends_on_the_words(tmp_path):
    one, other = (burned(shown((0, 20, text)), text, tmp_path, 160, 90)[5] for text in ("你好", "再见"))
    assert (one != other).sum() > 20
