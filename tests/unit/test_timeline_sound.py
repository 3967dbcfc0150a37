"""The film's sound: every sample where it belongs, equal power, pitch kept, music under speech, one loudness."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import wavfile
from test_media_loudness import noise, speech

from mova_studio.errors import Cancelled, InputError
from mova_studio.media.loudness import measure
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_audio
from mova_studio.timeline.clip import Clip, Source, Title, Transition, sample_at
from mova_studio.timeline.ducking import duck_gain
from mova_studio.timeline.layout import film_samples, place
from mova_studio.timeline.mixing import mix, rising
from mova_studio.timeline.model import Caption, Sound, Timeline
from mova_studio.timeline.programme import programme_sound
from mova_studio.timeline.sound_files import SoundFiles, stereo
from mova_studio.timeline.source import source_of
from mova_studio.timeline.tempo import stretch

RATE = 48_000
RATES = [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]


def wav(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    wavfile.write(path, rate, np.atleast_2d(sound).T.astype(np.float32))
    return path


def source(path: Path, frames: int, samples: int, rate: Fraction = Fraction(24)) -> Source:
    """A file of which only the sound is read here."""
    return Source(str(path), frames, rate, 64, 48, samples)


def film(*clips: Clip, rate: Fraction = Fraction(24), **parts) -> Timeline:
    return Timeline(64, 48, rate, clips=clips, **parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sounds")


@pytest.fixture(scope="module")
def steady(folder) -> Source:
    """Four seconds of 0.5 on both sides."""
    return source(wav(folder / "steady.wav", np.full((2, 4 * RATE), 0.5)), 96, 4 * RATE)


@pytest.fixture(scope="module")
def hiss(folder) -> list[Source]:
    sounds = [np.random.default_rng(seed).normal(0, 0.1, (2, 4 * RATE)) for seed in (1, 2)]
    return [source(wav(folder / f"hiss{n}.wav", each), 96, 4 * RATE) for n, each in enumerate(sounds)]


def click_places(rate: Fraction, frames: int) -> list[int]:
    return [sample_at(frame, rate) + 5 for frame in range(0, frames, 7)]


@pytest.fixture(scope="module")
def clicking(folder) -> dict[Fraction, Source]:
    made = {}
    for number, rate in enumerate(RATES):
        sound = np.zeros((2, 4 * RATE))
        places = [place for place in click_places(rate, 300) if place < sound.shape[1]]
        sound[:, places] = 0.5
        frames = int(4 * rate)
        made[rate] = source(wav(folder / f"clicks{number}.wav", sound), frames, 4 * RATE, rate)
    return made


@st.composite
def timelines(draw, sources: dict[Fraction, Source]) -> Timeline:
    rate = draw(st.sampled_from(RATES))
    clips: list[Clip] = []
    for number in range(draw(st.integers(1, 8))):
        taken = sources[draw(st.sampled_from(RATES))]
        start = draw(st.integers(0, taken.num_frames - 20))
        stop = draw(st.integers(start + 20, taken.num_frames))
        kind = draw(st.sampled_from([None, "dissolve", "black", "white"])) if clips else None
        transition = Transition(kind, draw(st.integers(1, 3))) if kind else None
        clips.append(Clip(f"c{number}", taken, start, stop, transition=transition))
    return film(*clips, rate=rate)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_click_lies_at_its_sample(clicking, data):
    timeline = data.draw(timelines(clicking))
    expected: set[int] = set()
    for placed in place(timeline):
        begin, end = sample_at(placed.start, timeline.frame_rate), sample_at(placed.stop, timeline.frame_rate)
        first = sample_at(placed.clip.start, placed.clip.source.frame_rate)
        places = [begin + at - first for at in click_places(placed.clip.source.frame_rate, 300) if first <= at]
        expected |= {at for at in places if at < end and at - begin + first < 4 * RATE}
    sound = mix(timeline)
    assert sound.shape == (2, film_samples(timeline)) and sound.dtype == np.float32
    assert set(np.flatnonzero(np.abs(sound[0]) > 1e-4)) <= expected
    # In the middle of a dip next to nothing is heard; everything else is there.
    quiet = expected - set(np.flatnonzero(np.abs(sound[0]) > 1e-4))
    assert len(quiet) <= 2 * sum(clip.transition is not None for clip in timeline.clips)


def test_a_take_sounds_in_the_film_as_it_is(tmp_path):
    path = tmp_path / "take.mp4"
    sound = np.random.default_rng(3).normal(0, 0.1, (2, 2 * RATE)).astype(np.float32)
    write_mp4(path, np.zeros((48, 48, 64, 3), np.uint8), frame_rate=24.0, audio=sound)
    whole = decode_audio(path)[0]
    clip = Clip("a", source_of(path), 5, 29)
    assert np.array_equal(mix(film(clip)), whole[:, 10_000:58_000])
    louder = mix(film(Clip("a", clip.source, 5, 29, gain_db=6.0)))
    assert np.allclose(louder, 10 ** (6 / 20) * whole[:, 10_000:58_000], rtol=1e-5)


def test_fades_begin_and_end_at_their_samples(steady):
    sound = mix(film(Clip("a", steady, 0, 24, fade_in=1001, fade_out=777)))[0]
    assert np.all(np.diff(sound[:1001]) > 0) and sound[0] < 1e-3
    assert np.all(sound[1001:-777] == 0.5)
    assert np.all(np.diff(sound[-777:]) < 0) and sound[-1] < 1e-3


@given(count=st.integers(1, 5000))
def test_a_cross_fade_keeps_the_power(count):
    assert np.allclose(rising(count) ** 2 + rising(count)[::-1] ** 2, 1, atol=1e-5)


def test_a_dissolve_of_two_different_sounds_keeps_its_loudness(hiss):
    clips = Clip("a", hiss[0], 0, 48), Clip("b", hiss[1], 24, 72, transition=Transition("dissolve", 24))
    sound = mix(film(*clips))
    assert sound.shape[1] == 72 * 2000
    powers = [np.mean(part**2) for part in np.split(sound[:, 48_000:96_000], 12, axis=1)]
    assert np.allclose(powers, 0.01, rtol=0.1)


def test_a_dip_is_silent_in_its_middle_and_whole_outside(steady):
    clips = Clip("a", steady, 0, 24), Clip("b", steady, 0, 24, transition=Transition("black", 9))
    sound = mix(film(*clips))[0]
    assert np.all(sound[: 20 * 2000] == 0.5) and np.all(sound[29 * 2000 :] == 0.5)
    assert np.all(np.diff(sound[20 * 2000 : 24 * 2000]) <= 0) and np.all(np.diff(sound[24 * 2000 : 29 * 2000]) >= 0)
    assert abs(sound[24 * 2000]) < 1e-3


@pytest.mark.parametrize("speed", [0.5, 0.83, 1.25, 2.0])
def test_speed_keeps_the_pitch(speed):
    tone = np.tile(0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE), (2, 1)).astype(np.float32)
    length = round(3 * RATE / speed)
    heard = stretch(tone, length)
    assert heard.shape == (2, length)
    middle = heard[0, 4800:-4800]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert spectrum.argmax() * RATE / middle.size == pytest.approx(440, abs=1.0)
    assert np.sqrt(2) * middle.std() == pytest.approx(0.5, rel=0.02)


@settings(max_examples=12, deadline=None)
@given(
    speed=st.floats(0.5, 2.0),
    gaps=st.lists(st.integers(6000, 40_000), min_size=2, max_size=8),
    ground=st.sampled_from([0.0, 0.005, 0.02]),
)
def test_clicks_come_when_they_are_due_at_any_speed(speed, gaps, ground):
    places = np.cumsum(gaps)
    total = int(places[-1]) + 12_000
    sound = np.random.default_rng(0).normal(0, ground, (2, total)) if ground else np.zeros((2, total))
    sound[:, places] += 0.8
    heard = stretch(sound.astype(np.float32), round(total / speed))[0]
    for at in places:
        due = at / speed
        near = heard[max(round(due) - 1400, 0) : round(due) + 1400]
        assert abs(near).max() > 0.6
        assert abs(max(round(due) - 1400, 0) + int(abs(near).argmax()) - due) < RATE / 1000


def test_a_clip_at_another_speed_fills_its_place(clicking):
    clip = Clip("a", clicking[Fraction(24)], 6, 80, speed=1.7)
    timeline = film(clip, Clip("b", clicking[Fraction(24)], 0, 30), rate=Fraction(30000, 1001))
    sound = mix(timeline)[0]
    length = sample_at(place(timeline)[1].start, timeline.frame_rate)
    due = [(at - 12_000) / 1.7 for at in click_places(Fraction(24), 96) if at > 12_000]
    found = np.flatnonzero(sound[:length] > 0.3)
    for at in due:
        if at < length - 50:
            assert np.abs(found - at).min() < RATE / 1000
    assert sound[length + 5] == 0.5


def test_silence_and_what_has_no_sound(steady, folder):
    mute = Source(str(folder / "never-opened.mp4"), 48, Fraction(24), 64, 48, 0)
    clips = Clip("a", mute, 0, 24), Clip("b", Title("The end", 24), 0, 24), Clip("c", steady, 0, 24, gain_db=None)
    sound = mix(film(*clips))
    assert sound.shape == (2, 72 * 2000) and not sound.any()
    assert not programme_sound(film(*clips), -14.0).any()
    assert mix(film()).shape == (2, 0)


def test_sound_that_ends_before_its_picture_goes_on_as_silence(folder):
    short = source(wav(folder / "short.wav", np.full((1, RATE), 0.25)), 48, RATE)
    sound = mix(film(Clip("a", short, 0, 48)))
    assert np.all(sound[:, :RATE] == 0.25) and not sound[:, RATE:].any()


def test_mono_surround_and_other_rates_become_stereo_without_moving():
    mono = np.random.default_rng(0).normal(0, 0.1, (1, 500)).astype(np.float32)
    assert np.array_equal(stereo(mono, RATE), np.repeat(mono, 2, axis=0))
    for channel, sides in enumerate([(1, 0), (0, 1), (0.707, 0.707), (0, 0), (0.707, 0), (0, 0.707)]):
        surround = np.zeros((6, 4), np.float32)
        surround[channel] = 1
        assert np.allclose(stereo(surround, RATE)[:, 0], sides, atol=1e-3)
    slow = np.zeros((1, 8000), np.float32)
    slow[0, 4000] = 0.5
    heard = stereo(slow, 8000)
    assert heard.shape == (2, RATE) and heard[0].argmax() == 24_000
    with pytest.raises(InputError, match="9 channels"):
        stereo(np.zeros((9, 4), np.float32), RATE)


def test_music_is_cut_at_the_end_of_the_film_and_keeps_its_place(steady):
    music = Sound("m", steady, 10, 1000, 150_000, gain_db=-6.0, fade_in=500)
    sound = mix(film(Clip("a", steady, 0, 24, gain_db=None), sounds=(music,)))[0]
    assert sound.shape == (48_000,) and not sound[:20_000].any()
    assert np.allclose(sound[20_500:], 0.5 * 10 ** (-6 / 20)) and sound[20_000] < 1e-3
    beyond = Sound("m", steady, 30, 0, 1000)
    assert not mix(film(Clip("a", steady, 0, 24, gain_db=None), sounds=(beyond,))).any()


def in_decibels(gain: np.ndarray) -> np.ndarray:
    return 20 * np.log10(gain)


def test_ducking_goes_down_ahead_and_comes_back_behind():
    gain = in_decibels(duck_gain([(96_000, 144_000)], 240_000, -12.0))
    assert np.all(gain[: 96_000 - 7200] == 0) and np.all(gain[144_000 + 2400 + 24_000 :] == 0)
    assert np.allclose(gain[96_000:144_000], -12, atol=1e-3)
    assert np.all(np.diff(gain[96_000 - 7200 : 96_000]) <= 0)
    # No step is heard: the fastest move is that of a cosine over 150 ms.
    assert np.abs(np.diff(gain)).max() < 12 * np.pi / 2 / 7200 * 1.1


@given(
    pauses=st.lists(st.integers(100, 60_000), min_size=1, max_size=6),
    words=st.integers(3000, 30_000),
    db=st.floats(-40, -1),
)
def test_music_does_not_pump_between_words(pauses, words, db):
    starts = 50_000 + np.cumsum([0, *(pause + words for pause in pauses)])
    speech_at = [(int(start), int(start) + words) for start in starts]
    gain = in_decibels(duck_gain(speech_at[::-1], int(starts[-1]) + words, db))
    assert np.allclose(gain[50_000 : int(starts[-1]) + words], db, atol=1e-2)


def test_music_goes_under_a_clip_that_speaks_and_not_under_one_that_hums(folder):
    time = np.arange(6 * RATE) / RATE
    talk = np.random.default_rng(0).normal(0, 1e-4, 6 * RATE)
    talk[2 * RATE : 4 * RATE] += speech(2.0)[0]
    hum = 0.3 * np.sin(2 * np.pi * 220 * time)
    paths = [wav(folder / f"{name}.wav", each) for name, each in (("talk", talk), ("hum", hum))]
    music = source(wav(folder / "music.wav", 0.2 * np.sin(2 * np.pi * 55 * time)), 0, 6 * RATE)
    alone = mix(film(Clip("a", Title("x", 144), 0, 144), sounds=(Sound("m", music, 0, 0, 6 * RATE),)))
    for path, ducked in zip(paths, (True, False), strict=True):
        clip = Clip("a", source(path, 144, 6 * RATE), 0, 144)
        heard = mix(film(clip, sounds=(Sound("m", music, 0, 0, 6 * RATE, duck_db=-15.0),))) - mix(film(clip))
        ratio = [heard[0, at : at + 4800].std() / alone[0, at : at + 4800].std() for at in (48_000, 144_000, 264_000)]
        down = pytest.approx(10 ** (-15 / 20), rel=0.02) if ducked else pytest.approx(1, rel=1e-3)
        assert ratio == [pytest.approx(1, rel=1e-3), down, pytest.approx(1, rel=1e-3)]


def test_music_goes_under_captions_of_speech_but_not_of_sounds(hiss, steady):
    music = Sound("m", steady, 0, 0, 4 * RATE)
    clip = Clip("a", hiss[0], 0, 96)
    for text, gain in (("Hello there", 10 ** (-12 / 20)), ("[door slams]", 1.0)):
        captions = (Caption("c", "a", 40, 60, text),)
        heard = mix(film(clip, sounds=(music,), captions=captions)) - mix(film(clip, captions=captions))
        assert heard[0, 50 * 2000] == pytest.approx(0.5 * gain, rel=1e-3)
        assert heard[0, 10 * 2000] == pytest.approx(0.5, rel=1e-3)


def test_a_voice_over_is_not_ducked(hiss, folder):
    voice = source(wav(folder / "voice.wav", speech(2.0)), 0, 2 * RATE)
    clip = Clip("a", hiss[0], 0, 96)
    captions = (Caption("c", "a", 0, 90, "Hello"),)
    heard = mix(film(clip, sounds=(Sound("v", voice, 24, 0, 2 * RATE, role="voice"),), captions=captions))
    expected = mix(film(clip))[0, 48_000:144_000] + speech(2.0)[0]
    assert np.allclose(heard[0, 48_000:144_000], expected, atol=1e-5)


@pytest.mark.parametrize("target", [-14.0, -23.0])
def test_a_programme_has_its_loudness_under_its_ceiling(folder, target):
    sound = np.concatenate([0.1 * speech(3.0)[0], noise(0.02, 2.0)[0], speech(2.0, seed=5)[0]])
    clip = Clip("a", source(wav(folder / "programme.wav", sound), 168, sound.size), 0, 168)
    found = measure(programme_sound(film(clip), target), RATE)
    assert found.integrated_lufs == pytest.approx(target, abs=0.3)
    assert found.true_peak_dbtp <= -1.0


def test_levelling_does_not_move_one_clip_against_another(hiss):
    clips = Clip("a", hiss[0], 0, 48), Clip("b", hiss[1], 0, 48, gain_db=-20.0)
    before, after = mix(film(*clips)), programme_sound(film(*clips), -23.0)
    ratio = after / np.where(before == 0, 1, before)
    assert np.allclose(ratio, ratio[0, 0], rtol=1e-4)
    assert np.array_equal(programme_sound(film(*clips), None), before)


def test_a_missing_file_is_named_and_a_cancel_is_heard(steady, tmp_path):
    gone = Clip("a", source(tmp_path / "gone.mp4", 24, RATE), 0, 24)
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        mix(film(gone))
    with pytest.raises(Cancelled):
        mix(film(Clip("a", steady, 0, 24)), cancelled=lambda: True)


def test_files_are_decoded_once_and_anew_when_they_change(tmp_path):
    files = SoundFiles(kept_bytes=1000)
    one, other = (wav(tmp_path / f"{name}.wav", np.full((2, 400), 0.25)) for name in ("one", "other"))
    first = files.load(one)
    assert files.load(one) is first
    files.load(other)
    assert files.load(one) is not first
    wav(one, np.full((2, 300), 0.5))
    assert files.load(one).shape == (2, 300)
