"""Which of two takes was better, as people said. Votes about takes stay when the takes are gone."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

from mova_studio.errors import InputError
from mova_studio.library.database import Database
from mova_studio.library.elo import SCORES, Ballot, SettingRanking, rank_settings
from mova_studio.library.shot import Shot
from mova_studio.library.trash import unknown_take

log = logging.getLogger(__name__)


class VoteStore:
    """The votes of one library.

    Args:
        database: of the library.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_vote(self, take_a: str, take_b: str, winner: str, blind: bool, user: str = "") -> None:
        """Keep a vote. Joins the transaction at hand.

        Args:
            winner: "a", "b" or "tie".
            blind: whether the person could not know which take was which.
            user: who voted; "" on a machine of one person.

        Raises:
            InputError: the takes are the same or one is not known, or the winner is none of the three.
        """
        if winner not in SCORES:
            raise InputError(f"The winner of a vote is {winner!r}, but must be one of {', '.join(SCORES)}.")
        if take_a == take_b:
            raise InputError("A take cannot be compared with itself; choose two.")
        with self._database.writing() as connection:
            shots = []
            for take_id in (take_a, take_b):
                row = connection.execute("SELECT shot FROM takes WHERE take = ?", (take_id,)).fetchone()
                if row is None:
                    raise unknown_take(take_id)
                shots.append(row["shot"])
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            connection.execute(
                "INSERT INTO votes (take_a, take_b, shot_a, shot_b, winner, blind, person, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (take_a, take_b, *shots, winner, int(blind), user, now),
            )

    def rankings(self) -> tuple[SettingRanking, ...]:
        """What the blind votes say about each setting; see `elo.rank_settings`."""
        votes = self._database.read("SELECT shot_a, shot_b, winner FROM votes WHERE blind ORDER BY vote")
        rows = self._database.read(
            "SELECT shot, settings FROM shots WHERE shot IN "
            "(SELECT shot_a FROM votes WHERE blind UNION SELECT shot_b FROM votes WHERE blind)"
        )
        shots: dict[str, Shot] = {}
        for row in rows:
            try:
                shots[row["shot"]] = Shot.from_dict(json.loads(row["settings"]))
            except (InputError, ValueError) as error:
                log.warning("Votes on the shot %s do not count: %s", row["shot"], error)
        return rank_settings(
            [
                Ballot(shots[vote["shot_a"]], shots[vote["shot_b"]], vote["winner"])
                for vote in votes
                if vote["shot_a"] in shots and vote["shot_b"] in shots
            ]
        )
