"""What votes between takes say about settings: an Elo rating for each value of each setting.

As MOVA's authors rate models (arXiv 2602.08794: Elo, K = 4, 1,000 bootstrap rounds), with the values of one
setting in the models' places. A vote counts for every setting in which its two shots differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mova_studio.library.shot import Shot

START = 1000.0
K = 4.0
SCALE = 400.0
ROUNDS = 1000
INTERVAL = (2.5, 97.5)
SCORES = {"a": 1.0, "tie": 0.5, "b": 0.0}
_SEED = 260208794
_SETTINGS: dict[str, Callable[[Shot], Any]] = {
    "guidance_scale": lambda shot: shot.guidance_scale,
    "bridge_guidance_scale": lambda shot: shot.bridge_guidance_scale,
    "guidance_interval": lambda shot: f"{shot.guidance_start:g}:{shot.guidance_stop:g}",
    "video_shift": lambda shot: shot.video_shift,
    "audio_shift": lambda shot: shot.audio_shift,
    "num_inference_steps": lambda shot: shot.num_inference_steps,
    "step_cache": lambda shot: shot.step_cache,
    "size": lambda shot: f"{shot.width}x{shot.height}",
    "num_frames": lambda shot: shot.num_frames,
    "frame_rate": lambda shot: shot.frame_rate,
    "model": lambda shot: shot.model,
    "prompt": lambda shot: shot.prompt,
    "negative_prompt": lambda shot: shot.negative_prompt,
}


class Ballot(NamedTuple):
    """Two shots whose takes were compared, and which was better: "a", "b" or "tie"."""

    shot_a: Shot
    shot_b: Shot
    winner: str


class Rated(NamedTuple):
    """A value of a setting: its Elo rating, the bounds of its 95 % interval, and the votes that it rests on."""

    value: Any
    rating: float
    low: float
    high: float
    votes: int


@dataclass(frozen=True)
class SettingRanking:
    """The values of one setting, the best first."""

    setting: str
    rows: tuple[Rated, ...]


def rank_settings(ballots: Sequence[Ballot]) -> tuple[SettingRanking, ...]:
    """A ranking for every setting in which compared shots differed; the same each time it is asked for.

    Args:
        ballots: in the order in which they were cast.
    """
    rankings = []
    for setting, value_of in _SETTINGS.items():
        games = [(value_of(ballot.shot_a), value_of(ballot.shot_b), SCORES[ballot.winner]) for ballot in ballots]
        games = [game for game in games if game[0] != game[1]]
        if games:
            rankings.append(SettingRanking(setting, _rate(games)))
    return tuple(rankings)


def _rate(games: list[tuple[Any, Any, float]]) -> tuple[Rated, ...]:
    values = list(dict.fromkeys(value for one, other, _ in games for value in (one, other)))
    index = {value: number for number, value in enumerate(values)}
    pairs = np.array([(index[one], index[other]) for one, other, _ in games])
    scores = np.array([score for _, _, score in games])
    cast = _elo(pairs, scores, np.arange(len(games))[None], len(values))[0]
    draws = np.random.default_rng(_SEED).integers(len(games), size=(ROUNDS, len(games)))
    low, high = np.percentile(_elo(pairs, scores, draws, len(values)), INTERVAL, axis=0)
    votes = np.bincount(pairs.ravel(), minlength=len(values))
    rows = [
        # Elo depends on the order of votes, so that of the order in which they were cast can lie outside.
        Rated(value, float(rating), float(min(below, rating)), float(max(above, rating)), int(count))
        for value, rating, below, above, count in zip(values, cast, low, high, votes, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.rating, str(row.value))))


def _elo(
    pairs: NDArray[np.int64], scores: NDArray[np.float64], orders: NDArray[np.int64], players: int
) -> NDArray[np.float64]:
    """Ratings [R, players] after the games in each of R orders [R, games]."""
    ratings = np.full((len(orders), players), START)
    rounds = np.arange(len(orders))
    for games in orders.T:
        one, other = pairs[games].T
        ahead = ratings[rounds, one] - ratings[rounds, other]
        change = K * (scores[games] - 1 / (1 + 10 ** (-ahead / SCALE)))
        ratings[rounds, one] += change
        ratings[rounds, other] -= change
    return ratings
