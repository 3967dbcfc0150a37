"""A picture from a server that speaks OpenAI's protocol, whatever sizes and answers its models know."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mova_studio.errors import AnswerError, InputError
from mova_studio.media.images import encode_png, open_image
from mova_studio.prompting.backend import Asked
from mova_studio.prompting.server_call import About, ServerCall

if TYPE_CHECKING:
    from openai import AsyncOpenAI

PIXELS = 1024 * 1024
MAX_ANSWER = 96 * 2**20
_MULTIPLE, _WIDEST = 16, 3.0  # of OpenAI's models with free sizes; those of other makers take such sizes too
_FIXED = ((1024, 1024), (1536, 1024), (1024, 1536))
_ONLY_FIXED = re.compile(r"(gpt-image-1|chatgpt-image)")
_ALWAYS_DATA = re.compile(r"(gpt-image|chatgpt-image)")  # they refuse to be told so
_SIZE = re.compile(r"\b(\d{2,5})\s*[xX×*]\s*(\d{2,5})\b")
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """In which form a picture is asked for.

    Attributes:
        size: None leaves it to the server.
        as_data: the picture itself is asked for, and not an address of it.
        refused: a size was refused already.
    """

    size: tuple[int, int] | None
    as_data: bool
    refused: bool = False

    @classmethod
    def first(cls, model: str, width: int, height: int) -> Form:
        """What most servers of `model` take, for a shot of width x height."""
        size = nearest(_FIXED, width, height) if _ONLY_FIXED.match(model) else free_size(width, height)
        return cls(size, as_data=not _ALWAYS_DATA.match(model))

    def after(self, refusal: str, width: int, height: int) -> Form | None:
        """What to ask after a refusal; None where another form would not help."""
        if self.as_data and "response_format" in refusal:
            return replace(self, as_data=False)
        if self.size is None or not re.search(r"size|resolution|width|height|dimension", refusal, re.IGNORECASE):
            return None
        if self.refused:
            return replace(self, size=None)
        named = [(int(a), int(b)) for a, b in _SIZE.findall(refusal)]
        known = [size for size in named if size != self.size and 0.2 < size[0] / max(size[1], 1) < 5]
        return replace(self, size=nearest(known or _FIXED, width, height), refused=True)

    def to_dict(self) -> dict[str, str]:
        """As arguments of the client."""
        size = {} if self.size is None else {"size": f"{self.size[0]}x{self.size[1]}"}
        return size | ({"response_format": "b64_json"} if self.as_data else {})


def free_size(width: int, height: int) -> tuple[int, int]:
    """About a megapixel in the shape of width x height."""
    aspect = min(max(width / height, 1 / _WIDEST), _WIDEST)
    long = math.sqrt(PIXELS * max(aspect, 1 / aspect))
    short = long / max(aspect, 1 / aspect)
    sides = [round(side / _MULTIPLE) * _MULTIPLE for side in (long, short)]
    # Rounded, the shape may be wider than the widest by a hair.
    while sides[0] > _WIDEST * sides[1]:
        sides[0] -= _MULTIPLE
    return (sides[0], sides[1]) if aspect >= 1 else (sides[1], sides[0])


def nearest(sizes: Any, width: int, height: int) -> tuple[int, int]:
    """The size whose shape is nearest to width x height; of two the larger one."""
    wanted = math.log(width / height)
    return min(sizes, key=lambda size: (round(abs(math.log(size[0] / size[1]) - wanted), 3), -size[0] * size[1]))


def make_picture(
    call: ServerCall, model: str, description: str, width: int, height: int, cancelled: Asked
) -> tuple[bytes, str]:
    """A PNG file's bytes, and the name of the model that made it.

    Args:
        model: "" takes the only one that is served.
        width, height: of the shot; the picture has about their shape, and about a megapixel.

    Raises:
        BackendError: the server is not there, refuses, or has no model that makes pictures.
        AnswerError: what it answered is no picture.
        Cancelled: `cancelled()` said so.
    """

    async def question(client: AsyncOpenAI) -> tuple[bytes, str]:
        named = await call.chosen(client, model, "--image-model", "image_model")
        return await _asked(client, call.where, named, description, width, height), named

    answer, named = call.ask(question, cancelled, About(model, making=True))
    return _png(_picture_in(answer, call.where), call.where), named


async def _asked(client: AsyncOpenAI, where: str, model: str, description: str, width: int, height: int) -> bytes:
    import openai

    form: Form | None = Form.first(model, width, height)
    while form is not None:
        try:
            return await _answer(client, where, model, description, form)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            form = form.after(str(error.body), width, height)
            if form is None:
                raise
    raise AssertionError("a form is tried or its refusal raised")


async def _answer(client: AsyncOpenAI, where: str, model: str, description: str, form: Form) -> bytes:
    asked: dict[str, Any] = {"model": model, "prompt": description, "n": 1, **form.to_dict()}
    async with client.images.with_streaming_response.generate(**asked) as raw:
        kind = raw.headers.get("content-type", "").split(";")[0]
        if "json" not in kind:
            raise AnswerError(
                f"{where} answered with {kind or 'something unnamed'} and not with a picture in JSON; check that the "
                "address is that of its OpenAI protocol (it mostly ends in /v1)."
            )
        whole = bytearray()
        async for piece in raw.iter_bytes():
            whole += piece
            if len(whole) > MAX_ANSWER:
                raise AnswerError(
                    f"{where} sent more than {MAX_ANSWER // 2**20} MiB for one picture and was stopped; ask for a "
                    "smaller one."
                )
    return bytes(whole)


def _picture_in(answer: bytes, where: str) -> bytes:
    damaged = AnswerError(f"The answer of {where} is damaged and cannot be read. Try again.")
    try:
        told = json.loads(answer)
        first = (told.get("data") or [{}])[0]
        packed, url = first.get("b64_json") or "", first.get("url") or ""
        if not packed and _DATA_URL.match(url):
            packed = url.partition(",")[2]
        if packed:
            return base64.b64decode(_DATA_URL.sub("", packed, count=1), validate=True)
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError, binascii.Error):
        raise damaged from None
    if url:
        raise AnswerError(
            f"{where} answered with the address of a picture instead of the picture, and addresses are not followed; "
            "choose a model that sends base64 (b64_json)."
        )
    raise AnswerError(f"{where} made no picture. Change the description, or choose another model.")


def _png(picture: bytes, where: str) -> bytes:
    try:
        return encode_png(open_image(picture).image)
    except InputError as error:
        raise AnswerError(f"The picture of {where} cannot be used: {error.message}") from None
