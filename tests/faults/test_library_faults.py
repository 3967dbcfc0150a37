"""The library when its disk is full, gone or read-only, its database damaged or newer, and its program killed."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from mova_studio.errors import InputError, OutputError
from mova_studio.library import database as database_module
from mova_studio.library import trash as trash_module
from mova_studio.library.database import NAME, Database
from mova_studio.library.provenance import read_take
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import Query, TakeStore


class Killed(BaseException):
    """Ends the program where it stands, as far as the files are concerned."""


@pytest.fixture(scope="session")
def takes(take_files):
    return [read_take(file) for file in take_files]


@pytest.fixture
def mounted():
    """Mounts a small file system on a folder, until the test is over."""
    folders: list[Path] = []

    def mount(folder: Path, options: str) -> Path:
        folder.mkdir(exist_ok=True, parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
        if done.returncode != 0:
            pytest.skip("a tmpfs cannot be mounted here")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "-l", folder], check=True)


def open_store(root: Path, *, writable: bool = True) -> TakeStore:
    database = Database(root, writable=writable)
    return TakeStore(database, root, ShotStore(database))


def put(store: TakeStore, take, take_id: str):
    path = store.new_path(take.shot, take.seed)
    shutil.copyfile(take.path, path)
    return store.add(dataclasses.replace(take, path=path), take_id)


def every_take(store: TakeStore) -> dict[str, bool]:
    """Whether each take's file is there, in the trash and outside."""
    kept = (*store.page(limit=99).takes, *store.page(Query(trashed=True), limit=99).takes)
    return {each.take_id: each.take.path.is_file() for each in kept}


@pytest.mark.parametrize("direction", ["trash", "restore"])
def test_killed_between_the_database_and_the_file(tmp_path, takes, monkeypatch, direction):
    store = open_store(tmp_path)
    kept = put(store, takes[0], "take-0")
    if direction == "restore":
        store.trash(["take-0"])

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(trash_module, "_move", killed)
        getattr(store, direction)(["take-0"])
    again = open_store(tmp_path)
    assert every_take(again) == {"take-0": True}
    assert bool(again.get("take-0").trashed) == (direction == "trash")
    assert kept.take.path.exists() == (direction == "restore")


@pytest.mark.parametrize("direction", ["trash", "restore"])
def test_a_transaction_undone_around_a_move(tmp_path, takes, direction):
    database = Database(tmp_path)
    store = TakeStore(database, tmp_path, ShotStore(database))
    put(store, takes[0], "take-0")
    if direction == "restore":
        store.trash(["take-0"])
    with pytest.raises(ZeroDivisionError), database.writing():
        getattr(store, direction)(["take-0"])
        raise ZeroDivisionError
    again = open_store(tmp_path)
    assert every_take(again) == {"take-0": True}
    assert bool(again.get("take-0").trashed) == (direction == "restore")


def test_killed_while_restoring_and_another_file_takes_the_place(tmp_path, takes, monkeypatch):
    store = open_store(tmp_path)
    kept = put(store, takes[0], "take-0")
    store.trash(["take-0"])

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(trash_module, "_move", killed)
        store.restore(["take-0"])
    shutil.copyfile(takes[1].path, kept.take.path)
    assert store.empty_trash() == 0
    again = open_store(tmp_path).get("take-0")
    assert again.take.path.read_bytes() == takes[0].path.read_bytes() and not again.trashed
    assert kept.take.path.read_bytes() == takes[1].path.read_bytes()


def test_killed_while_emptying_the_trash(tmp_path, takes, monkeypatch):
    store = open_store(tmp_path)
    for seed in range(3):
        put(store, takes[seed], f"take-{seed}")
    store.trash(["take-0", "take-1"])
    unlink = Path.unlink

    def killed_at_the_second(path, **options):
        if path.name == "take-1.mp4":
            raise Killed
        unlink(path, **options)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Path, "unlink", killed_at_the_second)
        store.empty_trash()
    again = open_store(tmp_path)
    assert every_take(again) == {"take-0": False, "take-1": True, "take-2": True}
    assert again.empty_trash() == 2
    assert every_take(again) == {"take-2": True}


def test_a_file_that_cannot_be_moved_stays_and_the_others_go(tmp_path, takes, monkeypatch):
    store = open_store(tmp_path)
    for seed in range(3):
        put(store, takes[seed], f"take-{seed}")
    rename = Path.rename

    def refuses_one(source, target):
        if target.name == "take-1.mp4":
            raise PermissionError(13, "Permission denied")
        return rename(source, target)

    with monkeypatch.context() as patched, pytest.raises(OutputError, match="may not write"):
        patched.setattr(Path, "rename", refuses_one)
        store.trash(["take-0", "take-1", "take-2"])
    assert {name: bool(store.get(name).trashed) for name in every_take(store)} == {
        "take-1": False,
        "take-0": True,
        "take-2": True,
    }
    assert all(every_take(store).values())


def test_a_trash_on_another_disk(tmp_path, takes, mounted):
    store = open_store(tmp_path)
    mounted(tmp_path / ".trash", "size=1m")
    kept = put(store, takes[0], "take-0")
    store.trash(["take-0"])
    assert not kept.take.path.exists() and every_take(store) == {"take-0": True}
    store.restore(["take-0"])
    assert kept.take.path.read_bytes() == takes[0].path.read_bytes()
    assert list((tmp_path / ".trash").iterdir()) == []


def test_a_full_disk_costs_nothing_that_was_kept(tmp_path, takes, mounted):
    root = mounted(tmp_path / "disk", "size=1m")
    store = open_store(root)
    put(store, takes[0], "take-0")
    path = store.new_path(takes[1].shot, 1)
    shutil.copyfile(takes[1].path, path)
    filler = root / "filler"
    with pytest.raises(OutputError, match="disk is full"):
        for number in range(2000):
            with filler.open("ab") as file:
                free = shutil.disk_usage(root).free
                file.write(b"x" * max(free - 4096, 0))
            store.add(dataclasses.replace(takes[1], path=path), f"more-{number}")
    before = set(every_take(store))
    assert "take-0" in before and not store.get("take-0").missing
    filler.unlink()
    put(store, takes[2], "take-2")
    assert set(every_take(open_store(root))) == before | {"take-2"}


def test_a_folder_that_is_gone_and_comes_back(tmp_path, takes):
    root = tmp_path / "library"
    store = open_store(root)
    put(store, takes[0], "take-0")
    away = root.rename(tmp_path / "away")
    assert store.page().takes[0].missing
    with pytest.raises(OutputError, match="is gone"):
        store.set_stars("take-0", 1)
    with pytest.raises(OutputError, match="is gone"):
        store.rebuild(measure=False)
    with pytest.raises(OutputError, match="is gone"):
        store.new_path(takes[0].shot, 0)
    assert not root.exists()
    away.rename(root)
    store.set_stars("take-0", 1)
    assert not store.page().takes[0].missing


def test_a_library_that_may_only_be_read(tmp_path, takes):
    writer = open_store(tmp_path)
    kept = put(writer, takes[0], "take-0")
    store = open_store(tmp_path, writable=False)
    assert store.get("take-0") == kept and store.tags() == ()
    for change in (
        lambda: store.set_stars("take-0", 1),
        lambda: store.trash(["take-0"]),
        lambda: store.rebuild(measure=False),
        store.empty_trash,
    ):
        with pytest.raises(OutputError, match="open to read only"):
            change()
    kept.take.path.rename(tmp_path / "elsewhere.mp4")
    assert store.page().takes[0].missing
    writer.set_stars("take-0", 3)
    assert store.page().takes[0].stars == 3


def test_a_library_on_a_disk_that_is_read_only(tmp_path, takes, mounted):
    root = mounted(tmp_path / "disk", "size=4m")
    database = Database(root)
    put(TakeStore(database, root, ShotStore(database)), takes[0], "take-0")
    database.close()
    subprocess.run(["mount", "-o", "remount,ro", root], check=True)
    store = open_store(root, writable=False)
    assert every_take(store) == {"take-0": True}
    with pytest.raises(OutputError):
        open_store(root)


def test_a_database_of_a_newer_version_is_not_touched(tmp_path, takes):
    put(open_store(tmp_path), takes[0], "take-0")
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer MOVA Studio: its form is 99"):
        open_store(tmp_path)


def test_a_damaged_database_is_named_and_its_takes_are_found_again(tmp_path, takes):
    put(open_store(tmp_path), takes[0], "take-0")
    for file in tmp_path.glob(f"{NAME}*"):
        file.unlink()
    (tmp_path / NAME).write_bytes(b"no database at all" * 1000)
    with pytest.raises(InputError, match="is damaged"):
        open_store(tmp_path)
    (tmp_path / NAME).rename(tmp_path / "old.sqlite")
    store = open_store(tmp_path)
    assert store.rebuild(measure=False).added == 1 and every_take(store) == {"take-0": True}


def test_a_template_that_was_damaged_is_not_used(tmp_path, takes):
    store = open_store(tmp_path)
    for value in ("{", "5", '"../{seed}"'):
        with sqlite3.connect(tmp_path / NAME) as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES ('filename_template', ?)", (value,))
        assert store.template == "{date}/{time}-{seed}"


def test_rows_that_are_damaged_do_not_hide_the_others(tmp_path, takes):
    store = open_store(tmp_path)
    put(store, takes[0], "take-0")
    put(store, takes[3], "take-3")
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("UPDATE shots SET settings = '{' WHERE prompt = ?", (takes[3].shot.prompt,))
    assert [kept.take_id for kept in open_store(tmp_path).page().takes] == ["take-0"]


def test_a_database_of_version_1_is_brought_up_to_date_with_what_is_in_it(tmp_path, takes, monkeypatch):
    steps = database_module._steps()
    with monkeypatch.context() as patched:
        patched.setattr(database_module, "_steps", lambda: steps[:1])
        old = Database(tmp_path)
        name = ShotStore(old).keep(takes[0].shot)
        with old.writing() as connection:
            connection.execute("INSERT INTO settings VALUES ('filename_template', '\"{seed}\"')")
        old.close()
    store = open_store(tmp_path)
    assert store.template == "{seed}"
    kept = put(store, takes[0], "take-0")
    assert kept.shot_id == name and kept.take.path.name == "0.mp4"
    with sqlite3.connect(tmp_path / f"library.before-{len(steps)}.sqlite") as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT shot FROM shots").fetchall() == [(name,)]
