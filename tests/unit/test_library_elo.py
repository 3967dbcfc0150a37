"""Elo ratings of settings from blind votes."""

from __future__ import annotations

import dataclasses

import pytest

from mova_studio.errors import InputError
from mova_studio.library.database import Database
from mova_studio.library.elo import Ballot, rank_settings
from mova_studio.library.provenance import read_take
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.library.votes import VoteStore

SHOT = Shot(prompt="a cat", width=16, height=16, num_frames=5)


def changed(**fields) -> Shot:
    return dataclasses.replace(SHOT, **fields)


def test_one_vote_moves_two_points_each_way():
    (ranking,) = rank_settings([Ballot(changed(guidance_scale=3.0), changed(guidance_scale=7.0), "b")])
    assert ranking.setting == "guidance_scale"
    assert ranking.rows == ((7.0, 1002.0, 1002.0, 1002.0, 1), (3.0, 998.0, 998.0, 998.0, 1))


def test_elo_by_hand_over_three_votes():
    low, high = changed(num_inference_steps=10), changed(num_inference_steps=50)
    (ranking,) = rank_settings([Ballot(low, high, "b"), Ballot(high, low, "a"), Ballot(low, high, "tie")])
    ahead = 4.0  # after the first vote
    gained = 2 + 4 * (1 - 1 / (1 + 10 ** (-ahead / 400)))
    gained += 4 * (0.5 - 1 / (1 + 10 ** (-2 * gained / 400)))
    assert [row.value for row in ranking.rows] == [50, 10]
    assert ranking.rows[0].rating == pytest.approx(1000 + gained)
    assert ranking.rows[1].rating == pytest.approx(1000 - gained)
    assert all(row.low <= row.rating <= row.high for row in ranking.rows)


def test_a_vote_counts_for_every_setting_that_differs_and_for_no_other():
    other = changed(prompt="a dog", width=32, guidance_start=0.2, model="x", negative_prompt="blur", video_shift=3.0)
    rankings = rank_settings([Ballot(SHOT, other, "a")] * 3)
    assert {each.setting for each in rankings} == {
        "prompt",
        "size",
        "guidance_interval",
        "model",
        "negative_prompt",
        "video_shift",
    }
    assert {row.value for each in rankings for row in each.rows if each.setting == "size"} == {"16x16", "32x16"}
    assert all(row.votes == 3 for each in rankings for row in each.rows)
    assert rank_settings([Ballot(SHOT, SHOT, "a")]) == ()


def test_what_wins_more_often_stands_higher_with_an_interval_that_excludes_even():
    better, worse = changed(step_cache="off"), changed(step_cache="fast")
    ballots = [Ballot(better, worse, "a" if number % 5 else "b") for number in range(200)]
    (ranking,) = rank_settings(ballots)
    first, second = ranking.rows
    assert (first.value, second.value) == ("off", "fast")
    assert first.low > 1000 > second.high and first.low < first.rating < first.high
    assert first.rating + second.rating == pytest.approx(2000)
    assert rank_settings(ballots) == (ranking,)


@pytest.fixture
def voting(tmp_path, take_files):
    database = Database(tmp_path)
    store = TakeStore(database, tmp_path, ShotStore(database))
    for seed, guidance in ((0, 3.0), (1, 7.0)):
        take = read_take(take_files[seed])
        path = store.new_path(take.shot, seed)
        path.write_bytes(take_files[seed].read_bytes())
        shot = dataclasses.replace(take.shot, guidance_scale=guidance)
        store.add(dataclasses.replace(take, path=path, shot=shot), f"take-{seed}")
    return store, VoteStore(database)


def test_only_blind_votes_count_and_they_outlive_their_takes(voting):
    store, votes = voting
    votes.record_vote("take-0", "take-1", "a", blind=False)
    assert votes.rankings() == ()
    votes.record_vote("take-0", "take-1", "b", blind=True, user="eve")
    store.trash(["take-0", "take-1"])
    assert store.empty_trash() == 2
    (ranking,) = votes.rankings()
    assert [(row.value, row.rating, row.votes) for row in ranking.rows] == [(7.0, 1002.0, 1), (3.0, 998.0, 1)]


def test_votes_that_say_nothing_are_refused(voting):
    _, votes = voting
    for arguments, words in [
        (("take-0", "take-0", "a", True), "with itself"),
        (("take-0", "take-1", "both", True), "a, tie, b"),
        (("take-0", "gone", "a", True), "no take 'gone'"),
    ]:
        with pytest.raises(InputError, match=words):
            votes.record_vote(*arguments)
    assert votes.rankings() == ()
