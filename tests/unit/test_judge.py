"""The judge of the demo's gates: right about the world's own clips, and not to be fooled by wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from mova_studio.training.judge.hearing import audible_onsets, named_by_ear
from mova_studio.training.judge.seeing import Named, named_by_sight, states_of, visible_hits
from mova_studio.training.judge.verdict import IN_TIME_SECONDS, judge, pairs_within
from mova_studio.training.world.clips import World
from mova_studio.training.world.scene import KINDS, SOUNDS, Event
from mova_studio.training.world.sounds import SAMPLE_RATE, event_sound

WORLDS = {kind: World(kinds=(kind,)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_worlds_own_clips_pass(kind):
    for number in range(3):
        clip = WORLDS[kind].clip(number)
        verdict = judge(clip.frames, clip.audio, clip.scene)
        assert verdict.looks_right and verdict.sounds_right
        assert verdict.hits == verdict.heard_in_time == len(clip.scene.events)
        assert verdict.unmatched == 0


@pytest.mark.parametrize("kind", KINDS)
def test_hits_are_told_within_25_ms_though_frames_are_42_apart(kind):
    for number in range(3):
        clip = WORLDS[kind].clip(number)
        (actor,) = clip.scene.actors
        hits = visible_hits(states_of(clip.frames, clip.scene, actor), kind, 24.0)
        assert hits == pytest.approx([event.time for event in actor.events], abs=0.025)


@pytest.mark.parametrize("kind", ["ball", "bell", "drum"])
def test_hits_are_told_in_smeared_pictures(kind):
    for number in range(3):
        clip = WORLDS[kind].clip(number)
        (actor,) = clip.scene.actors
        around = np.pad(clip.frames.astype(np.float32), ((1, 1), (0, 0), (0, 0), (0, 0)), mode="edge")
        smeared = ((around[:-2] + around[1:-1] + around[2:]) / 3).astype(np.uint8)
        hits = visible_hits(states_of(smeared, clip.scene, actor), kind, 24.0)
        assert hits == pytest.approx([event.time for event in actor.events], abs=0.04)


def test_sound_that_comes_late_is_not_in_time():
    clip = WORLDS["drum"].clip(1)
    late = np.roll(clip.audio, round(0.12 * SAMPLE_RATE))
    verdict = judge(clip.frames, late, clip.scene)
    assert verdict.sounds_right and verdict.heard_in_time == 0 and verdict.unmatched == verdict.onsets > 0


def test_another_colour_another_thing_and_another_sound_are_noticed():
    red = next(clip for number in range(40) if (clip := WORLDS["ball"].clip(number)).scene.actors[0].colour == "red")
    (actor,) = red.scene.actors
    assert named_by_sight(red.frames, red.scene, actor) == Named("ball", "red")
    swapped = judge(red.frames[..., ::-1], red.audio, red.scene)
    assert not swapped.looks_right and swapped.sounds_right
    bell = WORLDS["bell"].clip(2)
    assert not judge(bell.frames, red.audio, red.scene).looks_right
    assert not judge(red.frames, bell.audio, red.scene).sounds_right


def test_a_still_silent_clip_has_nothing_in_it():
    clip = WORLDS["drum"].clip(0)
    still = np.repeat(clip.frames[:1], 25, axis=0)
    verdict = judge(still, np.zeros_like(clip.audio), clip.scene)
    assert (verdict.hits, verdict.onsets, verdict.sounds_right) == (0, 0, False)


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("level", [0.15, 1.0])
def test_every_sound_is_known_by_ear_in_noise_and_at_its_place(sound, level):
    noise = np.random.default_rng(3).standard_normal(SAMPLE_RATE) * 3e-4
    made = event_sound(Event(0.3, sound, level, 0.3))[: noise.size - round(0.3 * SAMPLE_RATE)]
    noise[round(0.3 * SAMPLE_RATE) :][: made.size] += made
    audio = noise.astype(np.float32)
    (onset,) = audible_onsets(audio)
    assert onset == pytest.approx(0.3, abs=0.012)
    assert named_by_ear(audio, onset) == sound


times = st.lists(st.floats(0, 2), max_size=8).map(lambda found: np.sort(np.asarray(found)))


@settings(deadline=None)
@given(times, times)
def test_pairs_are_as_many_as_can_be(hits, onsets):
    near = (onsets[None] >= hits[:, None] - IN_TIME_SECONDS) & (onsets[None] <= hits[:, None] + IN_TIME_SECONDS)
    best = int((maximum_bipartite_matching(csr_array(near), perm_type="column") >= 0).sum()) if near.size else 0
    assert pairs_within(hits, onsets, IN_TIME_SECONDS) == best
