"""What the page does with presets and dropped files, without a browser."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.ui.access import Access, Account
from mova_studio.ui.api_create import CreateApi
from mova_studio.ui.create import CreateView, draw_create
from mova_studio.ui.desk import PageState
from mova_studio.ui.header import Header
from mova_studio.ui.reading import MAX_COUNT, read_count
from mova_studio.ui.served import cached_file
from mova_studio.ui.wording import Wording

EVIL = "<img src=x onerror=alert(1)> \u202e😀"
ACCESS = Access(Account("anna", "x"), Account("bob", "y"))


def request_of(name: str) -> gr.Request:
    return gr.Request(request=SimpleNamespace(), username=name)


@pytest.fixture
def view(tmp_path: Path) -> CreateView:
    studio, page, words, header = (
        SimpleNamespace(model="demo", root=tmp_path / "library"),
        gr.State(),
        Wording(),
        Header(),
    )
    with gr.Blocks():
        header.draw(words, "demo")
        with gr.Tab() as tab:
            drawn = draw_create(words, preset_for("demo"), header)
        drawn.filling.wire(page, drawn.form)
        drawn.presets.wire(studio, ACCESS, page, drawn.form, drawn.filling, tab)
        drawn.restore.wire(studio, page, drawn.form, drawn.filling)
    return drawn


def values(view: CreateView, **changes: Any) -> list[Any]:
    fields = {name: component.value for name, component in view.form.fields.items()} | changes
    return list(fields.values())


def save(view: CreateView, name: str, *, kind: str = "shot", user: str = "anna", **changes: Any) -> str:
    """What is said after saving."""
    guarded = ACCESS.owner_only(view.presets.save_preset)
    page = PageState(owner=user == "anna")
    updates = asyncio.run(guarded(page, name, kind, "", request_of(user), *values(view, **changes)))
    return updates[view.presets.said]["value"]


def test_guests_may_apply_but_neither_save_nor_delete(view: CreateView) -> None:
    assert "is saved" in save(view, EVIL, prompt=EVIL)
    (own,) = view.presets.own.presets()
    with pytest.raises(gr.Error, match="Only the owner"):
        save(view, "Another", user="bob", prompt="A bell.")
    with pytest.raises(gr.Error, match="Only the owner"):
        asyncio.run(ACCESS.owner_only(view.presets.delete_preset)(PageState(), own.key, request_of("bob")))
    assert view.presets.own.presets() == [own]
    updates = asyncio.run(view.presets.apply_preset(PageState(), own.key, *values(view)))
    assert updates[view.form.fields["prompt"]]["value"] == EVIL
    said = updates[view.filling.said]["value"]
    assert "<img" not in said and "&lt;img" in said
    updates = asyncio.run(view.presets.opened_updates(PageState(owner=False)))
    assert updates[view.presets.save]["visible"] is False and len(updates[view.presets.list]["choices"]) > 8


def test_what_cannot_be_saved_is_said_beside_the_button(view: CreateView, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "prompt is empty" in save(view, "Mine", prompt=" ")
    assert "is saved" in save(view, "Mine", kind="render", prompt="")
    assert "has no name" in save(view, "\x00", prompt="A bell.")

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    said = save(view, "Other", prompt="A bell.")
    assert "disk is full" in said and str(view.presets.studio.root) not in said
    assert len(view.presets.own.presets()) == 1


def restore(view: CreateView, path: Path, **changes: Any) -> dict[Any, Any]:
    file = {"path": str(path), "orig_name": path.name}
    return asyncio.run(view.restore.restore(PageState(), file, *values(view, **changes)))


def test_only_files_of_this_page_are_read_and_shown(view: CreateView, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    elsewhere = tmp_path / "secret.json"
    elsewhere.write_text('{"prompt": "secret"}')
    updates = restore(view, elsewhere)
    assert view.form.fields["prompt"] not in updates and "dropped here" in updates[view.filling.said]["value"]
    name = "<b>x.json"
    dropped = cached_file(json.dumps({"prompt": EVIL, "seed": 7, "width": 640, "height": 640}).encode(), "x.json")
    updates = asyncio.run(
        view.restore.restore(
            PageState(), {"path": str(dropped), "orig_name": name}, *values(view, first_frame={"path": str(elsewhere)})
        )
    )
    said = updates[view.filling.said]["value"]
    assert "&lt;b&gt;x.json" in said and "112x112 is used" in said
    assert updates[view.form.fields["width"]]["value"] == 112 and view.form.fields["seed"] not in updates
    assert updates[view.filling.seed] == "7" and updates[view.filling.before]["first_frame"] is None


def test_programs_get_presets_and_settings(view: CreateView, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    api = CreateApi(view.presets.studio)
    save(view, "Mine", prompt="A bell.")
    (view.presets.own.root / "shots" / "x.json").write_text("{")
    *shipped, mine, broken = asyncio.run(api.presets())
    assert (
        {preset["own"] for preset in shipped} == {False}
        and mine["name"]["en"] == "Mine"
        and "not whole" in broken["fault"]
    )
    assert json.dumps([*shipped, mine, broken]) and str(tmp_path) not in str(mine)
    shot = Shot(prompt="A bell.", model="/home/x/Other", num_frames=193, width=96, height=64)
    dropped = cached_file(json.dumps(shot.to_dict() | {"seed": 7}).encode(), "shot.json")
    told = asyncio.run(api.restore({"path": str(dropped)}))
    assert (told["seed"], told["model"], told["settings"]["num_frames"]) == (7, "Other", 49)
    assert told["frames"] == {"first_frame": None, "last_frame": None} and "49 are used" in told["notes"][0]
    with pytest.raises(gr.Error, match="dropped here"):
        asyncio.run(api.restore({"path": "/etc/passwd"}))


@pytest.mark.parametrize(("typed", "count"), [(1, 1), ("", 1), (None, 1), ("16", 16), (2.0, 2)])
def test_how_many_takes(typed: Any, count: int) -> None:
    assert read_count(typed, "en") == count


@pytest.mark.parametrize("typed", [0, 17, -1, 1.5, "x", float("nan"), float("inf"), "1e9"])
def test_how_many_takes_at_most(typed: Any) -> None:
    with pytest.raises(ValueError, match=f"give 1 to {MAX_COUNT}"):
        read_count(typed, "en")
