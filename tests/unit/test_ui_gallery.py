"""The Gallery without a browser: what its HTML says, what its handlers do, and for whom."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from mova_studio.errors import InputError
from mova_studio.library.database import Database
from mova_studio.library.elo import Rated, SettingRanking
from mova_studio.library.kept import KeptTake
from mova_studio.library.query import Query
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take
from mova_studio.library.votes import VoteStore
from mova_studio.media.measures import TakeMeasures
from mova_studio.media.mp4 import write_mp4
from mova_studio.ui.access import Access, Account
from mova_studio.ui.blind_round import BlindRound
from mova_studio.ui.catalogue import TEXTS, say
from mova_studio.ui.compare_html import Side, blind_compare, open_compare, ratings
from mova_studio.ui.compare_view import CompareState, CompareView
from mova_studio.ui.desk import PageState
from mova_studio.ui.gallery_acts import read_stars
from mova_studio.ui.gallery_data import GalleryData, Shown
from mova_studio.ui.gallery_html import empty_grid, panel, said, take_card
from mova_studio.ui.gallery_view import GalleryState, GalleryView
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.take_details import large_view
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.wording import Wording

EVIL = "<img src=x onerror=alert(1)>\"'&\x07 ${1} {{x}}"
MEASURES = TakeMeasures(0.5, -148.0, ((0.5, 1.0),), (), (), 7)
OWNER, GUEST = Account("anna", "owner-password"), Account("bob", "guest-password")


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    """The smallest mp4 of picture and sound."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    pictures = np.zeros((5, 32, 32, 3), np.uint8)
    write_mp4(file, pictures, frame_rate=24.0, audio=np.zeros(10000, np.float32), target_lufs=None)
    return file.read_bytes()


class Library:
    """A store with takes, and the parts of the page over it."""

    def __init__(self, root: Path, film: bytes) -> None:
        self.film = film
        self.database = Database(root)
        self.store = TakeStore(self.database, root, ShotStore(self.database))
        self.votes = VoteStore(self.database)
        self.data = GalleryData(self.store, ServedTakes())
        self.timelines = TimelineDesk(self.store, self.data.served)

    def add(self, name: str, prompt: str = "A bell rings.", seed: int = 7, **changes: Any) -> KeptTake:
        shot = Shot(prompt=prompt, width=32, height=32, num_frames=5, **changes)
        path = self.store.new_path(shot, seed)
        path.write_bytes(self.film)
        take = Take(path, shot, seed, 32, 32, 5, 24.0, 0.2, -16.0, -1.5, {}, "demo", False, "0", "2026-11-01T10:00:00",
                    ("a note",), MEASURES)  # fmt: skip
        return self.store.add(take, name)

    def view(self, access: Access) -> GalleryView:
        view = GalleryView(self.data, access, CompareView(self.data, self.votes), lambda: "demo", self.timelines)
        with gr.Blocks():
            view.draw(Wording())
        return view


@pytest.fixture
def library(tmp_path, film, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    made = Library(tmp_path / "library", film)
    yield made
    made.database.close()


def asked_by(user: str | None) -> gr.Request:
    return gr.Request(username=user)


def event(**data: str) -> gr.EventData:
    return gr.EventData(None, data)


def act(view: GalleryView, user: str | None, **data: str) -> dict[Any, Any]:
    return asyncio.run(view.act(PageState(), GalleryState(), event(**data), asked_by(user)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_people_type_is_never_markup(library, language):
    kept = library.add("one", EVIL, negative_prompt=EVIL)
    library.store.set_tags("one", ["<b>x</b>"])
    shown = library.data.shown("one")
    overview, query = library.data.overview(), Query(search=EVIL, shot_id=kept.shot_id, tags=("<b>x</b>",))
    side = Side("a", kept, "u")
    for html in (
        take_card(language, shown, may_change=True),
        large_view(language, shown, {}, info=True, may_change=True),
        panel(language, overview, query),
        open_compare(language, [side, Side("b", kept, "v")], [SettingRanking("prompt", (Rated(EVIL, 1, 0, 2, 1),))]),
        said(language, "m-error", EVIL),
    ):
        assert "<img" not in html and "<b>" not in html
    assert 'dir="auto"' in take_card(language, shown, may_change=True)


def test_every_text_of_the_gallery_has_both_languages_and_the_same_places():
    for key, (english, chinese) in TEXTS.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), key


def test_a_card_has_sound_seed_stars_and_what_was_measured(library):
    library.add("one", seed=2**60)
    library.store.set_stars("one", 3)
    html = take_card("en", library.data.shown("one"), may_change=True)
    assert "m-wave" in html and f"seed {2**60}" in html and html.count("★") == 3
    for words, key in (("sync -148 ms", "sync"), ("-16.0 LUFS", "lufs"), ("freeze", "flaw.freeze")):
        assert words in html and say("en", f"measure.{key}.tip")[:40] in html
    guests = take_card("en", library.data.shown("one"), may_change=False)
    assert not any(word in guests for word in ("data-star=", 'data-act="trash"'))


def test_a_missing_file_is_told_and_can_be_forgotten(library):
    kept = library.add("one")
    kept.take.path.unlink()
    shown = library.data.shown("one")
    html = take_card("en", shown, may_change=True)
    assert shown.missing and "moved or deleted by hand" in html and "<video" not in html
    assert 'data-act="forget"' in html and 'data-act="look"' in html
    assert "data-act" not in take_card("en", shown, may_change=False)
    view = library.view(Access())
    updates = act(view, None, act="look", id="one")
    assert "not in it" in updates[view.said]["value"]
    act(view, None, act="forget", id="one")
    with pytest.raises(InputError):
        library.store.get("one")


def test_only_what_is_listed_is_touched(library):
    for number in range(5):
        library.add(f"t{number}", seed=number)
    listing = library.data.listing(Query(sort="seed"), 2)
    assert [shown.kept.take.seed for shown in listing.takes] == [0, 1] and listing.total == 5
    assert all(shown.url and not shown.poster for shown in listing.takes)
    assert len(library.data.served._links) == 2
    assert set(library.data.posters(["t0", "unknown"])) == {"t0"}
    assert library.data.listing(Query(sort="seed"), 1).takes[0].poster


def test_shots_of_one_prompt_are_told_apart(library):
    library.add("a", guidance_scale=3.0)
    library.add("b", guidance_scale=5.0)
    library.add("c", "Another one.")
    html = panel("en", library.data.overview(), Query())
    assert "Text guidance s_T 3" in html and "Text guidance s_T 5" in html and html.count("<small") == 2


def test_trash_and_undo(library):
    library.add("one", seed=9)
    view = library.view(Access())
    updates = act(view, None, act="trash", id="one")
    assert 'data-act="restore" data-id="one"' in updates[view.said]["value"] and "seed 9" in updates[view.said]["value"]
    assert library.store.get("one").trashed and "m-empty" in updates[view.grid]
    updates = act(view, None, act="restore", id="one")
    assert library.store.get("one").trashed is None and 'data-id="one"' in updates[view.grid]
    act(view, None, act="trash", id="one")
    act(view, None, act="empty")
    assert library.data.overview().trashed == 0 and not library.data.served._links


def test_guests_look_and_change_nothing(library):
    library.add("one")
    view = library.view(Access(OWNER, GUEST))
    for change in ("star", "tags", "trash", "restore", "forget", "look", "empty"):
        with pytest.raises(gr.Error, match="Only the owner"):
            act(view, "bob", act=change, id="one", value="3")
    kept = library.store.get("one")
    assert kept.stars == 0 and not kept.trashed and not kept.tags
    assert "dialog" in act(view, "bob", act="open", id="one")[view.large]
    act(view, "anna", act="star", id="one", value="4")
    act(view, "anna", act="trash", id="one")
    assert library.store.get("one").stars == 4
    state = GalleryState()
    updates = asyncio.run(view.filter(PageState(), state, "newest", "0", False, True, asked_by("bob")))
    assert not state.query.trashed and 'data-id="one"' not in updates[view.grid]
    assert "in the trash" in act(view, "bob", act="open", id="one")[view.said]["value"]


def test_filters_that_cannot_be_are_taken_for_none(library):
    view, state = library.view(Access()), GalleryState()
    asyncio.run(view.filter(PageState(), state, "size; DROP", "99", False, False, asked_by(None)))
    asyncio.run(view.find(PageState(), state, event(value="x" * 999), asked_by(None)))
    assert (len(state.query.search), state.query.sort, state.query.min_stars) == (200, "newest", 0)


@pytest.mark.parametrize("value", ["", "6", "-1", "4.5", "many", None])
def test_stars_are_0_to_5(value):
    with pytest.raises(InputError, match="0 to 5"):
        read_stars(value)


def test_a_round_asks_every_pair_once():
    state = BlindRound(("a", "b", "c", "d"), random.Random(1))
    assert set(state.pair or ()) == {"a", "b"}
    asked = set()
    while state.pair is not None:
        asked.add(frozenset(state.pair))
        state.judge("tie")
    assert len(asked) == state.total == 6
    sides = {BlindRound(("a", "b"), random.Random(seed)).pair for seed in range(20)}
    assert sides == {("a", "b"), ("b", "a")}, "sides are drawn by lot"


def test_a_blind_comparison_tells_nothing(library):
    one, other = library.add("take_1st", seed=1234), library.add("take_2nd", seed=5678, guidance_scale=3.0)
    urls = [library.data.blind_url(kept) for kept in (one, other)]
    sides = [Side(slot, kept, url) for slot, kept, url in zip("ab", (one, other), urls, strict=True)]
    html = blind_compare("en", sides, BlindRound(("take_1st", "take_2nd")))
    assert not any(word in html for word in ("1234", "5678", "take_1st", "take_2nd", "guidance", "bell"))


def test_votes_of_guests_are_kept_under_their_login(library):
    library.add("one", guidance_scale=3.0)
    library.add("two", guidance_scale=5.0)
    library.add("other", "Another prompt.")
    view, state = CompareView(library.data, library.votes), CompareState()

    def press(**data: str) -> str:
        return asyncio.run(view.act(PageState(), state, event(**data), asked_by("bob")))

    assert 'data-blind="1"' in press(act="blind", value="one two")
    assert state.round is not None and state.round.members == ("one", "two")
    html = press(act="vote", value="a")
    assert "m-revealed" in html and "Rests on 1 vote" in html and "guidance_scale" in html
    (vote,) = library.database.read("SELECT winner, blind, person FROM votes")
    assert tuple(vote) == ("a", 1, "bob")
    press(act="vote", value="a")
    assert len(library.database.read("SELECT 1 FROM votes")) == 1, "a pair is judged once"
    assert "m-error" in press(act="blind", value="one gone")


def test_ratings_say_on_how_much_they_rest():
    rows = lambda votes: (Rated(3.0, 1010.0, 990.0, 1030.0, votes), Rated(5.0, 990.0, 970.0, 1010.0, votes))  # noqa: E731
    assert "Rests on 19 votes; under about 20" in ratings("en", [SettingRanking("guidance_scale", rows(19))])
    enough = ratings("en", [SettingRanking("guidance_scale", rows(20))])
    assert "Rests on 20 votes." in enough and "1010 <small>(990–1030)" in enough
    assert "No blind vote" in ratings("en", [])


def test_empty_views_teach():
    assert 'data-act="create"' in empty_grid("en", "none")
    assert 'data-act="clear"' in empty_grid("zh", "nomatch", 12) and "12" in empty_grid("zh", "nomatch", 12)
    assert "button" not in empty_grid("en", "notrash")


def test_a_take_without_measures_or_sound_still_shows(library):
    kept = library.add("one")
    bare = KeptTake("x", Take(**{**vars(kept.take), "measures": None, "integrated_lufs": None}), kept.shot_id)
    html = take_card("en", Shown(bare, "u"), may_change=False)
    assert "no loudness" in html and "sync" not in html and "m-wave" in html
    assert "Not measured yet" in large_view("en", Shown(bare, "u"), {"name": "odd"}, info=True, may_change=False)
