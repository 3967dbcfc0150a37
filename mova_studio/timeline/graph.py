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
    count = len(timeline.clips)
    return [Stretch(first, min(first + most, count)) for first in range(0, count, most)]


def compile_graph(timeline: Timeline, look: Look, material: Material, stretch: Stretch | None = None) -> Graph:
    """The filter graph of a stretch of the film; all of it by default."""
    return _Compiler(timeline, look, material, stretch or Stretch(0, len(timeline.clips))).compiled()


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
        for number, index in enumerate(members):
            placed = self._placed[index]
            skipped = placed.overlap if index == first and first > 0 else 0
            shown = placed.overlap if index == last else placed.length
            stream = self._clip(placed, number, threads, skipped, shown, self._dips(index))
            if placed.overlap and number > 0:
                parts = [self._cross_fade(self._joined(parts), stream, placed.overlap)]
            else:
                parts.append(stream)
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

    def _dips(self, index: int) -> tuple[tuple[str, int], tuple[str, int]]:
        """(colour, frames) at the start of a clip and at its end; 0 frames where it does not dip."""
        into = self._placed[index].clip.transition
        after = self._placed[index + 1].clip.transition if index + 1 < len(self._placed) else None
        before = (into.kind, into.frames - into.frames // 2) if into and into.kind != "dissolve" else ("black", 0)
        behind = (after.kind, after.frames // 2) if after and after.kind != "dissolve" else ("black", 0)
        return before, behind

    def _clip(
        self,
        placed: Placed,
        number: int,
        threads: str,
        skipped: int,
        shown: int,
        dips: tuple[tuple[str, int], tuple[str, int]],
    ) -> tuple[str, int]:
        """Frames `skipped` to `shown` of a clip as the film shows them."""
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
        if isinstance(clip.source, Title):
            stream = self._appearing(stream, length)
        (into, before), (after, behind) = dips
        if before:
            stream = self._cross_fade((self._colour(into, before), before), (stream, length), before)[0]
        if behind:
            stream = self._cross_fade((stream, length), (self._colour(after, behind), behind), behind)[0]
        if skipped or shown < length:
            cut = [f"trim=start_frame={skipped}:end_frame={shown}", "setpts=PTS-STARTPTS", self._clock]
            stream = self._line(f"[{stream}]", cut)
        return stream, shown - skipped

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
        names = [f"t{self._count}{letter}" for letter in "abc"]
        self._lines.append(f"[{stream}]split=3{''.join(f'[{name}]' for name in names)}")
        look = self._look
        corner = f"crop=2:2:0:0,scale={look.width}:{look.height}:flags=neighbor,setsar=1"
        ground = [f"trim=end_frame={frames}", corner, self._clock]
        into, after = (self._line(f"[{name}]", ground) for name in names[1:])
        shown = self._cross_fade((into, frames), (names[0], length), frames)
        return self._cross_fade(shown, (after, frames), frames)[0]

    def _colour(self, name: str, frames: int) -> str:
        look = self._look
        self._count += 1
        label = f"s{self._count}"
        self._lines.append(
            f"color=c={name}:s={look.width}x{look.height}:r={self._rate},trim=end_frame={frames},"
            f"scale=out_range=tv,format={look.pixel_format},setsar=1,{_TAGS},{self._clock}[{label}]"
        )
        return label

    def _cross_fade(self, left: tuple[str, int], right: tuple[str, int], frames: int) -> tuple[str, int]:
        """Two streams that overlap by `frames`, each of which has the share of its middle."""
        offset = (left[1] - frames - Fraction(1, 2)) / self._rate
        timed = f"xfade=duration={float(frames / self._rate):.9f}:offset={float(offset):.9f}"
        return self._line(f"[{left[0]}][{right[0]}]", [timed, self._clock]), left[1] + right[1] - frames

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
