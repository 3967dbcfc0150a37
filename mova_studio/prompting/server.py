"""Any server that speaks OpenAI's chat protocol, on this machine or elsewhere.

Each question runs in an event loop of its own, so that cancelling closes the connection at once, even while the
server is silent; most servers then stop computing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from mova_studio.errors import AnswerError, BackendError, Cancelled, StudioError
from mova_studio.prompting.backend import MAX_CHARACTERS, Asked, ChatBackend, OnText
from mova_studio.prompting.instructions import visible
from mova_studio.prompting.keys import Secret, find_key
from mova_studio.prompting.picture import data_url
from mova_studio.prompting.server_faults import Passing, fault_of
from mova_studio.prompting.server_presets import LOOPBACK, ServerPreset

if TYPE_CHECKING:
    from openai import AsyncOpenAI

LOOK_SECONDS = 0.1
NO_KEY = "none"  # the client wants one, and without it would take OpenAI's from the environment
_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Attributes:
        connect, silence, whole: seconds until it answers the call, between two words, and for an answer.
        retries: further tries after a fault that may pass: no connection, 429, 5xx, an answer that is cut.
        pause: seconds before the first of them; each further one waits twice as long.
        longest_pause: seconds, also where the server asks for more.
    """

    connect: float = 10.0
    silence: float = 180.0
    whole: float = 900.0
    retries: int = 3
    pause: float = 0.5
    longest_pause: float = 30.0

    def before(self, retry: int, asked: float | None) -> float:
        """Seconds to wait before the retry of this number, from 0; `asked` is the server's own wish."""
        return min(self.longest_pause, max(self.pause * 2**retry, asked or 0.0))


class ServerBackend(ChatBackend):
    """A model behind an address.

    Args:
        server: where it is.
        model: its name there; "" takes the server's default, or the only one that it serves.
        patience: how long to wait.

    Raises:
        BackendError: the server needs a key and there is none.
        InputError: the key holds what no key can.
    """

    def __init__(self, server: ServerPreset, model: str = "", patience: Patience = Patience()) -> None:
        self.name = f"server:{server.name}"
        self.server, self.model, self.patience = server, model or server.model, patience
        self.can_see = server.sees is not False or self.model != server.model
        self._key: Secret | None = find_key(server.name, server.key_variable)
        if self._key is None and server.key_needed:
            raise BackendError(
                f"{server.title} needs a key and there is none: set {server.key_variable} before you start, or keep "
                f"it in this system's keyring: python -m keyring set mova_studio {server.name}",
                field="backend",
            )

    def answer(self, system: str, request: str, png: bytes | None, on_text: OnText, cancelled: Asked) -> str:
        content: Any = request
        if png is not None:
            picture = {"type": "image_url", "image_url": {"url": data_url(png)}}
            content = [picture, {"type": "text", "text": request}]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        return self._patiently(lambda: self._ask(messages, on_text), cancelled, pictured=png is not None)

    def models(self, cancelled: Asked = lambda: False) -> tuple[str, ...]:
        """Names of the models that the server has.

        Raises:
            BackendError: it is not there, or refuses.
            Cancelled: `cancelled()` said so.
        """
        return self._patiently(self._models, cancelled, pictured=False)

    def close(self) -> None:
        """Nothing is kept open between questions."""

    def _patiently(self, question: Callable[[], Awaitable[_T]], cancelled: Asked, *, pictured: bool) -> _T:
        """The answer to a question, asked again while its faults may pass."""
        for retry in range(self.patience.retries + 1):
            # Errors of the client hold the request with its headers, so nothing is chained to ours.
            try:
                return _watched(question, cancelled, self.patience.whole)
            except StudioError:
                raise
            except asyncio.TimeoutError:
                fault = Passing(BackendError(f"{self._where} took longer than {self.patience.whole:.0f} s."), False)
            except Exception as error:  # noqa: BLE001 (each becomes a sentence without the key)
                fault = fault_of(error, self._where, self.model, self._key, self.patience.silence, pictured=pictured)
            if not fault.may_pass or retry == self.patience.retries:
                break
            _wait(self.patience.before(retry, fault.wait), cancelled)
        raise fault.error from None

    async def _ask(self, messages: list[dict[str, Any]], on_text: OnText) -> str:
        async with self._client() as client:
            model = await self._chosen(client)
            raw: Any = await client.chat.completions.with_raw_response.create(
                model=model,
                messages=cast("Any", messages),
                stream=True,
            )
            kind = raw.headers.get("content-type", "").split(";")[0]
            if kind != "text/event-stream":
                await raw.http_response.aclose()
                raise AnswerError(
                    f"{self._where} answered with {kind or 'something unnamed'} and not with a stream of words; "
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

    async def _models(self) -> tuple[str, ...]:
        async with self._client() as client:
            return await _served(client)

    async def _chosen(self, client: AsyncOpenAI) -> str:
        if self.model:
            return self.model
        served = await _served(client)
        if len(served) == 1:
            return served[0]
        has = f"It has {', '.join(served[:10])}." if served else "It names none."
        raise BackendError(f"Say which model of {self._where} is meant (--model NAME). {has}", field="server_model")

    def _client(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit, Timeout

        patience = self.patience
        timeout = Timeout(patience.silence, connect=patience.connect)
        near = urlsplit(self.server.url).hostname in LOOPBACK
        return AsyncOpenAI(
            api_key=NO_KEY if self._key is None else self._key.reveal(),
            base_url=self.server.url,
            timeout=timeout,
            max_retries=0,
            # What OpenAI's own environment variables say is not for other servers.
            default_headers={"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()},  # type: ignore[dict-item]
            http_client=DefaultAsyncHttpxClient(timeout=timeout, trust_env=not near),
        )

    @property
    def _where(self) -> str:
        return f"{self.server.title} at {self.server.url}"

    def __repr__(self) -> str:
        return f"ServerBackend({self.name}, {self.server.url}, {self.model!r})"


async def _served(client: AsyncOpenAI) -> tuple[str, ...]:
    return tuple(sorted(str(model.id) for model in (await client.models.list()).data or ()))


def _watched(question: Callable[[], Awaitable[_T]], cancelled: Asked, seconds: float) -> _T:
    """Run a question to its end in an event loop of its own.

    Raises:
        Cancelled: `cancelled()` said so.
        asyncio.TimeoutError: it took longer than `seconds`.
    """

    async def watch() -> _T:
        task = asyncio.ensure_future(question())
        until = time.monotonic() + seconds
        while not task.done():
            if cancelled() or time.monotonic() > until:
                task.cancel()
                await asyncio.wait({task}, timeout=LOOK_SECONDS)
                raise Cancelled if cancelled() else asyncio.TimeoutError
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
        return task.result()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(watch())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Unlike asyncio.run, this does not wait for a name that is still being looked up.
        loop.close()


def _wait(seconds: float, cancelled: Asked) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if cancelled():
            raise Cancelled
        time.sleep(min(LOOK_SECONDS, left))


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
