"""The local backend: real transformers models on the processor, and the choice of their format."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
import torch
from tiny_models import DESCRIPTION, FRAME, PROMPT, REWRITTEN, language_model, picture, vision_model

from mova_studio.errors import AnswerError, BackendError, Cancelled, CheckpointError, MemoryRanOut
from mova_studio.placement.machine import GIB
from mova_studio.placement.request import Limits
from mova_studio.prompting import local, local_format
from mova_studio.prompting.instructions import REWRITE, rewriting
from mova_studio.prompting.local import LocalBackend
from mova_studio.prompting.local_format import ModelSize, choose_format
from mova_studio.prompting.local_place import find_model
from mova_studio.prompting.local_reading import Reader


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return language_model(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    return vision_model(tmp_path_factory.mktemp("eyes"))


def test_a_vision_model_describes_and_rewrites_without_torchvision(eyes):
    backend = LocalBackend(str(eyes))
    assert backend.can_see and backend.name == f"local:{eyes}"
    said: list[str] = []
    assert backend.describe_frame(picture(), PROMPT, said.append, lambda: False) == FRAME
    assert len(said) > 5 and said[-1] == DESCRIPTION
    assert backend.rewrite(PROMPT, FRAME, (), said.append, lambda: False) == REWRITTEN
    assert "32 bits" in backend.note
    backend.close()
    assert backend._model is None


def test_a_language_model_rewrites_and_says_that_it_is_blind(words):
    backend = LocalBackend(str(words))
    assert not backend.can_see
    with pytest.raises(BackendError, match="cannot look at pictures"):
        backend.describe_frame(picture(), PROMPT, lambda text: None, lambda: False)
    assert backend.rewrite(PROMPT, FRAME, (), lambda text: None, lambda: False) == REWRITTEN


@pytest.mark.parametrize("weights", ["bf16", "int8", "nf4"])
def test_fewer_bits_still_speak(words, monkeypatch, weights):
    monkeypatch.setattr(local_format, "FORMATS", {"cpu": (weights,)})
    backend = LocalBackend(str(words))
    said: list[str] = []
    with contextlib.suppress(Cancelled):
        backend.answer(REWRITE, rewriting(PROMPT, FRAME), None, said.append, lambda: len(said) > 30)
    assert said[-1].startswith("In a photo")
    assert {"bf16": "16", "int8": "8", "nf4": "4"}[weights] + " bits" in backend.note


def test_cancelling_waits_for_no_end(words, monkeypatch):
    monkeypatch.setattr(local, "MAX_NEW_TOKENS", 100_000)
    backend, asked = LocalBackend(str(words)), []

    def cancelled() -> bool:
        if said and not asked:
            asked.append(time.monotonic())
        return bool(asked)

    said: list[str] = []
    with pytest.raises(Cancelled):
        backend.answer("", "go on and on", None, said.append, cancelled)
    assert time.monotonic() - asked[0] < 20


def test_an_answer_without_an_end_is_cut(words, monkeypatch):
    monkeypatch.setattr(local, "MAX_NEW_TOKENS", 5)
    with pytest.raises(AnswerError, match="cut after 5 tokens"):
        LocalBackend(str(words)).rewrite(PROMPT, FRAME, (), lambda text: None, lambda: False)


def test_a_template_without_a_system_role_gets_one_message(words):
    reader = Reader(find_model(str(words)))
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    reader.tokenizer.chat_template = strict + reader.tokenizer.chat_template
    text = reader.tokenizer.decode(reader.read("the rules", "the request", None)["input_ids"][0])
    assert "user\nthe rules\n\nthe request" in text


def test_a_base_model_is_refused(words, tmp_path):
    for file in words.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="no chat template"):
        LocalBackend(str(tmp_path)).rewrite(PROMPT, None, (), lambda text: None, lambda: False)


@pytest.mark.parametrize(
    ("config", "words_"),
    [
        (None, "no readable config"),
        ("{", "no readable config"),
        ("[]", "no readable config"),
        ('{"model_type": "t5"}', "cannot answer"),
        ('{"model_type": "qwen3"}', "safetensors"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, config, words_):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(CheckpointError, match=words_):
        LocalBackend(str(tmp_path)).rewrite(PROMPT, None, (), lambda text: None, lambda: False)


def test_a_damaged_file_is_named(words, tmp_path):
    for file in words.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        LocalBackend(str(tmp_path)).rewrite(PROMPT, None, (), lambda text: None, lambda: False)


def test_what_is_not_here_is_not_fetched():
    with pytest.raises(CheckpointError, match="hf download"):
        find_model("someone/no-such-model")


def test_a_cap_on_memory_holds(words):
    with pytest.raises(MemoryRanOut, match="even in 4 bits"):
        LocalBackend(str(words), Limits(ram_gb=0.1, vram_gb=0.1)).rewrite(
            PROMPT, None, (), lambda text: None, lambda: False
        )


SIZE = ModelSize(linear=7 * 10**9, rest=10**9, on_disk=6 * 10**9)


@pytest.mark.parametrize(
    ("free", "device", "quantized", "weights"),
    [
        (40, "cuda", False, "bf16"),
        (12, "cuda", False, "int8"),
        (8, "cuda", False, "nf4"),
        (8, "cuda", True, "stored"),
        (40, "cpu", False, "fp32"),
        (20, "cpu", False, "bf16"),
        (12, "mps", False, "int8"),
    ],
)
def test_the_most_bits_that_fit(free, device, quantized, weights):
    chosen = choose_format(SIZE, free * GIB, device, quantized=quantized)
    assert chosen.weights == weights
    assert f"{free}.0 GiB" in chosen.why


@pytest.mark.parametrize(("device", "quantized"), [("cuda", False), ("cuda", True), ("cpu", False), ("mps", False)])
def test_what_fits_in_no_format_says_how_much_is_short(device, quantized):
    with pytest.raises(MemoryRanOut, match=r"GiB even in .* and 2\.0 GiB are free"):
        choose_format(SIZE, 2 * GIB, device, quantized=quantized)
