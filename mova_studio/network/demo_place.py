"""Where the demo checkpoint lies, told without torch."""

from __future__ import annotations

from pathlib import Path

from mova_studio.settings import cache_dir, trained_demo

VERSION = 2


def demo_folder() -> Path:
    """The folder of the demo checkpoint: the trained one of assets/, or the one that is built on first use."""
    return trained_demo() or cache_dir() / f"demo-untrained-{VERSION}"
