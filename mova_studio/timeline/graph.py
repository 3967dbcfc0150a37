"""The picture of a timeline as one ffmpeg filter graph.

Every clip becomes a stream with the film's size, rate and pixel format and exactly the frames that the layout gives
it; cuts are joined by `concat`, dissolves and dips by `xfade`. A film of many clips is compiled in stretches, each a
graph of its own, because each input keeps a decoder with its pictures in memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from mova_studio.timeline.clip import Clip, Source, Title, exact_speed
from mova_studio.timeline.ffmpeg import file_input
from mova_studio.timeline.layout import Placed, place
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.picture import PictureTraits

MOST_CLIPS = 32
Policy = Literal["clip", "letterbox", "crop"]
_DECODER_THREADS = 32  # of all inputs of a graph together
_SEEK_SECONDS = 1.0  # less is decoded and thrown away
_TITLE_FADE_SECONDS = 0.5
_TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True)
class Look:
    """What the picture is to be.

    Attributes:
        width, height: pixels, both even.
        pixel_format: ffmpeg's name, without transparency.
        policy: "clip" fits each clip as it says itself; the others fit all of them alike.
    """

    width: int
    height: int
    pixel_format: str = "yuv420p"
    policy: Policy = "clip"


@dataclass(frozen=True)
class Material:
    """What was prepared for a graph.

    Attributes:
        traits: of each source, by path.
        titles: a picture of the film's size for each title, by clip id.
        colours: a filter that brings a clip to the colours of the one before, by clip id.
        captions: a file of burned-in captions, its name relative to the folder in which ffmpeg runs; None burns none.
    """

    traits: dict[str, PictureTraits]
    titles: dict[str, Path] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    captions: str | None = None


@dataclass(frozen=True)
class Stretch:
    """Clips `first` to `last`, the latter exclusive, of which a stretch of the film is made.

    A dissolve into `first` belongs to the stretch before, which shows the head of `last` for it.
    """

    first: int
    last: int


@dataclass(frozen=True)
class Graph:
    """A compiled stretch.

    Attributes:
        inputs: arguments of ffmpeg.
        script: the filter graph; its output is called [film].
        frames: how many it gives.
    """

    inputs: list[str]
    script: str
    frames: int


def stretches(timeline: Timeline, most: int = MOST_CLIPS) -> list[Stretch]:
    """The film in stretches of at most `most` clips."""
    placed = place(timeline)
    count = len(placed)
    found = [Stretch(first, min(first + most, count)) for first in range(0, count, most)]
    # Where the film's last clip is all dissolve, the stretch before it shows all of it.
    return [each for each in found if placed[each.first].start + placed[each.first].overlap < placed[-1].stop]


def compile_graph(timeline: Timeline, look: Look, material: Material, stretch: Stretch | None = None) -> Graph:
    """The filter graph of a stretch of the film; all of it by default."""
    return _Compiler(timeline, look, material, stretch or Stretch(0, len(timeline.clips))).compiled()


@dataclass(frozen=True)
class _End:
    """What happens over so many frames of a clip: "cut", "dissolve", "black" or "white"."""

    kind: str
    frames: int


class _Compiler:
    def __init__(self, timeline: Timeline, look: Look, material: Material, stretch: Stretch) -> None:
        self._placed = place(timeline)
        self._rate = timeline.frame_rate
        self._look, self._material, self._stretch = look, material, stretch
        self._inputs: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        # Half frames, so that a cross-fade can be timed to the middle of each.
        self._clock = f"fps={self._rate},settb={1 / (2 * self._rate)}"

    def compiled(self) -> Graph:
        first, last = self._stretch.first, self._stretch.last
        begin = self._border(first)
        members = list(range(first, last))
        if last < len(self._placed) and self._placed[last].overlap:
            members.append(last)
        threads = str(max(1, min(os.cpu_count() or 1, _DECODER_THREADS // len(members))))
        parts: list[tuple[str, int]] = []
        leaving = ""  # the end of the clip before, where it dissolves
        for index in members:
            head, tail = self._ends(index)
            wanted = {"head": (0, head.frames), "body": (head.frames, self._placed[index].length - tail.frames)}
            wanted["tail"] = (wanted["body"][1], self._placed[index].length)
            if index == first and head.kind == "dissolve":
                del wanted["head"]
            if index == last:
                wanted = {"head": wanted["head"]}
            pieces = self._pieces(self._placed[index], wanted, threads)
            if "head" in pieces:
                before = leaving if head.kind == "dissolve" else self._colour(head.kind, head.frames)
                parts.append((self._mixed(before, pieces["head"], head.frames), head.frames))
            if "body" in pieces:
                parts.append((pieces["body"], wanted["body"][1] - wanted["body"][0]))
            if "tail" in pieces and tail.kind == "dissolve":
                leaving = pieces["tail"]
            elif "tail" in pieces:
                after = self._colour(tail.kind, tail.frames)
                parts.append((self._mixed(pieces["tail"], after, tail.frames), tail.frames))
        film, frames = self._joined(parts)
        assert frames == self._border(last) - begin
        shown_at = f",setpts='(N+{begin})*2',ass=filename={self._material.captions}:fontsdir=fonts"
        captions = shown_at if self._material.captions else ""
        self._lines.append(
            f"[{film}]settb={1 / (2 * self._rate)}{captions},format={self._look.pixel_format},{_TAGS},"
            f"settb={1 / self._rate},setpts=N,fps={self._rate}[film]"
        )
        return Graph(self._inputs, ";\n".join(self._lines) + "\n", frames)

    def _border(self, index: int) -> int:
        """The film's frame where the stretch that begins with this clip begins."""
        if index == len(self._placed):
            return self._placed[-1].stop
        return self._placed[index].start + self._placed[index].overlap if index else 0

    def _ends(self, index: int) -> tuple[_End, _End]:
        """What happens at the start of a clip and at its end."""
        into = self._placed[index].clip.transition
        after = self._placed[index + 1].clip.transition if index + 1 < len(self._placed) else None
        head = tail = _End("cut", 0)
        if into is not None:
            head = _End(into.kind, into.frames if into.kind == "dissolve" else into.frames - into.frames // 2)
        if after is not None:
            tail = _End(after.kind, after.frames if after.kind == "dissolve" else after.frames // 2)
        return head, tail

    def _pieces(self, placed: Placed, wanted: dict[str, tuple[int, int]], threads: str) -> dict[str, str]:
        """Parts of a clip by name, those that have frames."""
        if all(start == stop for start, stop in wanted.values()):
            return {}
        return self._cut(self._clip(placed, threads), placed.length, wanted)

    def _clip(self, placed: Placed, threads: str) -> str:
        """All frames of a clip, each for the film's frame that shows it."""
        number = self._inputs.count("-i")
        clip, length = placed.clip, placed.length
        if isinstance(clip.source, Title):
            picture = self._material.titles[clip.clip_id]
            self._inputs += file_input(
                picture, "-f", "image2", "-pattern_type", "none", "-framerate", str(self._rate), "-threads", "1"
            )
            filters = [f"fps={self._rate}", *self._fitted(clip)]
        else:
            traits = self._material.traits[clip.source.path]
            filters = self._source(clip, clip.source, traits, threads)
            filters += self._at_film_rate(clip, clip.source, traits)
        filters += [f"tpad=stop=-1:stop_mode=clone,trim=end_frame={length}", self._clock]
        stream = self._line(f"[{number}:v:0]", filters)
        return self._appearing(stream, length) if isinstance(clip.source, Title) else stream

    def _cut(self, stream: str, length: int, wanted: dict[str, tuple[int, int]]) -> dict[str, str]:
        """Parts of a stream by name, those that have frames. They are used in their order, so that none waits."""
        wanted = {name: (start, stop) for name, (start, stop) in wanted.items() if stop > start}
        if list(wanted.values()) == [(0, length)]:
            return dict.fromkeys(wanted, stream)
        self._count += 1
        names = {name: f"p{self._count}{name}" for name in wanted}
        self._lines.append(f"[{stream}]split={len(names)}{''.join(f'[{name}]' for name in names.values())}")
        return {
            name: self._line(
                f"[{names[name]}]", [f"trim=start_frame={start}:end_frame={stop}", "setpts=PTS-STARTPTS", self._clock]
            )
            for name, (start, stop) in wanted.items()
        }

    def _source(self, clip: Clip, source: Source, traits: PictureTraits, threads: str) -> list[str]:
        """From the file to the frames `clip.start` to `clip.stop`, numbered from 0 at the source's own rate."""
        begin = float(clip.start / source.frame_rate)
        options = ["-threads", threads, "-reinit_filter", "0"]
        if begin > _SEEK_SECONDS and traits.seekable:
            # To the key frame before, whose pictures then have negative times and are left out below.
            options += ["-noaccurate_seek", "-ss", f"{begin:.6f}"]
            first = 0
        else:
            first = clip.start
        self._inputs += file_input(Path(source.path), *options)
        return [
            f"fps={source.frame_rate}:start_time=0",
            f"trim=start_frame={first}:end_frame={first + clip.stop - clip.start}",
            *(["setparams=colorspace=bt709"] if traits.untagged_hd else []),
        ]

    def _at_film_rate(self, clip: Clip, source: Source, traits: PictureTraits) -> list[str]:
        """The source frame that is nearest in time for every frame of the film; scaled where there are fewer."""
        ratio = self._rate / source.frame_rate / exact_speed(clip.speed)
        fitted = self._fitted(clip, traits)
        if ratio == 1:
            return [f"settb={1 / self._rate}", "setpts=N", *fitted]
        top, bottom = ratio.numerator, 2 * ratio.denominator
        # Frame N is the nearest from half a frame before its time on, see `layout.source_frame_of`.
        timed = [f"settb={1 / self._rate}", f"setpts='max(0,ceil((2*N-1)*{top}/{bottom}))'", f"fps={self._rate}"]
        return [*fitted, *timed] if ratio > 1 else [*timed, *fitted]

    def _fitted(self, clip: Clip, traits: PictureTraits | None = None) -> list[str]:
        look = self._look
        width, height, form = look.width, look.height, look.pixel_format
        to_film = "out_color_matrix=bt709:out_range=tv:flags=lanczos+accurate_rnd+full_chroma_int"
        colour = self._material.colours.get(clip.clip_id)
        last = [*([colour] if colour else []), f"format={form}", "setsar=1", _TAGS]
        if traits is not None and (traits.width, traits.height, traits.square) == (width, height, True):
            return [f"scale={to_film}", *last]
        fit = clip.fit if look.policy == "clip" else look.policy
        if fit == "letterbox":
            scale = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:reset_sar=1"
            place_ = f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
        else:
            scale = f"scale={width}:{height}:force_original_aspect_ratio=increase:force_divisible_by=2:reset_sar=1"
            place_ = f"crop={width}:{height}:(iw-{width})*{clip.focus_x}:(ih-{height})*{clip.focus_y}"
        return [f"{scale}:{to_film}", f"format={form}", place_, *last]

    def _appearing(self, stream: str, length: int) -> str:
        """A title whose words fade in and out on its ground, which its corner shows."""
        frames = min(round(_TITLE_FADE_SECONDS * self._rate), length // 3)
        if frames < 1:
            return stream
        wanted = {"head": (0, frames), "body": (frames, length - frames), "tail": (length - frames, length)}
        pieces = self._cut(stream, length, wanted)
        look, grounds = self._look, {}
        for name in ("head", "tail"):
            self._count += 1
            words, ground = f"t{self._count}words", f"t{self._count}ground"
            self._lines.append(f"[{pieces[name]}]split[{words}][{ground}]")
            corner = f"crop=2:2:0:0,scale={look.width}:{look.height}:flags=neighbor,setsar=1"
            pieces[name], grounds[name] = words, self._line(f"[{ground}]", [corner, self._clock])
        into = self._mixed(grounds["head"], pieces["head"], frames)
        after = self._mixed(pieces["tail"], grounds["tail"], frames)
        return self._joined([(into, frames), (pieces["body"], length - 2 * frames), (after, frames)])[0]

    def _colour(self, name: str, frames: int) -> str:
        look = self._look
        self._count += 1
        label = f"s{self._count}"
        self._lines.append(
            f"color=c={name}:s={look.width}x{look.height}:r={self._rate},trim=end_frame={frames},"
            f"scale=out_range=tv,format={look.pixel_format},setsar=1,{_TAGS},{self._clock}[{label}]"
        )
        return label

    def _mixed(self, left: str, right: str, frames: int) -> str:
        """One stream becoming the other over all their frames, each with the share of its middle."""
        # xfade works in 4:4:4, so that it gets no frames but those that it changes.
        offset = Fraction(-1, 2) / self._rate
        timed = f"xfade=duration={float(frames / self._rate):.9f}:offset={float(offset):.9f}"
        return self._line(f"[{left}][{right}]", [timed, f"format={self._look.pixel_format}", _TAGS, self._clock])

    def _joined(self, parts: list[tuple[str, int]]) -> tuple[str, int]:
        if len(parts) == 1:
            return parts[0]
        # Counted anew, because concat adds up times that were rounded.
        renumbered = [f"concat=n={len(parts)}", f"settb={1 / self._rate}", "setpts=N", self._clock]
        return self._line("".join(f"[{label}]" for label, _ in parts), renumbered), sum(frames for _, frames in parts)

    def _line(self, inputs: str, filters: list[str]) -> str:
        self._count += 1
        label = f"s{self._count}"
        self._lines.append(f"{inputs}{','.join(filters)}[{label}]")
        return label
