"""Clips to latents: what is in the cache already is kept, what is not, or is damaged, is made."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mova_studio.atomic import check_writable, output_error
from mova_studio.errors import Cancelled, InputError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.training.clips import cache
from mova_studio.training.clips.buckets import Bucket, choose, fit_to
from mova_studio.training.clips.cache import Damaged, Row
from mova_studio.training.clips.decode import FRAME_RATE, Clip, fitted_sound, read_clip
from mova_studio.training.clips.encoders import CaptionEncoder, ClipEncoder, encoders_identity
from mova_studio.training.clips.source import ClipSource, Listing, Skipped

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
_KEY_DIGITS = 32


@dataclass(frozen=True)
class Encoded:
    """What became of the clips of a listing.

    Attributes:
        made, kept: clips that were encoded now, and that were there already.
        skipped: what is not in the cache, and why; listing's own first.
    """

    made: int
    kept: int
    skipped: tuple[Skipped, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"made": self.made, "kept": self.kept, "skipped": [vars(each) for each in self.skipped]}


def encode_clips(
    listing: Listing,
    checkpoint: Checkpoint,
    folder: Path,
    buckets: Collection[Bucket],
    *,
    device: torch.device | str = "cpu",
    on_event: OnEvent = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Encoded:
    """Write the cache that `LatentCache` reads.

    A file is named by the digest of what it was made from: the video's bytes, the kinds of clip, the checkpoint's
    encoders; a caption's by its text. So a second run makes only what is missing, also after a run that was stopped or
    found no room; a changed caption costs nothing but itself, and two runs may share a folder.

    Args:
        buckets: kinds of clip; each clip takes the nearest size and the longest length that it fills.
        on_event: told {"kind": "caption" | "clip", "name", "done", "total", "seconds"} for each, the seconds None where
            it was there already, {"kind": "skipped", "name", "reason"}, and {"kind": "note", "text"} for what was
            damaged and is made anew.
        cancelled: asked before every caption and clip.

    Raises:
        InputError: no clip is left, or no kind of clip is given.
        CheckpointError: the checkpoint's encoders cannot be loaded.
        OutputError: the disk is full, or refuses. What was written stays.
        Cancelled: `cancelled()` said so.
    """
    if not buckets:
        raise InputError("No kind of clip is given; give at least one, such as 640x352x193.", field="size")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    check_writable(folder / cache.LISTED)
    run = _Run(folder, checkpoint, encoders_identity(checkpoint), buckets, torch.device(device), on_event, cancelled)
    skipped = list(listing.skipped)
    usable = []
    for source in listing.clips:
        if source.no_caption:
            skipped.append(Skipped(source.name, source.no_caption))
        else:
            usable.append(source)
    for each in skipped:
        on_event({"kind": "skipped", **vars(each)})
    run.captions(usable)
    rows = run.clips(usable, skipped)
    if not rows:
        reason = f" The first reason: {skipped[0].name}: {skipped[0].reason}" if skipped else ""
        raise InputError(f"None of the {len(skipped)} clips can be trained on.{reason}", field="clips")
    cache.write_list(folder, rows, run.encoders, run.prompt_key(""))
    return Encoded(run.made, len(rows) - run.made, tuple(skipped))


@dataclass
class _Run:
    folder: Path
    checkpoint: Checkpoint
    encoders: str
    buckets: Collection[Bucket]
    device: torch.device
    on_event: OnEvent
    cancelled: Callable[[], bool]
    made: int = 0

    def prompt_key(self, caption: str) -> str:
        return digest_of([self.encoders, caption])

    def captions(self, sources: list[ClipSource]) -> None:
        """All captions, and the empty one; the encoder is gone again before the VAEs come."""
        encoder: CaptionEncoder | None = None
        wanted = list(dict.fromkeys(["", *(source.caption for source in sources)]))
        for done, caption in enumerate(wanted, start=1):
            self._go_on()
            key, seconds = self.prompt_key(caption), None
            try:
                cache.load_prompt(self.folder, key)
            except Damaged as damage:
                self._note(self.folder / cache.PROMPTS, key, damage)
                encoder = encoder or CaptionEncoder(self.checkpoint, self.device)
                begun = time.monotonic()
                cache.save_prompt(self.folder, key, encoder.encode(caption))
                seconds = time.monotonic() - begun
            self._tell("caption", caption[:80], done, len(wanted), seconds)

    def clips(self, sources: list[ClipSource], skipped: list[Skipped]) -> list[Row]:
        """The rows of all clips that can be used; the others go to `skipped`."""
        encoder: ClipEncoder | None = None
        kinds = sorted(str(bucket) for bucket in set(self.buckets))
        rows = []
        for done, source in enumerate(sources, start=1):
            self._go_on()
            seconds = None
            try:
                key = digest_of([self.encoders, kinds, str(FRAME_RATE), source.digest()])
                try:
                    bucket = cache.clip_bucket(self.folder, key)
                except Damaged as damage:
                    self._note(self.folder / cache.CLIPS, key, damage)
                    reading = time.monotonic()
                    bucket, clip = self._read(source)
                    read = time.monotonic() - reading
                    encoder = encoder or ClipEncoder(self.checkpoint, self.device)
                    encoding = time.monotonic()
                    cache.save_clip(self.folder, key, encoder.encode(clip), bucket)
                    seconds = read + time.monotonic() - encoding
                    self.made += 1
                rows.append(Row(source.name, source.caption, bucket, key, self.prompt_key(source.caption)))
            except InputError as error:
                skipped.append(Skipped(source.name, error.message))
                self.on_event({"kind": "skipped", **vars(skipped[-1])})
            self._tell("clip", source.name, done, len(sources), seconds)
        return rows

    def _read(self, source: ClipSource) -> tuple[Bucket, Clip]:
        longest = max(bucket.num_frames for bucket in self.buckets)
        clip = read_clip(source.media(), longest, fit_to(self.buckets))
        height, width = clip.frames.shape[1:3]
        bucket = choose((width, height), len(clip.frames), self.buckets)
        frames = clip.frames[: bucket.num_frames]
        return bucket, Clip(frames, fitted_sound(clip.audio, len(frames), FRAME_RATE))

    def _note(self, folder: Path, key: str, damage: Damaged) -> None:
        if (folder / f"{key}.safetensors").exists():
            self.on_event({"kind": "note", "text": f"{damage} It is made anew."})

    def _tell(self, kind: str, name: str, done: int, total: int, seconds: float | None) -> None:
        rounded = None if seconds is None else round(seconds, 3)
        self.on_event({"kind": kind, "name": name, "done": done, "total": total, "seconds": rounded})

    def _go_on(self) -> None:
        if self.cancelled():
            raise Cancelled


def digest_of(parts: list[Any]) -> str:
    """The name of a file of the cache, from what it is made from."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[
        :_KEY_DIGITS
    ]
