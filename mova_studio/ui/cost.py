"""What a take will cost in time, judged by takes that this library already holds."""

from __future__ import annotations

from collections.abc import Iterable

from mova_studio.library.take import Take


def passes(guidance_scale: float, bridge_guidance_scale: float) -> int:
    """Network passes per step: those of (1 - s_B, s_B - s_T, s_T) that are not zero (paper Eq. 6)."""
    weights = (1 - bridge_guidance_scale, bridge_guidance_scale - guidance_scale, guidance_scale)
    return sum(weight != 0 for weight in weights)


def guess_seconds(
    takes: Iterable[Take],
    *,
    model: str,
    width: float,
    height: float,
    num_frames: float,
    num_inference_steps: float,
    guidance_scale: float,
    bridge_guidance_scale: float,
) -> float | None:
    """Seconds for such a take, scaled from the nearest one of the same checkpoint; None without one.

    Denoising grows at least with pixels, frames, steps and passes; the rest with pixels and frames.
    """
    size = width * height * num_frames
    alike = [take for take in takes if take.shot.model == model and take.seconds.get("denoise")]
    if not alike or size <= 0:
        return None
    nearest = min(alike, key=lambda take: abs(take.width * take.height * take.num_frames - size))
    shot = nearest.shot
    scale = size / (nearest.width * nearest.height * nearest.num_frames)
    work = num_inference_steps * passes(guidance_scale, bridge_guidance_scale)
    done = shot.num_inference_steps * passes(shot.guidance_scale, shot.bridge_guidance_scale)
    others = sum(seconds for stage, seconds in nearest.seconds.items() if stage not in ("load", "denoise"))
    return scale * (nearest.seconds["denoise"] * work / max(done, 1) + others)
