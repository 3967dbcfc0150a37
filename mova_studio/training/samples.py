"""What a network makes on its way: some of its own clips again, from their captions and first frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mova_studio.atomic import output_error
from mova_studio.diffusion.conditioning import decode_video
from mova_studio.diffusion.sampling import sample
from mova_studio.diffusion.state import SamplingSettings, SamplingState
from mova_studio.media.mp4 import write_mp4
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.training.batch import Example, collate
from mova_studio.training.joint_network import JointNetwork
from mova_studio.training.noise import draw_noise
from mova_studio.training.recipe import Recipe

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SHOWN_FRAMES = 4


class Samples:
    """Clips made by the network as it is, one pass a step and so without guidance, as mp4 and in TensorBoard.

    Args:
        checkpoint: whose VAEs decode.
        recipe: of the run; its shifts and seed.
        examples: whose captions and first frames are used, one sample each.
        folder: gets samples/<step>-<number>.mp4.
        steps: of the schedule.
    """

    def __init__(
        self, checkpoint: Checkpoint, recipe: Recipe, examples: Sequence[Example], folder: Path, steps: int = 20
    ) -> None:
        self._checkpoint, self._recipe, self._steps = checkpoint, recipe, steps
        self._examples, self._folder = examples, folder / "samples"

    def __call__(self, network: JointNetwork, step: int, board: SummaryWriter | None) -> None:
        """Make the samples of a step.

        Args:
            board: None in processes that only compute along.

        Raises:
            OutputError: the disk is full or gone.
        """
        device = next(network.parameters()).device
        states = [self._sampled(network, example, device) for example in self._examples]
        if board is not None:
            self._decode(states, step, board, device)

    def _sampled(self, network: JointNetwork, example: Example, device: torch.device) -> SamplingState:
        batch = collate([example])
        noise = draw_noise(batch, seed=self._recipe.seed, step=0, boundary_ratio=network.boundary_ratio)
        frames, height, width = batch.video_latents.shape[2:]
        settings = SamplingSettings(
            height=8 * height,
            width=8 * width,
            num_frames=4 * (frames - 1) + 1,
            num_inference_steps=self._steps,
            guidance_scale=1.0,
            video_shift=self._recipe.video_shift,
            audio_shift=self._recipe.audio_shift,
        )
        state = SamplingState(settings, 0, noise.video, noise.audio, batch.condition, batch.prompt_embeds, None)
        state.to(device)
        for _ in sample(state, network.scheduler, network.boundary_ratio, network.predict_velocity):
            pass
        return state

    @torch.no_grad()
    def _decode(self, states: list[SamplingState], step: int, board: SummaryWriter, device: torch.device) -> None:
        video_vae: Any = self._checkpoint.load("video_vae", torch.float32).to(device)
        audio_vae: Any = self._checkpoint.load("audio_vae", torch.float32).to(device)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self._folder, error) from error
        for number, state in enumerate(states):
            video = decode_video(video_vae, state.latents)[0].float().permute(1, 2, 3, 0)
            frames = ((video / 2 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
            rate = audio_vae.config.sample_rate
            sound = audio_vae.decode(state.audio_latents)[0].float().cpu()
            sound = sound[:, : round(len(frames) / state.settings.frame_rate * rate)]
            stereo = np.repeat(sound.numpy(), 2, axis=0)
            write_mp4(
                self._folder / f"{step:08d}-{number}.mp4", frames, frame_rate=state.settings.frame_rate, audio=stereo
            )
            shown = frames[np.linspace(0, len(frames) - 1, SHOWN_FRAMES).astype(int)]
            board.add_image(f"sample {number}", np.concatenate(list(shown), axis=1), step, dataformats="HWC")
            board.add_audio(f"sample {number}", sound, step, sample_rate=rate)
