"""The toy world's clips in the cache that the network is trained from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from mova_studio.errors import Cancelled
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.training.clips import cache
from mova_studio.training.clips.buckets import Bucket
from mova_studio.training.clips.cache import Damaged, Row
from mova_studio.training.clips.decode import Clip
from mova_studio.training.clips.encode import digest_of
from mova_studio.training.clips.encoders import CaptionEncoder, ClipEncoder, encoders_identity
from mova_studio.training.world.clips import Clip as WorldClip
from mova_studio.training.world.clips import World

_AT_ONCE = 4  # clips that the VAEs encode together


def encode_world(
    checkpoint: Checkpoint,
    world: World,
    numbers: Sequence[int],
    folder: Path,
    *,
    without_first_frame: float = 0.0,
    on_clip: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write the cache that `LatentCache` reads; what it holds already is kept.

    Args:
        numbers: of the clips.
        without_first_frame: share of the clips that are given a white first frame; the clip itself stays what it is.
        on_clip: told how many are done, and how many there are.
        cancelled: asked before every clip.

    Raises:
        CheckpointError: the checkpoint's encoders cannot be loaded.
        OutputError: the disk is full, or refuses. What was written stays.
        Cancelled: `cancelled()` said so.
    """
    encoders = encoders_identity(checkpoint)
    processor = torch.device("cpu")
    of_clips, of_captions = ClipEncoder(checkpoint, processor), CaptionEncoder(checkpoint, processor)
    bucket = Bucket(world.width, world.height, world.num_frames)
    white = np.full((world.height, world.width, 3), 255, np.uint8)

    def prompt(caption: str) -> str:
        key = digest_of([encoders, caption])
        try:
            cache.load_prompt(folder, key)
        except Damaged:
            cache.save_prompt(folder, key, of_captions.encode(caption))
        return key

    def encode(several: Sequence[_Made]) -> None:
        clips = [Clip(each.clip.frames, each.clip.audio, Fraction(world.frame_rate)) for each in several]
        shown = [white if each.whiten else each.clip.frames[0] for each in several]
        for each, encoded in zip(several, of_clips.encode_batch(clips, shown), strict=True):
            cache.save_clip(folder, each.key, encoded, bucket)

    rows: list[Row] = []
    waiting: list[_Made] = []
    for done, number in enumerate(numbers, start=1):
        if cancelled():
            raise Cancelled
        whiten = bool(np.random.default_rng((number, 5)).random() < without_first_frame)
        key = digest_of([encoders, repr(world), number, whiten])
        made = _Made(key, world.clip(number), whiten)
        try:
            cache.clip_bucket(folder, key)
        except Damaged:
            waiting.append(made)
        if len(waiting) == _AT_ONCE or (waiting and done == len(numbers)):
            encode(waiting)
            waiting = []
        rows.append(Row(f"world {number}", made.clip.caption, bucket, key, prompt(made.clip.caption)))
        on_clip(done, len(numbers))
    cache.write_list(folder, rows, encoders, prompt(""))


@dataclass(frozen=True)
class _Made:
    """A clip that is to be encoded, and the name of what it gives."""

    key: str
    clip: WorldClip
    whiten: bool
