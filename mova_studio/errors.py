"""What can go wrong, in the person's words: the value, the limit and the remedy.

Every error that a person can cause or mend is a `StudioError`. The command line exits with its
`exit_code`; the page shows it beside the control named by `field`.
"""

from __future__ import annotations


class StudioError(Exception):
    """An error with a sentence for the person.

    Args:
        message: one or two sentences naming the value, the limit and the remedy.
        field: the input at fault, in the words of `Shot` ("prompt", "size", ...), if there is one.
    """

    exit_code = 1

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), self.message, self.field)

    def to_dict(self) -> dict[str, str | int | None]:
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "field": self.field,
            "exit_code": self.exit_code,
        }


def _rebuild(kind: type[StudioError], message: str, field: str | None) -> StudioError:
    return kind(message, field=field)


class InputError(StudioError, ValueError):
    """A prompt, picture, size, length or scale that cannot be used."""

    exit_code = 2


class CheckpointError(StudioError):
    """A checkpoint that is wrong, truncated, mixed or absent."""

    exit_code = 3


class OutputError(StudioError):
    """A result that could not be written: folder missing, read-only, disk full."""

    exit_code = 4


class MemoryRanOut(StudioError):
    """The run needed more memory than the machine could give."""

    exit_code = 5


class AccessDenied(StudioError):
    """A guest asked for something that only the owner may do."""

    exit_code = 6


class BackendError(StudioError):
    """A model or server for prompts that is not there, refuses, or cannot do what is asked."""

    exit_code = 7


class AnswerError(StudioError):
    """A model's answer that is empty, cut or not in the asked form."""

    exit_code = 8


class Cancelled(StudioError):
    """The person stopped the run."""

    exit_code = 130

    def __init__(self, message: str = "Cancelled.", *, field: str | None = None) -> None:
        super().__init__(message, field=field)
