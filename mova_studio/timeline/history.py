"""Undo and redo over whole timelines; they are small and share their clips."""

from __future__ import annotations

from mova_studio.timeline.model import Timeline

MAX_STEPS = 500


class History:
    """The states of one timeline that can be gone back to.

    Args:
        now: the state to begin with.
    """

    def __init__(self, now: Timeline) -> None:
        self._past: list[Timeline] = []
        self._future: list[Timeline] = []
        self.now = now

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def do(self, changed: Timeline) -> Timeline:
        """A new state; what could be redone is forgotten. A state equal to the last one is no step."""
        if changed != self.now:
            self._past = [*self._past, self.now][-MAX_STEPS:]
            self._future = []
            self.now = changed
        return self.now

    def undo(self) -> Timeline:
        """One step back, if there is one."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()
        return self.now

    def redo(self) -> Timeline:
        """One step forward again, if there is one."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()
        return self.now
