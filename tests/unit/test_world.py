"""The toy world: what is seen, what is heard and what is said agree, and a fit goes on where it stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mova_studio.training.fitting import Fit, Schedule
from mova_studio.training.world.clips import World
from mova_studio.training.world.drawing import frames_of
from mova_studio.training.world.scene import COLOURS, FALL_SOUNDS, KINDS, height_at, sample_scene
from mova_studio.training.world.sounds import SAMPLE_RATE, sound_of


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_heard_at_its_time_and_nothing_before(kind):
    for number in range(8):
        scene = sample_scene(np.random.default_rng(number), 25 / 24, (kind,))
        audio = sound_of(scene)
        assert np.isfinite(audio).all() and np.abs(audio).max() < 1
        first = round(scene.events[0].time * SAMPLE_RATE)
        assert np.abs(audio[:first]).max() == 0
        for event in scene.events:
            start = round(event.time * SAMPLE_RATE)
            after = audio[start : start + 480]
            before = audio[max(start - 480, 0) : start]
            assert np.square(after).mean() > 1.3 * np.square(before).mean()


@pytest.mark.parametrize("kind", ["ball", "box"])
def test_what_falls_touches_the_ground_when_it_sounds(kind):
    for number in range(20):
        scene = sample_scene(np.random.default_rng(number), 49 / 24, (kind,))
        (actor,) = scene.actors
        assert {event.sound for event in scene.events} == {FALL_SOUNDS[scene.ground]}
        for event in scene.events:
            assert height_at(kind, actor.start, event.time) == pytest.approx(0, abs=1e-6)
            assert height_at(kind, actor.start, event.time - 0.03) > 0.005


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (160, 96)])
def test_the_colour_is_seen_in_every_picture(kind, width, height):
    for number in range(6):
        scene = sample_scene(np.random.default_rng(number), 25 / 24, (kind,))
        frames = frames_of(scene, width, height, 25).astype(float)
        colour = np.array(COLOURS[scene.actors[0].colour], float)
        close = np.abs(frames - colour).max(axis=-1) < 40
        assert close.reshape(25, -1).mean(axis=1).min() > 0.005


def test_clips_are_the_same_for_the_same_number_and_others_for_another():
    world = World(two_actors=0.5, most_pan=0.1)
    first, again, other = world.clip(5), world.clip(5), world.clip(6)
    assert np.array_equal(first.frames, again.frames) and np.array_equal(first.audio, again.audio)
    assert first.caption == again.caption and first.scene != other.scene
    assert first.frames.shape == (25, 64, 64, 3) and first.audio.size == 50_000


def test_captions_name_colour_and_thing_in_both_languages():
    english, chinese = World(chinese=0.0), World(chinese=1.0)
    for number in range(30):
        (actor,) = english.scene(number).actors
        caption = english.clip(number).caption
        assert actor.colour in caption and actor.kind in caption
        assert all(ord(letter) > 127 or letter in "aho" for letter in chinese.clip(number).caption)


def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    def fit_in(folder, stops):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        fit = Fit(model, folder, Schedule(30, 1e-2, warmup=5))

        def loss_of(step):
            given = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
            return (model(given) - given.sum(1, keepdim=True)).square().mean(), {}

        done = fit.run(loss_of, validate=dict, validate_every=100, stop=lambda: fit.step in stops)
        return model, done

    whole, done = fit_in(tmp_path / "whole", ())
    assert done
    assert not fit_in(tmp_path / "cut", (13,))[1]
    resumed, done = fit_in(tmp_path / "cut", ())
    assert done
    assert all(torch.equal(one, two) for one, two in zip(whole.parameters(), resumed.parameters(), strict=True))
