"""Dual guidance, paper Eq. 6: text and bridge each have their own scale.

v = v(neg, off) + s_B * (v(neg, on) - v(neg, off)) + s_T * (v(pos, on) - v(neg, on)), which is a weighted sum
of three passes; a pass with weight zero need not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch

from mova_studio.errors import InputError

Velocity = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class GuidancePass:
    """One run of the network: with which text, with the bridge or without, and its weight in the sum."""

    positive: bool
    bridge: bool
    weight: float

    @property
    def name(self) -> str:
        """ "neg_off", "neg_on" or "pos_on": the text and the bridge, whatever the weight."""
        return f"{'pos' if self.positive else 'neg'}_{'on' if self.bridge else 'off'}"


_UNGUIDED = (GuidancePass(positive=True, bridge=True, weight=1.0),)


@dataclass(frozen=True)
class DualGuidance:
    """The two scales and the passes that they need.

    Outside the interval from `start` to `stop` both scales are 1. Guidance is of little use at the lowest
    noise levels and harmful at the highest (Kynkäänniemi et al. 2024, "Applying Guidance in a Limited
    Interval Improves Sample and Distribution Quality in Diffusion Models"); their interval is one of noise
    levels, ours, as that of diffusers' guiders, one of steps.

    Args:
        guidance_scale: s_T, text guidance; 1 is off.
        bridge_guidance_scale: s_B, bridge guidance; 1 is plain text guidance.
        start, stop: fractions of the steps, 0 <= start <= stop <= 1. Of N steps those from int(start * N)
            up to but not with int(stop * N) are guided.

    Raises:
        ValueError: a scale is not finite.
        InputError: the interval is not one.
    """

    guidance_scale: float = 5.0
    bridge_guidance_scale: float = 1.0
    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self.start, self.stop)
        for name in ("guidance_scale", "bridge_guidance_scale"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}, but must be a finite number")

    @property
    def passes(self) -> tuple[GuidancePass, ...]:
        """The passes of a guided step that count, in the order (neg, off), (neg, on), (pos, on).

        The three weights sum to 1, so at least one pass runs; both scales 1 leave (pos, on) alone.
        """
        text, bridge = self.guidance_scale, self.bridge_guidance_scale
        candidates = (
            GuidancePass(positive=False, bridge=False, weight=1 - bridge),
            GuidancePass(positive=False, bridge=True, weight=bridge - text),
            GuidancePass(positive=True, bridge=True, weight=text),
        )
        return tuple(candidate for candidate in candidates if candidate.weight != 0)

    def passes_at(self, index: int, num_inference_steps: int) -> tuple[GuidancePass, ...]:
        """The passes of step `index` of `num_inference_steps`: `passes`, or (pos, on) alone outside the interval."""
        guided = int(self.start * num_inference_steps) <= index < int(self.stop * num_inference_steps)
        return self.passes if guided else _UNGUIDED

    @property
    def needs_negative(self) -> bool:
        return self.start < self.stop and any(not part.positive for part in self.passes)

    @property
    def needs_positive(self) -> bool:
        return (self.start, self.stop) != (0, 1) or any(part.positive for part in self.passes)

    def combine(
        self, run: Callable[[GuidancePass], Velocity], passes: Sequence[GuidancePass] | None = None
    ) -> Velocity:
        """Run every pass in turn and add up their velocities in float32.

        Args:
            passes: those of a step, from `passes_at`; None takes those of a guided one.
        """
        video = audio = None
        for part in self.passes if passes is None else passes:
            part_video, part_audio = run(part)
            part_video, part_audio = part_video.float(), part_audio.float()
            if part.weight != 1:
                part_video, part_audio = part.weight * part_video, part.weight * part_audio
            video = part_video if video is None else video + part_video
            audio = part_audio if audio is None else audio + part_audio
        if video is None or audio is None:
            raise AssertionError("the weights sum to 1, so one pass has run")
        return video, audio


def grouped(passes: Sequence[GuidancePass], batched: bool) -> tuple[tuple[GuidancePass, ...], ...]:
    """The passes that run as one batch: each alone, or if `batched` those with the same bridge together."""
    if not batched:
        return tuple((part,) for part in passes)
    return tuple(tuple(group) for _, group in groupby(passes, key=lambda part: part.bridge))


def check_interval(start: float, stop: float) -> None:
    """Refuse a guidance interval that does not lie within the run.

    Raises:
        InputError: naming both ends and the limits; the field is the end at fault.
    """
    if 0 <= start <= stop <= 1:
        return
    raise InputError(
        f"The guidance interval runs from {start} to {stop}, but must lie within the run, 0 <= start <= stop <= 1; "
        "0 and 1 guide every step.",
        field="guidance_stop" if 0 <= start <= 1 else "guidance_start",
    )
