"""A first frame made by a server, by the real client against a real server on the loopback."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import traceback

import pytest
from openai_server import ChatServer, Reply, picture_reply, serve
from PIL import Image

from mova_studio.errors import AnswerError, BackendError, Cancelled, InputError
from mova_studio.prompting import server_pictures
from mova_studio.prompting.backend import ComposerBackend
from mova_studio.prompting.first_frame import MadePicture, make_first_frame, picture_request
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.server import ServerBackend
from mova_studio.prompting.server_call import Patience
from mova_studio.prompting.server_pictures import free_size
from mova_studio.prompting.server_presets import find_server, server_presets

KEY = "sk-picturesecret-0123456789"
QUICK = Patience(connect=2, silence=1, picture=1, whole=20, retries=2, pause=0.01)


@pytest.fixture
def server():
    with serve(ChatServer()) as state:
        yield state


def make(server, model="painter", size=(640, 352), patience=QUICK, cancelled=lambda: False, name="mine") -> MadePicture:
    backend = ServerBackend(find_server(name, server.url), "tiny", patience, model)
    return make_first_frame(backend, "a cat on a chair", *size, cancelled)


def refusal(message: str, status: int = 400) -> Reply:
    return Reply(status=status, body=json.dumps({"error": {"message": message}}).encode())


def answer(**first: str) -> Reply:
    return Reply(body=json.dumps({"data": [first]}).encode())


def small_png() -> str:
    packed = io.BytesIO()
    Image.new("RGB", (32, 16), "red").save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def test_a_picture_comes_in_the_shape_of_the_shot_and_says_where_from(server):
    made = make(server)
    asked = server.questions[0]
    assert asked == {
        "model": "painter", "prompt": "a cat on a chair", "n": 1, "size": "1376x752", "response_format": "b64_json",
    }  # fmt: skip
    assert (made.backend, made.model, made.description) == ("server:mine", "painter", "a cat on a chair")
    assert Image.open(io.BytesIO(made.png)).size == (1360, 752)


@pytest.mark.parametrize(
    ("model", "size", "asked"),
    [
        ("gpt-image-1-mini", (640, 352), "1536x1024"),
        ("gpt-image-1-mini", (352, 640), "1024x1536"),
        ("gpt-image-1.5", (512, 512), "1024x1024"),
        ("gpt-image-2", (1280, 720), "1360x768"),
    ],
)
def test_openais_own_models_have_their_own_sizes_and_no_response_format(server, model, size, asked):
    make(server, model, size)
    assert server.questions[0]["size"] == asked and "response_format" not in server.questions[0]


@pytest.mark.parametrize("width", [16, 96, 352, 640, 1280, 2048])
@pytest.mark.parametrize("height", [16, 96, 352, 640, 720, 2048])
def test_free_sizes_are_about_a_megapixel_in_nearly_the_shape(width, height):
    wide, high = free_size(width, height)
    assert wide % 16 == high % 16 == 0 and 1 / 3 <= wide / high <= 3 and 0.9e6 < wide * high < 1.2e6
    shape = min(max(width / height, 1 / 3), 3)
    assert abs(wide / high / shape - 1) < 0.03


def test_what_a_server_refuses_is_asked_otherwise(server):
    server.pictures = [
        refusal("Unknown parameter: 'response_format'."),
        refusal("Invalid size '1376x752'. Supported sizes: 512x512, 1792x1024 and 1024x1792."),
        picture_reply(1792, 1024),
    ]
    assert Image.open(io.BytesIO(make(server).png)).size == (1792, 1024)
    assert [question.get("size") for question in server.questions] == ["1376x752", "1376x752", "1792x1024"]
    assert [question.get("response_format") for question in server.questions] == ["b64_json", None, None]
    server.questions.clear()
    server.pictures = [refusal("bad size"), refusal("size again", 422), picture_reply()]
    make(server)
    assert [question.get("size") for question in server.questions] == ["1376x752", "1536x1024", None]


@pytest.mark.parametrize("first", [{"b64_json": small_png()}, {"url": f"data:image/png;base64,{small_png()}"}])
def test_pictures_as_data_are_taken(server, first):
    server.pictures = [answer(**first)]
    assert Image.open(io.BytesIO(make(server).png)).size == (32, 16)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_formats_become_png(server, kind):
    server.pictures = [picture_reply(64, 48, kind)]
    picture = Image.open(io.BytesIO(make(server).png))
    assert (picture.format, picture.size, picture.mode) == ("PNG", (64, 48), "RGB")


@pytest.mark.parametrize(
    ("reply", "kind", "words", "questions"),
    [
        (Reply(status=401, body=f'{{"error": {{"message": "bad {KEY}"}}}}'.encode()), BackendError, "its key", 1),
        (Reply(status=404), BackendError, r"makes no pictures with painter \(error 404\).*--image-model", 1),
        (Reply(status=405), BackendError, "makes no pictures", 1),
        (refusal("This model does not support image generation"), BackendError, "makes no pictures", 1),
        (refusal("Rejected by our safety system"), AnswerError, "declined to make this picture", 1),
        (refusal("too wild"), BackendError, "refused the question.*too wild", 1),
        (Reply(status=429, headers={"Retry-After": "0"}), BackendError, "too much to do", 3),
        (Reply(status=503, body=b'{"error": {"message": "busy"}}'), BackendError, "failed", 3),
        (answer(url="http://127.0.0.1:1/secret.png"), AnswerError, "addresses are not followed", 1),
        (answer(), AnswerError, "made no picture", 1),
        (Reply(body=b'{"data": []}'), AnswerError, "made no picture", 1),
        (Reply(body=b'{"data": [{"b64_json": "%%%"}]}'), AnswerError, "damaged", 1),
        (Reply(body=b'["'), AnswerError, "damaged", 1),
        (Reply(body=b"[" * 100_000), AnswerError, "damaged", 1),
        (answer(b64_json=base64.b64encode(b"GIF89a nonsense").decode()), AnswerError, "cannot be used", 1),
        (Reply(body=b"<html>hello</html>", kind="text/html"), AnswerError, "/v1", 1),
        (picture_reply(stall=0), BackendError, "said nothing for 1 s", 1),
    ],
    ids=lambda value: None,
)
def test_faults_are_plain_and_never_hold_the_key(server, monkeypatch, reply, kind, words, questions):
    monkeypatch.setenv("MINE_API_KEY", KEY)
    server.pictures = [reply]
    with pytest.raises(kind, match=words) as caught:
        make(server)
    assert len(server.questions) == questions
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value.to_dict())
    assert KEY not in said and KEY[:8] not in said


def test_an_endless_answer_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(server_pictures, "MAX_ANSWER", 1000)
    with pytest.raises(AnswerError, match="smaller one"):
        make(server)


def test_a_fault_that_passes_is_not_noticed(server):
    server.pictures = [Reply(status=503), picture_reply(64, 48)]
    assert make(server).model == "painter"


def test_the_only_model_is_taken_and_several_are_named(server):
    server.served = ("Qwen/Qwen-Image",)
    assert make(server, "").model == "Qwen/Qwen-Image"
    server.served = ("a", "b")
    with pytest.raises(BackendError, match=r"--image-model NAME.*a, b") as caught:
        make(server, "")
    assert caught.value.field == "image_model"


def test_cancelling_hangs_up_at_once(server):
    server.pictures = [picture_reply(stall=0)]
    cancelled = threading.Event()

    def cancel() -> None:
        server.asked.wait(30)
        cancelled.since = time.monotonic()
        cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises(Cancelled):
        make(server, patience=Patience(picture=60), cancelled=cancelled.is_set)
    assert time.monotonic() - cancelled.since < 20
    assert server.gone.wait(30)


def test_others_cannot_and_nothing_makes_nothing(server):
    with pytest.raises(BackendError, match="composer cannot make pictures"):
        make_first_frame(ComposerBackend(), "a cat", 640, 352, lambda: False)
    with pytest.raises(InputError, match="nothing to make"):
        make_first_frame(ServerBackend(find_server("mine", server.url)), " ", 640, 352, lambda: False)


def test_the_request_holds_the_description_and_nothing_spoken():
    frame = FrameDescription("photo", "wide", "a cat", "营业中")
    assert picture_request(frame, 'She says, "No."') == (
        "One still picture, the first frame of a film.\nStyle: photo\nCamera: wide\nIn the picture: a cat\n"
        "Text that can be read in the picture, letter by letter: 营业中"
    )
    words = picture_request(None, 'A boy says, "One more." Rain. 他说：“走吧。”')
    assert words.endswith("A boy says, … Rain. 他说：…") and "One more" not in words and "走吧" not in words
    assert picture_request(FrameDescription(), ' "Only this." ') == "" == picture_request(None, "\n")


def test_presets_name_a_model_of_pictures_only_where_one_is_known():
    assert {name: preset.image_model for name, preset in server_presets().items() if preset.image_model} == {
        "openai": "gpt-image-2"
    }
