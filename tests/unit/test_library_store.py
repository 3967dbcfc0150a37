"""Takes in the library: search, sort, stars, tags, the trash, and the library made anew from its files."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mova_studio.errors import Cancelled, InputError
from mova_studio.library.database import Database
from mova_studio.library.provenance import read_take, read_take_id
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import Query, TakeStore
from mova_studio.library.take import Take
from mova_studio.media.measures import TakeMeasures

NOW = datetime(2026, 11, 21, 9, 5, 7)


@pytest.fixture(scope="session")
def takes(take_files) -> list[Take]:
    return [read_take(file) for file in take_files]


def open_store(root: Path) -> TakeStore:
    database = Database(root)
    return TakeStore(database, root, ShotStore(database))


@pytest.fixture
def store(tmp_path) -> TakeStore:
    return open_store(tmp_path)


def put(store: TakeStore, take: Take, take_id: str | None = None, **changes):
    """A copy of a take's file in the library, and the take added."""
    path = store.new_path(take.shot, take.seed, NOW)
    shutil.copyfile(take.path, path)
    return store.add(dataclasses.replace(take, path=path, **changes), take_id)


def ids(store: TakeStore, limit: int = 100, **query) -> list[str]:
    return [kept.take_id for kept in store.page(Query(**query), limit).takes]


def test_a_take_comes_back_as_it_was(store, takes):
    measures = TakeMeasures(0.7, -40.0, ((0.0, 0.5),), (), (), 0)
    kept = put(store, takes[0], "take-0", measures=measures)
    assert kept.take.path == store.root / "2026-11-21/090507-0.mp4"
    assert dataclasses.replace(kept.take, path=takes[0].path, measures=None) == takes[0]
    assert kept.take.measures == measures
    assert len(kept.waveform) == 160 and 0 < max(kept.waveform) <= 1
    assert store.get("take-0") == kept == store.find_path(kept.take.path)
    assert store.find_path(store.root / "none.mp4") is None is store.find_path(Path("/etc/passwd"))
    assert Take.from_dict(kept.take.to_dict()) == kept.take


def test_adding_again_replaces_facts_and_keeps_stars_and_tags(store, takes):
    first = put(store, takes[0], "take-0")
    store.set_stars("take-0", 4)
    store.set_tags("take-0", ["Rain", " wet  cat "])
    again = store.add(dataclasses.replace(first.take, notes=("again",)), "take-0")
    assert (again.stars, again.tags, again.take.notes) == (4, ("Rain", "wet cat"), ("again",))
    assert store.page().total == 1


def test_a_take_without_an_id_gets_one(store, takes):
    kept = put(store, takes[5])
    assert ids(store) == [kept.take_id] and store.get(kept.take_id).take.seed == 5


def test_what_cannot_be_added_is_refused(store, takes, tmp_path):
    with pytest.raises(InputError, match="does not lie in the library"):
        store.add(takes[0])
    kept = put(store, takes[0], "take-0")
    with pytest.raises(InputError, match="cannot name a take"):
        store.add(kept.take, "../evil")
    store.trash(["take-0"])
    with pytest.raises(InputError, match="is in the trash"):
        store.add(store.get("take-0").take, "take-9")
    assert store.add(store.get("take-0").take, "take-0").trashed
    with pytest.raises(InputError, match="no take 'nobody'"):
        store.get("nobody")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 4),
        ("CAT", 4),
        ("ＣＡＴ", 4),
        ("中的", 4),
        ("猫 wet", 4),
        ("cat 0,", 3),
        ("100%", 4),
        ("1%0", 0),
        ("c_t", 0),
        ("dog", 0),
        ("lovely", 1),
        ("lovely cat", 1),
        ("900719925474", 1),
        ("' OR 1=1 --", 0),
        ("\ud800", 0),
    ],
)
def test_search_takes_words_as_they_are(store, takes, search, found):
    for seed in range(3):
        put(store, takes[seed], f"take-{seed}")
    put(store, takes[3], "take-3", seed=9007199254740993)
    store.set_tags("take-1", ["Lovely"])
    page = store.page(Query(search=search), limit=2)
    assert page.total == found and len(page.takes) == min(found, 2)


def test_filters_and_orders(store, takes):
    measured = {0: (0.2, 80.0, ()), 1: (0.9, -10.0, ((0.0, 1.0),)), 2: (0.5, 0.0, ())}
    for seed, (align, offset, black) in measured.items():
        measures = TakeMeasures(align, offset, (), black, (), 0)
        put(store, takes[seed], f"take-{seed}", measures=measures, integrated_lufs=-20.0 - seed)
    put(store, takes[3], "take-3", integrated_lufs=None)
    store.set_stars("take-0", 3)
    store.set_stars("take-2", 5)
    store.set_tags("take-2", ["Keep", "猫"])
    store.set_tags("take-0", ["keep"])

    def order(sort: str) -> str:
        return "".join(name[-1] for name in ids(store, sort=sort))

    assert (order("newest"), order("oldest"), order("seed")) == ("3210", "0123", "0123")
    assert (order("rating"), order("sync"), order("align"), order("loudness")) == ("2031", "2103", "1203", "0123")
    assert ids(store, min_stars=3) == ["take-2", "take-0"]
    assert ids(store, tags=("KEEP",)) == ["take-2", "take-0"] and ids(store, tags=("keep", "猫")) == ["take-2"]
    assert ids(store, flawless=True) == ["take-2", "take-0"]
    first, second = store.shots()
    assert (first.count, second.count) == (1, 3) and first.prompt.endswith("cat 1, 100% wet")
    assert ids(store, shot_id=second.shot_id) == ["take-2", "take-1", "take-0"]
    assert {tag.casefold(): count for tag, count in store.tags()} == {"keep": 2, "猫": 1}
    for limit, offset, found in ((2, 1, "21"), (4, 0, "3210"), (9, 3, "0"), (9, 4, ""), (0, 0, ""), (-1, 0, "")):
        page = store.page(Query(), limit, offset)
        assert ("".join(kept.take_id[-1] for kept in page.takes), page.total) == (found, 4)
    with pytest.raises(InputError, match="newest, oldest"):
        Query(sort="size")


def test_stars_and_tags_have_limits(store, takes):
    put(store, takes[0], "take-0")
    for stars in (-1, 6):
        with pytest.raises(InputError, match="give 0 to 5"):
            store.set_stars("take-0", stars)
    with pytest.raises(InputError, match="has 41 characters; at most 40"):
        store.set_tags("take-0", ["x" * 41])
    with pytest.raises(InputError, match="21 tags are too many"):
        store.set_tags("take-0", [str(number) for number in range(21)])
    for change in (lambda: store.set_stars("none", 1), lambda: store.set_tags("none", ["a"])):
        with pytest.raises(InputError, match="no take 'none'"):
            change()
    store.set_tags("take-0", ["", "A", "a", "b\nc"])
    assert store.get("take-0").tags == ("A", "b c")


def test_the_template_names_new_files_and_never_takes_a_name_twice(store, takes):
    store.set_template("{prompt}/{seed}")
    first = put(store, takes[0], "take-0")
    second = put(store, takes[0], "take-1")
    assert first.take.path.relative_to(store.root).as_posix() == "雨中的猫-cat-0-100-wet/0.mp4"
    assert second.take.path.name == "0-2.mp4"
    second.take.path.unlink()
    assert store.new_path(takes[0].shot, 0).name == "0-3.mp4"
    with pytest.raises(InputError):
        store.set_template("{prompt}")
    assert open_store(store.root).template == "{prompt}/{seed}"


def test_files_moved_by_hand_are_noticed(store, takes):
    kept = put(store, takes[0], "take-0")
    elsewhere = kept.take.path.with_name("elsewhere.mp4")
    kept.take.path.rename(elsewhere)
    assert store.page().takes[0].missing and store.get("take-0").missing
    elsewhere.rename(kept.take.path)
    assert not store.page().takes[0].missing
    with pytest.raises(InputError, match="put its take into the trash"):
        store.forget("take-0")
    kept.take.path.unlink()
    store.forget("take-0")
    assert store.page().total == 0


def test_trash_and_back(store, takes):
    kept = put(store, takes[0], "take-0")
    store.set_stars("take-0", 5)
    store.trash(["take-0", "take-0"])
    store.trash(["take-0"])
    trashed = store.page(Query(trashed=True)).takes[0]
    assert store.page().total == 0 and trashed.trashed and not trashed.missing
    assert trashed.take.path == store.root / ".trash/take-0.mp4" and trashed.take.path.exists()
    put(store, takes[1], "take-1", seed=1)
    shutil.copyfile(takes[2].path, kept.take.path)  # somebody else's file has the old name now
    store.restore(["take-0"])
    back = store.get("take-0")
    assert back.take.path.name == "090507-0-2.mp4" and back.stars == 5 and not back.trashed and not back.missing
    with pytest.raises(InputError, match="no take 'none'"):
        store.trash(["take-1", "none"])
    assert not store.get("take-1").trashed


def test_emptying_the_trash_deletes_what_is_in_it_and_nothing_else(store, takes):
    for seed in range(3):
        put(store, takes[seed], f"take-{seed}")
    store.trash(["take-0", "take-1"])
    (store.root / ".trash/take-1.mp4").unlink()
    assert store.empty_trash() == 2 and store.empty_trash() == 0
    assert list((store.root / ".trash").iterdir()) == [] and ids(store) == ["take-2"]
    with pytest.raises(InputError):
        store.restore(["take-0"])


def test_rebuild_of_a_lost_database(store, takes, tmp_path):
    before = {put(store, take, read_take_id(take.path)).take_id for take in takes}
    (store.root / "library.sqlite").unlink()
    shares = []
    again = open_store(store.root)
    rebuilt = again.rebuild(shares.append)
    assert (rebuilt.added, rebuilt.found_again, rebuilt.passed_over) == (6, 0, ())
    assert set(ids(again)) == before and shares == sorted(shares) and shares[-1] == 1.0
    assert again.page().takes[0].take.measures is not None
    assert dataclasses.replace(again.get("take-2").take, path=takes[2].path, measures=None) == takes[2]
    assert again.rebuild() == type(rebuilt)(0, 0, ())


def test_rebuild_follows_files_and_says_what_it_passed_over(store, takes, take_files, tmp_path):
    for seed in range(4):
        put(store, takes[seed], f"take-{seed}")
    store.set_stars("take-0", 5)
    places = {name: store.get(name).take.path for name in ids(store)}
    swapped = store.root / "swapped"
    places["take-0"].rename(swapped)
    places["take-1"].rename(places["take-0"])
    swapped.rename(places["take-1"])
    (store.root / "更多 more").mkdir()
    places["take-2"].rename(store.root / "更多 more" / "x.MP4")
    shutil.copyfile(places["take-3"], store.root / "a copy.mp4")
    (store.root / "note.mp4").write_text("no film")
    (store.root / "link.mp4").symlink_to(takes[5].path)
    (store.root / "out").symlink_to(takes[5].path.parent)
    rebuilt = store.rebuild(measure=False)
    assert (rebuilt.added, rebuilt.found_again) == (0, 3)
    reasons = {Path(path).name: reason for path, reason in rebuilt.passed_over}
    assert set(reasons) == {"a copy.mp4", "note.mp4", "link.mp4"}
    assert "another copy of 2026-11-21/090507-3.mp4" in reasons["a copy.mp4"] and "link" in reasons["link.mp4"]
    assert store.get("take-0").take.path == places["take-1"] and store.get("take-0").stars == 5
    assert store.get("take-1").take.path == places["take-0"]
    assert store.get("take-2").take.path == store.root / "更多 more" / "x.MP4"
    assert store.page().total == 4 and not any(kept.missing for kept in store.page().takes)


def test_a_copy_of_a_take_in_the_trash_is_passed_over_until_the_trash_has_none(store, takes):
    kept = put(store, takes[0], "take-0")
    shutil.copyfile(kept.take.path, store.root / "copy.mp4")
    store.trash(["take-0"])
    rebuilt = store.rebuild(measure=False)
    assert rebuilt.added == rebuilt.found_again == 0 and "in the trash" in rebuilt.passed_over[0][1]
    (store.root / ".trash/take-0.mp4").unlink()
    assert store.rebuild(measure=False).found_again == 1
    assert store.get("take-0").take.path == store.root / "copy.mp4" and not store.get("take-0").trashed


def test_rebuild_can_be_cancelled_and_keeps_what_it_has(store, takes):
    for seed in range(3):
        shutil.copyfile(takes[seed].path, store.root / f"{seed}.mp4")
    with pytest.raises(Cancelled):
        store.rebuild(cancelled=lambda: store.page().total == 2, measure=False)
    assert store.page().total == 2 and store.rebuild(measure=False).added == 1


class Life(RuleBasedStateMachine):
    """Whatever a person and the program do, no take is lost and none is there twice."""

    sources: list[Path]
    known: list[Take]
    base: Path
    runs = 0

    @initialize()
    def begin(self):
        Life.runs += 1
        self.root = self.base / str(Life.runs)
        self.store = open_store(self.root)
        self.expected: dict[str, str] = {}  # id -> what its file holds, or "" if somebody deleted it
        self.trashed: set[str] = set()

    def _pick(self, number: int) -> str | None:
        return sorted(self.expected)[number % len(self.expected)] if self.expected else None

    def _file(self, name: str) -> Path:
        return self.store.get(name).take.path

    @rule(number=st.integers(0, 5))
    def add(self, number):
        name = read_take_id(self.sources[number])
        if name not in self.expected:
            put(self.store, self.known[number], name)
            self.expected[name] = self.sources[number]

    @rule(number=st.integers(0, 9), nested=st.booleans())
    def lay_a_file_there_by_hand(self, number, nested):
        source = self.sources[number % 6]
        name = read_take_id(source)
        target = self.root / ("by hand" if nested else "") / f"{number}.mp4"
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            return
        shutil.copyfile(source, target)
        self.store.rebuild(measure=False)
        if not self.expected.get(name):
            self.trashed.discard(name)
        self.expected[name] = source

    @rule(number=st.integers(0, 9))
    def trash(self, number):
        if name := self._pick(number):
            self.store.trash([name])
            self.trashed.add(name)

    @rule()
    def restore_all(self):
        self.store.restore(sorted(self.trashed))
        self.trashed.clear()

    @rule()
    def empty_the_trash(self):
        assert self.store.empty_trash() == len(self.trashed)
        for name in self.trashed:
            del self.expected[name]
        self.trashed.clear()
        # A copy that was passed over may take the place of what was deleted.
        for path in [*self.root.rglob("*.mp4")]:
            if read_take_id(path) not in self.expected:
                path.unlink()

    @rule(number=st.integers(0, 9))
    def delete_by_hand(self, number):
        if name := self._pick(number):
            self._file(name).unlink(missing_ok=True)
            self.expected[name] = ""
            for path in [*self.root.rglob("*.mp4")]:
                if read_take_id(path) == name:
                    path.unlink()

    @rule(number=st.integers(0, 9), to=st.integers(0, 3))
    def move_by_hand(self, number, to):
        name = self._pick(number)
        target = self.root / "moved" / f"{to}.mp4"
        target.parent.mkdir(exist_ok=True)
        if name and name not in self.trashed and self.expected[name] and not target.exists():
            with suppress(FileNotFoundError):
                self._file(name).rename(target)
            self.store.rebuild(measure=False)

    @rule()
    def open_again(self):
        self.store = open_store(self.root)

    @rule()
    def lose_the_database(self):
        self.store.restore(sorted(self.trashed))
        self.trashed.clear()
        for file in self.root.glob("library.sqlite*"):
            file.unlink()
        self.store = open_store(self.root)
        self.store.rebuild(measure=False)
        self.expected = {name: source for name, source in self.expected.items() if source}

    @invariant()
    def every_take_is_there_once(self):
        if not hasattr(self, "store"):
            return
        here, trashed = self.store.page(limit=100), self.store.page(Query(trashed=True), limit=100)
        assert {kept.take_id for kept in trashed.takes} == self.trashed
        assert sorted(kept.take_id for kept in (*here.takes, *trashed.takes)) == sorted(self.expected)
        for kept in (*here.takes, *trashed.takes):
            source = self.expected[kept.take_id]
            assert kept.missing == (not source), kept
            if source:
                assert kept.take.path.read_bytes() == source.read_bytes()


def test_no_take_is_lost_or_doubled_whatever_happens(take_files, takes, tmp_path):
    Life.sources, Life.known, Life.base = take_files, takes, tmp_path
    checks = settings(max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Life, settings=checks)
