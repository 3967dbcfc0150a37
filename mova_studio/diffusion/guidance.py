"""Dual guidance, paper Eq. 6: text and bridge each have their own scale.

v = v(neg, off) + s_B * (v(neg, on) - v(neg, off)) + s_T * (v(pos, on) - v(neg, on)), which is a weighted sum
of three passes; a pass with weight zero need not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

Velocity = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class GuidancePass:
    """One run of the network: with which text, with the bridge or without, and its weight in the sum."""

    positive: bool
    bridge: bool
    weight: float


@dataclass(frozen=True)
class DualGuidance:
    """The two scales and the passes that they need.

    Args:
        guidance_scale: s_T, text guidance; 1 is off.
        bridge_guidance_scale: s_B, bridge guidance; 1 is plain text guidance.

    Raises:
        ValueError: a scale is not finite.
    """

    guidance_scale: float = 5.0
    bridge_guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("guidance_scale", "bridge_guidance_scale"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}, but must be a finite number")

    @property
    def passes(self) -> tuple[GuidancePass, ...]:
        """The passes that count, in the order (neg, off), (neg, on), (pos, on).

        The three weights sum to 1, so at least one pass runs; both scales 1 leave (pos, on) alone.
        """
        text, bridge = self.guidance_scale, self.bridge_guidance_scale
        candidates = (
            GuidancePass(positive=False, bridge=False, weight=1 - bridge),
            GuidancePass(positive=False, bridge=True, weight=bridge - text),
            GuidancePass(positive=True, bridge=True, weight=text),
        )
        return tuple(candidate for candidate in candidates if candidate.weight != 0)

    @property
    def needs_negative(self) -> bool:
        return any(not part.positive for part in self.passes)

    @property
    def needs_positive(self) -> bool:
        return any(part.positive for part in self.passes)

    def combine(self, run: Callable[[GuidancePass], Velocity]) -> Velocity:
        """Run every pass in turn and add up their velocities in float32."""
        video = audio = None
        for part in self.passes:
            part_video, part_audio = run(part)
            part_video, part_audio = part_video.float(), part_audio.float()
            if part.weight != 1:
                part_video, part_audio = part.weight * part_video, part.weight * part_audio
            video = part_video if video is None else video + part_video
            audio = part_audio if audio is None else audio + part_audio
        if video is None or audio is None:
            raise AssertionError("the weights sum to 1, so one pass has run")
        return video, audio
