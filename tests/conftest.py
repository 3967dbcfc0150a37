"""Shared fixtures. The parity checkpoint and its goldens lie outside the project, see CONTRIBUTING.md."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# A slow example on a busy machine is no defect.
settings.register_profile("studio", deadline=None)
settings.load_profile("studio")

# Tests take the untrained demo: it is a tenth of the trained one's work and makes larger pictures. Those of the trained
# one name its folder themselves.
os.environ["MOVA_STUDIO_ASSETS"] = os.devnull

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


@pytest.fixture(scope="session")
def take_files(tmp_path_factory) -> list[Path]:
    """Six takes of 5 frames and 16x16 pixels; the first four say their ids, take-0 to take-3."""
    import numpy as np

    from mova_studio.library.provenance import describe_take
    from mova_studio.library.shot import Shot
    from mova_studio.media.mp4 import write_mp4

    folder = tmp_path_factory.mktemp("takes")
    files = []
    for seed in range(6):
        shot = Shot(prompt=f"雨中的猫 cat {seed // 3}, 100% wet", width=16, height=16, num_frames=5)
        made = {"checkpoint": "c", "untrained": True, "plan": {}, "seconds": {"denoise": 1.0}, "program": "0.1.0"}
        made |= {"created": f"2026-11-21T10:00:0{seed}+00:00", "notes": ("cropped",)}
        record = describe_take(shot, seed, **made, take_id=f"take-{seed}" if seed < 4 else None)
        frames = np.full((5, 16, 16, 3), 40 * seed, np.uint8)
        sound = np.random.default_rng(seed).normal(0, 0.1, (2, 10_000)).astype(np.float32)
        files.append(folder / f"{seed}.mp4")
        write_mp4(files[-1], frames, frame_rate=24.0, audio=sound, provenance=record)
    return files


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
