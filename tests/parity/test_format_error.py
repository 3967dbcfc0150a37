"""Regression limits of the weight formats on the parity checkpoint, whose weights are harsher than trained ones."""

from __future__ import annotations

import pytest

from benchmarks.format_error import errors
from mova_studio.network.checkpoint import Checkpoint

LIMITS = {"bf16": 3e-2, "int8": 3e-2, "fp8": 1e-1, "fp8_compute": 1e-1}


@pytest.fixture(scope="module")
def measured(tiny_checkpoint):
    return errors(Checkpoint(tiny_checkpoint))


@pytest.mark.parametrize("weights", list(LIMITS))
def test_velocity_stays_within_the_limit(measured, weights):
    assert max(measured[weights].values()) < LIMITS[weights]
    assert min(measured[weights].values()) > 0, "nothing was quantized"
