"""Encoded clips on disk: a file for each clip's latents, one for each caption's states, and a list of both."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import torch
from safetensors import SafetensorError, safe_open

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError
from mova_studio.network.weights import save_tensors
from mova_studio.placement.quantized_cache import checksum
from mova_studio.training.batch import Example
from mova_studio.training.clips.buckets import Bucket, parse_bucket

LISTED = "clips.json"
CLIPS, PROMPTS = "clips", "prompts"
_FORMAT = "mova_studio.clips.1"
_CLIP_TENSORS = frozenset({"video_latents", "condition", "audio_latents"})
_PROMPT_TENSORS = frozenset({"prompt_embeds"})


class Damaged(Exception):
    """A cached file that is not there, or is not what was written; the text says why."""


@dataclass(frozen=True)
class Row:
    """A clip of the cache.

    Attributes:
        name: what people know it by.
        caption: as it was encoded.
        bucket: its kind.
        clip, prompt: names of its two files.
    """

    name: str
    caption: str
    bucket: Bucket
    clip: str
    prompt: str


class LatentCache(Sequence[Example]):
    """Clips that `encode_clips` wrote, read one by one when they are asked for.

    Args:
        folder: what was given to `encode_clips`.
        encoders: `encoders_identity` of the checkpoint to be trained; None takes clips of any.

    Attributes:
        rows: what is known of each clip, in the clips' order.

    Raises:
        InputError: the encoding was never finished, another checkpoint made it; from members, a damaged file.
    """

    def __init__(self, folder: Path, encoders: str | None = None) -> None:
        self.folder = folder
        listed = read_list(folder)
        if listed is None:
            raise InputError(
                f"{folder} holds no finished cache of clips; run `train encode` with it (again).", field="cache"
            )
        if encoders not in (None, listed["encoders"]):
            raise InputError(
                f"The clips in {folder} were encoded by another checkpoint ({listed['encoders']}, not {encoders}); run "
                "`train encode` with the one that is to be trained.",
                field="cache",
            )
        self.rows = tuple(
            Row(row["name"], row["caption"], parse_bucket(row["bucket"]), row["clip"], row["prompt"])
            for row in listed["clips"]
        )
        self._empty = str(listed["empty_prompt"])

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...

    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        row = self.rows[place]
        try:
            return Example(**load_clip(self.folder, row.clip), prompt_embeds=load_prompt(self.folder, row.prompt))
        except Damaged as error:
            raise self._lost(row.name, error) from error

    @property
    def empty_prompt(self) -> torch.Tensor:
        """The states of the empty caption, float32 [1, text_dim], which text dropout puts in a caption's place."""
        try:
            return load_prompt(self.folder, self._empty)
        except Damaged as error:
            raise self._lost("the empty caption", error) from error

    def buckets(self) -> dict[Bucket, tuple[int, ...]]:
        """The places of the clips of each kind; a batch has clips of one kind."""
        places: dict[Bucket, list[int]] = defaultdict(list)
        for place, row in enumerate(self.rows):
            places[row.bucket].append(place)
        return {bucket: tuple(found) for bucket, found in sorted(places.items())}

    def _lost(self, name: str, error: Damaged) -> InputError:
        return InputError(
            f"The cached latents of {name} in {self.folder} cannot be used: {error} Run `train encode` again; it makes "
            "only them anew.",
            field="cache",
        )


def read_list(folder: Path) -> dict[str, Any] | None:
    """What `write_list` wrote; None if it is not there or not whole."""
    try:
        listed = json.loads((folder / LISTED).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return listed if isinstance(listed, dict) and listed.get("format") == _FORMAT else None


def write_list(folder: Path, rows: Sequence[Row], encoders: str, empty_prompt: str) -> None:
    """Say which clips there are; until then the cache is not finished."""
    clips = [vars(row) | {"bucket": str(row.bucket)} for row in rows]
    listed = {"format": _FORMAT, "encoders": encoders, "empty_prompt": empty_prompt, "clips": clips}
    with replacing(folder / LISTED) as beside:
        beside.write_text(json.dumps(listed, ensure_ascii=False, indent=1), "utf-8")


def load_clip(folder: Path, key: str) -> dict[str, torch.Tensor]:
    """video_latents, condition and audio_latents of a clip.

    Raises:
        Damaged: the file is not there, or cannot be trusted.
    """
    return _load(folder / CLIPS / f"{key}.safetensors", _CLIP_TENSORS)[0]


def clip_bucket(folder: Path, key: str) -> Bucket:
    """The kind of a clip whose file was checked from end to end.

    Raises:
        Damaged: it is not there, or cannot be trusted.
    """
    return parse_bucket(_load(folder / CLIPS / f"{key}.safetensors", _CLIP_TENSORS)[1]["bucket"])


def save_clip(folder: Path, key: str, tensors: dict[str, torch.Tensor], bucket: Bucket) -> None:
    """Raises OutputError: the disk is full, or refuses."""
    _save(folder / CLIPS / f"{key}.safetensors", tensors, {"bucket": str(bucket)})


def load_prompt(folder: Path, key: str) -> torch.Tensor:
    """The states of a caption's own tokens, float32 [n, text_dim].

    Raises:
        Damaged: the file is not there, or cannot be trusted.
    """
    return _load(folder / PROMPTS / f"{key}.safetensors", _PROMPT_TENSORS)[0]["prompt_embeds"]


def save_prompt(folder: Path, key: str, states: torch.Tensor) -> None:
    """Raises OutputError: the disk is full, or refuses."""
    _save(folder / PROMPTS / f"{key}.safetensors", {"prompt_embeds": states}, {})


def _load(file: Path, names: frozenset[str]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not file.is_file():
        raise Damaged(f"{file.name} is not there.")
    try:
        with safe_open(file, framework="pt") as opened:
            about = opened.metadata() or {}
            # Copied, because a mapped file that somebody cuts ends the whole process.
            tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise Damaged(f"{file.name} cannot be read ({error}).") from error
    if about.get("format") != _FORMAT or about.get("sum") != checksum(tensors) or set(tensors) != names:
        raise Damaged(f"{file.name} is damaged.")
    return tensors, about


def _save(file: Path, tensors: dict[str, torch.Tensor], about: Mapping[str, str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(file.parent, error) from error
    held = {name: tensor.to("cpu", torch.float32).contiguous() for name, tensor in tensors.items()}
    save_tensors(held, file, {"format": _FORMAT, "sum": checksum(held), **about})
