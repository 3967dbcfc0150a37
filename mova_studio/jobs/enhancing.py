"""Rewriting a prompt beside the queue: by words and servers in a thread here, by a local model in the worker."""

from __future__ import annotations

import base64
import queue
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mova_studio import errors
from mova_studio.errors import Cancelled, CheckpointError, InputError, StudioError
from mova_studio.jobs.beside import Beside
from mova_studio.prompting.backend import Backend, ComposerBackend
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.workflow import Enhanced, enhance

LOOK_SECONDS = 0.1
COMPOSER, SERVER, LOCAL = "composer", "server", "local"
Event = dict[str, Any]
Report = Callable[[Event], None]
Asked = Callable[[], bool]


@dataclass(frozen=True)
class Wanted:
    """What is to be rewritten, and by what.

    Attributes:
        prompt: in the person's words.
        png: the first frame, as a picture file's bytes.
        frame: what it shows, where that is known.
        backend: "composer", "server:NAME" or "local:FOLDER_OR_HUB_ID".
        server_url, server_model: where the server is and its model, unless its preset says the right thing.
        image_model: the server's for pictures, in the same way.
        checkpoint: whose tokenizer counts; "" or "demo" takes a published one on this machine, if there is one.
    """

    prompt: str
    png: bytes | None = None
    frame: FrameDescription | None = None
    backend: str = COMPOSER
    server_url: str | None = None
    server_model: str = ""
    image_model: str = ""
    checkpoint: str = ""

    @property
    def kind(self) -> str:
        """ "composer", "server" or "local".

        Raises:
            InputError: the backend is none of them.
        """
        kind, _, name = self.backend.partition(":")
        if self.backend != COMPOSER and (kind not in (SERVER, LOCAL) or not name):
            raise InputError(
                f"The backend is {self.backend[:80]!r}, but must be composer, server:NAME or local:FOLDER_OR_HUB_ID.",
                field="backend",
            )
        return kind

    def to_dict(self) -> dict[str, Any]:
        """For the worker; `from_dict` is the inverse."""
        values = dict(vars(self))
        values["png"] = None if self.png is None else base64.b64encode(self.png).decode("ascii")
        values["frame"] = None if self.frame is None else self.frame.to_dict()
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Wanted:
        values = dict(values)
        values["png"] = None if values["png"] is None else base64.b64decode(values["png"])
        values["frame"] = None if values["frame"] is None else FrameDescription.from_dict(values["frame"])
        return cls(**values)


def open_backend(wanted: Wanted, limits: dict[str, Any]) -> Backend:
    """What is to rewrite.

    Args:
        limits: what a local model may use, `Limits.to_dict()` or {}.

    Raises:
        StudioError: there is no such backend, its key is missing, or its model is not on this machine.
    """
    kind, name = wanted.kind, wanted.backend.partition(":")[2]
    if kind == COMPOSER:
        return ComposerBackend()
    if kind == SERVER:
        from mova_studio.prompting.server import ServerBackend
        from mova_studio.prompting.server_presets import find_server

        server = find_server(name, wanted.server_url)
        return ServerBackend(server, wanted.server_model, image_model=wanted.image_model)
    from mova_studio.placement.request import Limits
    from mova_studio.prompting.local import LocalBackend

    return LocalBackend(name, Limits.from_dict(limits))


def enhance_here(wanted: Wanted, limits: dict[str, Any], report: Report, cancelled: Asked) -> Enhanced:
    """Do it in this process, which must be one that may own the GPU where the backend is a local model.

    Raises:
        StudioError: as `open_backend` and `workflow.enhance`.
    """
    backend = open_backend(wanted, limits)
    try:
        return enhance(
            backend,
            wanted.prompt,
            wanted.png,
            frame=wanted.frame,
            count_tokens=token_counter(wanted.checkpoint),
            on_event=report,
            cancelled=cancelled,
        )
    finally:
        backend.close()


def token_counter(checkpoint: str) -> Callable[[str], int] | None:
    """Counts tokens as a checkpoint does; None where neither it nor a published one is on this machine.

    The first call for a published checkpoint takes a second or two.
    """
    from mova_studio.network.hub import PUBLISHED
    from mova_studio.network.installed import DEMO
    from mova_studio.network.locate import locate
    from mova_studio.network.tokens import counter

    for name in [checkpoint] if checkpoint not in ("", DEMO) else list(PUBLISHED):
        try:
            return counter(locate(name))
        except CheckpointError:
            continue
    return None


@dataclass(frozen=True)
class Progress:
    """How far an enhancement is.

    Attributes:
        stage: "describe", "rewrite" or, before the first word, "".
        attempt: 1 and up; the second and third are after findings.
        text: the answer so far.
        note: how a local model was loaded.
        frame: what the first frame shows, once described.
        enhanced: the result, once done.
        error: what went wrong, `Cancelled` included; the original is unharmed.
    """

    stage: str = ""
    attempt: int = 1
    text: str = ""
    note: str = ""
    frame: FrameDescription | None = None
    enhanced: Enhanced | None = None
    error: StudioError | None = None

    @property
    def ended(self) -> bool:
        return self.enhanced is not None or self.error is not None


class Lender(Protocol):
    """Has a worker; the dispatcher."""

    def lend(self, command: dict[str, Any], on_event: Report) -> None: ...

    def recall(self, name: str) -> None: ...


class Enhancing(Beside[Progress]):
    """An enhancement under way.

    Args:
        wanted: what to do.
        lender: has a worker for local models; None where there is none.
        limits: what a local model may use.
        why_not: said where a local model is wanted and there is no worker.
    """

    failed = "The prompt could not be rewritten: something failed inside"

    def __init__(self, wanted: Wanted, lender: Lender | None, limits: dict[str, Any], why_not: str = "") -> None:
        self.wanted = wanted
        self._lender, self._limits, self._why_not = lender, limits, why_not
        super().__init__(Progress(frame=wanted.frame))

    def result(self) -> Enhanced:
        """The result, waited for.

        Raises:
            StudioError: it failed, or was cancelled.
        """
        enhanced = self._finished().enhanced
        assert enhanced is not None
        return enhanced

    def _work(self) -> Progress:
        if self.wanted.kind == LOCAL:
            done = self._in_worker()
        else:
            done = enhance_here(self.wanted, self._limits, self._note, self._cancelled.is_set)
        return self._told(enhanced=done, frame=done.frame)

    def _told(self, **changes: Any) -> Progress:
        return replace(self.progress, **changes)

    def _in_worker(self) -> Enhanced:
        if self._lender is None:
            raise InputError(self._why_not, field="backend")
        name, events = f"enhance-{secrets.token_hex(8)}", queue.SimpleQueue[Event]()
        command = {"enhance": name, "wanted": self.wanted.to_dict(), "limits": self._limits}
        self._lender.lend(command, events.put)
        while True:
            if self._cancelled.is_set():
                self._lender.recall(name)
                raise Cancelled
            try:
                event = events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if event["kind"] == "enhanced":
                return Enhanced.from_dict(event["enhanced"])
            if event["kind"] == "cancelled":
                raise Cancelled
            if event["kind"] == "failed":
                raise _error_of(event["error"])
            self._note(event)

    def _note(self, event: Event) -> None:
        if event["kind"] == "text":
            said = {name: event[name] for name in ("stage", "attempt", "text")}
            self.progress = self._told(**said)
        elif event["kind"] == "note":
            self.progress = self._told(note=event["text"])
        elif event["kind"] == "described" and event["frame"] is not None:
            self.progress = self._told(frame=FrameDescription.from_dict(event["frame"]))


def _error_of(told: dict[str, Any]) -> StudioError:
    kind = getattr(errors, str(told["kind"]), StudioError)
    return kind(told["message"], field=told["field"])
