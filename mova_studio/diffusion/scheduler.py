"""The paired flow-matching schedule: one column of noise levels for picture, one for sound."""

from __future__ import annotations

from typing import NamedTuple

import torch
from diffusers import SchedulerMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config


class StepPair(NamedTuple):
    """What one modality's step gives: the next latents and the estimate of the clean ones (x0)."""

    prev_sample: torch.Tensor
    pred_original_sample: torch.Tensor


class FlowMatchPairScheduler(SchedulerMixin, ConfigMixin):
    """Noise levels (sigmas) of picture and sound, shifted apart if wished (paper Eq. 4).

    u runs evenly from 1 to 0 and sigma = s * u / (1 + (s - 1) * u) for shift s. Timesteps are
    1000 * sigma. Unlike the published code, a step uses the schedule's exact sigmas and not the nearest
    of 1000 cached ones, which differ by up to 1.8e-3 at shifts other than the constructor's.

    Args:
        num_train_timesteps: length of the training schedule; also the scale of timesteps (1000).
        shift: of both columns, where a call gives none (5 in the release).
        sigma_max, sigma_min: first and last sigma before shifting (1 and 0 in the release).
        extra_one_step: N steps take N + 1 points and drop the last, so that the last step's own sigma is
            above sigma_min (on in the release).
    """

    config_name = "scheduler_config.json"
    order = 1

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        shift: float = 3.0,
        sigma_max: float = 1.0,
        sigma_min: float = 0.003 / 1.002,
        extra_one_step: bool = False,
        num_inference_steps: int = 100,
        exponential_shift: bool = False,
        exponential_shift_mu: float | None = None,
        inverse_timesteps: bool = False,
        reverse_sigmas: bool = False,
        shift_terminal: float | None = None,
    ) -> None:
        variants = {
            "exponential_shift": exponential_shift,
            "inverse_timesteps": inverse_timesteps,
            "reverse_sigmas": reverse_sigmas,
            "shift_terminal": shift_terminal,
        }
        for name, value in variants.items():
            if value:
                raise ValueError(
                    f"scheduler_config.json: {name} is {value!r}; this variant of the schedule is unsupported"
                )
        self.set_timesteps(num_inference_steps)

    def set_timesteps(
        self,
        num_inference_steps: int,
        video_shift: float | None = None,
        audio_shift: float | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Lay out `num_inference_steps` steps.

        Sets `sigmas` [N + 1, 2] float32, its last row zero, and `timesteps` [N, 2] float32 on the 0..1000
        scale; column 0 is the picture's, column 1 the sound's.

        Args:
            num_inference_steps: N, at least 1.
            video_shift, audio_shift: a shift for each; None takes the configured one.
        """
        if num_inference_steps < 1:
            raise ValueError(f"num_inference_steps is {num_inference_steps}, but must be at least 1")
        columns = [
            self._shifted(num_inference_steps, self.config.shift if shift is None else shift)
            for shift in (video_shift, audio_shift)
        ]
        sigmas = torch.stack(columns, dim=1)
        self.timesteps = (sigmas * self.config.num_train_timesteps).to(device)
        self.sigmas = torch.cat([sigmas, torch.zeros(1, 2)]).to(device)
        self.num_inference_steps = num_inference_steps

    def _shifted(self, steps: int, shift: float) -> torch.Tensor:
        points = steps + 1 if self.config.extra_one_step else steps
        u = torch.linspace(self.config.sigma_max, self.config.sigma_min, points, dtype=torch.float32)[:steps]
        return shift * u / (1 + (shift - 1) * u)

    def step(
        self, velocity: torch.Tensor, sample: torch.Tensor, sigma: torch.Tensor, sigma_next: torch.Tensor
    ) -> StepPair:
        """One Euler step of one modality: x + v * (sigma_next - sigma), with v = noise - data.

        Args:
            velocity, sample: float32, any equal shape.
            sigma, sigma_next: 0-dim tensors out of one column of `sigmas`.
        """
        return StepPair(sample + velocity * (sigma_next - sigma), sample - velocity * sigma)

    def add_noise(self, sample: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """(1 - sigma) * sample + sigma * noise, with sigma = timestep / 1000; `timestep` is a scalar or [B]."""
        sigma = (timestep / self.config.num_train_timesteps).to(sample)
        sigma = sigma.reshape(-1, *[1] * (sample.ndim - 1)) if sigma.ndim else sigma
        return (1 - sigma) * sample + sigma * noise

    def training_weights(self) -> torch.Tensor:
        """Bell-shaped loss weights over the current video timesteps, [N], mean 1 (exp(-2 (t/N - 1/2)^2),
        lowered to touch zero). The published trainers compute them and train without."""
        steps = self.num_inference_steps
        bell = torch.exp(-2 * ((self.timesteps[:, 0] - steps / 2) / steps) ** 2)
        bell = bell - bell.min()
        return bell * (steps / bell.sum())

    def expert_steps(self, boundary_ratio: float) -> int:
        """How many of the current steps the high-noise expert runs: those until the first video timestep
        strictly under boundary_ratio * 1000."""
        low = self.timesteps[:, 0] < boundary_ratio * self.config.num_train_timesteps
        return int(low.int().argmax()) if bool(low.any()) else self.num_inference_steps
