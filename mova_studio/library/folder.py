"""Takes on disk: plain mp4 files in a folder per day, named by time and seed, never by what a person typed."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from mova_studio.atomic import output_error
from mova_studio.errors import InputError
from mova_studio.library.provenance import read_take
from mova_studio.library.take import Take

log = logging.getLogger(__name__)


class TakeFolder:
    """A folder of takes.

    Args:
        root: made when the first take is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self._read: dict[Path, tuple[float, Take | None]] = {}

    def new_path(self, seed: int, now: datetime | None = None) -> Path:
        """A free path for the next take: YYYY-MM-DD/HHMMSS-seed.mp4 in local time.

        Raises:
            OutputError: the folder cannot be made.
        """
        moment = now or datetime.now().astimezone()
        day = self.root / f"{moment:%Y-%m-%d}"
        try:
            day.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(day, error) from error
        stem = f"{moment:%H%M%S}-{seed}"
        paths = (day / f"{stem}{suffix}.mp4" for suffix in ("", *(f"-{count}" for count in range(2, 10_000))))
        return next(path for path in paths if not path.exists())

    def takes(self, limit: int) -> list[Take]:
        """The newest `limit` takes, newest first. Files that are not takes, or cannot be read, are passed over."""
        files = sorted(self.root.glob("????-??-??/*.mp4"), reverse=True)
        found: list[Take] = []
        for file in files:
            if len(found) == limit:
                break
            take = self._take(file)
            if take is not None:
                found.append(take)
        return found

    def _take(self, file: Path) -> Take | None:
        try:
            changed = file.stat().st_mtime
            known = self._read.get(file)
            if known is None or known[0] != changed:
                self._read[file] = known = (changed, read_take(file))
            return known[1]
        except (InputError, OSError) as error:
            log.warning("%s is passed over: %s", file, error)
            return None

    def remember(self, take: Take) -> None:
        """Keep what is known of a take just written, so that it need not be decoded to be listed."""
        self._read[take.path] = (take.path.stat().st_mtime, take)

    def delete(self, path: Path) -> None:
        """Delete one take.

        Raises:
            InputError: the path is not a take of this folder.
        """
        resolved = path.resolve()
        if self.root not in resolved.parents or resolved.suffix != ".mp4" or not resolved.is_file():
            raise InputError(f"{path.name} is not a take of this library; reload the page.")
        try:
            resolved.unlink()
        except OSError as error:
            raise output_error(resolved, error) from error
        self._read.pop(resolved, None)
