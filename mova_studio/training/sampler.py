"""Which clips a step learns from: every clip once an epoch, in batches of one size."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from mova_studio.errors import InputError
from mova_studio.training.batch import Example


def kind_of(example: Example) -> Hashable:
    """What the clips of a batch must have in common: the shapes of their latents."""
    return tuple(tuple(each.shape) for each in (example.video_latents, example.condition, example.audio_latents))


class BucketSampler:
    """Batches of places in a data set, each out of one bucket of clips of a kind.

    A bucket's last batch is filled up with clips from the bucket's beginning. The order follows from the seed
    and the epoch alone, so that a run which is taken up again goes on with the same clips.

    Args:
        kinds: of every clip; those of equal kinds may share a batch.
        batch_size: clips in a batch.
        seed: of the order.

    Raises:
        InputError: there are no clips.
    """

    def __init__(self, kinds: Sequence[Hashable], batch_size: int, seed: int) -> None:
        if not kinds:
            raise InputError("There are no clips to learn from; prepare at least one.", field="data")
        buckets: dict[Hashable, list[int]] = {}
        for place, kind in enumerate(kinds):
            buckets.setdefault(kind, []).append(place)
        self.batch_size, self.seed = batch_size, seed
        self._buckets = [np.array(places) for places in buckets.values()]
        self._epoch = -1
        self._order: list[np.ndarray] = []
        self.batches_per_epoch = sum(-(-len(bucket) // batch_size) for bucket in self._buckets)

    def batch(self, number: int) -> list[int]:
        """The places of the clips in the batch `number` of the run, counted from 0."""
        epoch, place = divmod(number, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._shuffled(epoch)
        return self._order[place].tolist()

    def _shuffled(self, epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng((self.seed, epoch))
        batches = []
        for bucket in self._buckets:
            shuffled = rng.permutation(bucket)
            filled = np.resize(shuffled, -(-len(bucket) // self.batch_size) * self.batch_size)
            batches += np.split(filled, len(filled) // self.batch_size)
        return [batches[place] for place in rng.permutation(len(batches))]
