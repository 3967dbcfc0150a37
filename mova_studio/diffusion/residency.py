"""What the pipeline asks of whoever keeps the weights."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from mova_studio.diffusion.components import MovaComponents


class Residency(Protocol):
    """Brings components to where they compute.

    Attributes:
        device: where that is.
    """

    @property
    def device(self) -> torch.device: ...

    def use(self, *names: str) -> AbstractContextManager[None]:
        """The named components can compute inside the block."""

    def arrive(self, layer: int) -> None:
        """The joint forward is about to run layer `layer`."""


class InPlace:
    """Every component stays where `pipeline.to` put it.

    Args:
        pipeline: whose components they are.
    """

    def __init__(self, pipeline: MovaComponents) -> None:
        self._pipeline = pipeline

    @property
    def device(self) -> torch.device:
        return self._pipeline._execution_device

    def use(self, *names: str) -> AbstractContextManager[None]:
        return nullcontext()

    def arrive(self, layer: int) -> None:
        return
