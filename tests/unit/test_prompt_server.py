"""The server backend, by the real client against a real server on the loopback."""

from __future__ import annotations

import base64
import io
import logging
import pickle
import threading
import time
import traceback
from itertools import pairwise

import pytest
from memory_keyring import keyring_of, memory_keyring
from openai_server import ChatServer, Reply, serve
from PIL import Image

from mova_studio.errors import AnswerError, BackendError, Cancelled, InputError
from mova_studio.prompting.keys import Secret, find_key, keep_key
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.server import ServerBackend
from mova_studio.prompting.server_call import NO_KEY, Patience
from mova_studio.prompting.server_presets import find_server, server_presets

KEY = "sk-verysecret-0123456789abcdef"
QUICK = Patience(connect=2, silence=1, whole=20, retries=2, pause=0.01)
FRAME = '{"style": "photo", "camera": "wide", "elements": "a cat on a chair", "text": "营业中"}'
REWRITE = 'A cat sits on a chair.\n\nIt looks up and says, "Miau."\n\nA quiet room.'


@pytest.fixture
def server():
    with serve(ChatServer()) as state:
        yield state


@pytest.fixture(autouse=True)
def no_keys_of_this_machine(monkeypatch):
    for preset in server_presets().values():
        monkeypatch.delenv(preset.key_variable or "MOVA_NO_SUCH", raising=False)


def backend(server: ChatServer, model: str = "tiny", patience: Patience = QUICK, name: str = "mine") -> ServerBackend:
    return ServerBackend(find_server(name, server.url), model, patience)


def rewrite(used: ServerBackend, said: list[str] | None = None, cancelled=lambda: False) -> str:
    return used.rewrite("a cat", None, (), (said if said is not None else []).append, cancelled)


def png(width: int = 3000, height: int = 1500) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(packed, "PNG")
    return packed.getvalue()


def test_words_stream_in(server):
    server.replies = [Reply(REWRITE, thoughts="hm")]
    said: list[str] = []
    assert rewrite(backend(server), said) == REWRITE
    assert len(said) > 5 and all(after.startswith(before) for before, after in pairwise(said))
    question = server.questions[0]
    assert question["model"] == "tiny" and question["stream"] is True
    assert [message["role"] for message in question["messages"]] == ["system", "user"]
    assert "a cat" in question["messages"][1]["content"]


def test_the_picture_is_sent_small(server):
    server.replies = [Reply(f"```json\n{FRAME}\n```")]
    found = backend(server).describe_frame(png(), "a cat", lambda text: None, lambda: False)
    assert found == FrameDescription("photo", "wide", "a cat on a chair", "营业中")
    url = server.questions[0]["messages"][1]["content"][0]["image_url"]["url"]
    kind, packed = url.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(packed))).size == (1024, 512)


def test_the_only_model_is_found_and_several_are_named(server):
    server.replies = [Reply(REWRITE)]
    assert rewrite(backend(server, model="")) == REWRITE
    assert server.questions[0]["model"] == "tiny"
    assert backend(server).models() == ("tiny",)
    server.served = ("a", "b")
    with pytest.raises(BackendError, match=r"--model NAME.*a, b"):
        rewrite(backend(server, model=""))


@pytest.mark.parametrize(
    ("reply", "kind", "words", "questions"),
    [
        (Reply(status=401, body=f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()), BackendError, "key", 1),
        (Reply(status=403), BackendError, "key", 1),
        (Reply(status=404), BackendError, "does not know tiny", 1),
        (Reply(status=400, body=b'{"error": {"message": "too wild"}}'), BackendError, "too wild", 1),
        (Reply(status=429, headers={"Retry-After": "0"}), BackendError, "too much to do", 3),
        (Reply(status=500, body=f"oops {KEY[:12]}*** broke".encode(), kind="text/plain"), BackendError, "oops", 3),
        (Reply(""), AnswerError, "empty answer", 1),
        (Reply("<think>on and on</think>  "), AnswerError, "empty answer", 1),
        (Reply("A cat", end="length"), AnswerError, "cut at its limit", 1),
        (Reply("A cat", end="content_filter"), AnswerError, "declined", 1),
        (Reply(REWRITE, cut=14), AnswerError, "closed the connection", 3),
        (Reply(REWRITE, end=None), AnswerError, "closed the connection", 3),
        (Reply(REWRITE, damaged=True), AnswerError, "damaged", 1),
        (Reply(body=b"<html>hello</html>", kind="text/html"), AnswerError, "/v1", 1),
        (Reply("word " * 5000, piece=4000), AnswerError, "20000 characters", 1),
        (Reply(REWRITE, stall=0), BackendError, "said nothing for 1 s", 1),
        (Reply(REWRITE, stall=14), BackendError, "said nothing for 1 s", 1),
    ],
    ids=lambda value: None,
)
def test_faults_are_plain_and_never_hold_the_key(server, monkeypatch, reply, kind, words, questions):
    monkeypatch.setenv("MINE_API_KEY", KEY)
    server.replies = [reply]
    with pytest.raises(kind, match=words) as caught:
        rewrite(backend(server))
    assert len(server.questions) == questions
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value.to_dict())
    assert KEY not in said and KEY[:8] not in said and "Authorization" not in said


def test_a_fault_that_passes_is_not_noticed(server):
    server.replies = [Reply(status=503), Reply(REWRITE, cut=14), Reply(REWRITE)]
    assert rewrite(backend(server)) == REWRITE


def test_the_pause_doubles_and_the_server_may_ask_for_more():
    patience = Patience(pause=0.5, longest_pause=30)
    assert [patience.before(retry, None) for retry in range(4)] == [0.5, 1, 2, 4]
    assert patience.before(0, 7) == 7 and patience.before(0, 9999) == 30 and patience.before(9, None) == 30


def test_a_server_that_is_down_is_named(server):
    with serve(ChatServer()) as other:
        url = other.url
    with pytest.raises(BackendError, match="Nobody answers as mine at") as caught:
        rewrite(ServerBackend(find_server("mine", url), "tiny", QUICK))
    assert url in caught.value.message and caught.value.field == "server_url"


def test_a_model_without_vision_says_so(server):
    refusal = b'{"error": {"message": "tiny is not a multimodal model; image input is not supported"}}'
    server.replies = [Reply(status=400, body=refusal)]
    with pytest.raises(BackendError, match="cannot look at pictures"):
        backend(server).describe_frame(png(20, 20), "a cat", lambda text: None, lambda: False)


def test_a_server_known_to_be_blind_is_not_asked(monkeypatch):
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)
    blind = ServerBackend(find_server("minimax"))
    assert not blind.can_see and ServerBackend(find_server("minimax"), "another").can_see
    with pytest.raises(BackendError, match="cannot look at pictures"):
        blind.describe_frame(png(20, 20), "a cat", lambda text: None, lambda: False)


@pytest.mark.parametrize("stall", [0, 14])
def test_cancelling_a_silent_server_waits_for_no_answer_and_hangs_up(server, stall):
    server.replies = [Reply(REWRITE, stall=stall)]
    cancelled = threading.Event()
    patience = Patience(silence=60)

    def cancel() -> None:
        server.asked.wait(30)
        cancelled.since = time.monotonic()
        cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises(Cancelled):
        rewrite(backend(server, patience=patience), cancelled=cancelled.is_set)
    assert time.monotonic() - cancelled.since < 20
    assert server.gone.wait(30)


def test_cancelling_between_retries_waits_for_none(server):
    server.replies = [Reply(status=500)]
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        rewrite(backend(server, patience=Patience(pause=60, longest_pause=60)), cancelled=server.asked.is_set)
    assert time.monotonic() - begun < 20


def test_without_a_key_none_is_borrowed_from_openai(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "my-organisation")
    server.replies = [Reply(REWRITE)]
    rewrite(backend(server, name="ollama"))
    sent = {name.lower(): value for name, value in server.headers[0].items()}
    assert sent["authorization"] == f"Bearer {NO_KEY}"
    assert KEY not in str(sent) and "my-organisation" not in str(sent)


def test_the_key_goes_to_the_server_and_nowhere_else(server, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MINE_API_KEY", KEY)
    server.replies = [Reply(REWRITE)]
    used = backend(server)
    rewrite(used)
    assert {name.lower(): value for name, value in server.headers[0].items()}["authorization"] == f"Bearer {KEY}"
    written = "".join(capfd.readouterr()) + caplog.text + repr(used) + repr(vars(used)) + str(server.questions)
    assert "chat/completions" in written
    assert KEY not in written
    with pytest.raises(TypeError):
        pickle.dumps(used)


def test_secrets_are_known_by_their_ends_too():
    assert Secret(KEY).scrub(f"wrong key sk-ver***, or ***abcdef; {KEY}") == "wrong key [key] or [key] [key]"


def test_keys_come_from_the_environment_then_the_keyring(monkeypatch):
    with memory_keyring() as kept:
        assert find_key("gemini", "GEMINI_API_KEY") is None
        keep_key("gemini", "from-the-ring")
        assert find_key("gemini", "GEMINI_API_KEY").reveal() == "from-the-ring"
        monkeypatch.setenv("GEMINI_API_KEY", "from-the-environment")
        assert find_key("gemini", "GEMINI_API_KEY").reveal() == "from-the-environment"
        monkeypatch.setenv("GEMINI_API_KEY", f"{KEY} and\nmore")
        with pytest.raises(InputError) as caught:
            find_key("gemini", "GEMINI_API_KEY")
        assert KEY not in caught.value.message
        keep_key("gemini", "")
        keep_key("gemini", "")
        assert kept == {}
        for bad in (f"{KEY} more", f"{KEY}\n", "ключ", "x" * 4001):
            with pytest.raises(InputError, match="copy it again") as caught:
                keep_key("gemini", bad)
            assert KEY not in caught.value.message and kept == {}


def test_a_machine_without_a_keyring_says_so_and_never_the_key():
    from keyring.backends.fail import Keyring

    with keyring_of(Keyring()):
        assert find_key("gemini", None) is None
        with pytest.raises(InputError, match="no keyring that works") as caught:
            keep_key("gemini", KEY)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_presets_are_whole():
    presets = server_presets()
    assert set(presets) == {"ollama", "lmstudio", "vllm", "sglang", "gemini", "dashscope", "minimax", "openai"}
    for preset in presets.values():
        assert preset.local or (preset.url.startswith("https://") and preset.key_needed and preset.model)


def test_a_missing_key_names_its_variable_and_the_keyring():
    with pytest.raises(BackendError, match=r"GEMINI_API_KEY.*keyring set mova_studio gemini"):
        ServerBackend(find_server("gemini"))


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("openai", "https://evil.example/v1"),
        ("openai", "http://api.openai.com/v1"),
        ("mine", None),
        ("mine", "ftp://x/v1"),
        ("mine", "nonsense"),
        ("mine", f"https://me:{KEY}@x.example/v1"),
        ("mine", f"https://x.example/v1?key={KEY}"),
        ("mine", KEY),
        ("../mine", "http://127.0.0.1:1/v1"),
    ],
)
def test_addresses_that_are_refused(name, url):
    with pytest.raises(InputError) as caught:
        find_server(name, url)
    assert KEY not in caught.value.message
