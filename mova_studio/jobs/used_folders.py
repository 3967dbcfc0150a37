"""The checkpoint folders that the owner has used, newest first, kept between starts."""

from __future__ import annotations

import json
from pathlib import Path

from mova_studio.atomic import output_error, replacing
from mova_studio.settings import cache_dir

MAX_FOLDERS = 20


class UsedFolders:
    """A short list in a file.

    Args:
        file: a damaged or absent one is an empty list; by default in the studio's cache folder.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_dir() / "checkpoint_folders.json"

    def read(self) -> list[str]:
        """The folders, newest first."""
        try:
            kept = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return [name for name in kept if isinstance(name, str)] if isinstance(kept, list) else []

    def remember(self, folder: Path) -> None:
        """Put `folder` first.

        Raises:
            OutputError: the list cannot be kept.
        """
        name = str(folder.expanduser().absolute())
        self._write([name, *(known for known in self.read() if known != name)][:MAX_FOLDERS])

    def forget(self, folder: str) -> bool:
        """Take a folder off the list, and leave its files alone; whether it was there.

        Raises:
            OutputError: the list cannot be kept.
        """
        known = self.read()
        if folder not in known:
            return False
        self._write([name for name in known if name != folder])
        return True

    def _write(self, folders: list[str]) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self._file.parent, error) from error
        with replacing(self._file) as beside:
            beside.write_text(json.dumps(folders, indent=1), "utf-8")
