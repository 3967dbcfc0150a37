"""A share of a run's time for something that is good to have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Allowance:
    """Says whether something can be afforded, by what it took the last time.

    Args:
        share: of the time since now that may be spent, 0 to 1.
        clock: seconds that only grow.

    Attributes:
        spent: seconds, so far.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = share, clock
        self._started = clock()
        self.spent = self._cost = 0.0

    @property
    def left(self) -> bool:
        """Once more would still be within the share. The first time always is."""
        return self.spent + self._cost <= self._share * (self._clock() - self._started)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of the block."""
        begun = self._clock()
        try:
            yield
        finally:
            self._cost = self._clock() - begun
            self.spent += self._cost
