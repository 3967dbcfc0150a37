"""The bin of the Timeline: takes and files that were brought, each with its first picture and its sound's outline."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError, StudioError
from mova_studio.library.kept import KeptTake
from mova_studio.timeline.library_media import name_of
from mova_studio.ui.served import address
from mova_studio.ui.timeline_state import Media

PEAKS = 40
POSTER_SECONDS = 1.0
Answer = dict[str, Any]


class Bin:
    """Cards as the page's bin shows them.

    Args:
        media: where takes and uploads are, and how they are drawn.
    """

    def __init__(self, media: Media) -> None:
        self._media = media

    def uploads(self) -> list[Answer]:
        """What was brought, with its first picture and the outline of its sound as far as they are known."""
        deadline = time.monotonic() + POSTER_SECONDS
        found = []
        for info in self._media.library.uploads():
            with suppress(InputError):
                source = self._media.library("upload", info["id"])
                drawn = self._media.drawings.of(source)
                peaks = _outline(() if drawn is None else drawn.peaks)
                make = bool(info["frames"]) and time.monotonic() < deadline
                url, poster = self._shown(Path(source.path), make=make)
                found.append(info | {"url": url, "poster": poster, "peaks": peaks})
        return found

    def _shown(self, path: Path, *, make: bool) -> tuple[str, str]:
        """The addresses of a file and of its first picture, which is decoded where `make` says so."""
        try:
            poster = self._media.served.poster(path) if make else self._media.served.known_poster(path)
            return address(self._media.served.link(path)), poster
        except (StudioError, OSError):
            return "", ""

    def takes(self, found: tuple[KeptTake, ...]) -> list[Answer]:
        """Takes as the bin shows them; posters that take too long come with a later call."""
        deadline = time.monotonic() + POSTER_SECONDS
        return [self._take(kept, make=time.monotonic() < deadline) for kept in found if not kept.missing]

    def _take(self, kept: KeptTake, *, make: bool) -> Answer:
        take = kept.take
        url, poster = self._shown(take.path, make=make)
        return {
            "id": kept.take_id,
            "name": name_of(kept),
            "poster": poster,
            "url": url,
            "peaks": _outline(kept.waveform),
            "seconds": take.num_frames / take.frame_rate,
            "frames": take.num_frames,
            "width": take.width,
            "height": take.height,
            "seed": take.seed,
            "prompt": take.shot.prompt,
            "stars": kept.stars,
            "shot": kept.shot_id,
        }


def _outline(peaks: Sequence[float]) -> list[float]:
    """The loudest of each part of an outline, in as many parts as a small card shows."""
    count = min(PEAKS, len(peaks))
    edges = [part * len(peaks) // count for part in range(count)] + [len(peaks)]
    return [round(max(peaks[begin:end]), 2) for begin, end in itertools.pairwise(edges)]
