"""Installed adapters: the shelf, the command line, shots that ask for them, and takes made with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mova_studio.adapter_use import PARTS, AdapterUse
from mova_studio.cli import main
from mova_studio.errors import InputError
from mova_studio.jobs.adapters import check_adapters, device_numbers, read_uses, shelf
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.planning import plan_shot, request_of
from mova_studio.jobs.run import Paused
from mova_studio.jobs.runner import make_take
from mova_studio.jobs.saved_run import SavedRun, Saver
from mova_studio.jobs.studio import Studio
from mova_studio.library.restore import restore_from
from mova_studio.library.shot import Shot
from mova_studio.library.shots import shot_id
from mova_studio.media.probe import decode_frames
from mova_studio.network.adapter_shelf import AdapterShelf
from mova_studio.network.demo import build_untrained
from mova_studio.placement.probe import probe_machine
from mova_studio.placement.request import Limits

SHOT = Shot(prompt="a bell", width=32, height=32, num_frames=5, num_inference_steps=4, guidance_scale=1.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    return folder


@pytest.fixture(autouse=True)
def own_shelf(tmp_path, monkeypatch) -> AdapterShelf:
    monkeypatch.setenv("MOVA_STUDIO_ADAPTERS", str(tmp_path / "adapters"))
    return shelf()


def wan_file(path: Path, width: int, size: float = 1.0) -> Path:
    """For either expert: the first block's queries, rank 2."""
    draw = torch.Generator().manual_seed(4)
    stem = "diffusion_model.blocks.0.self_attn.q"
    down = torch.randn(2, width, generator=draw)
    tensors = {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": size * torch.randn(width, 2, generator=draw)}
    save_file(tensors, path)
    return path


def width_of(model: Path) -> int:
    return json.loads((model / "video_dit" / "config.json").read_text("utf-8"))["dim"]


def run(capsys, *arguments: str | Path) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_import_list_remove(capsys, model, tmp_path, own_shelf):
    file = wan_file(tmp_path / "a=b/c.safetensors".replace("/", "@"), width_of(model))
    code, answer = run(capsys, "model", "adapters", "import", file, "--experts", "high")
    entry = answer["adapter"]
    assert (code, answer["new"], entry["name"]) == (0, True, "a-b-c")
    assert (entry["parts"], entry["ranks"], entry["source"]) == ({"high": 1}, [2], file.name)
    assert Path(entry["path"]).parent == own_shelf.folder and Path(entry["path"]).stem == entry["digest"][:32]
    file.unlink()
    assert not run(capsys, "model", "adapters", "import", entry["path"])[1]["new"], "the same numbers once more"
    other = wan_file(tmp_path / "a=b@c.safetensors", 8)
    assert run(capsys, "model", "adapters", "import", other)[1]["adapter"]["name"] == "a-b-c 2"
    code, answer = run(capsys, "model", "adapters", "list", "--model", model)
    fit, misfit = answer["adapters"]
    assert fit["misfit"] == "" and "blocks.0.self_attn.q is [" in misfit["misfit"] and "[8, 8]" in misfit["misfit"]
    (own_shelf.folder / "broken.safetensors").write_bytes(Path(entry["path"]).read_bytes()[:-3])
    assert run(capsys, "model", "adapters", "remove", "a-b-c")[0] == 0
    code, answer = run(capsys, "model", "adapters", "remove", "a-b-c")
    assert code == 2 and "installed: a-b-c 2" in answer["error"]["message"]


def test_names_that_cannot_be_had(model, tmp_path, own_shelf):
    file = wan_file(tmp_path / "style.safetensors", width_of(model))
    own_shelf.add(file, "my style (2) é 中文")
    other = wan_file(tmp_path / "other.safetensors", width_of(model), 2.0)
    for name, words in (("my style (2) é 中文", "already"), ("a=b", "cannot be called"), ("../x", "cannot be called")):
        with pytest.raises(InputError, match=words):
            own_shelf.add(other, name)


def test_words_for_an_adapter(model, tmp_path, own_shelf):
    own_shelf.add(wan_file(tmp_path / "style.safetensors", width_of(model)))
    own_shelf.add(wan_file(tmp_path / "late.safetensors", width_of(model), 3.0), experts="low")
    digest = own_shelf.named("style").digest
    assert read_uses(["style"]) == (AdapterUse("", digest, audio=0.0, bridge=0.0),)
    assert read_uses([" style = -0.5 @ 0.2:0.8 "]) == (AdapterUse("", digest, -0.5, -0.5, 0.0, 0.0, 0.2, 0.8),)
    assert read_uses(["style=high:1,bridge:0.5"]) == (AdapterUse("", digest, 1.0, 0.0, 0.0, 0.5),)
    assert read_uses(["late=0.7"])[0].strengths == {"video_dit_2": 0.7}
    assert read_uses([{"name": "late", "stop": 0.5}])[0].stop == 0.5
    assert read_uses([{"name": "gone", "digest": "d", "low": 2}])[0].low == 2.0
    for wrong in ("other", "style=high", "style=up:1", "style@1", "=1", 5, {"name": "style", "x": 1}, {"digest": "d"}):
        with pytest.raises(InputError):
            read_uses([wrong])


def test_shots_without_adapters_keep_their_names():
    assert "adapters" not in SHOT.to_dict()
    assert shot_id(SHOT) == shot_id(Shot.from_dict(SHOT.to_dict() | {"adapters": []}))
    used = replace(SHOT, adapters=(AdapterUse("style", "d", low=0.5, stop=0.25),))
    again = Shot.from_dict(json.loads(json.dumps(used.to_dict())))
    assert again == used and again.adapters[0].name == "style" and shot_id(again) == shot_id(used) != shot_id(SHOT)
    with pytest.raises(InputError, match="chosen twice"):
        replace(SHOT, adapters=used.adapters * 2)


def test_what_is_missing_or_does_not_fit_is_said_before_it_is_queued(model, tmp_path, own_shelf, capsys):
    own_shelf.add(wan_file(tmp_path / "wide.safetensors", 8))
    studio = Studio(tmp_path / "library", str(model))
    try:
        shot = replace(SHOT, model=str(model))
        with pytest.raises(InputError, match="wide is for another checkpoint"):
            studio.submit(replace(shot, adapters=read_uses(["wide"])))
        with pytest.raises(InputError, match=r"gone \(d\) is not installed here"):
            studio.submit(replace(shot, adapters=(AdapterUse("gone", "d"),)))
        assert studio.queue.length() == 0
    finally:
        studio.close()
    options = ["--prompt", "x", "--model", model, "--library", tmp_path / "other", "--adapter", "wide"]
    code, answer = run(capsys, "queue", "add", *options)
    assert code == 2 and answer["error"]["field"] == "adapters"


def test_their_memory_is_planned_for(model, tmp_path, own_shelf):
    width = width_of(model)
    own_shelf.add(wan_file(tmp_path / "style.safetensors", width))
    shot = replace(SHOT, model=str(model))
    used = replace(shot, adapters=read_uses(["style"]))
    assert device_numbers(used.adapters) == request_of(used).adapter_numbers == 2 * 2 * width
    machine = replace(probe_machine(tmp_path), imaginary=True)
    needs = [plan_shot(each, Limits(), machine)[1].chosen.predicted.stages["denoise"].ram for each in (shot, used)]
    assert needs[0] < needs[1]


def test_a_take_remembers_its_adapters_and_a_resumed_one_uses_them(model, tmp_path, own_shelf):
    own_shelf.add(wan_file(tmp_path / "style.safetensors", width_of(model), 4.0))
    plain = replace(SHOT, model=str(model))
    shot = replace(plain, adapters=read_uses(["style=0.8@0:0.75"]))
    engine = Engine()

    def take(asked: Shot, name: str, **more) -> Path:
        return make_take(engine, asked, 3, tmp_path / name, lambda event: None, **more).path

    whole, without = take(shot, "whole.mp4"), take(plain, "plain.mp4")
    saver = Saver(SavedRun(tmp_path / "runs", "job"), every=0)
    with pytest.raises(Paused):
        take(shot, "again.mp4", saver=saver, stop_step=2)
    engine.unload()
    again = take(shot, "again.mp4", saver=saver)
    frames = [decode_frames(path) for path in (whole, without, again)]
    assert (frames[0] == frames[2]).all() and (frames[0] != frames[1]).any()
    restored = restore_from(whole)
    assert restored.adapters == shot.adapters and restored.adapters[0].name == "style"
    assert restore_from(without).adapters == () and "adapters" not in restored.settings
    own_shelf.remove("style")
    assert restore_from(whole).adapters == shot.adapters, "nothing is lost"
    engine.unload()
    with pytest.raises(InputError, match="is not installed here"):
        take(shot, "gone.mp4")
    with pytest.raises(InputError):
        check_adapters(shot)


def test_a_changed_file_is_not_used(model, tmp_path, own_shelf):
    entry, _new = own_shelf.add(wan_file(tmp_path / "style.safetensors", width_of(model)))
    content = bytearray(entry.path.read_bytes())
    content[-1] ^= 1
    entry.path.write_bytes(content)
    with pytest.raises(InputError, match="was changed"):
        own_shelf.load(entry.use())
    assert set(PARTS) >= set(entry.parts)
