"""Whether a clip is worth training on: one protocol for our own measures and for heavier judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from mova_studio.errors import InputError
from mova_studio.media.aac import SAMPLE_RATE
from mova_studio.media.measures import measure_streams
from mova_studio.media.meter import MIN_SECONDS, integrated
from mova_studio.media.motion import small_grey
from mova_studio.training.clips.decode import Clip

PLUGINS = "mova_studio.clip_scorers"
_BAND_DB = -90.0
_BAR_LUMA = 20  # of 255: what a codec makes of a black bar


@dataclass(frozen=True)
class Fault:
    """One reason not to train on a clip.

    Attributes:
        kind: a word by which reasons are counted, such as "freeze".
        reason: a sentence with the figure and its limit.
    """

    kind: str
    reason: str


@dataclass(frozen=True)
class Score:
    """What a scorer found.

    Attributes:
        figures: by name; None where a clip has no such thing.
        faults: () if the clip may be used.
    """

    figures: Mapping[str, float | None]
    faults: tuple[Fault, ...]


class Scorer(Protocol):
    """Judges clips.

    A package adds one by an entry point in the group `mova_studio.clip_scorers` that names a function without
    arguments which gives a scorer; it is used where its name is asked for.

    Attributes:
        name: changes whenever its verdicts do, such as "synchformer-1".
    """

    @property
    def name(self) -> str: ...

    def score(self, clip: Clip) -> Score:
        """Figures and faults of one clip.

        Raises:
            StudioError: it cannot judge at all; the run stops there.
        """


@dataclass(frozen=True)
class Limits:
    """What our own measures let pass; the defaults only keep out what is plainly of no use.

    Attributes:
        freeze_share, black_share, silence_share: most of the clip's length, 0 to 1, in which the picture stands
            still or is black, or the sound is silent (spans as in `media.measures`).
        clipped_share: most samples cut off at full scale, 0 to 1.
        loudness_lufs: least integrated loudness.
        bandwidth_hz: least highest frequency that is heard at all; telephone sound ends at 3,400.
        sharpness: least mean square of the picture's second differences, in levels of 255 squared.
        offset_ms: most milliseconds, either way, by which the sound is off, where that can be told.
        av_align: least AV-Align, 0 to 1, where there is any.
    """

    freeze_share: float = 0.5
    black_share: float = 0.1
    silence_share: float = 0.5
    clipped_share: float = 0.001
    loudness_lufs: float = -50.0
    bandwidth_hz: float = 3500.0
    sharpness: float = 2.0
    offset_ms: float = 200.0
    av_align: float = 0.0


def limits_from(texts: Sequence[str]) -> Limits:
    """Limits from "NAME=VALUE" texts.

    Raises:
        InputError: there is no such limit, or its value is no number.
    """
    names = [field.name for field in dataclasses.fields(Limits)]
    changed = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            changed[name.strip()] = float(value)
        except ValueError:
            changed[name.strip()] = np.nan
        if name.strip() not in names or np.isnan(changed[name.strip()]):
            raise InputError(f"{text[:60]!r} is no limit; give NAME=NUMBER with one of {', '.join(names)}.")
    return Limits(**changed)


class OwnMeasures:
    """Judges by `media.measures` and a few figures more; no network is needed."""

    name = "own-1"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def score(self, clip: Clip) -> Score:
        figures = _figures(clip)
        limits = self._limits
        most = {
            "freeze_share": ("freeze", "The picture stands still for {:.0%} of it"),
            "black_share": ("black", "The picture is black for {:.0%} of it"),
            "silence_share": ("silence", "It is silent for {:.0%} of it"),
            "clipped_share": ("clipping", "{:.2%} of the sound is cut off at full scale"),
        }
        least = {
            "loudness_lufs": ("quiet", "Its loudness is {:.0f} LUFS"),
            "bandwidth_hz": ("narrow sound", "Its sound ends at {:.0f} Hz"),
            "sharpness": ("blurred", "Its sharpness is {:.1f}"),
            "av_align": ("out of step", "Its AV-Align is {:.2f}"),
        }
        faults = []
        for name, (kind, words) in (most | least).items():
            value, limit = figures[name], getattr(limits, name)
            if value is not None and (value > limit if name in most else value < limit):
                bound = "at most" if name in most else "at least"
                faults.append(Fault(kind, f"{words.format(value)}; {name} must be {bound} {limit:g}."))
        offset = figures["offset_ms"]
        if offset is not None and abs(offset) > limits.offset_ms:
            faults.append(
                Fault(
                    "out of sync",
                    f"Its sound is off by {offset:.0f} ms; offset_ms must be at most {limits.offset_ms:g}.",
                )
            )
        unheard = figures["loudness_lufs"] is None and clip.seconds >= MIN_SECONDS
        if unheard and not any(fault.kind == "silence" for fault in faults):
            faults.append(Fault("silence", "Nothing in it is loud enough to be measured."))
        return Score(figures, tuple(faults))


def plugin_scorers(names: Sequence[str]) -> list[Scorer]:
    """Scorers of other packages, by the names of their entry points.

    Raises:
        InputError: no package here has one of that name.
    """
    found = {entry.name: entry for entry in entry_points(group=PLUGINS)}
    missing = [name for name in names if name not in found]
    if missing:
        there = ", ".join(sorted(found)) or "none"
        raise InputError(f"There is no scorer {missing[0]!r}; installed packages offer: {there}.", field="scorer")
    return [found[name].load()() for name in names]


def _figures(clip: Clip) -> dict[str, float | None]:
    measures = measure_streams(clip.frames, float(clip.frame_rate), clip.audio, SAMPLE_RATE)
    seconds = clip.seconds

    def share(spans: tuple[tuple[float, float], ...]) -> float:
        return round(min(sum(length for _, length in spans) / seconds, 1.0), 4)

    return {
        "freeze_share": share(measures.freeze),
        "black_share": share(measures.black),
        "silence_share": share(measures.silence),
        "clipped_share": measures.clipped_samples / max(clip.audio.size, 1),
        "loudness_lufs": integrated(clip.audio[None], SAMPLE_RATE),
        "bandwidth_hz": bandwidth(clip.audio),
        "sharpness": round(sharpness(clip.frames), 2),
        "offset_ms": measures.offset_ms,
        "av_align": measures.av_align,
    }


def bandwidth(sound: NDArray[np.float32]) -> float | None:
    """The highest frequency in Hz within 90 dB of the strongest one of float32 [n] at 48 kHz; None for silence."""
    frequencies, power = welch(sound, SAMPLE_RATE, nperseg=min(4096, max(sound.size, 1)))
    if not power.size or power.max() <= 0:
        return None
    return float(frequencies[np.flatnonzero(power > power.max() * 10 ** (_BAND_DB / 10))[-1]])


def sharpness(frames: NDArray[np.uint8]) -> float:
    """Median over the pictures of the mean square of the Laplacian inside black bars; uint8 RGB [F, H, W, 3]."""
    grey = small_grey(frames[:: max(len(frames) // 16, 1)]).astype(np.float32)
    seen = grey.max(axis=0) > _BAR_LUMA
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return 0.0
    # A bar's edge lies a pixel inside of what is seen, because the picture was made smaller.
    inner = grey[:, rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]
    if min(inner.shape[1:]) < 3:
        return 0.0
    middle = inner[:, 1:-1, 1:-1]
    around = inner[:, :-2, 1:-1] + inner[:, 2:, 1:-1] + inner[:, 1:-1, :-2] + inner[:, 1:-1, 2:]
    return float(np.median(np.square(around - 4 * middle).mean(axis=(1, 2))))
