"""Timelines as documents: commands from anywhere, files that are always whole, several hands at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mova_studio.errors import InputError, OutputError
from mova_studio.settings import PROJECT
from mova_studio.timeline.clip import Source
from mova_studio.timeline.commands import COMMANDS, apply
from mova_studio.timeline.document import Document
from mova_studio.timeline.edits import clip_of, insert
from mova_studio.timeline.file import load, save
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.shelf import Shelf

EMPTY = Timeline(64, 48, Fraction(24), "Film")


class Media:
    """Three sources by name, none of which needs a file."""

    known: ClassVar = {
        "a": Source("/media/a.mp4", 49, Fraction(24), 64, 48, 98_000, "a", "A bell"),
        "b": Source("/media/b.mp4", 5, Fraction(30000, 1001), 32, 32, 0, "b", "A drum"),
        "m": Source("/media/m.wav", 0, Fraction(24), 0, 0, 20_000, "", "music"),
    }

    def __call__(self, kind: str, name: str) -> Source:
        if name not in self.known:
            raise InputError(f"There is no {kind} {name!r}.")
        return self.known[name]

    def prompt(self, take: str) -> str:
        return 'A bell rings. He says, "Now."'


MEDIA = Media()


def document(folder: Path, *takes: str) -> Document:
    opened = Document(folder / "film.json", EMPTY)
    for take in takes:
        opened.do("insert", {"take": take}, None, MEDIA)
    return opened


NUMBERS = st.one_of(st.integers(-3, 60), st.integers(), st.floats(), st.sampled_from([0.5, 1.0, 2.0, 1e300]))
GARBAGE = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.text(max_size=8),
    st.sampled_from(
        ["a", "b", "m", "dissolve", "black", "cut", "crop", "voice", "#ff0000", "\ud800", "line\x00\r\nend"]
    ),
    st.lists(st.integers(-2, 50), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@st.composite
def command(draw: Any, timeline: Timeline) -> tuple[Any, Any]:
    """A command that is sometimes right, mostly nearly so, and sometimes nonsense."""
    if draw(st.integers(0, 19)) == 0:
        return draw(GARBAGE), draw(GARBAGE)
    op = draw(st.sampled_from([*COMMANDS, "undo", "redo"]))
    if op not in COMMANDS:
        return op, {}
    ids = {
        "clip": [clip.clip_id for clip in timeline.clips],
        "sound": [sound.sound_id for sound in timeline.sounds],
        "caption": [caption.caption_id for caption in timeline.captions],
        "take": ["a", "b"],
        "upload": ["m"],
        "kind": ["cut", "dissolve", "black", "white"],
    }
    args = {}
    for name in COMMANDS[op][0]:
        if name in ("take", "upload") and ("take" in args or "upload" in args):
            continue
        if draw(st.integers(0, 9)) == 0:
            args[name] = draw(GARBAGE)
        elif ids.get(name):
            args[name] = draw(st.sampled_from(ids[name]))
        elif name not in ids and draw(st.booleans()):
            args[name] = draw(st.integers(0, 30))
    return op, args


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_the_timeline_stays_whole_and_the_file_says_the_same(tmp_path, data):
    (tmp_path / "film.json").unlink(missing_ok=True)
    opened = document(tmp_path, "a", "a", "b")
    for _ in range(data.draw(st.integers(1, 12))):
        before = opened.state
        op, args = data.draw(command(before.timeline))
        try:
            after = opened.do(op, args, before.revision, MEDIA)
        except InputError as error:
            assert error.message and opened.state == before
            after = before
        assert (after.revision == before.revision) == (after.timeline == before.timeline)
        assert load(opened.path) == after.timeline == opened.state.timeline
    while opened.state.can_undo:
        opened.do("undo", {}, None, MEDIA)
    assert opened.state.timeline == EMPTY == load(opened.path)


@pytest.mark.parametrize(
    ("op", "args", "words"),
    [
        ("explode", {}, "There is no command 'explode'"),
        (["move"], {}, "There is no command"),
        ("move", None, "must be an object"),
        ("move", {"clip": "x", "index": True}, "index is True, but must be a whole number"),
        ("move", {"clip": "x", "index": 0, "by": 3}, "'by' is not known here"),
        ("trim", {"clip": 7}, "clip is 7, but must be a text"),
        ("clip", {"clip": "x", "speed": float("nan")}, "speed is nan, but must be a number"),
        ("clip", {"clip": "x", "match_colour": 1}, "match_colour is 1, but must be true or false"),
        ("insert", {}, "Name one take or one upload"),
        ("title", {"text": "x" * 1001, "frames": 2}, "text has 1001 characters"),
        ("title", {"text": "x", "frames": 10**7}, "is too long; 100000 are the most"),
        ("film", {"frame_rate": [24, 0]}, "cannot be divided"),
        ("film", {"width": 63}, "for example 62"),
        ("several", {"ops": [{"op": "several", "args": {}}]}, "Command 1 of several"),
        ("several", {"ops": 3}, "ops is 3, but must be a list"),
    ],
)
def test_a_wrong_command_is_answered_with_what_can_be(op, args, words):
    with pytest.raises(InputError, match=words):
        apply(EMPTY, op, args, MEDIA)


def test_words_lose_what_no_file_can_hold_and_keep_the_rest():
    timeline = apply(EMPTY, "title", {"text": "a\x00\ud800\r\nb\U0001f469\u200d\U0001f680", "frames": 3}, MEDIA)
    assert timeline.clips[0].source.text == "a\nb\U0001f469\u200d\U0001f680"


def test_several_commands_are_one_step_or_none(tmp_path):
    opened = document(tmp_path, "a")
    first = opened.state.timeline.clips[0].clip_id
    cut = {"op": "split", "args": {"clip": first, "frame": 10}}
    with pytest.raises(InputError):
        opened.do("several", {"ops": [cut, cut, {"op": "move", "args": {}}]}, None, MEDIA)
    assert len(opened.state.timeline.clips) == 1
    opened.do("several", {"ops": [cut, {"op": "insert", "args": {"take": "b", "index": 1}}]}, None, MEDIA)
    assert len(opened.state.timeline.clips) == 3
    assert len(opened.do("undo", {}, None, MEDIA).timeline.clips) == 1
    assert len(opened.do("redo", {}, None, MEDIA).timeline.clips) == 3


def test_a_page_that_saw_another_state_changes_nothing(tmp_path):
    opened = document(tmp_path, "a")
    seen = opened.state
    opened.do("insert", {"take": "b"}, seen.revision, MEDIA)
    late = opened.do("remove", {"clip": seen.timeline.clips[0].clip_id}, seen.revision, MEDIA)
    assert late.stale and len(late.timeline.clips) == 2
    assert opened.do("undo", {}, seen.revision, MEDIA).stale and len(opened.state.timeline.clips) == 2


def test_many_hands_at_once_lose_nothing(tmp_path):
    opened = document(tmp_path)
    hands = [
        threading.Thread(target=lambda: [opened.do("insert", {"take": "a"}, None, MEDIA) for _ in range(5)])
        for _ in range(6)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(opened.state.timeline.clips) == 30 and load(opened.path) == opened.state.timeline


def test_a_change_from_outside_is_seen_and_can_be_undone(tmp_path):
    opened = document(tmp_path, "a")
    seen = opened.state
    save(insert(seen.timeline, clip_of(MEDIA.known["b"])), opened.path)
    late = opened.do("remove", {"clip": seen.timeline.clips[0].clip_id}, seen.revision, MEDIA)
    assert late.stale and len(late.timeline.clips) == 2 and "changed by another program" in late.notes[0]
    assert opened.do("undo", {}, late.revision, MEDIA).timeline == seen.timeline == load(opened.path)


def test_a_file_damaged_from_outside_is_kept_and_written_anew(tmp_path):
    opened = document(tmp_path, "a")
    opened.path.write_text('{"kind": "mova-timeline", "format": 9}')
    assert "damaged the file" in opened.state.notes[0]
    assert len(opened.do("insert", {"take": "b"}, None, MEDIA).timeline.clips) == 2
    assert load(opened.path) == opened.state.timeline and opened.state.notes == ()
    kept = [file for file in tmp_path.iterdir() if file.suffix.startswith(".damaged")]
    assert json.loads(kept[0].read_text())["format"] == 9


def test_a_file_deleted_from_outside_comes_back_with_the_next_change(tmp_path):
    opened = document(tmp_path, "a")
    opened.path.unlink()
    assert "deleted by another program" in opened.state.notes[0]
    opened.do("insert", {"take": "b"}, None, MEDIA)
    assert len(load(opened.path).clips) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from mova_studio.timeline.document import Document
opened = Document(Path(sys.argv[1]))
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
opened.do("title", {"text": "second", "frames": 3}, None, None)
"""


def test_killed_between_writing_and_renaming_the_old_one_is_there(tmp_path):
    opened = document(tmp_path, "a")
    before = opened.path.read_bytes()
    ended = subprocess.run([sys.executable, "-c", KILLED, opened.path], cwd=PROJECT, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert opened.path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2
    assert [entry.fault for entry in Shelf(tmp_path).entries()] == []
    assert len(Document(opened.path).state.timeline.clips) == 1


@pytest.fixture
def disk(tmp_path):
    """A file system of 256 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_refuses_the_change_and_undo_and_keeps_what_is_there(disk):
    opened = document(disk, "a", "b")
    before = opened.state
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(b"x" * 1000)
    for op, args in (("insert", {"take": "a"}), ("undo", {})):
        with pytest.raises(OutputError, match="disk is full; free some space"):
            opened.do(op, args, before.revision, MEDIA)
        assert opened.state == before and load(opened.path) == before.timeline
    (disk / "filler").unlink()
    assert len(opened.do("insert", {"take": "a"}, before.revision, MEDIA).timeline.clips) == 3
    assert load(opened.path) == opened.state.timeline


def test_a_shelf_lists_opens_renames_copies_deletes_and_brings_back(tmp_path):
    shelf = Shelf(tmp_path)
    assert shelf.entries() == [] and shelf.last_used() == ""
    one = shelf.create(64, 48, Fraction(24), " First ")
    opened = shelf.open(one)
    opened.do("insert", {"take": "a"}, None, MEDIA)
    assert shelf.open(one) is opened
    copy = shelf.duplicate(one)
    shelf.rename(copy, "Second")
    listed = {entry.timeline_id: entry for entry in shelf.entries()}
    assert {listed[one].name, listed[copy].name} == {"First", "Second"}
    assert listed[one].clips == 1 and listed[one].seconds == pytest.approx(49 / 24)
    shelf.delete(one)
    with pytest.raises(InputError, match="There is no timeline"):
        shelf.open(one)
    with pytest.raises(OutputError, match="was deleted"):
        opened.do("undo", {}, None, MEDIA)
    shelf.restore(one)
    assert len(shelf.open(one).state.timeline.clips) == 1
    with pytest.raises(InputError, match="trash"):
        shelf.restore(one)


def test_damaged_and_newer_files_are_listed_with_their_faults_and_never_lost(tmp_path):
    shelf = Shelf(tmp_path)
    good = shelf.create(64, 48, Fraction(24), "Good")
    (shelf.folder / "cut.json").write_text((shelf.folder / f"{good}.json").read_text()[:40])
    (shelf.folder / "newer.json").write_text('{"kind": "mova-timeline", "format": 7}')
    (shelf.folder / "odd name!.json").write_text("{}")
    faults = {entry.timeline_id: entry.fault for entry in shelf.entries()}
    assert faults[good] == "" and "cut.json" in faults["cut"] and "update MOVA Studio" in faults["newer"]
    assert set(faults) == {good, "cut", "newer"} and shelf.last_used() == good
    with pytest.raises(InputError, match="update MOVA Studio"):
        shelf.open("newer")
    shelf.delete("cut")
    assert (shelf.folder / ".trash" / "cut.json").is_file()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".trash", "x" * 65, "a\0b", None, 3, "a.json"])
def test_only_names_of_files_in_the_folder_are_opened(tmp_path, name):
    shelf = Shelf(tmp_path)
    for act in (shelf.open, shelf.delete, shelf.restore, shelf.duplicate):
        with pytest.raises(InputError):
            act(name)


def test_a_draft_has_no_file_before_its_first_change(tmp_path):
    shelf = Shelf(tmp_path)
    name = shelf.draft(EMPTY)
    assert shelf.entries() == [] and shelf.last_used() == name and not shelf.open(name).saved
    shelf.open(name).do("insert", {"take": "a"}, None, MEDIA)
    assert [entry.timeline_id for entry in shelf.entries()] == [name]


def test_a_library_that_cannot_be_changed_is_open_to_look(tmp_path):
    name = Shelf(tmp_path).create(64, 48, Fraction(24), "Film")
    shelf = Shelf(tmp_path, "Another studio uses this library.")
    assert shelf.open(name).state.timeline.name == "Film"
    for act in (
        lambda: shelf.open(name).do("insert", {"take": "a"}, None, MEDIA),
        lambda: shelf.create(64, 48, Fraction(24)),
        lambda: shelf.delete(name),
        lambda: shelf.rename(name, "x"),
    ):
        with pytest.raises(OutputError, match="Another studio"):
            act()
    assert shelf.open(name).state.timeline.clips == ()
