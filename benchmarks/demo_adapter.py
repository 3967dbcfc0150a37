"""An adapter for the demo, trained on 20 clips of a sound that its world lacks: does it come, and at what cost?

Boxes fall with a gong's sound in 20 clips; beside them lie 40 ordinary clips of the demo's world, half of them boxes,
so that the rest stays what it is (DreamBooth's prior preservation, section 3.3, does so with the model's own samples).
The adapter trained on them is judged on held-out boxes whose prompts ask for a gong, and on the gates of `demo_gates`
with and without it.

    python -m benchmarks.demo_adapter [--model demo|DIR] [--clips 100] [--gate-clips 200] [--work DIR] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.demo_gates import BATCH, Arm, ScaledBridge, measure, pipeline_of
from benchmarks.record import record_result, write_result
from mova_studio.library.presets import preset_for
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.locate import locate
from mova_studio.training.clips.cache import LatentCache
from mova_studio.training.demo_clips import encode_world
from mova_studio.training.judge.hearing import audible_onsets, named_by_ear
from mova_studio.training.network_trainer import NetworkTrainer
from mova_studio.training.recipe import SHIPPED, read_recipe
from mova_studio.training.trained import ADAPTER
from mova_studio.training.world.clips import HELD_OUT, Clip, World
from mova_studio.training.world.scene import SOUNDS, Scene
from mova_studio.training.world.sounds import GONG, sound_of

LEARNT = range(1 << 41, (1 << 41) + 20)
KEPT = range(1 << 42, (1 << 42) + 40)


class GongWorld(World):
    """Boxes alone, and they sound like a gong."""

    def scene(self, number: int) -> Scene:
        """As of `World`, with the other sound."""
        scene = super().scene(number)
        cast = [replace(each, events=tuple(replace(hit, sound=GONG) for hit in each.events)) for each in scene.actors]
        return replace(scene, actors=tuple(cast))

    def clip(self, number: int) -> Clip:
        """As of `World`, with a caption that asks for it."""
        scene = self.scene(number)
        caption = f"A {scene.actors[0].colour} box drops onto {scene.ground} with the boom of a gong."
        return Clip(self.frames(number), sound_of(scene, self.num_samples), caption, scene)


class Lesson(GongWorld):
    """The gongs that are learnt, and the ordinary clips that are kept."""

    def clip(self, number: int) -> Clip:
        """As of `World`."""
        if number in LEARNT:
            return super().clip(number)
        return (World(kinds=("box",)) if number % 2 else World()).clip(number)


def gongs(pipeline: ScaledBridge, clips: int) -> float:
    """Share of held-out takes in which a gong is what is heard most."""
    world = GongWorld(kinds=("box",))
    settings = preset_for("demo").settings()
    settings |= {"width": world.width, "height": world.height, "num_frames": world.num_frames}
    right = 0
    for start in range(0, clips, BATCH):
        asked = [world.clip(HELD_OUT + place) for place in range(start, min(start + BATCH, clips))]
        output = pipeline(
            [clip.caption for clip in asked],
            [Image.fromarray(clip.frames[0]) for clip in asked],
            output_type="np",
            generator=[torch.Generator().manual_seed(start + place) for place in range(len(asked))],
            **settings,
        )
        for sound in output.audio[:, 0].numpy():
            heard = Counter(named_by_ear(sound, float(onset), (*SOUNDS, GONG)) for onset in audible_onsets(sound))
            right += bool(heard) and heard.most_common(1)[0][0] == GONG
    return right / clips


def train(checkpoint: Checkpoint, work: Path) -> tuple[Path, float]:
    """The adapter's file, and the seconds that its training took."""
    encode_world(checkpoint, Lesson(kinds=("box",)), [*LEARNT, *KEPT], work / "clips")
    clips = LatentCache(work / "clips")
    trainer = NetworkTrainer(
        checkpoint,
        read_recipe(SHIPPED / "demo-adapter.json"),
        clips,
        work / "run",
        kinds=[row.bucket for row in clips.rows],
        empty_prompt_embeds=clips.empty_prompt,
    )
    begun = time.monotonic()
    trainer.run()
    return work / "run" / ADAPTER, time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo", help="demo or a folder")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--gate-clips", type=int, default=200)
    parser.add_argument("--work", type=Path, help="keeps clips and the run there; a folder that is gone afterwards")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    checkpoint = Checkpoint(locate(options.model))
    with tempfile.TemporaryDirectory() as gone:
        adapter, seconds = train(checkpoint, options.work or Path(gone))
        pipeline = pipeline_of(checkpoint, Arm(), Path(gone))
        figures: dict[str, Any] = {"model": checkpoint.identity(), "training_seconds": round(seconds, 1)}
        for name in ("without", "with"):
            if name == "with":
                pipeline.load_lora_weights(adapter, "gong")
                pipeline.set_adapters("gong")
            rest, _ = measure(pipeline, Arm(), options.gate_clips, None, None)
            figures[name] = {"gongs": gongs(pipeline, options.clips), "gates": rest}
        pipeline.residency.close()  # type: ignore[attr-defined]
    write_result(record_result("demo_adapter", "cpu", **figures), options.out)


if __name__ == "__main__":
    main()
