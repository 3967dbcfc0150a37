"""Encoded first and last frames, kept for the next seed of the same shot."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import torch

from mova_studio.library.shot import Shot

KEPT = 4  # of 14 MB each for 193 frames of 640x352


class ConditionCache:
    """The latest conditions, in RAM."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, torch.Tensor] = OrderedDict()

    def get(self, key: Hashable) -> torch.Tensor | None:
        """What was put there last; None if it was never put, or long ago."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: Hashable, condition: torch.Tensor) -> None:
        """Keep `condition`, and let the oldest go for it."""
        self._known[key] = condition.cpu()
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)


def frames_key(shot: Shot) -> tuple[Hashable, ...]:
    """All of a shot that its condition depends on."""
    return shot.first_frame, shot.last_frame, shot.width, shot.height, shot.num_frames
