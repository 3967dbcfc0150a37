"""Where a learned upscaler comes in; without one, Lanczos makes small takes as large as the film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mova_studio.errors import Cancelled
from mova_studio.timeline.clip import Source
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_media import with_paths

# Takes a video, the width and height that the film wants of it, and a folder; gives a video in that folder with the
# same frames at the same times, larger. Its sound is not heard.
Upscale = Callable[[Path, int, int, Path], Path]


def upscaled(
    timeline: Timeline, size: tuple[int, int], upscale: Upscale, folder: Path, cancelled: Callable[[], bool]
) -> Timeline:
    """The timeline with every source that is smaller than the film in its larger form; for the picture alone.

    Raises:
        Cancelled: `cancelled()` said so between two sources.
    """
    moved: dict[str, str] = {}
    for clip in timeline.clips:
        source = clip.source
        if not isinstance(source, Source) or source.path in moved:
            continue
        if source.width < size[0] and source.height < size[1]:
            if cancelled():
                raise Cancelled()
            moved[source.path] = str(upscale(Path(source.path), *size, folder))
    return with_paths(timeline, moved)
