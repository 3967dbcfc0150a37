"""A film's sound brought to a programme loudness, for files that keep every sample; AAC has its own levelling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mova_studio.errors import Cancelled
from mova_studio.media.loudness import Leveller
from mova_studio.timeline.clip import SAMPLE_RATE
from mova_studio.timeline.mixing import mix
from mova_studio.timeline.model import Timeline

CEILING_DBTP = -1.0


def programme_sound(
    timeline: Timeline,
    target_lufs: float | None,
    ceiling_dbtp: float = CEILING_DBTP,
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.float32]:
    """The film's sound at a loudness, float32 [2, film_samples] at 48 kHz.

    One gain lifts or lowers the whole film, so that no clip is moved against another; only peaks that would pass the
    ceiling are turned down. Silence stays silence, and no noise floor is lifted by more than 30 dB.

    Args:
        target_lufs: integrated loudness; None keeps the level and only limits peaks.
        ceiling_dbtp: highest true peak.

    Raises:
        InputError: a file is missing, damaged or has lost its sound.
        Cancelled: `cancelled()` said so.
    """
    film = mix(timeline, cancelled)
    if cancelled():
        raise Cancelled()
    if not film.any():
        return film
    return Leveller(film, SAMPLE_RATE).level(target_lufs, ceiling_dbtp).samples
