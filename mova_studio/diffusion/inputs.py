"""What a call may be given: checked before anything is computed, with the nearest right value in the message."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from mova_studio.diffusion.state import SamplingSettings
from mova_studio.errors import InputError
from mova_studio.network.rotary import MAX_AUDIO_POSITIONS

SIZE_MULTIPLE = 16
TEMPORAL_STRIDE = 4
MAX_VIDEO_POSITIONS = 1024

Frame = Image.Image | np.ndarray | torch.Tensor
Generators = torch.Generator | Sequence[torch.Generator] | None


def check_settings(settings: SamplingSettings, sample_rate: int, hop_length: int) -> None:
    """Refuse numbers that the network cannot run.

    Raises:
        InputError: height or width is not a multiple of 16 (or beyond the rotary table's 1024 patches),
            num_frames is not 4n + 1 (or beyond the tables), steps are below 1, or a number is not finite.
    """
    for name in ("height", "width"):
        value = getattr(settings, name)
        if value < SIZE_MULTIPLE or value % SIZE_MULTIPLE:
            nearest = max(SIZE_MULTIPLE, round(value / SIZE_MULTIPLE) * SIZE_MULTIPLE)
            raise InputError(
                f"{name} is {value}, but must be a multiple of {SIZE_MULTIPLE}; try {nearest}.", field="size"
            )
        if value > MAX_VIDEO_POSITIONS * SIZE_MULTIPLE:
            raise InputError(
                f"{name} is {value}, but at most {MAX_VIDEO_POSITIONS * SIZE_MULTIPLE} can be placed.", field="size"
            )
    frames = settings.num_frames
    if frames < 1 or (frames - 1) % TEMPORAL_STRIDE:
        nearest = max(0, round((frames - 1) / TEMPORAL_STRIDE)) * TEMPORAL_STRIDE + 1
        raise InputError(f"num_frames is {frames}, but must be 4n + 1; try {nearest}.", field="num_frames")
    for name in ("frame_rate", "video_shift", "audio_shift"):
        value = getattr(settings, name)
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}, but must be a finite number above 0.", field=name)
    for name in ("guidance_scale", "bridge_guidance_scale"):
        value = getattr(settings, name)
        if not math.isfinite(value):
            raise InputError(f"{name} is {value}, but must be a finite number.", field=name)
    if settings.num_inference_steps < 1:
        raise InputError(
            f"num_inference_steps is {settings.num_inference_steps}, but must be at least 1.",
            field="num_inference_steps",
        )
    audio = num_audio_latents(settings, sample_rate, hop_length)
    if (frames - 1) // TEMPORAL_STRIDE + 1 > MAX_VIDEO_POSITIONS or audio > MAX_AUDIO_POSITIONS:
        raise InputError(
            f"num_frames is {frames} at {settings.frame_rate:g} frames a second, but at most "
            f"{(MAX_VIDEO_POSITIONS - 1) * TEMPORAL_STRIDE + 1} frames and "
            f"{MAX_AUDIO_POSITIONS * hop_length / sample_rate:.0f} s can be placed.",
            field="num_frames",
        )


def num_audio_samples(settings: SamplingSettings, sample_rate: int) -> int:
    """Samples that sound as long as the picture lasts."""
    return int(sample_rate * settings.num_frames / settings.frame_rate)


def num_audio_latents(settings: SamplingSettings, sample_rate: int, hop_length: int) -> int:
    """Latents that cover `num_audio_samples`."""
    return (num_audio_samples(settings, sample_rate) - 1) // hop_length + 1


def batch_size(prompt: str | Sequence[str] | None, prompt_embeds: torch.Tensor | None) -> int:
    """How many takes a call makes.

    Raises:
        InputError: neither a prompt nor its embeddings are given, or both are.
    """
    if (prompt is None) == (prompt_embeds is None):
        raise InputError("Give either prompt or prompt_embeds, and not both.", field="prompt")
    if prompt_embeds is not None:
        return len(prompt_embeds)
    return 1 if isinstance(prompt, str) else len(prompt or ())


def as_list(value: str | Sequence[str], batch: int, name: str) -> list[str]:
    """One text for all takes, or one for each."""
    texts = [value] * batch if isinstance(value, str) else list(value)
    if len(texts) != batch:
        raise InputError(f"{name} holds {len(texts)} texts for {batch} prompts; give one, or one for each.", field=name)
    return texts


def frame_list(image: Frame | Sequence[Frame], batch: int, name: str) -> list[Image.Image]:
    """One picture for all takes, or one for each; arrays and tensors are read as diffusers reads them
    (np [H, W, 3] or [B, H, W, 3], pt [3, H, W] or [B, 3, H, W], in 0..1)."""
    given = [image] if isinstance(image, (Image.Image, np.ndarray, torch.Tensor)) else list(image)
    frames = [picture for item in given for picture in _pictures(item)]
    frames = frames * batch if len(frames) == 1 else frames
    if len(frames) != batch:
        raise InputError(
            f"{name} holds {len(frames)} pictures for {batch} prompts; give one, or one for each.", field=name
        )
    return frames


def _pictures(image: Frame) -> list[Image.Image]:
    if isinstance(image, Image.Image):
        return [image]
    if isinstance(image, torch.Tensor):
        image = VaeImageProcessor.pt_to_numpy(image if image.ndim == 4 else image.unsqueeze(0))
    if isinstance(image, np.ndarray):
        return VaeImageProcessor.numpy_to_pil(image if image.ndim == 4 else image[None])
    raise InputError(f"A frame is a PIL image, an array or a tensor, not {type(image).__name__}.", field="first_frame")


def starting_noise(
    latents: torch.Tensor | None,
    audio_latents: torch.Tensor | None,
    shape: tuple[int, ...],
    audio_shape: tuple[int, ...],
    generator: Generators,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise that a call was given, or drawn where it was not; see `draw_noise`.

    Raises:
        InputError: given noise is not of the take's shape.
    """
    if latents is None or audio_latents is None:
        noise, audio_noise = draw_noise(shape, audio_shape, generator)
        latents = noise if latents is None else latents
        audio_latents = audio_noise if audio_latents is None else audio_latents
    for name, tensor, expected in (("latents", latents, shape), ("audio_latents", audio_latents, audio_shape)):
        if tuple(tensor.shape) != expected:
            raise InputError(f"{name} has shape {list(tensor.shape)}, but this take needs {list(expected)}.")
    return latents, audio_latents


def draw_noise(
    shape: tuple[int, ...], audio_shape: tuple[int, ...], generator: Generators
) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard normal latents of picture and sound, float32 on the CPU, so that a seed means the same take
    on every device.

    Take after take, picture first: the first take of a batch equals a call for it alone.

    Args:
        shape, audio_shape: with the batch in front.
        generator: on the CPU; one for all takes, one for each, or None for torch's own.

    Raises:
        InputError: a generator lives on another device, or their number is not the batch's.
    """
    batch = shape[0]
    generators = [generator] * batch if generator is None or isinstance(generator, torch.Generator) else list(generator)
    if len(generators) != batch:
        raise InputError(f"{len(generators)} generators were given for {batch} takes; give one, or one for each.")
    for each in generators:
        if each is not None and each.device.type != "cpu":
            raise InputError(
                f"The generator lives on {each.device}; noise is drawn on the CPU so that a seed means the same take "
                'everywhere. Use torch.Generator("cpu").',
                field="seed",
            )
    drawn = [
        (torch.randn(shape[1:], generator=each), torch.randn(audio_shape[1:], generator=each)) for each in generators
    ]
    return torch.stack([video for video, _ in drawn]), torch.stack([audio for _, audio in drawn])
