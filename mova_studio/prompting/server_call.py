"""Asking a server by the openai client: waiting, asking again, and hanging up when the person cancels.

Each question runs in an event loop of its own, so that cancelling closes the connection at once, even while the
server is silent; most servers then stop computing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from mova_studio.errors import BackendError, Cancelled, StudioError
from mova_studio.prompting.backend import Asked
from mova_studio.prompting.keys import Secret, find_key
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
        picture: seconds of silence while it makes a picture.
        retries: further tries after a fault that may pass: no connection, 429, 5xx, an answer that is cut.
        pause: seconds before the first of them; each further one waits twice as long.
        longest_pause: seconds, also where the server asks for more.
    """

    connect: float = 10.0
    silence: float = 180.0
    whole: float = 900.0
    picture: float = 600.0
    retries: int = 3
    pause: float = 0.5
    longest_pause: float = 30.0

    def before(self, retry: int, asked: float | None) -> float:
        """Seconds to wait before the retry of this number, from 0; `asked` is the server's own wish."""
        return min(self.longest_pause, max(self.pause * 2**retry, asked or 0.0))


PATIENT = Patience()


@dataclass(frozen=True)
class About:
    """What a question is about, for the sentence where it fails.

    Attributes:
        model: that is asked; "" for the only one.
        pictured: a picture is sent.
        making: a picture is asked for.
    """

    model: str = ""
    pictured: bool = False
    making: bool = False


class ServerCall:
    """The line to one server.

    Raises:
        BackendError: the server needs a key and there is none.
        InputError: the key holds what no key can.
    """

    def __init__(self, server: ServerPreset, patience: Patience) -> None:
        self.server, self.patience = server, patience
        self._key: Secret | None = find_key(server.keyring_name, server.key_variable)
        if self._key is None and server.key_needed:
            raise BackendError(
                f"{server.title} needs a key and there is none: set {server.key_variable} before you start, or keep "
                f"it in this system's keyring: python -m keyring set mova_studio {server.keyring_name}",
                field="backend",
            )

    @property
    def where(self) -> str:
        """The server's name and address, as messages say them."""
        return f"{self.server.title} at {self.server.url}"

    def ask(self, question: Callable[[AsyncOpenAI], Awaitable[_T]], cancelled: Asked, about: About) -> _T:
        """The answer to a question, asked again while its faults may pass.

        Raises:
            BackendError: it is not there, or refuses.
            AnswerError: the answer is of no use.
            Cancelled: `cancelled()` said so.
        """
        patience = self.patience
        silence = patience.picture if about.making else patience.silence

        async def connected() -> _T:
            async with self._client(silence) as client:
                return await question(client)

        for retry in range(patience.retries + 1):
            # Errors of the client hold the request with its headers, so nothing is chained to ours.
            try:
                return _watched(connected, cancelled, patience.whole)
            except StudioError:
                raise
            except asyncio.TimeoutError:
                fault = Passing(BackendError(f"{self.where} took longer than {patience.whole:.0f} s."), False)
            except Exception as error:  # noqa: BLE001 (each becomes a sentence without the key)
                fault = fault_of(
                    error,
                    self.where,
                    about.model,
                    self._key,
                    silence,
                    pictured=about.pictured,
                    making=about.making,
                )
            if not fault.may_pass or retry == patience.retries:
                break
            _wait(patience.before(retry, fault.wait), cancelled)
        raise fault.error from None

    async def chosen(self, client: AsyncOpenAI, model: str, flag: str, field: str) -> str:
        """`model`, or where that is "" the only one that the server has.

        Args:
            flag: of the command line, by which a model is named.
            field: the input at fault.

        Raises:
            BackendError: it has several, or none.
        """
        if model:
            return model
        names = await served(client)
        if len(names) == 1:
            return names[0]
        has = f"It has {', '.join(names[:10])}." if names else "It names none."
        raise BackendError(f"Say which model of {self.where} is meant ({flag} NAME). {has}", field=field)

    def _client(self, silence: float) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit, Timeout

        timeout = Timeout(silence, connect=self.patience.connect)
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

    def __repr__(self) -> str:
        return f"ServerCall({self.server.name}, {self.server.url})"


async def served(client: AsyncOpenAI) -> tuple[str, ...]:
    """Names of the models that the server has."""
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
