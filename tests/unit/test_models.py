"""Which checkpoints are here, what is wrong with them, and what the owner's list remembers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from hub_server import HUB_ID, Hub, content_name, serve
from huggingface_hub import constants, snapshot_download

from mova_studio.cli import main
from mova_studio.errors import Cancelled, InputError
from mova_studio.jobs.background import Outcome
from mova_studio.jobs.checkpoints import Checkpoints
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.used_folders import MAX_FOLDERS, UsedFolders
from mova_studio.network.hub import download
from mova_studio.network.installed import Installed, State, installed
from mova_studio.network.verify import FileFault, expected_files, verify_files
from mova_studio.ui.access import Access, Account
from mova_studio.ui.api_models import ModelsApi
from mova_studio.ui.model_cards import model_cards, size_words
from mova_studio.ui.room_words import room_html

PROJECT = Path(__file__).parents[2]
SHARD = "video_dit/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def demo_files() -> dict[str, bytes]:
    from mova_studio.network.demo import demo_checkpoint

    folder = demo_checkpoint()
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def hub(demo_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The demo as a hub id, and a cache and folders of this test's own."""
    with serve(Hub(files=dict(demo_files))) as hub:
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("MOVA_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        yield hub


def get(to: Path | None = None, again: tuple[str, ...] = ()) -> Path:
    return download(HUB_ID, to, lambda progress: None, lambda: False, again=again)


def found(model: str = HUB_ID, remembered: tuple[str, ...] = ()) -> Installed:
    (entry,) = [each for each in installed(remembered) if each.model == model]
    return entry


def faults_of(folder: Path) -> list[FileFault]:
    return verify_files(folder, lambda progress: None, lambda: False)[0]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


# The list


def test_listing_needs_no_torch(hub: Hub) -> None:
    get()
    code = (
        "import sys; from mova_studio.network.installed import installed; print([e.model for e in installed()]); "
        "print(sorted({'torch', 'transformers', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"['demo', '{HUB_ID}']", "[]"], done.stderr


def test_the_demo_is_listed_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path))
    assert found("demo").state is State.UNMADE


def test_a_downloaded_one_is_whole_wherever_it_lies(hub: Hub, tmp_path: Path) -> None:
    get()
    mine, own = tmp_path / "mine", tmp_path / "models" / "someone" / "other"
    get(mine)
    get(own)
    total = sum(len(content) for content in set(hub.files.values()))
    for model, to in ((HUB_ID, None), (str(own), own), (str(mine), mine)):
        entry = found(model, (str(mine),))
        assert (entry.state, entry.hub_id, entry.to) == (State.WHOLE, HUB_ID, to)
        assert entry.bytes_here == entry.bytes_total == total
        assert entry.bytes >= total
        assert entry.remembered == (to == mine)


def test_a_cut_download_says_how_much_is_here(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mova_studio.network.hub_fetch.RETRY_DELAYS", ())
    for to in (None, tmp_path / "mine"):
        hub.cut[SHARD] = 100_000
        with pytest.raises(Exception, match="cannot be reached"):
            get(to)
        entry = found(str(to) if to else HUB_ID, (str(tmp_path / "mine"),) if to else ())
        assert entry.state is State.PARTIAL and SHARD in entry.missing
        assert 100_000 <= entry.bytes_here < (entry.bytes_total or 0)
        hub.heal()
        get(to)
        assert found(entry.model, (str(tmp_path / "mine"),) if to else ()).state is State.WHOLE


def test_foreign_models_and_rubbish_in_the_cache_are_left_out(hub: Hub, tmp_path: Path) -> None:
    get()
    cache = tmp_path / "cache"
    for name, index in (("models--a--foreign", '{"_class_name": "WanPipeline"}'), ("models--a--broken", "{")):
        snapshot = cache / name / "snapshots" / "0" / "model_index.json"
        snapshot.parent.mkdir(parents=True)
        snapshot.write_text(index)
        (cache / name / "refs").mkdir()
        (cache / name / "refs" / "main").write_text("0")
    for name in ("datasets--a--b", "models--gpt2", "models--a--empty", "models----", ".locks"):
        (cache / name).mkdir()
    (cache / "version.txt").write_text("1")
    assert [entry.model for entry in installed()] == ["demo", HUB_ID]


def test_what_another_program_left_half(hub: Hub) -> None:
    snapshot_download(HUB_ID, ignore_patterns=["audio_vae/*"], cache_dir=constants.HF_HUB_CACHE)
    entry = found()
    assert (entry.state, entry.bytes_total) == (State.PARTIAL, None)
    assert all(name.startswith("audio_vae/") for name in entry.missing)


def test_gone_by_hand(hub: Hub, tmp_path: Path) -> None:
    blobs = get().parent.parent / "blobs"
    shutil.rmtree(blobs)
    entry = found()
    assert entry.state is State.PARTIAL and entry.bytes_here == 0, "the download can be resumed"
    assert found(str(tmp_path / "away"), (str(tmp_path / "away"),)).state is State.GONE


def test_cut_short_on_the_disk(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path / "mine")
    os.truncate(folder / SHARD, 200_000)
    entry = found(str(folder), (str(folder),))
    assert entry.state is State.DAMAGED and entry.fault.startswith(f"{SHARD} has 200,000 bytes instead of")
    shutil.rmtree(folder / ".download")
    entry = found(str(folder), (str(folder),))
    assert entry.state is State.DAMAGED and "its header promises" in entry.fault, "from the header alone"


# Verifying


def test_a_flipped_bit_is_found_and_only_that_file_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    for to in (None, tmp_path / "mine"):
        folder = get(to)
        assert faults_of(folder) == []
        flip((folder / SHARD).resolve())
        (fault,) = faults_of(folder)
        assert (fault.file, fault.kind) == (SHARD, "content")
        assert fault.expected == content_name(SHARD, hub.files[SHARD])[:12]
        hub.requests.clear()
        assert get(to) == folder and hub.fetched() == [], "its size is right, so a plain download cannot know"
        get(to, again=(SHARD,))
        assert {request.path for request in hub.fetched()} <= {
            path for path, content in hub.files.items() if content == hub.files[SHARD]
        }
        assert faults_of(folder) == []


def test_copies_instead_of_links_are_mended_too(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", True)
    folder = get()
    flip(folder / SHARD)
    get(again=(SHARD,))
    assert faults_of(folder) == []


def test_checksums_of_another_programs_links_are_known(hub: Hub) -> None:
    folder = Path(snapshot_download(HUB_ID, cache_dir=constants.HF_HUB_CACHE))
    assert set(expected_files(folder)) >= {name for name in hub.files if name.endswith(".safetensors")}
    assert faults_of(folder) == []
    flip((folder / SHARD).resolve())
    assert [fault.kind for fault in faults_of(folder)] == ["content"]


def test_every_kind_of_damage_is_named(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path / "mine")
    shutil.rmtree(folder / ".download")
    (folder / "audio_vae" / "config.json").write_text("{")
    (folder / "bridge.safetensors").write_bytes(b"\xff" * 40)
    (folder / SHARD).unlink()
    (folder / SHARD).symlink_to("nowhere")
    assert {fault.file: fault.kind for fault in faults_of(folder)} == {
        "audio_vae/config.json": "json",
        "bridge.safetensors": "header",
        SHARD: "missing",
    }


def test_verifying_can_be_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mova_studio.network.verify._TICK", -1.0)
    folder = get()
    with pytest.raises(Cancelled, match="nothing was changed"):
        verify_files(folder, lambda progress: None, lambda: True)


def test_fetching_a_file_again_that_the_hub_has_not(hub: Hub) -> None:
    with pytest.raises(InputError, match=r"has no file 'x\.json' to fetch again"):
        get(again=("x.json",))


def test_the_command_line(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    folder = get()
    assert main(["model", "check", HUB_ID, "--thorough", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["files"]) == (True, []) and answer["checksums"] >= 7
    flip((folder / SHARD).resolve())
    assert main(["model", "check", HUB_ID, "--thorough"]) == 1
    said = capsys.readouterr().out
    assert f"{SHARD} has the right size and a wrong checksum" in said
    assert f"model download HUB_ID --again {SHARD}" in said
    assert main(["model", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert [(entry["model"], entry["state"]) for entry in listed][1] == (HUB_ID, "whole")
    assert main(["model", "list"]) == 0
    assert f"{HUB_ID}: whole" in capsys.readouterr().out


# The remembered folders


def test_folders_are_remembered_newest_first(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "folders.json"
    used = UsedFolders(file)
    assert used.read() == []
    for name in ("a", "b", "a"):
        used.remember(tmp_path / name)
    assert used.read() == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert used.forget(str(tmp_path / "a")) and not used.forget("nothing")
    assert UsedFolders(file).read() == [str(tmp_path / "b")]
    for number in range(MAX_FOLDERS + 5):
        used.remember(tmp_path / str(number))
    assert len(used.read()) == MAX_FOLDERS
    for damage in ("{", "7", '{"a": 1}', '[1, "x"]'):
        file.write_text(damage)
        assert used.read() == (["x"] if "x" in damage else [])


@pytest.fixture
def checkpoints(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkpoints]:
    monkeypatch.setattr("mova_studio.jobs.studio.UsedFolders", lambda: UsedFolders(tmp_path / "folders.json"))
    monkeypatch.setattr("mova_studio.jobs.modelcheck.check_model", lambda model: None)
    studio = Studio(tmp_path / "library")
    yield Checkpoints(studio)
    studio.close()


def test_used_folders_come_into_the_list_and_leave_it(checkpoints: Checkpoints, tmp_path: Path) -> None:
    folder = get(tmp_path / "mine")
    checkpoints.studio.use_model(str(folder))
    used = checkpoints.in_use(checkpoints.entries())
    assert used is not None and (used.model, used.remembered) == (str(folder), True)
    with pytest.raises(InputError, match="is in use; use another checkpoint first"):
        checkpoints.forget(str(folder))
    checkpoints.studio.use_model("demo")
    checkpoints.forget(str(folder))
    assert [entry.model for entry in checkpoints.entries()] == ["demo"]
    assert (folder / "model_index.json").is_file()
    checkpoints.studio.model = "someone/never-downloaded"
    assert checkpoints.entries()[-1].state is State.GONE


@pytest.mark.parametrize("name", ["", "no slash", "a/b/c", "--to/x", "https://x/y", "a/b;c", "../x"])
def test_only_hub_ids_are_downloaded(checkpoints: Checkpoints, name: str) -> None:
    with pytest.raises(InputError, match="not a hub id"):
        checkpoints.start_download(name)
    with pytest.raises(InputError, match="not a whole path"):
        checkpoints.start_download("a/b", "somewhere")


def test_downloading_verifying_and_mending_in_the_background(checkpoints: Checkpoints, hub: Hub) -> None:
    checkpoints.start_download(HUB_ID)
    with pytest.raises(InputError, match="A download is running already"):
        checkpoints.start_download(HUB_ID)
    assert checkpoints.download.wait(60)
    command = checkpoints.download.command
    assert command is not None and command.outcome is Outcome.DONE, command
    assert command.events["room"]["missing"] == command.events["progress"]["total"]
    folder = Path(command.answer["path"])
    flip((folder / SHARD).resolve())
    checkpoints.start_check(HUB_ID)
    assert checkpoints.check.wait(60)
    check = checkpoints.check.command
    assert check is not None and [fault["file"] for fault in check.answer["files"]][:1] == [SHARD]
    for language, said in (("en", "has a wrong checksum"), ("zh", "校验和不符")):
        entries = checkpoints.entries()
        html = model_cards(language, entries, checkpoints.in_use(entries), command, check)
        assert said in html and 'data-act="mend"' in html and 'data-state="damaged"' in html
    checkpoints.mend(HUB_ID)
    assert checkpoints.download.wait(60)
    assert faults_of(folder) == []
    hub.stall[SHARD] = 0
    shutil.rmtree(folder.parent.parent)
    checkpoints.start_download(HUB_ID)
    assert checkpoints.download.stop() and not checkpoints.download.running
    assert checkpoints.download.command.outcome is Outcome.STOPPED
    with pytest.raises(InputError, match="not in the list"):
        checkpoints.start_check("nothing/of-that-name")


# In words


def test_sizes_and_room(checkpoints: Checkpoints, tmp_path: Path) -> None:
    assert [size_words(count) for count in (0, 5_800_000, 77_672_250_730)] == ["0 kB", "5.8 MB", "77.67 GB"]
    line = room_html("en", checkpoints, "OpenMOSS-Team/MOVA-360p", str(tmp_path / "new"))
    assert "77.67 GB to fetch" in line and str(tmp_path) in line
    assert "free in" in room_html("en", checkpoints, HUB_ID, "")
    assert room_html("zh", checkpoints, "no id", "") == room_html("en", checkpoints, HUB_ID, "half/a/path") == ""
    get()
    assert "already" in room_html("en", checkpoints, HUB_ID, "")


def test_the_api_is_the_owners(checkpoints: Checkpoints) -> None:
    access = Access(Account("anna", "x"), Account("bob", "y"))
    api = ModelsApi(checkpoints, access)
    guest = gr.Request(username="bob")
    for call in (api.models, api.verify_model, api.use_model, api.download_model):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(access.owner_only(call)(request=guest))
    (demo,) = asyncio.run(api.models(gr.Request(username="anna")))
    assert (demo["model"], demo["in_use"]) == ("demo", True)


def test_a_folder_that_is_deleted_while_it_is_looked_into_is_told_as_it_is_found(tmp_path: Path) -> None:
    for number in range(15):
        folder = tmp_path / f"mova-{number}"
        for part in range(60):
            (folder / f"part{part}").mkdir(parents=True)
            (folder / f"part{part}" / "config.json").write_text("{}", "utf-8")
        index: dict[str, object] = {f"part{part}": ["diffusers", "WanModel"] for part in range(60)}
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "MOVA"}), "utf-8")
        deleting = threading.Thread(target=shutil.rmtree, args=(folder,))
        deleting.start()
        while deleting.is_alive():
            assert installed([str(folder)])[-1].folder == folder
        assert installed([str(folder)])[-1].state is State.GONE
