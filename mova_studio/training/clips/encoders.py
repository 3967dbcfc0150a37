"""What a checkpoint makes of a clip: latents of picture and sound, the condition, the caption's states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.diffusion.conditioning import encode_video, image_condition
from mova_studio.diffusion.text import encode_prompts, tokenize
from mova_studio.errors import MemoryRanOut
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.tiles import Tiling
from mova_studio.training.clips.buckets import as_video
from mova_studio.training.clips.decode import Clip

ENCODERS = ("audio_vae", "text_encoder", "video_vae")
_MOST_TILES = 64
Encoded: TypeAlias = dict[str, torch.Tensor]


def encoders_identity(checkpoint: Checkpoint) -> str:
    """Of what encodes alone: clips need not be encoded again for a network that was trained further."""
    return checkpoint.identity(ENCODERS)


class ClipEncoder:
    """The two VAEs of a checkpoint, in float32.

    Args:
        device: where they compute.

    Raises:
        CheckpointError: they are wrong, truncated or absent.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._device = device
        self._video: AutoencoderKLWan = checkpoint.load("video_vae", torch.float32).to(device)
        self._audio = cast(AutoencoderDAC, checkpoint.load("audio_vae", torch.float32).to(device))
        self._tiles = 1

    def encode(self, clip: Clip) -> Encoded:
        """The video_latents, condition and audio_latents of an `Example`, on the CPU.

        Raises:
            MemoryRanOut: see `encode_batch`.
        """
        return self.encode_batch([clip], [clip.frames[0]])[0]

    @torch.no_grad()
    def encode_batch(self, clips: Sequence[Clip], first_frames: Sequence[NDArray[np.uint8]]) -> list[Encoded]:
        """The same of several clips of one kind.

        Args:
            first_frames: what each condition is to be, uint8 RGB [H, W, 3].

        Where the device has not enough memory for a whole picture, it is encoded in tiles, and later ones are too.

        Raises:
            MemoryRanOut: not even for a tile.
        """
        video = torch.stack([as_video(clip.frames) for clip in clips])
        first = torch.cat([as_video(frame[None])[None, :, 0] for frame in first_frames]).to(self._device)
        sound = torch.stack([torch.from_numpy(clip.audio) for clip in clips]).to(self._device)[:, None]
        while True:
            tiling = Tiling(count=self._tiles) if self._tiles > 1 else None
            try:
                latents = encode_video(self._video, video.to(self._device), tiling)
                condition = image_condition(self._video, first, None, video.shape[2], tiling)
                heard = self._audio.encode(self._audio.pad(sound)).mean
                of_all = {"video_latents": latents.cpu(), "condition": condition.cpu(), "audio_latents": heard.cpu()}
                return [{name: each[place] for name, each in of_all.items()} for place in range(len(clips))]
            except torch.OutOfMemoryError as error:
                self._tiles *= 2
                if self._tiles > _MOST_TILES:
                    raise MemoryRanOut(
                        f"{self._device} has not enough memory to encode clips of {video.shape[4]}x{video.shape[3]}; "
                        "choose smaller ones, or encode on the processor."
                    ) from error


class CaptionEncoder:
    """The text encoder of a checkpoint, as it is stored, and its tokenizer.

    Raises:
        CheckpointError: they are wrong, truncated or absent.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._tokenizer: PreTrainedTokenizerBase = checkpoint.tokenizer()
        self._device = device
        self._encoder: UMT5EncoderModel = checkpoint.load("text_encoder").to(device)

    @torch.no_grad()
    def encode(self, caption: str) -> torch.Tensor:
        """The states of the caption's own tokens, float32 [n, text_dim], 1 <= n <= 512, on the CPU."""
        states = encode_prompts(self._encoder, self._tokenizer, [caption], self._device)
        _, mask = tokenize(self._tokenizer, [caption])
        return states[0, : int(mask.sum())].float().cpu()
