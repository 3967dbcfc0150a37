"""A tab that is closed in the middle of an answer is no fault, and leaves no traceback in the log."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException

_GONE = 404


class ClosedTabs(logging.Filter):
    """Drops what the server says of a stream whose page has gone.

    Gradio's stream of events ends with status 404 once its page's events are cleaned up; by then the answer has
    begun, so that Starlette can only raise.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        cause = error.__cause__ if isinstance(error, RuntimeError) else None
        return not (isinstance(cause, HTTPException) and cause.status_code == _GONE)
