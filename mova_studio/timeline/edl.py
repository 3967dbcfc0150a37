"""A timeline as a CMX 3600 edit decision list: the pictures' cuts, dissolves and speeds.

Written by the OpenTimelineIO project's adapter. It counts the source of a clip with another speed as if the clip ran
backwards through its factor, so clips go to it without their speeds; these and the frames where their sources end are
put in afterwards, as M2 lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange, to_timecode

from mova_studio.errors import InputError
from mova_studio.timeline.clip import Source, exact_speed
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.otio_write import References, Spliced, item_of, one_line, splice

REEL_LENGTH = 8
_EVENT = re.compile(r"(?P<number>\d+)  .{8} V +(?P<kind>C|D \d+) +(?P<times>\S+ \S+ \S+ \S+)")


def to_edl(timeline: Timeline, is_there: Callable[[str], bool]) -> str:
    """The text of an edit decision list.

    Raises:
        InputError: the timeline's rate has no timecode.
    """
    check_timecode(timeline.frame_rate, "An EDL")
    rate = timeline.frame_rate
    references = References(rate, is_there)
    reels = _Reels()
    clips = splice(timeline, lambda index, overlap: 0)
    track = otio.schema.Track(kind=otio.schema.TrackKind.Video)
    for each in clips:
        transition = each.clip.transition
        if transition is not None and transition.kind == "dissolve":
            zero, whole = RationalTime(0, float(rate)), RationalTime(transition.frames, float(rate))
            track.append(otio.schema.Transition(in_offset=zero, out_offset=whole))
        item = item_of(each, rate, references)
        item.effects.clear()
        item.source_range = _conformed(item.source_range, each.frames, rate)
        source = each.clip.source
        item.metadata["cmx_3600"] = {"reel": reels.of(source) if isinstance(source, Source) else "AX"}
        track.append(item)
    film = otio.schema.Timeline(name=one_line(timeline.name))
    film.tracks.append(track)
    text = otio.adapters.write_to_string(film, "cmx_3600", rate=float(rate), reelname_len=REEL_LENGTH)
    return _with_speeds(text, clips, [item.metadata["cmx_3600"]["reel"] for item in track.find_clips()], rate)


def check_timecode(rate: Fraction, what: str) -> None:
    """That a rate is one in which timecode counts.

    Raises:
        InputError: it is not; it lists some that are.
    """
    if not has_timecode(rate):
        raise InputError(
            f"{what} counts in timecode, and there is none for {float(rate):g} frames per second; set the timeline to "
            "23.976, 24, 25, 29.97, 30, 50 or 60, or export .otio.",
            field="frame_rate",
        )


def has_timecode(rate: Fraction) -> bool:
    return RationalTime.is_smpte_timecode_rate(float(rate))


def _conformed(range_: TimeRange, frames: int, rate: Fraction) -> TimeRange:
    start = range_.start_time.rescaled_to(float(rate)).round()
    return TimeRange(start, RationalTime(frames, float(rate)))


def _with_speeds(text: str, clips: list[Spliced], reels: list[str], rate: Fraction) -> str:
    """Sources' ends by the clips' speeds, in their own line and in the one that begins the dissolve behind them."""
    lines: list[str] = []
    ends: dict[int, str] = {}
    written = text.splitlines()
    for line, next_line in zip(written, [*written[1:], ""], strict=True):
        event, following = _EVENT.fullmatch(line), _EVENT.fullmatch(next_line)
        if event is None:
            lines.append(line)
            continue
        number = int(event["number"])
        times = event["times"].split(" ")
        if following is not None and following["number"] == event["number"]:
            times[:2] = [ends[number - 1]] * 2
            lines.append(line[: event.start("times")] + " ".join(times))
            continue
        speed = exact_speed(clips[number - 1].clip.speed)
        begin = otio.opentime.from_timecode(times[0], float(rate))
        used = round(clips[number - 1].frames * speed)
        ends[number] = times[1] = to_timecode(RationalTime(begin.value + used, float(rate)), float(rate))
        lines.append(line[: event.start("times")] + " ".join(times))
        if speed != 1:
            shown = f"{float(speed * rate):09.5f}"
            lines.append(f"M2   {reels[number - 1]:8}       {shown}       {times[0].replace(';', ':')}")
    return "\n".join(lines) + "\n"


class _Reels:
    """Names of eight letters and digits, one for each file."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, source: Source) -> str:
        if source.path not in self._names:
            stem = re.sub("[^A-Z0-9]", "", (source.name or source.path.rsplit("/", 1)[-1]).upper().rsplit(".", 1)[0])
            number = str(len(self._names) + 1)
            self._names[source.path] = f"{stem[: REEL_LENGTH - max(len(number), 3)]}{number:>03}"
        return self._names[source.path]
