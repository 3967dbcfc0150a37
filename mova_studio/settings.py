"""Where things live on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PRESETS = PROJECT / "presets"


def trained_demo() -> Path | None:
    """The folder of the demo checkpoint that ships, if it is there: demo/ of assets/, or of $MOVA_STUDIO_ASSETS."""
    named = os.environ.get("MOVA_STUDIO_ASSETS")
    folder = (Path(named).expanduser() if named else PROJECT / "assets") / "demo"
    return folder if (folder / "model_index.json").is_file() else None


def cache_dir() -> Path:
    """A folder for what the studio keeps for itself: what can be made again (the untrained demo, quantized weights,
    prompt embeddings), what was learned on this machine, its limits, and takes that found no room elsewhere.

    MOVA_STUDIO_CACHE names another one.
    """
    named = os.environ.get("MOVA_STUDIO_CACHE")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mova_studio"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mova_studio"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mova_studio"


def adapters_dir() -> Path:
    """The folder of installed adapters: $MOVA_STUDIO_ADAPTERS, or adapters/ in `cache_dir`."""
    named = os.environ.get("MOVA_STUDIO_ADAPTERS")
    return Path(named).expanduser() if named else cache_dir() / "adapters"
