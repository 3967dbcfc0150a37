"""What went wrong with a server, in a sentence that never holds its key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mova_studio.errors import AnswerError, BackendError, StudioError
from mova_studio.prompting.backend import cannot_see
from mova_studio.prompting.keys import Secret

_MAX_SAID = 200
_ABOUT_PICTURES = re.compile(r"image|vision|visual|multi-?modal|mmproj|picture", re.IGNORECASE)

_ABOUT_MODEL = re.compile(r"\bmodel\b|endpoint|image generation", re.IGNORECASE)
_DECLINED = re.compile(r"moderation|content.policy|safety", re.IGNORECASE)


@dataclass(frozen=True)
class Passing:
    """A fault.

    Attributes:
        error: for the person.
        may_pass: whether asking again may help.
        wait: seconds that the server asks for before that, if it does.
    """

    error: StudioError
    may_pass: bool
    wait: float | None = None


def fault_of(
    error: Exception, where: str, model: str, key: Secret | None, silence: float, *, pictured: bool, making: bool
) -> Passing:
    """What an error of the client or of the connection means.

    Args:
        where: the server's name and address.
        model: that was asked; "" for the only one.
        key: which the sentence must not hold.
        silence: seconds for which the server may say nothing.
        pictured: whether a picture was sent.
        making: whether a picture was asked for.
    """
    import openai

    if isinstance(error, openai.APIStatusError):
        return _refused(error, where, model, key, pictured=pictured, making=making)
    if isinstance(error, openai.APITimeoutError) or "Timeout" in type(error).__name__:
        if "Connect" in type(error.__cause__ or error).__name__:
            return Passing(_nobody(where), True)
        said = f"{where} said nothing for {silence:.0f} s. It may still be loading its model; try again."
        return Passing(BackendError(said, field="backend"), False)
    if isinstance(error, openai.APIConnectionError):
        cause = type(error.__cause__).__name__
        return Passing(_nobody(where) if cause == "ConnectError" else _cut(where), True)
    if isinstance(error, (EOFError, OSError)) or type(error).__name__ in ("RemoteProtocolError", "ReadError"):
        return Passing(_cut(where), True)
    if isinstance(error, openai.APIError):
        return Passing(
            BackendError(f"{where} gave up{_said(error.body or error.message, key)}.", field="backend"), True
        )
    if isinstance(error, (ValueError, TypeError, AttributeError, KeyError, IndexError)):
        return Passing(AnswerError(f"The answer of {where} is damaged and cannot be read. Try again."), False)
    return Passing(BackendError(f"The question to {where} failed ({type(error).__name__}).", field="backend"), False)


def _refused(error: Any, where: str, model: str, key: Secret | None, *, pictured: bool, making: bool) -> Passing:
    status, named = error.status_code, model or "the model"
    body = error.body if error.body is not None else ""
    if pictured and status in (400, 404, 415, 422, 500, 501) and _ABOUT_PICTURES.search(str(body)):
        return Passing(cannot_see(f"{named} ({where})"), False)
    if status in (401, 403):
        # What such an answer says is left out: some servers repeat the key in it.
        what = "has no key to check" if key is None else "does not accept its key"
        return Passing(BackendError(f"{where} {what} (error {status}); set the right one.", field="backend"), False)
    said = _said(body, key)
    if making and _DECLINED.search(str(body)):
        text = f"{where} declined to make this picture{said}. Change the description, or choose another model."
        return Passing(AnswerError(text), False)
    if making and (status in (404, 405, 501) or (status in (400, 422) and _ABOUT_MODEL.search(str(body)))):
        text = (
            f"{where} makes no pictures with {named} (error {status}){said}. Name a model of it that makes pictures "
            "(--image-model), or choose another server."
        )
        return Passing(BackendError(text, field="image_model"), False)
    if status == 404:
        text = f"{where} does not know {named} or the address (error 404){said}. Check both."
        return Passing(BackendError(text, field="server_model"), False)
    if status == 429:
        text = f"{where} has too much to do, or your share is used up (error 429){said}. Try again later."
        return Passing(BackendError(text, field="backend"), True, _wished(error))
    if status >= 500:
        text = f"{where} failed (error {status}){said}. Look at its log, or try again later."
        return Passing(BackendError(text, field="backend"), True, _wished(error))
    return Passing(BackendError(f"{where} refused the question (error {status}){said}.", field="backend"), False)


def _nobody(where: str) -> BackendError:
    return BackendError(
        f"Nobody answers as {where}. Start the server, or check its address and your network.", field="server_url"
    )


def _cut(where: str) -> AnswerError:
    return AnswerError(f"{where} closed the connection before its answer was whole. Try again.")


def _said(body: Any, key: Secret | None) -> str:
    """What the server itself says, as far as it is a sentence: `: "..."`, or ""."""
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail") or ""
    text = " ".join(str(body).split())
    if not text or "<" in text:
        return ""
    text = text if key is None else key.scrub(text)
    return f': "{text[:_MAX_SAID].rstrip(". ")}"'


def _wished(error: Any) -> float | None:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
