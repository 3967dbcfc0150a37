"""Loudness is brought to its target under a true-peak ceiling, and never measured as NaN."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter, resample_poly

from mova_studio.errors import InputError
from mova_studio.media.limiter import gain_curve, peak_envelope
from mova_studio.media.loudness import Loudness, level_to, measure

RATE = 48000


def speech(seconds: float = 5.0, seed: int = 0) -> np.ndarray:
    """Pulses at the pitch of a voice through three formants, in syllables and pauses."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    phase = np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = np.diff(np.floor(phase), prepend=0) + 0.01 * rng.standard_normal(count)
    for centre, width in ((700, 90), (1220, 110), (2600, 160)):
        radius = np.exp(-np.pi * width / RATE)
        voice = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2], voice)
    voice *= np.clip(np.sin(2 * np.pi * 3.7 * time + np.sin(time)), 0, 1) ** 0.7
    voice = 0.5 * voice / np.abs(voice).max() + 1e-4 * rng.standard_normal(count)
    return voice[None].astype(np.float32)


def music(seconds: float = 5.0, seed: int = 1) -> np.ndarray:
    """Stereo chords and a kick drum with sharp attacks."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    mix = np.zeros((2, count))
    for beat in np.arange(0, seconds, 0.25):
        start = int(beat * RATE)
        time = np.arange(min(count - start, RATE // 2)) / RATE
        here = slice(start, start + time.size)
        for _ in range(3):
            note = 110 * 2 ** (rng.integers(0, 36) / 12)
            mix[:, here] += rng.random((2, 1)) * np.sin(2 * np.pi * note * time) * np.exp(-4 * time)
        mix[:, here] += 2 * np.sin(2 * np.pi * (50 + 60 * np.exp(-40 * time)) * time) * np.exp(-12 * time)
        mix[:, here] += 0.8 * rng.standard_normal((2, time.size)) * np.exp(-60 * time)
    return (0.7 * mix / np.abs(mix).max()).astype(np.float32)


def noise(level: float = 0.2, seconds: float = 5.0, channels: int = 2) -> np.ndarray:
    return (level * np.random.default_rng(5).standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


def tone(frequency: float, level: float, seconds: float = 5.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE))[None].astype(np.float32)


def clicks(every: int, level: float = 0.9, seconds: float = 5.0) -> np.ndarray:
    train = np.zeros((1, round(seconds * RATE)), np.float32)
    train[:, ::every] = level
    return train


def blows(seconds: float = 5.0) -> np.ndarray:
    count = round(seconds * RATE)
    decay = np.exp(-30 * (np.arange(count) / RATE % 1.0))
    return (0.4 * np.random.default_rng(2).standard_normal((1, count)) * decay).astype(np.float32)


REACHABLE = {
    "speech": speech(),
    "quiet speech": 0.1 * speech(seed=3),
    "hot speech": 3 * speech(seed=4),
    "clipped speech": np.clip(8 * speech(seed=9), -1, 1),
    "music": music(),
    "hot music": 2 * music(seed=8),
    "noise": noise(),
    "full-scale noise": np.clip(noise(1.0), -1, 1),
    "tone": tone(997, 0.05),
    "bass": tone(50, 0.9),
    "treble between samples": tone(12000, 0.9),
    "square": np.sign(tone(220, 1.0)),
    "blows": blows(),
    "just long enough": noise(0.2, 0.4, 1),
}
OTHERS = {"sparse clicks": clicks(RATE // 2), "dense clicks": clicks(240), "quiet clicks": clicks(4000, 0.05)}


def true_peak(samples: np.ndarray) -> float:
    return 20 * math.log10(np.abs(resample_poly(samples.astype(np.float64), 4, 1, axis=-1)).max())


@pytest.mark.parametrize("name", REACHABLE)
@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_the_target_is_met_under_the_ceiling(name: str, target: float):
    levelled = level_to(REACHABLE[name], RATE, target, -1.0)
    assert levelled.shape == REACHABLE[name].shape
    assert levelled.dtype == np.float32
    assert measure(levelled, RATE).integrated_lufs == pytest.approx(target, abs=0.3)
    assert true_peak(levelled) <= -1.0


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("ceiling", [-1.0, -9.0])
def test_what_cannot_get_loud_enough_still_keeps_under_the_ceiling(name: str, ceiling: float):
    levelled = level_to(OTHERS[name], RATE, -16.0, ceiling)
    assert measure(levelled, RATE).integrated_lufs < -16.3
    assert true_peak(levelled) <= ceiling


@given(
    seed=st.integers(0, 2**32 - 1),
    gain=st.floats(-60, 30),
    target=st.floats(-40, -6),
    ceiling=st.floats(-12, 0),
    channels=st.integers(1, 2),
    count=st.integers(1, 30000),
)
@settings(max_examples=40, deadline=None)
def test_no_true_peak_passes_the_ceiling_ever(seed, gain, target, ceiling, channels, count):
    rng = np.random.default_rng(seed)
    bursts = rng.standard_normal((channels, count)) * (rng.random(count) < rng.random())
    samples = (bursts * 10 ** (gain / 20)).astype(np.float32)
    levelled = level_to(samples, RATE, target, ceiling)
    assert levelled.shape == samples.shape
    peak = measure(levelled, RATE).true_peak_dbtp
    assert peak is None or peak <= ceiling


def test_gain_alone_is_used_where_it_is_enough():
    samples = noise(0.05)
    ratio = level_to(samples, RATE, -20.0, -1.0) / samples
    assert np.ptp(ratio) < 1e-5


def test_the_limiter_keeps_timing_and_leaves_what_is_far_from_a_peak_alone():
    samples = noise(0.01, 2.0, 1)
    samples[0, RATE] = 1.0
    limited = samples * gain_curve(peak_envelope(samples), RATE, 0.0, -6.0)
    assert np.abs(limited).argmax() == RATE
    assert np.array_equal(limited[0, : RATE - 500], samples[0, : RATE - 500])
    assert np.abs(limited[0, RATE + 9600 :] / samples[0, RATE + 9600 :] - 1).max() < 1e-4  # back within 200 ms


def test_the_limiter_moves_both_channels_together():
    samples = np.stack([noise(0.5, 1.0, 1)[0], noise(0.01, 1.0, 2)[1]])
    gains = level_to(samples, RATE, -9.0, -1.0) / samples
    assert gains[0].min() < 0.9 * gains[0].max()
    assert np.allclose(gains[0], gains[1], rtol=1e-4)


def test_the_envelope_is_the_same_however_long_the_sound():
    samples = noise(0.3, 12.0, 1)  # longer than one block of the oversampling
    whole = np.abs(resample_poly(samples, 4, 1, axis=-1)).max(axis=0).reshape(-1, 4).max(axis=1)
    whole[1:] = np.maximum(whole[1:], whole[:-1])
    assert np.allclose(peak_envelope(samples), whole, atol=1e-6)


def test_near_silence_is_not_blown_up():
    samples = 0.001 * noise(1.0, 3.0, 1)  # about -57 LUFS
    before, after = measure(samples, RATE), measure(level_to(samples, RATE, -16.0, -1.0), RATE)
    assert after.integrated_lufs - before.integrated_lufs == pytest.approx(30.0, abs=0.01)
    below_the_gate = 1e-5 * noise(1.0, 3.0, 1)
    assert np.array_equal(level_to(below_the_gate, RATE, -16.0, -1.0), below_the_gate)


@pytest.mark.parametrize(
    ("samples", "has_peak"),
    [
        (np.zeros((2, RATE), np.float32), False),
        (np.zeros((1, 0), np.float32), False),
        (noise(0.2, 0.399, 1), True),
        (noise(1e-5, 1.0), True),
    ],
)
def test_silence_and_short_sound_measure_as_none(samples: np.ndarray, has_peak: bool):
    loudness = measure(samples, RATE)
    assert loudness.integrated_lufs is None
    assert (loudness.true_peak_dbtp is not None) == has_peak
    json.dumps(loudness.to_dict(), allow_nan=False)
    assert measure(level_to(samples, RATE, -16.0, -1.0), RATE).integrated_lufs is None


def test_measures_what_the_standard_says():
    # EBU Tech 3341, case 1: a stereo 1 kHz sine of -23 dBFS is -23 LUFS; mono is 3 LU quieter.
    sine = tone(1000, 10 ** (-23 / 20), 20.0)
    assert measure(np.concatenate([sine, sine]), RATE).integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert measure(sine[0], RATE).integrated_lufs == pytest.approx(-26.0, abs=0.1)
    # EBU Tech 3341, case 16: a quarter of the sample rate at 45 degrees has its peaks between the samples.
    between = 0.5 * np.sin(2 * np.pi * np.arange(RATE) / 4 + np.pi / 4)
    assert measure(between, RATE).true_peak_dbtp == pytest.approx(-6.0, abs=0.3)
    assert 20 * math.log10(np.abs(between).max()) < -9


def test_the_lfe_of_surround_sound_does_not_count():
    quiet_but_lfe = np.zeros((6, RATE), np.float32)
    quiet_but_lfe[3] = tone(60, 0.9, 1.0)[0]
    assert measure(quiet_but_lfe, RATE) == Loudness(None, pytest.approx(-0.9, abs=0.1))
    with pytest.raises(InputError, match="8 channels"):
        measure(np.zeros((8, RATE), np.float32), RATE)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_numbers_are_refused(bad: float):
    samples = noise(0.1, 1.0)
    samples[1, 77] = bad
    for use in (lambda: measure(samples, RATE), lambda: level_to(samples, RATE, -16.0, -1.0)):
        with pytest.raises(InputError, match="1 of 96000"):
            use()


def test_no_target_keeps_the_level():
    samples = 0.5 * speech()
    assert np.array_equal(level_to(samples, RATE, None, -1.0), samples)
    loud = level_to(20 * samples, RATE, None, -1.0)
    assert true_peak(loud) <= -1.0


def test_one_dimensional_sound_stays_one_dimensional():
    assert level_to(speech()[0], RATE, -16.0, -1.0).shape == speech()[0].shape
