"""Shared fixtures. The parity checkpoint and its goldens lie outside the project, see CONTRIBUTING.md."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PARITY = Path(os.environ.get("MOVA_PARITY_DIR", Path(__file__).parents[2] / "shared" / "parity"))


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    if not (PARITY / "goldens.json").is_file():
        pytest.skip(f"no parity fixtures at {PARITY}; set MOVA_PARITY_DIR")
    return PARITY


@pytest.fixture(scope="session")
def tiny_checkpoint(parity_dir: Path) -> Path:
    """The random MOVA checkpoint in the published layout; read-only."""
    return parity_dir / "mova-tiny"


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_checkpoint: Path):
    import torch

    from mova_studio.diffusion import MovaPipeline

    pipeline = MovaPipeline.from_pretrained(tiny_checkpoint, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser or os.environ.get("MOVA_REQUIRE_BROWSER") == "1":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-regression", action="store_true", help="keep our own outputs anew")
    parser.addoption("--parity-report", metavar="FILE", help="write the measured parity errors as a Markdown table")
