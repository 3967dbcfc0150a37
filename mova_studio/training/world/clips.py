"""Clips of the world by number: the same number gives the same clip, on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mova_studio.training.world.captions import caption_of
from mova_studio.training.world.drawing import frames_of
from mova_studio.training.world.scene import KINDS, Kind, Scene, sample_scene
from mova_studio.training.world.sounds import SAMPLE_RATE, sound_of

HELD_OUT = 1 << 40  # clips from this number on are never trained on


@dataclass(frozen=True)
class Clip:
    """A clip with everything that is known of it.

    Attributes:
        frames: uint8 RGB [F, H, W, 3].
        audio: float32 [n] at 48 kHz.
        caption: what a person would ask for to get it.
        scene: the truth.
    """

    frames: NDArray[np.uint8]
    audio: NDArray[np.float32]
    caption: str
    scene: Scene


@dataclass(frozen=True)
class World:
    """Which clips there are.

    Attributes:
        width, height: pixels.
        num_frames: 4n + 1.
        frame_rate: frames per second.
        kinds: what may happen.
        two_actors: share of clips with two actors, 0 to 1.
        most_pan: greatest movement of the camera, in widths of the picture.
        chinese: share of captions in Chinese.
    """

    width: int = 64
    height: int = 64
    num_frames: int = 25
    frame_rate: float = 24.0
    kinds: tuple[Kind, ...] = KINDS
    two_actors: float = 0.0
    most_pan: float = 0.0
    chinese: float = 0.25

    @property
    def num_samples(self) -> int:
        """Length of the sound at 48 kHz."""
        return round(self.num_frames / self.frame_rate * SAMPLE_RATE)

    def scene(self, number: int) -> Scene:
        """What happens in a clip."""
        rng = np.random.default_rng((number, 1))
        actors = 2 if rng.random() < self.two_actors else 1
        return sample_scene(rng, self.num_frames / self.frame_rate, self.kinds, actors=actors, most_pan=self.most_pan)

    def frames(self, number: int) -> NDArray[np.uint8]:
        """Its pictures, uint8 RGB [F, H, W, 3]."""
        return frames_of(self.scene(number), self.width, self.height, self.num_frames, self.frame_rate)

    def clip(self, number: int) -> Clip:
        """All of it."""
        scene = self.scene(number)
        rng = np.random.default_rng((number, 2))
        language = "zh" if rng.random() < self.chinese else "en"
        return Clip(
            frames_of(scene, self.width, self.height, self.num_frames, self.frame_rate),
            sound_of(scene, self.num_samples),
            caption_of(scene, language, rng),
            scene,
        )
