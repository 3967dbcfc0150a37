"""Everything that would stop a render."""

from __future__ import annotations

from mova_studio.errors import InputError, StudioError
from mova_studio.timeline.clip import Title
from mova_studio.timeline.fonts import font_for
from mova_studio.timeline.layout import place_captions
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.source import check_source


def obstacles(timeline: Timeline, *, burn: bool = True) -> list[StudioError]:
    """What stands against rendering: no clips, files that have gone or were changed, letters that no font has.

    Args:
        burn: whether captions are to be drawn into the picture.
    """
    found: list[StudioError] = []
    if not timeline.clips:
        found.append(InputError("The timeline has no clips; add a clip first.", field="clips"))
    used = [*(clip.source for clip in timeline.clips), *(sound.source for sound in timeline.sounds)]
    sources = [source for source in used if not isinstance(source, Title)]
    for source in dict.fromkeys(sources):
        try:
            check_source(source)
        except StudioError as error:
            found.append(error)
    texts = [clip.source.text for clip in timeline.clips if isinstance(clip.source, Title)]
    if burn:
        texts += [placed.caption.text for placed in place_captions(timeline)]
    for text in texts:
        try:
            if text.strip():
                font_for(text)
        except StudioError as error:
            if error.message not in [each.message for each in found]:
                found.append(error)
    return found


def check_all(timeline: Timeline, *, burn: bool) -> None:
    """Refuse a timeline that cannot be rendered, for all reasons at once.

    Raises:
        InputError: something stands against it.
    """
    found = obstacles(timeline, burn=burn)
    if found:
        raise InputError(" ".join(each.message for each in found), field=found[0].field)
