"""The world's sounds: each made of a few tones and a burst of noise, as 48 kHz samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mova_studio.training.world.scene import Event, Scene

SAMPLE_RATE = 48_000
LEVEL = 0.5
# Frequencies in Hz, their shares, and the seconds in which each falls to 1/e.
_STRUCK: dict[str, tuple[tuple[float, float, float], ...]] = {
    "thud": ((85.0, 1.0, 0.09), (150.0, 0.4, 0.05)),
    "ping": ((1150.0, 0.8, 0.16), (2740.0, 0.4, 0.1), (4310.0, 0.15, 0.06)),
    "knock": ((420.0, 1.0, 0.03), (910.0, 0.5, 0.02)),
    "ring": ((660.0, 0.8, 0.35), (1320.0, 0.35, 0.25), (1830.0, 0.3, 0.2), (2710.0, 0.15, 0.12)),
    "tap": ((190.0, 0.7, 0.07), (340.0, 0.3, 0.04)),
}
# Not in the world, but of what its audio VAE knows: adapters learn it. A thud and a ring at once.
GONG = "gong"
_STRUCK[GONG] = _STRUCK["thud"] + _STRUCK["ring"]
# Level of the burst of noise at the stroke, and the seconds in which it dies away.
_NOISE = {"thud": (0.15, 0.008), "ping": (0.1, 0.003), "knock": (0.5, 0.008), "ring": (0.08, 0.003), "tap": (0.9, 0.03)}
_NOISE[GONG] = _NOISE["thud"]
# Partials of the held sounds: the pitch in Hz and the formants that colour it.
_PITCH = {"buzz": 120.0, "ah": 170.0, "oo": 170.0}
_FORMANTS = {"ah": ((750.0, 140.0), (1200.0, 160.0)), "oo": ((330.0, 90.0), (800.0, 110.0))}
_RAMP_SECONDS = 0.012


def sound_of(scene: Scene, num_samples: int | None = None) -> NDArray[np.float32]:
    """The clip's sound, float32 [n] at 48 kHz, full scale 1.0; equal for equal scenes.

    Args:
        num_samples: length; the clip's own by default.
    """
    total = round(scene.seconds * SAMPLE_RATE) if num_samples is None else num_samples
    mixed = np.zeros(total)
    for event in scene.events:
        start = round(event.time * SAMPLE_RATE)
        made = event_sound(event)[: max(total - start, 0)]
        mixed[start : start + made.size] += made
    return np.tanh(mixed).astype(np.float32)


def event_sound(event: Event) -> NDArray[np.float64]:
    """One event's sound from its onset, float64 [n] at 48 kHz."""
    held = event.sound in _PITCH
    wave = _held(event.sound, event.seconds) if held else _struck(event.sound)
    return LEVEL * event.strength * wave


def _struck(sound: str) -> NDArray[np.float64]:
    partials = _STRUCK[sound]
    length = round(5 * max(decay for _, _, decay in partials) * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    wave = sum(share * np.sin(2 * np.pi * pitch * time) * np.exp(-time / decay) for pitch, share, decay in partials)
    level, decay = _NOISE[sound]
    noise = np.random.default_rng(7).standard_normal(length)
    attack = np.minimum(time / 0.001, 1.0)
    return (wave + level * noise * np.exp(-time / decay)) * attack


def _held(sound: str, seconds: float) -> NDArray[np.float64]:
    length = max(round(seconds * SAMPLE_RATE), 1)
    time = np.arange(length) / SAMPLE_RATE
    pitch = _PITCH[sound]
    wave = np.zeros(length)
    for number in range(1, int(4000 / pitch)):
        frequency = pitch * number
        if sound == "buzz":
            share = 1 / number if number % 2 else 0.3 / number
        else:
            share = sum(np.exp(-(((frequency - middle) / width) ** 2)) for middle, width in _FORMANTS[sound]) + 0.02
        wave += share * np.sin(2 * np.pi * frequency * time)
    ramp = np.minimum(np.minimum(time, time[::-1]) / _RAMP_SECONDS, 1.0)
    return wave / max(np.abs(wave).max(), 1e-9) * ramp
