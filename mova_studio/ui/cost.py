"""What a take will cost, told before it is asked for: by this library's takes, else by the plan."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from mova_studio.errors import InputError
from mova_studio.library.take import Take
from mova_studio.ui.advice import Advice
from mova_studio.ui.catalogue import say
from mova_studio.ui.plan_words import about, memory_words, take_seconds
from mova_studio.ui.translated import translate
from mova_studio.ui.words import duration


def passes(guidance_scale: float, bridge_guidance_scale: float) -> int:
    """Network passes per step: those of (1 - s_B, s_B - s_T, s_T) that are not zero (paper Eq. 6)."""
    weights = (1 - bridge_guidance_scale, bridge_guidance_scale - guidance_scale, guidance_scale)
    return sum(weight != 0 for weight in weights)


def mean_passes(guidance_scale: float, bridge_guidance_scale: float, start: float, stop: float) -> float:
    """Passes per step of a run that is guided from `start` to `stop`; the other steps take one."""
    guided = min(max(stop - start, 0.0), 1.0)
    return guided * passes(guidance_scale, bridge_guidance_scale) + (1 - guided)


def guess_seconds(takes: Iterable[Take], **settings: Any) -> float | None:
    """Seconds for a take, scaled from the nearest one of the same checkpoint and step cache; None without one.

    Denoising grows at least with pixels, frames, steps and passes; the rest with pixels and frames.

    Args:
        settings: model, width, height, num_frames, num_inference_steps, guidance_scale, bridge_guidance_scale; and
            guidance_start, guidance_stop, step_cache where they are not 0, 1 and "off".
    """
    parts = _guess(takes, **settings)
    return None if parts is None else sum(parts)


def scout_seconds(takes: Iterable[Take], **settings: Any) -> float | None:
    """Seconds of denoising alone, in the same way: what scouts take a share of."""
    parts = _guess(takes, **settings)
    return None if parts is None else parts[0]


def _guess(
    takes: Iterable[Take],
    *,
    model: str,
    width: float,
    height: float,
    num_frames: float,
    num_inference_steps: float,
    guidance_scale: float,
    bridge_guidance_scale: float,
    guidance_start: float = 0.0,
    guidance_stop: float = 1.0,
    step_cache: str = "off",
) -> tuple[float, float] | None:
    size = width * height * num_frames
    alike = [
        take
        for take in takes
        if take.shot.model == model and take.shot.step_cache == step_cache and take.seconds.get("denoise")
    ]
    if not alike or size <= 0:
        return None
    nearest = min(alike, key=lambda take: abs(take.width * take.height * take.num_frames - size))
    shot = nearest.shot
    scale = size / (nearest.width * nearest.height * nearest.num_frames)
    work = num_inference_steps * mean_passes(guidance_scale, bridge_guidance_scale, guidance_start, guidance_stop)
    done = shot.num_inference_steps * mean_passes(
        shot.guidance_scale, shot.bridge_guidance_scale, shot.guidance_start, shot.guidance_stop
    )
    others = sum(seconds for stage, seconds in nearest.seconds.items() if stage not in ("load", "denoise"))
    return scale * nearest.seconds["denoise"] * work / max(done, 1), scale * others


def cost_html(language: str, seconds: float | None, advice: Advice | None, otherwise: str) -> str:
    """The line above Generate.

    Args:
        seconds: as `guess_seconds`; None takes the plan's prediction.
        advice: None while there is no plan.
        otherwise: said where neither is known.
    """
    chosen = None if advice is None else advice.chosen
    words = []
    if seconds is not None:
        words.append(say(language, "cost.guess", time=duration(language, seconds)))
    elif chosen is not None:
        words.append(say(language, "cost.predicted", time=about(language, take_seconds(chosen))))
    if advice is not None and chosen is not None:
        words += memory_words(language, advice.report)
    told = " · ".join(f"<span>{escape(part)}</span>" for part in words)
    line = f"<p>{told or escape(otherwise)}</p>"
    if advice is None or not advice.shortage:
        return line
    return f"{line if words else ''}{_error(language, 'plan.none', advice.shortage)}"


def refused_html(language: str, error: InputError) -> str:
    """The same line where the settings cannot be run at all."""
    return _error(language, "cost.refused", error.message)


def _error(language: str, key: str, why: str) -> str:
    told = f"{say(language, key)} {translate(language, why)}"
    return f'<p class="m-error" role="alert">{escape(told)}</p>'
