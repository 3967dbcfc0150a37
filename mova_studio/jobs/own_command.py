"""What one of our own commands answers, asked in a process of its own by a process that opens no weights itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from mova_studio.settings import PROJECT


def answer_of(arguments: Sequence[str], seconds: float, failed: str) -> dict[str, Any]:
    """Run `python -m mova_studio ARGUMENTS`, which has to answer with JSON, and wait for it.

    Args:
        seconds: it is ended after so many.
        failed: said where it gave no answer, as in "'demo' could not be checked".

    Returns:
        Its JSON object. What went wrong is in "error", as `StudioError.to_dict` tells it.
    """
    command = [sys.executable, "-m", "mova_studio", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", timeout=seconds)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"error": {"kind": "StudioError", "message": f"{failed} (exit code {done.returncode})."}}
