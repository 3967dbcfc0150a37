"""What the demo checkpoint is made by: a small JSON file of presets/training for each of its stages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mova_studio.training.fitting import Schedule
from mova_studio.training.video_vae import Pieces
from mova_studio.training.world.clips import World
from mova_studio.versioned_json import Part, Versioned, VersionedJson

_Share = Annotated[float, Field(ge=0, le=1)]


class WorldShape(Part):
    """Which clips of the toy world a stage learns from; see `World`."""

    two_actors: _Share = 0.0
    most_pan: _Share = 0.0
    chinese: _Share = 0.25

    def world(self) -> World:
        """The world itself."""
        return World(**self.model_dump())


class CodecRecipe(Versioned):
    """How a VAE or the text encoder is fitted.

    Attributes:
        steps, learning_rate: see `Schedule`.
        batch_size: clips of a step.
        num_frames, crop, moving_weight, decoder_only: see `video_vae.Pieces`; read for the video VAE alone.
        world: see `WorldShape`.
    """

    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    batch_size: Annotated[int, Field(ge=1, le=4096)]
    num_frames: Annotated[int, Field(ge=1, le=25)] = 1
    crop: Annotated[int, Field(ge=16, multiple_of=8)] | None = None
    moving_weight: Annotated[float, Field(ge=1, le=1000)] = 1.0
    decoder_only: bool = False
    world: WorldShape = WorldShape()

    def pieces(self) -> Pieces:
        """What of the clips the video VAE looks at."""
        return Pieces(self.num_frames, self.batch_size, self.crop, self.moving_weight, self.decoder_only)

    def schedule(self) -> Schedule:
        """The learning rate over the steps."""
        return Schedule(self.steps, self.learning_rate)


class ClipsRecipe(Versioned):
    """Which clips the network learns from.

    Attributes:
        clips: how many there are, from number 0 on.
        levelled_on: how many of them say what scale the latents have.
        without_first_frame: share of them that are learnt with a white first frame, which is what the pipeline takes
            where a person gives none.
        world: see `WorldShape`.
    """

    clips: Annotated[int, Field(ge=1, le=1_000_000)]
    levelled_on: Annotated[int, Field(ge=1, le=10_000)] = 128
    without_first_frame: _Share = 0.0
    world: WorldShape = WorldShape()


CODEC_FILE = VersionedJson(CodecRecipe, 1, "The recipe", 10_000, "recipe")
CLIPS_FILE = VersionedJson(ClipsRecipe, 1, "The recipe", 10_000, "recipe")
