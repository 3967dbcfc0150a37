"""The examples that lie beside the demo checkpoint: a scene of each kind that it never saw."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from PIL import Image

from mova_studio.training.world.captions import caption_of
from mova_studio.training.world.clips import HELD_OUT, World
from mova_studio.training.world.scene import KINDS

_NAMES = {
    "ball": ("A ball bounces", "弹跳的球"),
    "box": ("A box drops", "落下的盒子"),
    "bell": ("A bell rings", "铃铛响起"),
    "drum": ("A drum is hit", "敲鼓"),
    "lamp": ("A lamp buzzes", "嗡嗡作响的灯"),
    "face": ("A face speaks", "说话的脸"),
}


def write_examples(folder: Path) -> None:
    """Write <kind>.json, a preset of kind "shot", and <kind>.png, its first frame, into `folder`, which is made."""
    world = World()
    folder.mkdir(parents=True)
    for kind in KINDS:
        number = next(each for each in count(HELD_OUT) if world.scene(each).actors[0].kind == kind)
        scene, (english, chinese) = world.scene(number), _NAMES[kind]
        preset = {
            "format": 1,
            "kind": "shot",
            "name": {"en": english, "zh": chinese},
            "prompt": {"en": caption_of(scene, "en"), "zh": caption_of(scene, "zh")},
        }
        text = json.dumps(preset, indent=2, ensure_ascii=False)
        (folder / f"{kind}.json").write_text(text + "\n", "utf-8")
        Image.fromarray(world.frames(number)[0]).save(folder / f"{kind}.png")
