"""How fast bytes get from RAM to a card, from its PCIe generation and width."""

from __future__ import annotations

# PCI-SIG: 2.5, 5, 8, 16, 32, 64 GT/s a lane; 8b/10b coding up to generation 2, 128b/130b up to 5,
# flits in 6. Bytes a second of one lane and one direction.
LANE = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}
ACHIEVED = 0.8
WIDTHS = (1, 2, 4, 8, 12, 16, 32)


def pcie_rate(generation: int | None, lanes: int | None) -> float | None:
    """Bytes a second that large copies from pinned memory reach.

    `ACHIEVED` of the nominal rate: packet headers and flow control take the rest.

    Args:
        generation: that card and slot can agree on, from 1. A later one than we know counts as the last
            that we know.
        lanes: that are connected.

    Returns:
        None where a value is unknown or makes no sense (virtual machines answer 0).
    """
    if generation is None or lanes not in WIDTHS or generation < 1:
        return None
    return ACHIEVED * LANE[min(generation, max(LANE))] * lanes
