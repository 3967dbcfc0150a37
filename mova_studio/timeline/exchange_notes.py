"""What a file for another program does not carry, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from mova_studio.timeline.clip import Source, Title
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_write import sources_of

_FIRST = 5  # files that a note names
_ONLY_OURS = "are kept in the file, and only MOVA Studio reads them"
_LOST = "are not carried"


def notes_on(timeline: Timeline, kind: str, is_there: Callable[[str], bool]) -> tuple[str, ...]:
    """Sentences on what is lost or kept for us alone, only of what this timeline has, and on missing files.

    Args:
        kind: "otio", "edl" or "xml".
        is_there: whether a file can be referred to.
    """
    notes = [*_missing(timeline, is_there), *_unsaid(timeline, kind)]
    if kind == "edl":
        notes += _of_edl(timeline)
    if kind == "xml":
        notes += _of_xml(timeline)
    rates = {clip.source.frame_rate for clip in timeline.clips if isinstance(clip.source, Source)}
    if kind != "otio" and rates - {timeline.frame_rate}:
        notes.append("Sources of another rate are counted in frames of the film, to the nearest one.")
    return tuple(notes)


def _missing(timeline: Timeline, is_there: Callable[[str], bool]) -> list[str]:
    gone = [path for path in dict.fromkeys(source.path for source in sources_of(timeline)) if not is_there(path)]
    if not gone:
        return []
    more = f" and {len(gone) - _FIRST} more" if len(gone) > _FIRST else ""
    return [f"Missing, and marked so: {', '.join(gone[:_FIRST])}{more}."]


def _unsaid(timeline: Timeline, kind: str) -> list[str]:
    clips = timeline.clips
    features = {
        "levels and fades": any(clip.gain_db or clip.fade_in or clip.fade_out for clip in clips)
        or any(sound.gain_db or sound.fade_in or sound.fade_out for sound in timeline.sounds),
        "cropping": any(clip.fit == "crop" for clip in clips),
        "colour matching": any(clip.match_colour for clip in clips),
        "ducking": any(sound.role == "music" and sound.duck_db for sound in timeline.sounds),
        "captions": bool(timeline.captions) and kind != "otio",
    }
    found = [name for name, used in features.items() if used]
    notes = []
    if found:
        named = ", ".join(found)
        notes.append(f"{named[0].upper()}{named[1:]}: these {_ONLY_OURS if kind == 'otio' else _LOST}.")
    if timeline.captions and kind == "otio":
        notes.append("Captions are markers on their clips.")
    if kind == "otio" and any(isinstance(clip.source, Title) for clip in clips):
        notes.append("Titles are generators named Title; a program that knows none shows a gap.")
    return notes


def _of_edl(timeline: Timeline) -> list[str]:
    notes = ["An EDL has reel names of eight letters and one track here: pictures. Sound is not carried."]
    if any(isinstance(clip.source, Title) for clip in timeline.clips):
        notes.append("Titles are events of reel AX; make them anew.")
    if any(clip.transition is not None and clip.transition.kind != "dissolve" for clip in timeline.clips):
        notes.append("Dips to black or white became cuts.")
    if len(timeline.clips) > 999:
        notes.append(f"CMX 3600 numbers 999 events and there are {len(timeline.clips)}; some programs stop there.")
    return notes


def _of_xml(timeline: Timeline) -> list[str]:
    notes = []
    transitions = [clip.transition for clip in timeline.clips if clip.transition is not None]
    if any(transition.kind != "dissolve" for transition in transitions):
        notes.append("Dips became a fade to black and one from it.")
    if any(transition.kind == "dissolve" and transition.frames == 1 for transition in transitions):
        notes.append("Dissolves of one frame became cuts.")
    if any(isinstance(clip.source, Title) for clip in timeline.clips):
        notes.append("Titles are text generators without their colours.")
    if timeline.sounds:
        notes.append("Pieces of music and voice begin and end at whole frames.")
    return notes
