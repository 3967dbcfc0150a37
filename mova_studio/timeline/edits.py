"""Every change that a person makes to a timeline, as a function from one timeline to the next.

A change that cannot be made raises an `InputError` and leaves the timeline as it was. A transition or fade that no
longer fits after a cut, a trim or a move is shortened, and a transition before what is now the first clip goes.
"""

from __future__ import annotations

import dataclasses
import math
import secrets
from fractions import Fraction
from typing import Any

from mova_studio.errors import InputError
from mova_studio.timeline.clip import Clip, Source, Title, Transition, clip_length, sample_at
from mova_studio.timeline.layout import Placed, place, source_frame_of
from mova_studio.timeline.model import Caption, Sound, Timeline

CLIP_SETTINGS = ("speed", "gain_db", "fade_in", "fade_out", "fit", "focus_x", "focus_y", "match_colour")
SOUND_SETTINGS = ("at", "start", "stop", "gain_db", "fade_in", "fade_out", "role", "duck_db")
CAPTION_SETTINGS = ("start", "stop", "text")
FILM_SETTINGS = ("name", "width", "height", "frame_rate")


def new_id() -> str:
    """A name for a clip, a sound or a caption."""
    return secrets.token_hex(6)


def clip_of(source: Source | Title, start: int = 0, stop: int | None = None, **settings: Any) -> Clip:
    """A clip of a source; all of it by default."""
    return Clip(new_id(), source, start, source.num_frames if stop is None else stop, **settings)


def insert(timeline: Timeline, clip: Clip, index: int | None = None) -> Timeline:
    """Put a clip at a place, by default at the end."""
    place_ = len(timeline.clips) if index is None else min(max(index, 0), len(timeline.clips))
    return _with_clips(timeline, [*timeline.clips[:place_], clip, *timeline.clips[place_:]])


def move(timeline: Timeline, clip_id: str, index: int) -> Timeline:
    """Take a clip out and put it where it is the `index`-th one."""
    clip = timeline.clip(clip_id)
    rest = [each for each in timeline.clips if each is not clip]
    place_ = min(max(index, 0), len(rest))
    return _with_clips(timeline, [*rest[:place_], clip, *rest[place_:]])


def remove(timeline: Timeline, clip_id: str) -> Timeline:
    """Take a clip out, with its captions; those behind close up."""
    timeline.index(clip_id)
    captions = tuple(caption for caption in timeline.captions if caption.clip_id != clip_id)
    rest = [each for each in timeline.clips if each.clip_id != clip_id]
    return _with_clips(dataclasses.replace(timeline, captions=captions), rest)


def duplicate(timeline: Timeline, clip_id: str) -> Timeline:
    """Put a copy of a clip, with its captions, behind it."""
    index = timeline.index(clip_id)
    copy = dataclasses.replace(timeline.clips[index], clip_id=new_id(), transition=None)
    captions = [
        dataclasses.replace(caption, caption_id=new_id(), clip_id=copy.clip_id)
        for caption in timeline.captions
        if caption.clip_id == clip_id
    ]
    longer = insert(timeline, copy, index + 1)
    return dataclasses.replace(longer, captions=(*longer.captions, *captions))


def trim(timeline: Timeline, clip_id: str, *, start: int | None = None, stop: int | None = None) -> Timeline:
    """Let a clip begin or end at other frames of its source, kept within it; at least one frame stays."""
    clip = timeline.clip(clip_id)
    total = clip.source.num_frames
    last = clip.stop if stop is None else min(max(stop, 1 if start is not None else clip.start + 1), total)
    first = clip.start if start is None else min(max(start, 0), last - 1)
    return _changed(timeline, clip_id, start=first, stop=last)


def split(timeline: Timeline, clip_id: str, frame: int) -> Timeline:
    """Cut a clip in two before a frame of the film. The film looks and sounds as before.

    A source of another rate is cut at its nearest frame with which the film stays as long as it was.
    """
    index = timeline.index(clip_id)
    placed = place(timeline)[index]
    clip = placed.clip
    if not placed.start < frame < placed.stop:
        raise InputError(
            f"Frame {frame} does not lie inside the clip; give {placed.start + 1} to {placed.stop - 1}.", field="frame"
        )
    middle = _middle(placed, frame, timeline.frame_rate)
    if middle == clip.start:
        raise InputError("One frame of the source is shown here, and it cannot be cut in two.", field="frame")
    left = dataclasses.replace(clip, stop=middle, fade_out=0)
    right = dataclasses.replace(clip, clip_id=new_id(), start=middle, transition=None, fade_in=0, match_colour=False)
    captions: list[Caption] = []
    for caption in timeline.captions:
        if caption.clip_id != clip_id or caption.stop <= middle:
            captions.append(caption)
        elif caption.start >= middle:
            captions.append(dataclasses.replace(caption, clip_id=right.clip_id))
        else:
            captions.append(dataclasses.replace(caption, stop=middle))
            captions.append(dataclasses.replace(caption, caption_id=new_id(), clip_id=right.clip_id, start=middle))
    clips = [*timeline.clips[:index], left, right, *timeline.clips[index + 1 :]]
    return _with_clips(timeline, clips, captions=tuple(captions))


def _middle(placed: Placed, frame: int, frame_rate: Fraction) -> int:
    clip = placed.clip
    nearest = source_frame_of(placed, frame, frame_rate)
    for middle in (nearest, nearest - 1, nearest + 1, nearest - 2, nearest + 2):
        if clip.start < middle < clip.stop:
            halves = dataclasses.replace(clip, stop=middle), dataclasses.replace(clip, start=middle)
            if sum(clip_length(half, frame_rate) for half in halves) == placed.length:
                return middle
    return nearest


def set_transition(timeline: Timeline, clip_id: str, transition: Transition | None) -> Timeline:
    """Let a clip follow the one before in another way; None is a cut.

    Raises:
        InputError: it is the first clip, or the transition is longer than what the clips show.
    """
    index = timeline.index(clip_id)
    clips = list(timeline.clips)
    clips[index] = dataclasses.replace(clips[index], transition=transition)
    return dataclasses.replace(timeline, clips=tuple(clips))


def change_clip(timeline: Timeline, clip_id: str, **settings: Any) -> Timeline:
    """Change settings of a clip, see CLIP_SETTINGS."""
    _only(settings, CLIP_SETTINGS)
    return _changed(timeline, clip_id, **settings)


def change_title(timeline: Timeline, clip_id: str, **settings: Any) -> Timeline:
    """Change the text, length (`num_frames`) or colours of a title."""
    clip = timeline.clip(clip_id)
    if not isinstance(clip.source, Title):
        raise InputError("That clip is no title.", field="clip")
    _only(settings, [field.name for field in dataclasses.fields(Title)])
    title = dataclasses.replace(clip.source, **settings)
    return _changed(timeline, clip_id, source=title, start=0, stop=title.num_frames)


def replace_source(timeline: Timeline, clip_id: str, source: Source) -> Timeline:
    """Show another take in a clip's place: same trim in seconds, as far as the new one reaches, same everything."""
    clip = timeline.clip(clip_id)
    old = timeline.frame_rate if isinstance(clip.source, Title) else clip.source.frame_rate
    scale = source.frame_rate / old
    start = min(_round(clip.start * scale), max(source.num_frames - 1, 0))
    stop = min(max(start + _round((clip.stop - clip.start) * scale), start + 1), source.num_frames)
    captions = tuple(
        caption if caption.clip_id != clip_id else _at_scale(caption, scale) for caption in timeline.captions
    )
    return _changed(dataclasses.replace(timeline, captions=captions), clip_id, source=source, start=start, stop=stop)


def _at_scale(caption: Caption, scale: Fraction) -> Caption:
    start = _round(caption.start * scale)
    return dataclasses.replace(caption, start=start, stop=max(_round(caption.stop * scale), start + 1))


def add_sound(timeline: Timeline, sound: Sound) -> Timeline:
    """Put a piece on the sound track."""
    return dataclasses.replace(timeline, sounds=(*timeline.sounds, sound))


def change_sound(timeline: Timeline, sound_id: str, **settings: Any) -> Timeline:
    """Change settings of a piece on the sound track, see SOUND_SETTINGS."""
    _only(settings, SOUND_SETTINGS)
    sound = _find(timeline.sounds, "sound_id", sound_id)
    changed = dataclasses.replace(sound, **settings)
    return dataclasses.replace(timeline, sounds=tuple(changed if each is sound else each for each in timeline.sounds))


def remove_sound(timeline: Timeline, sound_id: str) -> Timeline:
    """Take a piece off the sound track."""
    sound = _find(timeline.sounds, "sound_id", sound_id)
    return dataclasses.replace(timeline, sounds=tuple(each for each in timeline.sounds if each is not sound))


def set_captions(timeline: Timeline, captions: tuple[Caption, ...], clip_id: str | None = None) -> Timeline:
    """Put these in the place of all captions, or of those of one clip."""
    kept = tuple(each for each in timeline.captions if clip_id is not None and each.clip_id != clip_id)
    return dataclasses.replace(timeline, captions=kept + captions)


def add_caption(timeline: Timeline, clip_id: str, start: int, stop: int, text: str) -> Timeline:
    """Put words on a clip, from a frame of its source to another."""
    return dataclasses.replace(timeline, captions=(*timeline.captions, Caption(new_id(), clip_id, start, stop, text)))


def change_caption(timeline: Timeline, caption_id: str, **settings: Any) -> Timeline:
    """Change settings of a caption, see CAPTION_SETTINGS."""
    _only(settings, CAPTION_SETTINGS)
    caption = _find(timeline.captions, "caption_id", caption_id)
    changed = dataclasses.replace(caption, **settings)
    captions = tuple(changed if each is caption else each for each in timeline.captions)
    return dataclasses.replace(timeline, captions=captions)


def remove_caption(timeline: Timeline, caption_id: str) -> Timeline:
    """Take a caption away."""
    caption = _find(timeline.captions, "caption_id", caption_id)
    return dataclasses.replace(timeline, captions=tuple(each for each in timeline.captions if each is not caption))


def change_film(timeline: Timeline, **settings: Any) -> Timeline:
    """Change name, size or frame rate, see FILM_SETTINGS; sounds stay where they were in seconds."""
    _only(settings, FILM_SETTINGS)
    emptied = dataclasses.replace(timeline, clips=(), captions=(), sounds=(), **settings)
    sounds = timeline.sounds
    if emptied.frame_rate != timeline.frame_rate:
        sounds = _at_rate(sounds, timeline.frame_rate, emptied.frame_rate)
    changed = _with_clips(emptied, list(timeline.clips), captions=timeline.captions)
    return dataclasses.replace(changed, sounds=sounds)


def _at_rate(sounds: tuple[Sound, ...], old: Fraction, new: Fraction) -> tuple[Sound, ...]:
    """Sounds where they were, in frames of another rate; one that rounding pushed into another begins later."""
    moved: list[Sound] = []
    end = 0
    for sound in sorted(sounds, key=lambda each: each.at):
        at = _round(sound.at * new / old)
        while sample_at(at, new) < end:
            at += 1
        moved.append(dataclasses.replace(sound, at=at))
        end = sample_at(at, new) + sound.stop - sound.start
    return tuple(moved)


def _changed(timeline: Timeline, clip_id: str, **settings: Any) -> Timeline:
    index = timeline.index(clip_id)
    clips = list(timeline.clips)
    clips[index] = dataclasses.replace(clips[index], **settings)
    return _with_clips(timeline, clips)


def _with_clips(timeline: Timeline, clips: list[Clip], captions: tuple[Caption, ...] | None = None) -> Timeline:
    return dataclasses.replace(
        timeline,
        clips=tuple(settle(clips, timeline.frame_rate)),
        captions=timeline.captions if captions is None else captions,
    )


def settle(clips: list[Clip], frame_rate: Fraction) -> list[Clip]:
    """Transitions and fades cut down to what the clips can carry, those in front first served."""
    settled: list[Clip] = []
    taken = 0  # frames of the clip before that its own transition takes
    for clip in clips:
        length = clip_length(clip, frame_rate)
        transition = clip.transition if settled else None
        if transition is not None:
            transition = _fitting(transition, clip_length(settled[-1], frame_rate) - taken, length)
        taken = 0 if transition is None else _into(transition)
        heard = sample_at(length, frame_rate)
        fade_in = min(clip.fade_in, heard)
        settled.append(
            dataclasses.replace(
                clip, transition=transition, fade_in=fade_in, fade_out=min(clip.fade_out, heard - fade_in)
            )
        )
    return settled


def _fitting(transition: Transition, before: int, behind: int) -> Transition | None:
    """The longest transition of this kind for clips with so many frames left for it; None where there is none."""
    most = min(before, behind) if transition.kind == "dissolve" else min(2 * before + 1, 2 * behind)
    frames = min(transition.frames, most)
    return dataclasses.replace(transition, frames=frames) if frames >= 1 else None


def _into(transition: Transition) -> int:
    return transition.frames if transition.kind == "dissolve" else transition.frames - transition.frames // 2


def _only(settings: dict[str, Any], allowed: Any) -> None:
    for name in settings:
        if name not in allowed:
            raise InputError(f"{name!r} cannot be changed here; {', '.join(allowed)} can.", field=name)


def _find(things: tuple[Any, ...], field: str, name: str) -> Any:
    for thing in things:
        if getattr(thing, field) == name:
            return thing
    raise InputError(f"There is no {field.removesuffix('_id')} {name[:40]!r} on this timeline; reload the page.")


def _round(value: Fraction | float) -> int:
    return math.floor(value + Fraction(1, 2))
