"""What the person allows plans to use, kept between starts."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from mova_studio.atomic import output_error, replacing

log = logging.getLogger(__name__)


class LimitsFile:
    """Limits as plain values; `placement.request.Limits` gives them their meaning.

    Args:
        file: a damaged or absent one says nothing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, Any]:
        """What was kept last; {} for nothing."""
        try:
            kept = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            log.debug("no limits at %s", self._file)
            return {}
        return kept if isinstance(kept, dict) else {}

    def write(self, limits: dict[str, Any]) -> None:
        """Keep `limits`.

        Raises:
            OutputError: the folder is missing or read-only, or the disk is full.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self._file.parent, error) from error
        with replacing(self._file) as beside:
            beside.write_text(json.dumps(limits, indent=1), "utf-8")
