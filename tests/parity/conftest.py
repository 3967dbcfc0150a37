"""Goldens: load a group, compare by each tensor's own tolerance, and keep the measured errors.

`pytest tests/parity --parity-report docs/parity.md` writes them as a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

ERRORS: dict[str, dict[str, tuple[float, str]]] = {}


class Goldens:
    """One group of goldens.

    Indexing gives a tensor; `check` compares ours with the golden of that name.
    """

    def __init__(self, root: Path, group: str) -> None:
        described = json.loads((root / "goldens.json").read_text("utf-8"))
        self.group = group
        self.extra = described["extra"]
        self.config = described["config"]
        self.about = described["groups"][group]["tensors"]
        self.tensors = load_file(root / described["groups"][group]["file"])

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.tensors[name]

    def check(self, name: str, ours: torch.Tensor | np.ndarray) -> None:
        theirs = self.tensors[name]
        ours = torch.as_tensor(np.asarray(ours) if isinstance(ours, np.ndarray) else ours)
        assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: shape {tuple(ours.shape)}, not {tuple(theirs.shape)}"
        tolerance = self.about[name]["tolerance"]
        difference = (ours.double() - theirs.double()).abs()
        error = float(difference.max()) if difference.numel() else 0.0
        if tolerance == "exact":
            allowed, limit = torch.zeros_like(difference), "exact"
        elif isinstance(tolerance, str):
            assert tolerance.startswith("max difference of 1 level")
            allowed, limit = torch.ones_like(difference), "1 level"
        else:
            allowed = tolerance["atol"] + tolerance["rtol"] * theirs.double().abs()
            limit = f"{tolerance['atol']:g} + {tolerance['rtol']:g} of the value"
        ERRORS.setdefault(self.group, {})[name] = (error, limit)
        worst = float((difference - allowed).max()) if difference.numel() else 0.0
        assert worst <= 0, f"{self.group}/{name}: largest difference {error:.3g}, allowed {limit}"


@pytest.fixture(scope="session")
def goldens(parity_dir: Path) -> Callable[[str], Goldens]:
    return lambda group: Goldens(parity_dir, group)


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = session.config.getoption("--parity-report", default=None)
    if target is None or not ERRORS:
        return
    lines = [
        "# Parity with the reference",
        "",
        "Largest absolute difference between MOVA Studio and the reference implementation's own outputs, on a tiny",
        "random checkpoint in the published layout, float32 on CPU. Made by",
        "`.venv/bin/python -m pytest tests/parity --parity-report docs/parity.md`; the same comparison runs in every",
        "test run. Not matched on purpose, because the reference is wrong there: the nearest-timestep lookup of the",
        "scheduler (`*_lookup` and the chains made from it) and the video head at batch 2 (`head.video_b2_quirk`).",
        "",
        "| group | tensors compared | largest difference | at | allowed there |",
        "|---|---|---|---|---|",
    ]
    for group, errors in ERRORS.items():
        name, (error, limit) = max(errors.items(), key=lambda item: item[1][0])
        lines.append(f"| {group} | {len(errors)} | {error:.2e} | `{name}` | {limit} |")
    lines += ["", "## Every tensor", ""]
    for group, errors in ERRORS.items():
        lines += [f"### {group}", "", "| tensor | largest difference | allowed |", "|---|---|---|"]
        lines += [f"| `{name}` | {error:.2e} | {limit} |" for name, (error, limit) in errors.items()]
        lines.append("")
    Path(target).write_text("\n".join(lines), "utf-8")
