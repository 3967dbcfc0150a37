"""A first frame that nobody has yet: what to ask for, and the picture that a backend made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mova_studio.errors import BackendError, InputError
from mova_studio.prompting.backend import Asked, Backend
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.quotes import find_quotes

MAX_REQUEST = 4000
_PARTS = (("Style", "style"), ("Camera", "camera"), ("In the picture", "elements"))


@dataclass(frozen=True)
class MadePicture:
    """A picture that a model made.

    Attributes:
        png: RGB, of the size in which it was made.
        description: what it was made of, as it was asked for.
        backend: "server:NAME".
        model: its name there.
    """

    png: bytes
    description: str
    backend: str
    model: str


@runtime_checkable
class MakesPictures(Protocol):
    """What some backends can do besides."""

    def make_picture(self, description: str, width: int, height: int, cancelled: Asked) -> MadePicture:
        """A picture of what is described, in about the shape of width x height.

        Raises:
            BackendError: it is not there, refuses, or has no model that makes pictures.
            AnswerError: what it answered is no picture.
            Cancelled: `cancelled()` said so.
        """


def make_first_frame(backend: Backend, description: str, width: int, height: int, cancelled: Asked) -> MadePicture:
    """The picture, by a backend that can.

    Raises:
        InputError: the description is empty.
        BackendError, AnswerError, Cancelled: as `MakesPictures.make_picture`; also where the backend cannot.
    """
    if not description.strip():
        raise InputError(
            "There is nothing to make the first frame of; describe it, or write a prompt first.", field="prompt"
        )
    if not isinstance(backend, MakesPictures):
        raise cannot_make(backend.name)
    return backend.make_picture(description, width, height, cancelled)


def cannot_make(name: str) -> BackendError:
    """What to say where a picture is wanted of a backend that makes none."""
    return BackendError(
        f"{name} cannot make pictures; choose a server that has a model for them (server:NAME).", field="backend"
    )


def picture_request(frame: FrameDescription | None, prompt: str) -> str:
    """What a model of pictures is asked for; "" where there are no words to ask with.

    Args:
        frame: what the first frame shows. Without it, the person's own words stand for it.
        prompt: in the person's words. What is spoken in it is left out, or it would be painted as text.
    """
    if frame is None or frame.empty:
        scene = _unspoken(prompt)
        return (
            f"One still picture, the first frame of a film that begins like this: {scene}"[:MAX_REQUEST]
            if scene
            else ""
        )
    said = frame.to_dict()
    lines = [f"{title}: {said[name].strip()}" for title, name in _PARTS if said[name].strip()]
    if frame.text.strip():
        lines.append(f"Text that can be read in the picture, letter by letter: {frame.text.strip()}")
    return "\n".join(["One still picture, the first frame of a film.", *lines])[:MAX_REQUEST]


def _unspoken(prompt: str) -> str:
    text, at = "", 0
    for quote in find_quotes(prompt):
        text += f"{prompt[at : quote.start]}…"
        at = quote.end
    words = " ".join((text + prompt[at:]).split())
    return words if words.strip("… .") else ""
