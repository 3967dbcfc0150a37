"""Rewriting beside the queue and on the command line, and what a take's file says of it."""

from __future__ import annotations

import dataclasses
import json
import threading
import time

import pytest
import torch
from openai_server import ChatServer, Reply, picture_reply, serve
from test_studio import ENDLESS, QUICK, ended, until
from tiny_models import FRAME, PROMPT, REWRITTEN, language_model, picture, vision_model

from mova_studio.cli import main
from mova_studio.errors import BackendError, Cancelled, CheckpointError, InputError
from mova_studio.jobs.enhancing import Wanted
from mova_studio.jobs.frame_making import FrameMaking, FrameWanted
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.origin import FrameOrigin, PromptOrigin
from mova_studio.library.provenance import read_take
from mova_studio.library.restore import restore_from
from mova_studio.library.shot import Shot
from mova_studio.library.shots import shot_id

KEY = "sk-anothersecret-0123456789"


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    return vision_model(tmp_path_factory.mktemp("eyes"))


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model that never comes to an end."""
    from transformers import AutoModelForCausalLM

    folder = language_model(tmp_path_factory.mktemp("endless"))
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.lm_head.weight[1] = 0
    model.generation_config.eos_token_id = 7
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One for all, since a worker takes seconds to start."""
    opened = Studio(tmp_path_factory.mktemp("studio") / "library")
    yield opened
    opened.close()


def test_the_composer_answers_without_a_worker(studio):
    made = studio.enhance(Wanted(PROMPT)).result()
    assert made.backend == "composer" and made.original == PROMPT and '"Miau."' in made.rewritten


def test_a_local_model_runs_in_the_worker_and_the_queue_waits_for_it(studio, eyes):
    working = studio.enhance(Wanted(PROMPT, picture(), backend=f"local:{eyes}"))
    job = studio.submit(QUICK, 3)
    made = working.result()
    assert (
        made.frame == FRAME
        and made.rewritten == REWRITTEN
        and working.progress.text == REWRITTEN
        and "bits" in working.progress.note
    )
    assert until(studio, job, ended).state is JobState.DONE


def test_a_local_model_is_refused_while_a_take_is_made(studio, eyes):
    job = studio.submit(ENDLESS)
    until(studio, job, lambda snapshot: snapshot.state is JobState.RUNNING)
    with pytest.raises(InputError, match="composer or a server meanwhile"):
        studio.enhance(Wanted(PROMPT, backend=f"local:{eyes}")).result()
    studio.cancel(job)
    until(studio, job, ended)


def test_cancelling_a_local_model_waits_for_no_end_and_the_queue_goes_on(studio, endless):
    working = studio.enhance(Wanted(PROMPT, frame=FRAME, backend=f"local:{endless}"))
    tick = threading.Event()
    while not working.progress.text:
        assert not working.progress.ended, working.progress.error
        tick.wait(0.02)
    with pytest.raises(InputError, match="before unloading"):
        studio.unload()
    begun = time.monotonic()
    working.cancel()
    with pytest.raises(Cancelled):
        working.result()
    assert time.monotonic() - begun < 20
    assert until(studio, studio.submit(QUICK, 3), ended).state is JobState.DONE


def test_a_worker_that_dies_is_told(studio, endless):
    working = studio.enhance(Wanted(PROMPT, frame=FRAME, backend=f"local:{endless}"))
    tick = threading.Event()
    while not working.progress.text:
        assert not working.progress.ended, working.progress.error
        tick.wait(0.02)
    studio._dispatcher._worker.kill()
    with pytest.raises(BackendError, match="ended"):
        working.result()


def test_faults_of_the_worker_keep_their_kind(studio):
    with pytest.raises(CheckpointError, match="hf download"):
        studio.enhance(Wanted(PROMPT, backend="local:no/such-model")).result()
    with pytest.raises(InputError, match="composer, server:NAME"):
        studio.enhance(Wanted(PROMPT, backend="magic")).result()


def test_the_pair_ends_in_the_file_and_comes_back(studio, monkeypatch):
    monkeypatch.setenv("MINE_API_KEY", KEY)
    with serve(ChatServer([Reply(json.dumps(FRAME.to_dict())), Reply(REWRITTEN)])) as server:
        wanted = Wanted(PROMPT, picture(), backend="server:mine", server_url=server.url, server_model="tiny")
        made = studio.enhance(wanted).result()
    origin = PromptOrigin(made.original, made.rewritten, made.backend, made.frame.to_dict())
    shot = dataclasses.replace(QUICK, prompt=made.rewritten, origin=origin)
    take = until(studio, studio.submit(shot, 3), ended).take
    assert take.shot == shot and read_take(take.path).shot == shot
    assert restore_from(take.path).origin == origin
    for file in studio.root.rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes(), file


def test_origins_are_part_of_a_shot_and_leave_others_as_they_were():
    plain = Shot(prompt="rain")
    assert "origin" not in plain.to_dict() and Shot.from_dict(plain.to_dict()) == plain
    told = dataclasses.replace(plain, origin=PromptOrigin("it rains", "rain", "composer"))
    assert Shot.from_dict(json.loads(json.dumps(told.to_dict()))) == told
    assert shot_id(told) != shot_id(plain)
    with pytest.raises(InputError):
        PromptOrigin("a" * 20_001, "b", "composer")
    with pytest.raises(InputError, match="described by"):
        Shot.from_dict(plain.to_dict() | {"origin": told.origin.to_dict() | {"frame": {"smell": "none"}}})


def test_the_command_answers_in_json(capsys):
    assert main(["enhance", "--prompt", PROMPT, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["original"] == PROMPT and '"Miau."' in answer["rewritten"]
    assert {"original", "frame", "rewritten", "checks"} <= set(answer)


def test_a_batch_gives_a_line_for_each_prompt(tmp_path, capsys):
    file = tmp_path / "prompts.txt"
    file.write_text("rain on a roof\n\n{a cat|a dog} sings\n", "utf-8")
    assert main(["enhance", "--batch", str(file), "--expand", "5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["original"] for line in lines] == ["rain on a roof", "a cat sings", "a dog sings"]


def test_the_command_tells_what_is_wrong(capsys, tmp_path):
    with serve(ChatServer()) as gone:
        url = gone.url
    arguments = ["enhance", "--backend", "server:mine", "--model", "tiny", "--json"]
    with serve(ChatServer([Reply(status=401)])) as server:
        assert main([*arguments, "--prompt", PROMPT, "--server-url", server.url]) == 7
        file = tmp_path / "prompts.txt"
        file.write_text("one\ntwo\n")
        capsys.readouterr()
        assert main([*arguments, "--batch", str(file), "--server-url", server.url]) == 7
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(line["original"], line["error"]["exit_code"]) for line in lines] == [("one", 7), ("two", 7)]
    assert main([*arguments, "--prompt", PROMPT, "--server-url", url]) == 7
    assert "Nobody answers" in capsys.readouterr().out
    assert main(["enhance", "--prompt", PROMPT, "--image", str(tmp_path / "none.png")]) == 2
    assert main(["enhance", "--prompt", " "]) == 2


def test_the_command_makes_a_first_frame_too(capsys, tmp_path):
    from PIL import Image

    out = tmp_path / "first.png"
    arguments = ["enhance", "--prompt", PROMPT, "--make-frame", str(out), "--json"]
    with serve(ChatServer([Reply(json.dumps(FRAME.to_dict())), Reply(REWRITTEN)])) as server:
        mine = ["--backend", "server:mine", "--server-url", server.url, "--model", "tiny"]
        assert main([*arguments, *mine, "--image-model", "painter", "--size", "352x640"]) == 0
        asked = server.questions[-1]
    answer = json.loads(capsys.readouterr().out)
    made = answer["made_frame"]
    assert (made["file"], made["model"], made["backend"]) == (str(out), "painter", "server:mine")
    assert Image.open(out).size == (made["width"], made["height"]) == (352, 640)
    assert (
        asked["prompt"] == made["description"] and FRAME.elements in asked["prompt"] and "Miau" not in asked["prompt"]
    )
    assert answer["rewritten"] == REWRITTEN and "cropped" in " ".join(made["notes"])


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (["--backend", "composer"], 7, "cannot make pictures"),
        (["--size", "641x352"], 2, "641x352 cannot be made"),
        (["--make-frame", "first.jpg"], 2, "OUT.png"),
        (["--make-frame", "no/such/folder/first.png"], 4, "folder does not exist"),
        (["--image", "x.png"], 2, "leave --image out"),
    ],
)
def test_what_cannot_be_made_is_said_before_anything_is_asked(changes, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serve(ChatServer()) as server:
        mine = ["--backend", "server:mine", "--server-url", server.url, "--model", "tiny"]
        told = main(["enhance", "--prompt", PROMPT, "--make-frame", "first.png", *mine, *changes, "--json"])
        assert told == code and server.questions == [] and not list(tmp_path.iterdir())
    assert words in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_frame_is_made_beside_the_queue_and_can_be_cancelled():
    with serve(ChatServer(pictures=[picture_reply()])) as server:
        wanted = FrameWanted("a cat", 640, 352, "server:mine", server.url, "painter")
        assert FrameMaking(wanted).result().model == "painter"
        server.pictures = [picture_reply(stall=0)]
        server.asked.clear()
        making = FrameMaking(wanted)
        assert server.asked.wait(30)
        making.cancel()
        with pytest.raises(Cancelled):
            making.result()
        assert server.gone.wait(30)
    with pytest.raises(BackendError, match="cannot make pictures"):
        FrameMaking(dataclasses.replace(wanted, backend="composer")).result()


def test_the_origin_of_a_made_frame_ends_in_the_file_and_comes_back(studio):
    whence = FrameOrigin("server:mine", "painter", "a cat on a chair")
    plain = dataclasses.replace(QUICK, first_frame=picture())
    shot = dataclasses.replace(plain, frame_origin=whence)
    assert "frame_origin" not in plain.to_dict() and shot_id(shot) != shot_id(plain)
    assert Shot.from_dict(json.loads(json.dumps(shot.to_dict()))) == shot
    take = until(studio, studio.submit(shot, 3), ended).take
    assert take.shot == shot and read_take(take.path).shot == shot and restore_from(take.path).frame_origin == whence
    with pytest.raises(InputError, match="20000 characters"):
        FrameOrigin("server:mine", "painter", "a" * 20_001)
