"""Work beside the queue, in a thread of its own, that a person can look at and cancel."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

from mova_studio.errors import StudioError

_P = TypeVar("_P", bound="HasEnd")


class HasEnd(Protocol):
    """How far such work is.

    Attributes:
        error: what went wrong, `Cancelled` included.
        ended: there is a result or an error.
    """

    @property
    def error(self) -> StudioError | None: ...

    @property
    def ended(self) -> bool: ...


class Beside(ABC, Generic[_P]):
    """Something under way. Safe to ask from any thread.

    Args:
        progress: to begin with.

    Attributes:
        progress: how far it is; replaced, never changed.
    """

    failed = "Something failed inside"

    def __init__(self, progress: _P) -> None:
        self.progress = progress
        self._cancelled, self._ended = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name=type(self).__name__, daemon=True).start()

    def cancel(self) -> None:
        """Stop it; it ends within a second."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; whether it has come."""
        return self._ended.wait(seconds)

    @abstractmethod
    def _work(self) -> _P:
        """Do it, and say what came of it.

        Raises:
            StudioError: it failed, or was cancelled.
        """

    @abstractmethod
    def _told(self, **changes: Any) -> _P:
        """The progress with changes."""

    def _finished(self) -> _P:
        """The last progress, waited for.

        Raises:
            StudioError: it failed, or was cancelled.
        """
        self._ended.wait()
        if self.progress.error is not None:
            raise self.progress.error
        return self.progress

    def _run(self) -> None:
        try:
            self.progress = self._work()
        except StudioError as error:
            self.progress = self._told(error=error)
        except Exception as error:  # noqa: BLE001 (the page must hear of it; the words might hold anything)
            self.progress = self._told(error=StudioError(f"{self.failed} ({type(error).__name__})."))
        finally:
            self._ended.set()
