"""A recipe: everything that decides what a training run learns, read from one JSON file of presets/training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mova_studio.errors import InputError
from mova_studio.settings import PRESETS
from mova_studio.training.fitting import Schedule
from mova_studio.versioned_json import Part, Versioned, VersionedJson

FORMAT = 1
SHIPPED = PRESETS / "training"
MAX_BYTES = 100_000
_Rate = Annotated[float, Field(ge=0, le=1)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Shift = Annotated[float, Field(ge=0.1, le=100)]
_Momentum = Annotated[float, Field(ge=0, lt=1)]


class LearningRates(Part):
    """The highest learning rate of each component; 0 leaves it as it is."""

    video_dit: _Rate
    video_dit_2: _Rate
    audio_dit: _Rate
    dual_tower_bridge: _Rate


class AdapterShape(Part):
    """What an adapter adds to a linear layer: alpha / rank * B(A x).

    Attributes:
        rank: rows of A.
        alpha: of the scale alpha / rank.
        targets: last parts of the published names of the layers that get one, such as "q" or "ffn.0".
    """

    rank: Annotated[int, Field(ge=1, le=1024)]
    alpha: Annotated[int, Field(ge=1, le=4096)]
    targets: list[str] = Field(["q", "k", "v", "o"], min_length=1, max_length=20)


class Recipe(Versioned):
    """What a recipe's file holds.

    Attributes:
        format: `FORMAT`.
        mode: "full" trains the weights themselves, "adapter" low-rank additions to them, "adapter-low-resource"
            the same with the weights themselves in 8 bits, and brought to the device when they are used.
        steps: of the optimiser.
        batch_size: clips that go through the network at once, in each process.
        accumulation: how many such batches make a step.
        seed: of the order of the clips, of what the steps draw, and of new adapters.
        learning_rates: of each component (paper section 4.2: bridge 2e-5, towers 1e-5).
        warmup: steps over which the rates rise from 0.
        final_rate: share of the rates that is left at the end of the cosine.
        betas, weight_decay, eps: of AdamW.
        clip_norm: longest gradient.
        video_shift, audio_shift: s of Eq. 4 (5 and 1 in phase 1, 5 and 5 later).
        audio_weight: of the sound's error (0.2).
        text_dropout: share of clips that learn without their prompt (0.5 in phase 1, 0.2 later).
        adapter: of the two adapter modes, and of them alone.
        gradient_checkpointing: compute the layers' insides again on the way back instead of keeping them.
        dtype: that the network computes in. Weights and adapters that learn are float32 all the same.
        save_seconds: between two saves of the run's state.
        sample_every: steps between two samples; 0 makes none.
    """

    mode: Literal["full", "adapter", "adapter-low-resource"]
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 1
    accumulation: Annotated[int, Field(ge=1, le=4096)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    learning_rates: LearningRates
    warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    final_rate: _Share = 0.0
    betas: list[_Momentum] = Field([0.9, 0.999], min_length=2, max_length=2)
    weight_decay: _Share = 0.01
    eps: Annotated[float, Field(gt=0, le=1)] = 1e-8
    clip_norm: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    video_shift: _Shift = 5.0
    audio_shift: _Shift = 5.0
    audio_weight: Annotated[float, Field(ge=0, le=100)] = 0.2
    text_dropout: _Share = 0.0
    adapter: AdapterShape | None = None
    gradient_checkpointing: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"
    save_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    sample_every: Annotated[int, Field(ge=0)] = 0

    @field_validator("learning_rates")
    @classmethod
    def _every_step_learns(cls, rates: LearningRates) -> LearningRates:
        if not (rates.audio_dit or rates.dual_tower_bridge or (rates.video_dit and rates.video_dit_2)):
            raise InputError(
                "learning_rates leave nothing to learn in every second step, which trains the other expert; give one "
                "above 0 to audio_dit, to dual_tower_bridge, or to both video_dit and video_dit_2."
            )
        return rates

    @model_validator(mode="after")
    def _adapter_of_its_modes(self) -> Recipe:
        if (self.adapter is None) is not (self.mode == "full"):
            needed = "must have no" if self.mode == "full" else "needs an"
            raise InputError(f"A recipe of mode {self.mode!r} {needed} adapter.")
        return self

    def schedule(self) -> Schedule:
        """How a learning rate of 1 goes over the steps."""
        return Schedule(self.steps, 1.0, self.warmup, self.clip_norm, self.weight_decay, self.final_rate)


_FILE = VersionedJson(Recipe, FORMAT, "The recipe", MAX_BYTES, field="recipe")
check_recipe, read_recipe = _FILE.check, _FILE.read


def shipped_recipes() -> dict[str, Path]:
    """The files of the recipes that come with the program, by their names without .json. Files that begin with
    "demo-" are the demo checkpoint's own, whose codecs are trained by other settings."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.json")) if not path.stem.startswith("demo-")}


def find_recipe(name: str) -> Recipe:
    """The recipe of a file whose name ends in .json, or the shipped one of a name.

    Raises:
        InputError: there is neither; it names the shipped ones.
    """
    if name.endswith(".json"):
        return read_recipe(Path(name))
    shipped = shipped_recipes()
    if name not in shipped:
        raise InputError(
            f"There is no recipe {name[:80]!r}; give a .json file or one of {', '.join(shipped)}.", field="recipe"
        )
    return read_recipe(shipped[name])
