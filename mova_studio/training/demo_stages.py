"""The demo checkpoint from nothing: picture, sound and text learn first, each by itself; the network learns last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffusers import AutoencoderKLWan

from mova_studio.errors import Cancelled
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.training import audio_vae, demo_text, video_vae
from mova_studio.training.clips.cache import LatentCache
from mova_studio.training.clips.encoders import encoders_identity
from mova_studio.training.demo_checkpoint import begin, level_audio, level_video
from mova_studio.training.demo_clips import encode_world
from mova_studio.training.demo_recipe import CLIPS_FILE, CODEC_FILE, CodecRecipe
from mova_studio.training.network_trainer import NetworkTrainer, StepFigures
from mova_studio.training.recipe import SHIPPED, read_recipe
from mova_studio.training.run_state import read_facts
from mova_studio.training.samples import Samples

VIDEO_STAGES = ("frames", "video-vae", "video-vae-crops", "video-vae-whole", "video-vae-decoder")
STAGES = (*VIDEO_STAGES, "audio-vae", "text-encoder", "clips", "network")
BEGUN = "begun"
_SAMPLES = 4


@dataclass(frozen=True)
class DemoTraining:
    """Where it happens, and who is told.

    Args:
        folder: gets a folder for each stage; a stage goes on where it was stopped.
        recipes: of the files demo-<stage>.json.
        on_stage: told of each stage as it begins.
        on_clip: told how many clips are encoded, and how many there are.
        on_step: told of every step of the network.
        stop: asked before every step; what was learnt is saved first.

    Raises:
        InputError: a recipe is wrong, or a folder holds a run of another one.
        OutputError: the disk is full, or refuses.
    """

    folder: Path
    recipes: Path = SHIPPED
    on_stage: Callable[[str], None] = lambda stage: None
    on_clip: Callable[[int, int], None] = lambda done, total: None
    on_step: Callable[[StepFigures], None] = lambda figures: None
    stop: Callable[[], bool] = lambda: False

    def run(self, until: str = STAGES[-1]) -> bool:
        """Every stage up to `until`; whether its end was reached."""
        for stage in STAGES[: STAGES.index(until) + 1]:
            self.on_stage(stage)
            if not self._stage(stage):
                return False
        return True

    def _stage(self, stage: str) -> bool:
        if stage == "clips":
            return self._clips()
        if stage == "network":
            return self._network()
        recipe = self._codec(stage)
        if stage == "audio-vae":
            self._audio_vae(recipe)
        elif stage == "text-encoder":
            demo_text.train(
                self.folder / stage,
                recipe.world.world(),
                recipe.schedule(),
                batch_size=recipe.batch_size,
                stop=self.stop,
            )
        else:
            self._video_vae(stage, recipe)
        return not self.stop()

    def _video_vae(self, stage: str, recipe: CodecRecipe) -> AutoencoderKLWan:
        place = VIDEO_STAGES.index(stage)
        return video_vae.train(
            self.folder / stage,
            recipe.world.world(),
            recipe.schedule(),
            recipe.pieces(),
            start_from=None if place == 0 else self.folder / VIDEO_STAGES[place - 1] / "state.safetensors",
            inflated=place > 1,
            stop=self.stop,
        )

    def _audio_vae(self, recipe: CodecRecipe) -> AutoencoderDAC:
        return audio_vae.train(
            self.folder / "audio-vae",
            recipe.world.world(),
            recipe.schedule(),
            batch_size=recipe.batch_size,
            stop=self.stop,
        )

    def _begin(self) -> Checkpoint:
        """The checkpoint that the network begins with."""
        folder, clips = self.folder / BEGUN, CLIPS_FILE.read(self.recipes / "demo-clips.json")
        if not (folder / "model_index.json").is_file():
            text = self._codec("text-encoder")
            encoder, tokenizer = demo_text.train(self.folder / "text-encoder", text.world.world(), text.schedule())
            seen = self._video_vae(VIDEO_STAGES[-1], self._codec(VIDEO_STAGES[-1])).eval()
            heard = self._audio_vae(self._codec("audio-vae")).eval()
            level_video(seen, clips.world.world(), range(clips.levelled_on))
            level_audio(heard, clips.world.world(), range(clips.levelled_on))
            begin(folder, seen, heard, encoder.eval(), tokenizer)
        return Checkpoint(folder)

    def _clips(self) -> bool:
        recipe = CLIPS_FILE.read(self.recipes / "demo-clips.json")
        try:
            encode_world(
                self._begin(),
                recipe.world.world(),
                range(recipe.clips),
                self.folder / "clips",
                without_first_frame=recipe.without_first_frame,
                on_clip=self.on_clip,
                cancelled=self.stop,
            )
        except Cancelled:
            return False
        return True

    def _network(self) -> bool:
        checkpoint, recipe = Checkpoint(self.folder / BEGUN), read_recipe(self.recipes / "demo-network.json")
        clips, folder = LatentCache(self.folder / "clips", encoders_identity(checkpoint)), self.folder / "network"
        trainer = NetworkTrainer(
            checkpoint,
            recipe,
            clips,
            folder,
            kinds=[row.bucket for row in clips.rows],
            empty_prompt_embeds=clips.empty_prompt,
            resume=read_facts(folder) is not None,
        )
        samples = Samples(checkpoint, recipe, clips[:_SAMPLES], folder)
        return trainer.run(on_step=self.on_step, sample=samples, stop=self.stop)

    def _codec(self, stage: str) -> CodecRecipe:
        return CODEC_FILE.read(self.recipes / f"demo-{stage}.json")
