"""How a benchmark's result is written down: with date, hardware, torch version and commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch


def record_result(name: str, device: str, **figures: Any) -> dict[str, Any]:
    """The figures with everything needed to judge and repeat them."""
    project = Path(__file__).resolve().parents[1]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=project, capture_output=True, text=True
    ).stdout.strip()
    hardware = (
        torch.cuda.get_device_name() if device.startswith("cuda") else f"{os.cpu_count()} cores, {platform.machine()}"
    )
    return {
        "benchmark": name,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit or None,
        "hardware": hardware,
        "device": device,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        **figures,
    }


def write_result(result: dict[str, Any], out: Path | None) -> None:
    """Print the result as JSON, and write it to `out` if given."""
    text = json.dumps(result, indent=2)
    print(text)
    if out is not None:
        out.write_text(text + "\n", "utf-8")
