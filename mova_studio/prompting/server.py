"""Any server that speaks OpenAI's protocol: it describes, rewrites, and some make pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mova_studio.errors import AnswerError
from mova_studio.prompting.backend import MAX_CHARACTERS, Asked, ChatBackend, OnText
from mova_studio.prompting.first_frame import MadePicture
from mova_studio.prompting.instructions import visible
from mova_studio.prompting.picture import data_url
from mova_studio.prompting.server_call import PATIENT, About, Patience, ServerCall, served
from mova_studio.prompting.server_pictures import make_picture
from mova_studio.prompting.server_presets import ServerPreset

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class ServerBackend(ChatBackend):
    """A model behind an address, and perhaps one beside it that makes pictures.

    Args:
        server: where it is.
        model: its name there; "" takes the server's default, or the only one that it serves.
        patience: how long to wait.
        image_model: of the one that makes pictures, in the same way.

    Raises:
        BackendError: the server needs a key and there is none.
        InputError: the key holds what no key can.
    """

    def __init__(
        self, server: ServerPreset, model: str = "", patience: Patience = PATIENT, image_model: str = ""
    ) -> None:
        self.name = f"server:{server.name}"
        self.server, self.model = server, model or server.model
        self.image_model = image_model or server.image_model
        self.can_see = server.sees is not False or self.model != server.model
        self._call = ServerCall(server, patience)

    def answer(self, system: str, request: str, png: bytes | None, on_text: OnText, cancelled: Asked) -> str:
        content: Any = request
        if png is not None:
            picture = {"type": "image_url", "image_url": {"url": data_url(png)}}
            content = [picture, {"type": "text", "text": request}]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        about = About(self.model, pictured=png is not None)
        return self._call.ask(lambda client: self._ask(client, messages, on_text), cancelled, about)

    def make_picture(self, description: str, width: int, height: int, cancelled: Asked) -> MadePicture:
        png, model = make_picture(self._call, self.image_model, description, width, height, cancelled)
        return MadePicture(png, description, self.name, model)

    def models(self, cancelled: Asked = lambda: False) -> tuple[str, ...]:
        """Names of the models that the server has.

        Raises:
            BackendError: it is not there, or refuses.
            Cancelled: `cancelled()` said so.
        """
        return self._call.ask(served, cancelled, About(self.model))

    def close(self) -> None:
        """Nothing is kept open between questions."""

    async def _ask(self, client: AsyncOpenAI, messages: list[dict[str, Any]], on_text: OnText) -> str:
        model = await self._call.chosen(client, self.model, "--model", "server_model")
        raw: Any = await client.chat.completions.with_raw_response.create(
            model=model,
            messages=cast("Any", messages),
            stream=True,
        )
        kind = raw.headers.get("content-type", "").split(";")[0]
        if kind != "text/event-stream":
            await raw.http_response.aclose()
            raise AnswerError(
                f"{self._call.where} answered with {kind or 'something unnamed'} and not with a stream of words; "
                "check that the address is that of its OpenAI protocol (it mostly ends in /v1)."
            )
        text, end = "", None
        async for chunk in raw.parse():
            choice = chunk.choices[0] if chunk.choices else None
            if choice is None:
                continue
            end = choice.finish_reason or end
            if choice.delta is not None and choice.delta.content:
                text += choice.delta.content
                on_text(visible(text))
            if len(text) > MAX_CHARACTERS:
                raise AnswerError(f"{model} wrote more than {MAX_CHARACTERS} characters and was stopped.")
        return _whole(text, end, model)

    def __repr__(self) -> str:
        return f"ServerBackend({self.name}, {self.server.url}, {self.model!r})"


def _whole(text: str, end: str | None, model: str) -> str:
    """An answer that came to its end.

    Raises:
        AnswerError: it is empty, was cut by the model's limit, or refused.
        EOFError: the connection ended before it did.
    """
    if end is None:
        raise EOFError
    if end == "content_filter":
        raise AnswerError(f"{model} or its server declined to answer; change the words, or choose another model.")
    if end == "length":
        raise AnswerError(
            f"The answer of {model} was cut at its limit of words; raise the server's limit (context or max tokens), "
            "or choose a model that thinks less."
        )
    if not visible(text):
        raise AnswerError(f"{model} gave an empty answer. Try again, or choose another model.")
    return text
