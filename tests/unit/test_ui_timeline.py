"""The Timeline without a browser: what its functions answer, to whom, and films that are really made."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App
from gradio.utils import get_upload_folder

from mova_studio.errors import AccessDenied, InputError, OutputError
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.library.take import Take
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import probe
from mova_studio.timeline.clip import Source
from mova_studio.ui.access import Access, Account
from mova_studio.ui.caller import Caller
from mova_studio.ui.catalogue_timeline import TIMELINE_TEXTS
from mova_studio.ui.desk import PageState
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.timeline_desk import TimelineDesk
from mova_studio.ui.timeline_html import sent, skeleton
from mova_studio.ui.timeline_media import draw
from mova_studio.ui.timeline_proxy import Proxies
from mova_studio.ui.timeline_view import OPEN_TO_ALL, TimelineView

OWNER, GUEST, CHINESE = Caller(True, "en"), Caller(False, "en"), Caller(True, "zh")
DEADLINE_SECONDS = 120


def write_film(path: Path, frames: int = 25, size: tuple[int, int] = (64, 48), rate: float = 24.0) -> None:
    noise = np.random.default_rng(frames)
    pictures = noise.integers(0, 255, (frames, size[1], size[0], 3), np.uint8)
    sound = noise.normal(0, 0.1, round(frames / rate * 48_000)).astype(np.float32)
    write_mp4(path, pictures, frame_rate=rate, audio=sound, target_lufs=None)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    write_film(file)
    return file


class Room:
    """A library with takes, and the Timeline over it."""

    def __init__(self, root: Path, film: Path, read_only: str = "") -> None:
        self.film = film
        self.store = TakeStore(database := Database(root), root, ShotStore(database))
        self.desk = TimelineDesk(self.store, ServedTakes(), read_only)
        self.view = TimelineView(self.desk, Access())

    def add(self, name: str, prompt: str = "A bell rings.", seed: int = 7) -> Take:
        shot = Shot(prompt=prompt, width=64, height=48, num_frames=25)
        path = self.store.new_path(shot, seed)
        path.write_bytes(self.film.read_bytes())
        created = f"2026-11-01T10:00:{seed:02d}"
        take = Take(path, shot, seed, 64, 48, 25, 24.0, 25 / 24, -16.0, -1.5, {}, "demo", False, "0", created)
        self.store.add(take, name)
        return take

    def ask(self, act: str, caller: Caller = OWNER, /, **given: Any) -> dict[str, Any]:
        return asyncio.run(self.view.answer(act, given, caller))

    def do(self, state: dict[str, Any], op: str, **args: Any) -> dict[str, Any]:
        return self.ask("do", id=state["id"], revision=state["revision"], op=op, args=args)

    def with_clips(self, *takes: str) -> dict[str, Any]:
        state = self.ask("open", id="")
        for take in takes:
            state = self.do(state, "insert", take=take)
        return state

    def close(self) -> None:
        self.desk.exports.cancel("en")
        self.desk.proxies.close()


@pytest.fixture
def room(tmp_path, film):
    room = Room(tmp_path / "library", film)
    room.add("one", "A bell rings.", 1)
    room.add("two", "A drum rolls.", 2)
    yield room
    room.close()


def until(ready: Callable[[], Any]) -> Any:
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while not (found := ready()):
        assert time.monotonic() < deadline
        tick.wait(0.05)
    return found


def test_a_first_visit_has_an_empty_film_that_is_kept_with_its_first_clip(room):
    state = room.ask("open", id="")
    assert (state["name"], state["clips"], state["frames"]) == ("Untitled film", [], 0)
    assert room.ask("list")["timelines"] == []
    state = room.do(state, "insert", take="one")
    clip = state["clips"][0]
    assert (clip["take"], clip["total"], clip["at"], clip["length"], clip["missing"]) == ("one", 25, 0, 25, "")
    assert clip["name"] == "A bell rings. · seed 1" and clip["url"].startswith("gradio_api/file=")
    assert [entry["clips"] for entry in room.ask("list")["timelines"]] == [1]
    assert room.ask("open", id="")["id"] == state["id"]


def test_a_film_that_nobody_sized_takes_the_shape_of_its_first_clip(room, tmp_path):
    write_film(tmp_path / "wide.mp4", 5, (96, 32), 30.0)
    upload = room.desk.library.bring(tmp_path / "wide.mp4", "wide.mp4")
    shown = until(lambda: (card := room.ask("list")["uploads"][0])["peaks"] and card)
    assert shown["id"] == upload and shown["poster"] and shown["url"] and len(shown["peaks"]) == 40
    state = room.do(room.ask("open", id=""), "insert", upload=upload)
    assert (state["width"], state["height"], state["rate"]) == (96, 32, [30, 1])
    state = room.do(state, "insert", take="one")
    assert state["clips"][1]["fitted"] == "letterboxed from 64 × 48 · 24 → 30 fps"
    state = room.do(state, "clip", clip=state["clips"][1]["id"], fit="crop")
    assert state["clips"][1]["fitted"].startswith("cropped from 64 × 48")
    assert room.do(state, "undo")["clips"][1]["fit"] == "letterbox"


def test_edits_undo_and_a_page_that_saw_another_state(room):
    state = room.with_clips("one", "two")
    first, second = (clip["id"] for clip in state["clips"])
    joined = room.do(state, "transition", clip=second, kind="dissolve", frames=5)
    assert joined["clips"][1]["overlap"] == 5 and joined["frames"] == 45
    late = room.do(state, "remove", clip=first)
    assert late["stale"] and len(late["clips"]) == 2 and late["revision"] == joined["revision"]
    back = room.do(joined, "undo")
    assert back["clips"][1]["transition"] is None and back["redo"] and not back["stale"]
    assert room.do(back, "redo")["clips"][1]["transition"] == {"kind": "dissolve", "frames": 5}


NONSENSE: tuple[Any, ...] = (
    None,
    [],
    "x",
    {},
    {"id": 3},
    {"id": "../x"},
    {"id": "x", "op": "move"},
    {"id": "x", "op": 7, "args": 7},
    {"no": 1},
)


def test_nonsense_is_answered_with_a_sentence(room):
    for act in set(room.desk.acts) - {"export_cancel", "export_state"}:
        for given in NONSENSE:
            answer = asyncio.run(room.view.answer(act, given, CHINESE))
            assert "log of the studio" not in str(answer), (act, given)
            assert "error" not in answer or answer["error"]["message"], (act, given)


def test_guests_look_and_play_and_change_nothing(room):
    state = room.with_clips("one")
    seen = room.ask("open", GUEST, id=state["id"])
    assert "Only the owner" in seen["read_only"] and not seen["undo"] and len(seen["clips"]) == 1
    for name in set(room.desk.acts) - OPEN_TO_ALL:
        refused = room.ask(name, GUEST, id=state["id"], revision=state["revision"], op="undo", args={})
        assert "Only the owner" in refused["error"]["message"], name
    with pytest.raises(AccessDenied):
        room.desk.append("two", GUEST)
    after = room.ask("open", id=state["id"])
    assert after["revision"] == state["revision"]
    assert [clip["id"] for clip in after["clips"]] == [clip["id"] for clip in state["clips"]]


def test_a_library_that_cannot_be_changed_is_open_to_look(tmp_path, film, room):
    state = room.with_clips("one")
    only = Room(room.store.root, film, "Another studio uses this library.")
    seen = only.ask("open", id=state["id"])
    assert seen["read_only"] == "Another studio uses this library." and len(seen["clips"]) == 1
    assert "Another studio" in only.do(seen, "insert", take="two")["error"]["message"]
    with pytest.raises(OutputError):
        only.desk.library.bring(film, "film.mp4")


def test_a_deleted_take_is_said_at_its_clip_and_keeps_the_film_from_being_exported(room):
    state = room.with_clips("one", "two")
    room.store.trash(["one"])
    state = room.ask("open", id=state["id"])
    gone, there = state["clips"]
    assert "is in the trash" in gone["missing"] and gone["url"] == "" and there["missing"] == ""
    refused = room.ask("export", id=state["id"], preset="web")["error"]["message"]
    assert "A bell rings. · seed 1" in refused and "A drum" not in refused
    assert "is in the trash" in room.do(state, "insert", take="one")["error"]["message"]
    room.store.restore(["one"])
    assert room.ask("open", id=state["id"])["clips"][0]["missing"] == ""


def test_a_library_that_moved_finds_its_takes_again(room, film, tmp_path):
    state = room.with_clips("one")
    moved = room.store.root.rename(tmp_path / "elsewhere")
    clip = Room(moved, film).ask("open", id=state["id"])["clips"][0]
    assert clip["missing"] == "" and clip["url"]


def test_another_take_of_the_same_shot_takes_the_place_and_keeps_the_trim(room):
    room.add("three", "A bell rings.", 3)
    state = room.with_clips("one")
    state = room.do(state, "trim", clip=state["clips"][0]["id"], start=5, stop=15)
    others = room.ask("others", take="one")["takes"]
    assert [take["id"] for take in others] == ["three"]
    clip = room.do(state, "replace", clip=state["clips"][0]["id"], take="three")["clips"][0]
    assert (clip["take"], clip["start"], clip["stop"]) == ("three", 5, 15)


def test_takes_are_found_by_their_words(room):
    found = room.ask("takes", search="drum")
    assert found["total"] == 1 and found["takes"][0]["id"] == "two" and found["takes"][0]["poster"]
    assert len(found["takes"][0]["peaks"]) == 40 and 0 < max(found["takes"][0]["peaks"]) <= 1
    assert room.ask("takes", offset=10)["takes"] == []


def test_refusals_are_said_in_the_page_s_language(room):
    state = room.with_clips("one", "two")
    clip = state["clips"][0]["id"]
    for op, args in (
        ("split", {"clip": clip, "frame": 900}),
        ("transition", {"clip": clip, "kind": "dissolve", "frames": 3}),
        ("transition", {"clip": state["clips"][1]["id"], "kind": "dissolve", "frames": 300}),
        ("clip", {"clip": clip, "speed": 9}),
        ("remove", {"clip": "gone"}),
        ("film", {"width": 63}),
    ):
        answer = room.ask("do", CHINESE, id=state["id"], op=op, args=args)
        assert re.search("[\u4e00-\u9fff]", answer["error"]["message"]), answer


def test_a_take_is_sent_to_the_film_that_was_open_last(room):
    name, title = room.desk.append("one", OWNER)
    assert title == "Untitled film"
    assert room.desk.append("two", OWNER)[0] == name and len(room.ask("open", id="")["clips"]) == 2
    other = room.ask("new", name="Other", width=128, height=64, frame_rate=25)
    assert (other["width"], other["rate"]) == (128, [25, 1])
    assert room.desk.append("one", OWNER) == (other["id"], "Other")
    assert "&lt;b&gt;" in sent("en", "<b>") and 'data-view="timeline"' in sent("zh", "x")


def test_timelines_are_renamed_copied_deleted_and_brought_back(room):
    state = room.with_clips("one")
    assert room.ask("rename", id=state["id"], name="Storm")["timelines"][0]["name"] == "Storm"
    copy = room.ask("duplicate", id=state["id"])
    assert copy["name"] == "Storm 2" and copy["id"] != state["id"]
    deleted = room.ask("delete", id=state["id"])
    assert deleted["undo"] == state["id"] and len(deleted["timelines"]) == 1
    assert "deleted" in str(room.do(state, "undo")) or "no timeline" in str(room.do(state, "undo"))
    assert len(room.ask("restore", id=state["id"])["clips"]) == 1


def sent_file(name: str, data: bytes) -> str:
    folder = Path(get_upload_folder()) / "test-timeline"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return str(folder / name)


def test_media_from_elsewhere_get_names_of_ours_and_play_on_the_tracks(room, film):
    path = sent_file("x.mp4", film.read_bytes())
    upload = room.ask("uploaded", path=path, name="../../Ein Lied: 雷声.html")["upload"]
    kept = room.desk.library.folder / upload["id"]
    assert kept.is_file() and kept.suffix == ".media" and "/" not in upload["id"] and "雷声" in upload["id"]
    state = room.do(room.with_clips("one"), "add_sound", upload=upload["id"], at=3)
    sound = state["sounds"][0]
    assert (sound["at"], sound["length"], sound["missing"]) == (3, 25, "") and sound["url"]
    assert room.ask("list")["uploads"][0]["id"] == upload["id"]
    assert room.store.rebuild(measure=False).added == 0
    until(lambda: room.ask("strips", id=state["id"])["ready"])
    drawn = room.ask("strips", id=state["id"])["strips"]
    assert len(drawn[sound["id"]]["peaks"]) == 40 and drawn[state["clips"][0]["id"]]["strip"]["count"] == 2


@pytest.mark.parametrize("path", ["/etc/passwd", "film.mp4", "", 7, None])
def test_no_other_file_of_the_machine_is_taken_for_an_upload(room, path):
    assert room.ask("uploaded", path=path, name="x.mp4")["error"]["message"]
    assert not room.desk.library.folder.exists()


def test_a_file_that_is_no_medium_is_refused_by_its_name(room):
    answer = room.ask("uploaded", path=sent_file("y.mp4", b"no film"), name="holiday.mp4")
    assert "holiday.mp4" in answer["error"]["message"] and get_upload_folder() not in answer["error"]["message"]


def test_captions_come_from_the_prompt_and_leave_as_a_file(room):
    room.add("said", 'A man at a desk. He says, "What do you want to do?"', 4)
    state = room.do(room.with_clips("one", "said"), "make_captions")
    assert [caption["text"] for caption in state["captions"]] == ["What do you want to do?"]
    assert state["captions"][0]["clip"] == state["clips"][1]["id"]
    file = room.ask("files", id=state["id"], kind="srt")
    cached = Path(file["url"].removeprefix("gradio_api/file="))
    assert file["name"] == "Untitled-film.srt" and "What do you want to do?" in cached.read_text("utf-8")
    state = room.do(state, "title", text="End", frames=9)
    assert "by hand" in room.do(state, "make_captions", clip=state["clips"][2]["id"])["error"]["message"]


def test_a_film_goes_to_other_programs_and_comes_back(room):
    state = room.with_clips("one", "two")
    packed = room.ask("files", id=state["id"], kind="folder")
    with zipfile.ZipFile(packed["url"].removeprefix("gradio_api/file=")) as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert {"timeline.json", "timeline.otio", "timeline.edl", "timeline.xml"} <= names and len(names) >= 6
    file = room.ask("files", id=state["id"], kind="otio")
    text = Path(file["url"].removeprefix("gradio_api/file=")).read_bytes()
    back = room.ask("uploaded", path=sent_file("back.otio", text), name="back.otio")
    assert back["id"] != state["id"] and [clip["take"] for clip in back["clips"]] == ["one", "two"]
    assert back["frames"] == state["frames"]


def test_an_export_is_made_in_the_background_offered_and_listed(room):
    state = room.with_clips("one", "two")
    assert room.ask("export_state") == {"running": False, "fraction": 0.0, "seconds_left": None, "stage": "",
                                        "done": None, "cancelled": False, "error": ""}  # fmt: skip
    assert room.ask("export", id=state["id"], preset="web", size="128x96")["job"]["running"]
    assert "being exported" in room.ask("export", id=state["id"], preset="web")["error"]["message"]
    room.do(state, "remove", clip=state["clips"][0]["id"])
    ended = until(lambda: None if (now := room.ask("export_state"))["running"] else now)
    done = ended["done"]
    assert (done["frames"], done["width"], ended["error"]) == (50, 128, "")
    assert done["loudness"] == pytest.approx(-14, abs=0.5)
    listed = room.ask("list", GUEST)["films"]
    assert [film["name"] for film in listed] == [done["name"]] and listed[0]["url"] == done["url"]
    assert probe(room.desk.exports.folder / done["name"]).num_frames == 50


def test_an_export_can_be_cancelled_and_leaves_nothing(room):
    state = room.with_clips("one", *["two"] * 20)
    room.ask("export", id=state["id"], preset="av1")
    stopped = room.ask("export_cancel")
    assert stopped["cancelled"] and not stopped["running"] and stopped["done"] is None
    assert list(room.desk.exports.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"preset": "nothing"}, "There is no export preset"),
        ({"size": "wide"}, "must be WIDTHxHEIGHT"),
        ({"size": "63x48"}, "use an even number"),
        ({"captions": "loud"}, "must be one of none, burn, files"),
    ],
)
def test_an_export_that_cannot_be_is_refused_at_once(room, wish, words):
    state = room.with_clips("one")
    assert words in room.ask("export", id=state["id"], **wish)["error"]["message"]
    assert "no clip" in room.ask("export", id=room.ask("new", name="x")["id"])["error"]["message"]


def test_a_proxy_follows_the_film_and_the_latest_wins(room):
    room.desk.proxies = Proxies(quiet_seconds=0.05)
    state = room.with_clips("one")
    assert room.ask("proxy", GUEST, id=state["id"])["state"] == "rendering"
    until(lambda: room.desk.proxies._running)
    for _ in range(3):
        state = room.do(state, "insert", take="two")
        room.ask("proxy", id=state["id"])
    ready = until(lambda: now if (now := room.ask("proxy", id=state["id"]))["state"] == "ready" else None)
    assert ready["revision"] == state["revision"] and ready["fraction"] == 1.0
    file = Path(ready["url"].removeprefix("gradio_api/file="))
    assert probe(file).num_frames == 100
    room.store.trash(["two"])
    state = room.do(state, "remove", clip=state["clips"][0]["id"])
    failed = until(lambda: now if (now := room.ask("proxy", id=state["id"]))["state"] == "failed" else None)
    assert "no longer" in failed["error"] and failed["revision"] == ready["revision"]


def test_presets_are_listed_in_the_page_s_language_with_what_this_machine_can(room):
    listed = {preset["id"]: preset for preset in room.ask("open", CHINESE, id="")["presets"]}
    assert {"web", "vertical", "square", "intermediate", "gif", "webp", "sound", "stills"} <= set(listed)
    assert listed["web"]["size"] == [1920, 1080] and "网络" in listed["web"]["name"] and listed["web"]["available"]


def test_a_damaged_source_is_drawn_as_nothing(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"no film")
    drawn = draw(Source(str(tmp_path / "x.mp4"), 25, 24, 64, 48, 48_000))
    assert drawn.strip is None and drawn.peaks == ()


def test_the_frame_has_every_word_in_both_languages():
    for language in ("en", "zh"):
        assert f'data-language="{language}"' in skeleton(language)
    for key, texts in TIMELINE_TEXTS.items():
        assert key.startswith("timeline.") and all(texts), key


def test_a_server_function_knows_who_calls_and_in_which_language(room):
    access = Access(Account("anna", "owner-password"), Account("bob", "guest-password"))
    view = TimelineView(room.desk, access)
    with gr.Blocks() as blocks:
        page = gr.State(PageState())
        with gr.Tabs(), gr.Tab("Timeline") as tab:
            view.draw()
        view.wire(page, tab)
    blocks.auth, blocks.auth_message, blocks.max_file_size = access.check, None, None
    app = App.create_app(blocks)
    state = room.with_clips("one")

    def call(client: TestClient, language: str) -> dict[str, Any]:
        body = {"session_hash": "s", "component_id": view.stage._id, "fn_name": "timeline_do"}
        given = {"id": state["id"], "revision": state["revision"], "op": "explode", "args": {}}
        headers = {"accept-language": language}
        answer = client.post("/gradio_api/component_server", json=body | {"data": given}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["error"]["message"]

    with TestClient(app) as anna, TestClient(app) as bob, TestClient(app) as nobody:
        assert nobody.post("/gradio_api/component_server", json={}).status_code == 401
        anna.post("/login", data={"username": "anna", "password": "owner-password"})
        bob.post("/login", data={"username": "bob", "password": "guest-password"})
        assert "There is no command 'explode'" in call(anna, "en")
        assert call(bob, "en").startswith("Only the owner")
        app.state_holder["s"][page._id].language = "zh"
        assert call(bob, "en").startswith("只有所有者")
    with pytest.raises(InputError):
        room.desk.shelf.open("s")
