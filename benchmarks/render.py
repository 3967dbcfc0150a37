"""A timeline's render against one hand-written ffmpeg command that does the same: 60 s with cuts and cross-fades.

Both make H.264 (medium, crf 18) and AAC of the same clips, in turn. The hand-written graph only joins; the studio
also brings the sound to -14 LUFS as decoded, checks every source, and measures the finished file.

python -m benchmarks.render [--rounds 5] [--moviepy] [--out benchmarks/results/render-cpu.json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import record_result, write_result
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import probe
from mova_studio.timeline.clip import Transition
from mova_studio.timeline.edits import clip_of
from mova_studio.timeline.export_preset import export_preset
from mova_studio.timeline.ffmpeg import executable
from mova_studio.timeline.layout import place
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.render import render
from mova_studio.timeline.source import source_of

LIMIT = 1.3
WIDTH, HEIGHT, RATE, TAKE_FRAMES = 640, 352, 24, 193
FILM_FRAMES, FADE = 60 * RATE, 12


def make_takes(folder: Path, count: int) -> list[Path]:
    """Takes of passing gratings with grain, and of tones that come and go."""
    paths = []
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for number in range(count):
        random = np.random.default_rng(number)
        waves = random.uniform(0.01, 0.08, (3, 2))
        picture = np.stack([127 + 80 * np.sin(a * columns + b * rows) for a, b in waves], -1)
        grain = random.integers(-6, 7, (8, HEIGHT, WIDTH, 1))
        grained = [np.clip(picture + each, 0, 255).astype(np.uint8) for each in grain]
        frames = [np.roll(grained[index % 8], 2 * index, axis=1) for index in range(TAKE_FRAMES)]
        clock = np.arange(TAKE_FRAMES * 48000 // RATE) / 48000
        tone = 0.2 * np.sin(2 * np.pi * (200 + 90 * number) * clock) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * clock))
        noise = random.normal(0, 0.02, (2, len(clock)))
        paths.append(folder / f"take{number}.mp4")
        write_mp4(paths[-1], frames, frame_rate=RATE, audio=(tone + noise).astype(np.float32))
    return paths


def make_timeline(takes: list[Path]) -> Timeline:
    """60 s: cuts and cross-fades in turn."""
    clips: list[Any] = []
    frames = 0
    while frames < FILM_FRAMES:
        source = source_of(takes[len(clips) % len(takes)])
        fade = Transition("dissolve", FADE) if len(clips) % 2 else None
        stop = min(6 + 150, 6 + FILM_FRAMES - frames + (FADE if fade else 0))
        clips.append(clip_of(source, 6, stop, transition=fade))
        frames += stop - 6 - (FADE if fade else 0)
    return Timeline(WIDTH, HEIGHT, Fraction(RATE), clips=tuple(clips))


def hand_written(timeline: Timeline, out: Path) -> list[str]:
    """The command that somebody would write who knows ffmpeg well."""
    inputs: list[str] = []
    lines = []
    for index, placed in enumerate(place(timeline)):
        clip = placed.clip
        inputs += ["-ss", f"{clip.start / RATE:.6f}", "-t", f"{placed.length / RATE:.6f}", "-i", clip.source.path]  # type: ignore[union-attr]
        lines.append(f"[{index}:v]setpts=PTS-STARTPTS,fps={RATE},settb=1/{RATE},format=yuv420p[v{index}]")
        lines.append(f"[{index}:a]asetpts=PTS-STARTPTS[a{index}]")
    seen, heard, frames = "v0", "a0", place(timeline)[0].length
    for index, placed in list(enumerate(place(timeline)))[1:]:
        if placed.overlap:
            offset = (frames - placed.overlap) / RATE
            duration = placed.overlap / RATE
            lines.append(f"[{seen}][v{index}]xfade=duration={duration}:offset={offset},settb=1/{RATE}[x{index}]")
            lines.append(f"[{heard}][a{index}]acrossfade=d={duration}:c1=qsin:c2=qsin[y{index}]")
        else:
            lines.append(f"[{seen}][{heard}][v{index}][a{index}]concat=n=2:v=1:a=1[c{index}][y{index}]")
            lines.append(f"[c{index}]fps={RATE},settb=1/{RATE}[x{index}]")
        seen, heard, frames = f"x{index}", f"y{index}", frames + placed.length - placed.overlap
    coded = ["-c:v", "libx264", "-preset", "medium", "-crf", "18", "-pix_fmt", "yuv420p", "-g", str(2 * RATE)]
    sound = ["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"]
    graph = ["-filter_complex", ";".join(lines), "-map", f"[{seen}]", "-map", f"[{heard}]"]
    return [executable(), "-hide_banner", "-loglevel", "error", "-y", *inputs, *graph, *coded, *sound, str(out)]


def by_moviepy(timeline: Timeline, out: Path) -> None:
    """The same film by moviepy."""
    from moviepy import CompositeAudioClip, CompositeVideoClip, VideoFileClip, vfx

    clips, heard = [], []
    for placed in place(timeline):
        clip = placed.clip
        piece = VideoFileClip(clip.source.path).subclipped(clip.start / RATE, clip.stop / RATE)  # type: ignore[union-attr]
        piece = piece.with_start(placed.start / RATE)
        clips.append(piece.with_effects([vfx.CrossFadeIn(placed.overlap / RATE)]) if placed.overlap else piece)
        heard.append(piece.audio)
    film = CompositeVideoClip(clips).with_audio(CompositeAudioClip(heard))
    film.write_videofile(str(out), fps=RATE, preset="medium", audio_codec="aac", audio_fps=48000, logger=None)


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the clock, and seconds of all processors together, by this program and those that it started."""
    begun, used = time.perf_counter(), _processor_seconds()
    work()
    return time.perf_counter() - begun, _processor_seconds() - used


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description="A timeline's render against one hand-written ffmpeg command.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--moviepy", action="store_true", help="also once by moviepy")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timeline = make_timeline(make_takes(folder, 3))
        ours, theirs = folder / "ours.mp4", folder / "theirs.mp4"
        preset, command = export_preset("web"), hand_written(timeline, theirs)
        times: dict[str, list[tuple[float, float]]] = {"ours": [], "hand_written": []}
        works: dict[str, Callable[[], Any]] = {
            "ours": lambda: render(timeline, preset, ours, size=(WIDTH, HEIGHT)),
            "hand_written": lambda: subprocess.run(command, check=True),
        }
        for number in range(options.rounds):
            for who in sorted(works, reverse=number % 2 == 1):
                times[who].append(seconds(works[who]))
                print(number, who, times[who][-1], file=sys.stderr, flush=True)
        frames = {"ours": probe(ours).num_frames, "hand_written": probe(theirs).num_frames}
        figures: dict[str, Any] = {"moviepy_seconds": None}
        if options.moviepy:
            figures["moviepy_seconds"] = round(seconds(lambda: by_moviepy(timeline, folder / "moviepy.mp4"))[0], 2)
        sizes = {"ours": ours.stat().st_size, "hand_written": theirs.stat().st_size}
    medians = {who: statistics.median(clock for clock, _ in each) for who, each in times.items()}
    processor = {who: statistics.median(used for _, used in each) for who, each in times.items()}
    ratio = medians["ours"] / medians["hand_written"]
    result = record_result(
        "render",
        "cpu",
        film=f"{FILM_FRAMES / RATE:g} s of {WIDTH}x{HEIGHT}",
        clips=len(timeline.clips),
        cross_fades=sum(placed.overlap > 0 for placed in place(timeline)),
        rounds=options.rounds,
        frames=frames,
        bytes=sizes,
        seconds={who: [round(clock, 2) for clock, _ in each] for who, each in times.items()},
        medians={who: round(value, 2) for who, value in medians.items()},
        ratio=round(ratio, 3),
        processor_seconds={who: round(value, 2) for who, value in processor.items()},
        processor_ratio=round(processor["ours"] / processor["hand_written"], 3),
        limit=LIMIT,
        holds=ratio <= LIMIT,
        **figures,
    )
    write_result(result, options.out)


if __name__ == "__main__":
    main()
