"""Where the demo checkpoint lies, told without torch."""

from __future__ import annotations

from pathlib import Path

from mova_studio.settings import ASSETS, cache_dir

VERSION = 2


def demo_folder() -> Path:
    """The folder of the demo checkpoint: the trained one of assets/, or the one that is built on first use."""
    trained = ASSETS / "demo"
    return trained if (trained / "model_index.json").is_file() else cache_dir() / f"demo-untrained-{VERSION}"
