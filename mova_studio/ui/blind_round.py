"""A round of blind comparisons: which pair comes next, which side each take is on, what was said so far."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

WINNERS = ("a", "b", "tie")


@dataclass(frozen=True)
class Judged:
    """A pair that was judged; `winner` is "a", "b" or "tie"."""

    take_a: str
    take_b: str
    winner: str


@dataclass
class BlindRound:
    """Every pair of some takes, each asked once.

    Attributes:
        members: ids of takes, at least 2; the first two are the first pair.
        pair: ids of the takes under "a" (left) and "b" (right), by lot; None when all pairs were judged.
        judged: what was said, oldest first.
    """

    members: tuple[str, ...]
    lot: random.Random = field(default_factory=random.SystemRandom)
    judged: list[Judged] = field(default_factory=list)
    pair: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        self.pair = self._by_lot(self.members[0], self.members[1])

    @property
    def total(self) -> int:
        return len(self.members) * (len(self.members) - 1) // 2

    def judge(self, winner: str) -> Judged:
        """Note who won the pair at hand, and draw the next one: takes that were seen least come first."""
        assert self.pair is not None and winner in WINNERS
        judged = Judged(*self.pair, winner)
        self.judged.append(judged)
        seen = Counter(name for past in self.judged for name in (past.take_a, past.take_b))
        asked = {frozenset((past.take_a, past.take_b)) for past in self.judged}
        left = [pair for pair in combinations(self.members, 2) if frozenset(pair) not in asked]
        if not left:
            self.pair = None
            return judged
        least = min(seen[one] + seen[other] for one, other in left)
        self.pair = self._by_lot(*self.lot.choice([pair for pair in left if seen[pair[0]] + seen[pair[1]] == least]))
        return judged

    def _by_lot(self, one: str, other: str) -> tuple[str, str]:
        return (one, other) if self.lot.random() < 0.5 else (other, one)
