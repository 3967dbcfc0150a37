"""What a training step draws: a time for picture and one for sound, their noise, and whose text is left out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
import torch

from mova_studio.diffusion.sampling import Expert
from mova_studio.training.batch import Batch

TIMESTEPS = 1000.0


@dataclass(frozen=True)
class Noise:
    """The draws for one batch of B clips.

    Attributes:
        timestep, audio_timestep: [B] or [1], 0..1000.
        video, audio: standard normal, shaped as the batch's latents.
        without_text: bool [B], the clips whose prompt is replaced by the empty one; None for none of them.
    """

    timestep: torch.Tensor
    audio_timestep: torch.Tensor
    video: torch.Tensor
    audio: torch.Tensor
    without_text: torch.Tensor | None = None


def expert_of(step: int) -> Expert:
    """The expert that step `step` trains: odd steps the high-noise one, even ones the low-noise one (paper
    section 4.2); audio tower and bridge learn in every step.

    The released trainers take the high-noise expert in even steps. One of them counts every micro-batch as a
    step, the other one every step of the optimiser, as we do.
    """
    return "high" if step % 2 else "low"


def draw_noise(
    batch: Batch,
    *,
    seed: int,
    step: int,
    boundary_ratio: float,
    video_shift: float = 5.0,
    audio_shift: float = 5.0,
    text_dropout: float = 0.0,
    first: int = 0,
) -> Noise:
    """The draws of step `step` for the clips of `batch`, from one generator for each clip.

    Times of picture and sound are independent, each through its own shift (paper Eq. 4). The picture's lies on
    the side of boundary_ratio * 1000 where the step's expert works (`expert_of`): it is drawn as over the whole
    schedule and kept to that side. The released step draws one index for all clips and for both modalities.

    Args:
        seed, step: all randomness follows from these two and from a clip's place.
        boundary_ratio: of the checkpoint (0.9); timesteps of 1000 * boundary_ratio and above are high noise.
        video_shift, audio_shift: s of Eq. 4, at least above 0 (5 and 1 in phase 1, 5 and 5 later).
        text_dropout: share of clips that learn without their prompt (0.5 in phase 1, 0.2 later).
        first: the place of the batch's first clip among all clips of the step, so that a step may be cut into
            pieces, or spread over processes, and draws the same.
    """
    high = expert_of(step) == "high"
    boundary = unshifted(boundary_ratio, video_shift)
    times, audio_times, videos, audios, without = [], [], [], [], []
    for video, audio, place in zip(batch.video_latents, batch.audio_latents, count(first), strict=False):
        generator = torch.Generator().manual_seed(_seed_of(seed, step, place))
        u, audio_u, text = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        # rand is in [0, 1), so that 1 - rand never is 0: a clip without noise has nothing to learn.
        u = 1 - u * (1 - boundary) if high else (1 - u) * boundary
        times.append(shifted(u, video_shift))
        audio_times.append(shifted(1 - audio_u, audio_shift))
        without.append(text < text_dropout)
        videos.append(torch.randn(video.shape, generator=generator))
        audios.append(torch.randn(audio.shape, generator=generator))
    device = batch.video_latents.device
    return Noise(
        TIMESTEPS * torch.tensor(times, dtype=torch.float32, device=device),
        TIMESTEPS * torch.tensor(audio_times, dtype=torch.float32, device=device),
        torch.stack(videos).to(device),
        torch.stack(audios).to(device),
        torch.tensor(without, device=device),
    )


def shifted(u: float, shift: float) -> float:
    """Eq. 4: sigma = s * u / (1 + (s - 1) * u)."""
    return shift * u / (1 + (shift - 1) * u)


def unshifted(sigma: float, shift: float) -> float:
    """The u that `shifted` takes to sigma."""
    return sigma / (shift - (shift - 1) * sigma)


def _seed_of(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
