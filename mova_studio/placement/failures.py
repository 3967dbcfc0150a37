"""What ran out of memory on this machine before, so that it is not tried again with no more to give."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from mova_studio.atomic import replacing
from mova_studio.errors import OutputError
from mova_studio.placement.plan import Budget, Plan
from mova_studio.placement.request import Request

log = logging.getLogger(__name__)
KEPT = 200
# So much more must be free than at the failure before the same plan is tried again.
MORE = 1.03


@dataclass(frozen=True)
class Failure:
    """One run that ran out of memory.

    Attributes:
        gpu: name of the device, "" without one.
        identity: of the checkpoint.
        plan: its name.
        size: pixels times frames times batch of the request.
        of_device: the device's memory ran out; otherwise it was RAM.
        budget: of that memory at that time, in bytes.
    """

    gpu: str
    identity: str
    plan: str
    size: int
    of_device: bool
    budget: int


class Failures:
    """The failures of this machine.

    Args:
        file: where they are kept; a damaged or absent one is an empty memory.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: list[Failure] = []
        try:
            self._known = [Failure(**each) for each in json.loads(file.read_text("utf-8"))]
        except (OSError, ValueError, TypeError):
            log.debug("no memory of failures at %s", file)

    def remember(
        self, gpu: str, identity: str, plan: Plan, request: Request, budget: Budget, *, of_device: bool
    ) -> None:
        """`plan` ran out of memory with `budget` to spend."""
        spent = budget.vram if of_device else budget.ram
        self._known.append(Failure(gpu, identity, plan.name, _size(request), of_device, spent))
        self._known = self._known[-KEPT:]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._file) as beside:
                beside.write_text(json.dumps([asdict(each) for each in self._known], indent=1), "utf-8")
        except (OSError, OutputError) as error:
            log.warning("what ran out of memory was not kept: %s", error)

    def known(self, gpu: str, identity: str, plan: Plan, request: Request, budget: Budget) -> bool:
        """Whether the same plan failed at no larger a request with no smaller a budget of what ran out."""
        return any(
            (each.gpu, each.identity, each.plan) == (gpu, identity, plan.name)
            and each.size <= _size(request)
            and (budget.vram if each.of_device else budget.ram) <= each.budget * MORE
            for each in self._known
        )


def _size(request: Request) -> int:
    return request.width * request.height * request.num_frames * request.batch_size
