"""A first frame made by a server, in a thread beside the queue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mova_studio.errors import StudioError
from mova_studio.jobs.beside import Beside
from mova_studio.jobs.enhancing import SERVER, Wanted, open_backend
from mova_studio.prompting.backend import Asked
from mova_studio.prompting.first_frame import MadePicture, cannot_make, make_first_frame


@dataclass(frozen=True)
class FrameWanted:
    """The picture that is wanted.

    Attributes:
        description: what it is made of, see `picture_request`.
        width, height: of the shot, whose shape it has about.
        backend: "server:NAME"; others cannot make pictures.
        server_url, image_model: where the server is and its model, unless its preset says the right thing.
    """

    description: str
    width: int
    height: int
    backend: str
    server_url: str | None = None
    image_model: str = ""


def make_frame_here(wanted: FrameWanted, cancelled: Asked) -> MadePicture:
    """Make it.

    Raises:
        StudioError: as `open_backend` and `make_first_frame`.
    """
    question = Wanted(
        wanted.description, backend=wanted.backend, server_url=wanted.server_url, image_model=wanted.image_model
    )
    if question.kind != SERVER:
        raise cannot_make(wanted.backend)
    backend = open_backend(question, {})
    try:
        return make_first_frame(backend, wanted.description, wanted.width, wanted.height, cancelled)
    finally:
        backend.close()


@dataclass(frozen=True)
class FrameProgress:
    """How far it is: nothing is known of it before its end."""

    made: MadePicture | None = None
    error: StudioError | None = None

    @property
    def ended(self) -> bool:
        return self.made is not None or self.error is not None


class FrameMaking(Beside[FrameProgress]):
    """A picture under way."""

    failed = "The first frame could not be made: something failed inside"

    def __init__(self, wanted: FrameWanted) -> None:
        self.wanted = wanted
        super().__init__(FrameProgress())

    def result(self) -> MadePicture:
        """The picture, waited for.

        Raises:
            StudioError: it failed, or was cancelled.
        """
        made = self._finished().made
        assert made is not None
        return made

    def _work(self) -> FrameProgress:
        return FrameProgress(make_frame_here(self.wanted, self._cancelled.is_set))

    def _told(self, **changes: Any) -> FrameProgress:
        return replace(self.progress, **changes)
