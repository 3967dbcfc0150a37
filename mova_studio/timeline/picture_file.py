"""The picture of a timeline, encoded into a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mova_studio.timeline import encoders, ffmpeg
from mova_studio.timeline.clip import Source, Title
from mova_studio.timeline.colour_match import colour_matches
from mova_studio.timeline.fonts import font_for
from mova_studio.timeline.graph import Graph, Look, Material, compile_graph, stretches
from mova_studio.timeline.layout import place_captions
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.picture import traits_of
from mova_studio.timeline.subtitles import write_ass
from mova_studio.timeline.titles import draw_title

_GRAPH = "graph.txt"
_PALETTE = "palette.png"
_CAPTIONS = "captions.ass"


@dataclass(frozen=True)
class Encoding:
    """How a picture is encoded.

    Attributes:
        encoder: one of `encoders.ENCODERS` that works here.
        quality, speed: see `export_preset.Video`.
        key_frames: frames between two at most; 0 leaves it to the encoder.
    """

    encoder: str
    quality: int
    speed: str
    key_frames: int


def prepare(
    timeline: Timeline, look: Look, folder: Path, captions: str | None, cancelled: Callable[[], bool]
) -> Material:
    """Read the sources' headers, draw the titles, measure the colours that are to match.

    Args:
        folder: the titles' pictures are written there.
        captions: a file of captions in `folder`, by its name.

    Raises:
        InputError: a source has gone, or no font has a title's letters.
        Cancelled: `cancelled()` said so.
    """
    paths = {clip.source.path for clip in timeline.clips if isinstance(clip.source, Source)}
    titles = {}
    for clip in timeline.clips:
        if isinstance(clip.source, Title):
            titles[clip.clip_id] = folder / f"title-{clip.clip_id}.png"
            draw_title(clip.source, look.width, look.height).save(titles[clip.clip_id])
    return Material(
        traits={path: traits_of(Path(path)) for path in paths},
        titles=titles,
        colours=colour_matches(timeline, cancelled),
        captions=captions,
    )


def burned_captions(timeline: Timeline, size: tuple[int, int], folder: Path) -> str | None:
    """Write what the `ass` filter draws, with its font, into `folder`; its name, or None without captions.

    Raises:
        InputError: no installed font has the captions' letters; it names the package to install.
    """
    placed = place_captions(timeline)
    if not placed:
        return None
    font = font_for("".join(each.caption.text for each in placed))
    fonts = folder / "fonts"
    fonts.mkdir()
    shutil.copy(font.path, fonts)
    write_ass(timeline, *size, folder / _CAPTIONS, font)
    return _CAPTIONS


def encode_picture(
    timeline: Timeline,
    look: Look,
    encoding: Encoding,
    material: Material,
    written: Path,
    *,
    out: Path,
    on_frame: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Encode every frame of the film into `written`, in whose folder ffmpeg runs.

    Args:
        out: the file that the person asked for, named in errors.

    Raises:
        Cancelled: `cancelled()` said so.
        OutputError: ffmpeg ended with an error, or the disk is full.
    """
    folder = written.parent
    graphs = [compile_graph(timeline, look, material, stretch) for stretch in stretches(timeline)]
    feeds: list[list[str]] = []
    graph = graphs[0]
    if len(graphs) > 1:
        feeds = [_feed(each, folder / f"graph-{number}.txt") for number, each in enumerate(graphs)]
        graph = _fed(timeline, look)

    def run(end: str, *arguments: str) -> None:
        (folder / _GRAPH).write_text(graph.script + end, "utf-8")
        begun = [*graph.inputs, *arguments]
        ffmpeg.run(begun, out=out, folder=folder, feeds=feeds, on_frame=on_frame, cancelled=cancelled)

    drawn = ["-/filter_complex", _GRAPH, "-map", "[out]"]
    if encoding.encoder == "gif":
        run(";[film]palettegen=stats_mode=full[out]", *drawn, "-update", "1", f"file:{folder / _PALETTE}")
        drawn = [*ffmpeg.file_input(folder / _PALETTE, "-f", "image2", "-pattern_type", "none"), *drawn]
        end = f";[film][{graph.inputs.count('-i')}:v]paletteuse=dither=sierra2_4a[out]"
    else:
        end = ";[film]null[out]"
    gap = ["-g", str(encoding.key_frames)] if encoding.key_frames else []
    options = encoders.options_of(encoding.encoder, encoding.quality, encoding.speed)
    run(end, *drawn, "-fps_mode", "passthrough", *options, *gap, f"file:{written}")


def write_still(timeline: Timeline, look: Look, material: Material, written: Path, out: Path) -> None:
    """Write the first frame of a timeline as PNG."""
    graph = compile_graph(timeline, look, material)
    (written.parent / _GRAPH).write_text(graph.script, "utf-8")
    drawn = ["-/filter_complex", _GRAPH, "-map", "[film]", "-frames:v", "1", "-update", "1", "-pix_fmt", "rgb24"]
    ffmpeg.run([*graph.inputs, *drawn, f"file:{written}"], out=out, folder=written.parent)


def _feed(graph: Graph, script: Path) -> list[str]:
    script.write_text(graph.script, "utf-8")
    raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    return [*graph.inputs, "-/filter_complex", script.name, "-map", "[film]", *raw]


def _fed(timeline: Timeline, look: Look) -> Graph:
    """What encodes the raw pictures of several stretches."""
    form = ["-f", "rawvideo", "-pixel_format", look.pixel_format, "-video_size", f"{look.width}x{look.height}"]
    tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    inputs = [*form, "-framerate", str(timeline.frame_rate), "-i", "pipe:0"]
    return Graph(inputs, f"[0:v]setsar=1,{tags}[film]", 0)
