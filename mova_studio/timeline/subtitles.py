"""Captions as SRT, WebVTT and ASS files, and SRT and WebVTT back."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import ImageFont

from mova_studio.atomic import replacing
from mova_studio.errors import InputError
from mova_studio.timeline.fonts import Font
from mova_studio.timeline.layout import place_captions
from mova_studio.timeline.model import Timeline

MAX_BYTES = 8 << 20
# Invisible and without width; it keeps letters of ours from being read as a mark of the format.
_JOINER = "\u2060"
_STAMP = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?"
_TIMING = re.compile(rf"\s*{_STAMP}\s*-->\s*{_STAMP}(?:\s.*)?")
_SRT_MARKS = re.compile(r"<(?=[A-Za-z/!])|\{(?=\\)|--(?=>)")
_SRT_TAGS = re.compile(r"</?[A-Za-z][^<>\n]*>|\{\\[^}\n]*\}")
_VTT_TAGS = re.compile(r"</?[A-Za-z][^<>\n]*>|<\d[\d:.]*>|</>")
_VTT_BLOCKS = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True)
class Cue:
    """Words shown for a time.

    Attributes:
        start, stop: frames of the film, the latter exclusive.
        text: lines without blank ones.
    """

    start: int
    stop: int
    text: str


def cues(timeline: Timeline) -> list[Cue]:
    """What is shown when, one after the other: a caption ends where the next begins, and those of one moment are
    joined, line under line.
    """
    found: list[Cue] = []
    for placed in place_captions(timeline):
        text = plain_lines(placed.caption.text)
        if not text:
            continue
        if found and found[-1].start == placed.start:
            before = found.pop()
            found.append(Cue(placed.start, max(before.stop, placed.stop), f"{before.text}\n{text}"))
            continue
        if found and found[-1].stop > placed.start:
            found[-1] = Cue(found[-1].start, placed.start, found[-1].text)
        found.append(Cue(placed.start, placed.stop, text))
    return found


def plain_lines(text: str) -> str:
    """Without control characters, blank lines and space at the ends of lines."""
    lines = ("".join(char for char in line if unicodedata.category(char) != "Cc") for line in text.splitlines())
    return "\n".join(line.strip() for line in lines if line.strip().strip(_JOINER))


def is_note(text: str) -> bool:
    """Whether a caption is a note in brackets, such as [door slams], and no speech."""
    words = text.strip()
    return bool(words) and words[0] in "[(（【〔♪" and words[-1] in "])）】〕♪"


def write_srt(timeline: Timeline, path: Path) -> None:
    """The captions as SubRip (.srt), UTF-8, times to the nearest millisecond.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    blocks = []
    for number, cue in enumerate(cues(timeline), 1):
        text = _SRT_MARKS.sub(lambda match: match[0] + _JOINER, cue.text)
        blocks.append(f"{number}\n{_span(timeline, cue, ',')}\n{text}\n")
    _write(path, "\n".join(blocks))


def write_vtt(timeline: Timeline, path: Path) -> None:
    """The captions as WebVTT (.vtt), UTF-8, times to the nearest millisecond.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    blocks = ["WEBVTT\n"]
    blocks += [
        f"{number}\n{_span(timeline, cue, '.')}\n{html.escape(cue.text, quote=False)}\n"
        for number, cue in enumerate(cues(timeline), 1)
    ]
    _write(path, "\n".join(blocks))


def write_ass(timeline: Timeline, width: int, height: int, path: Path, font: Font) -> None:
    """The captions as Advanced SubStation Alpha (.ass), to be drawn into a picture by libass.

    White with a dark outline, in the lower middle, within 5 % of the sides; letters in proportion to the picture.

    Args:
        width, height: pixels of the picture.
        font: has to have every character, see `fonts.font_for`.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    # A line of 16 Han characters must fit between the margins of an upright picture.
    letters = min(0.052 * height, 0.9 * width / 17)
    size = max(8, round(letters * _line_height(font)))
    family = font.family.replace(",", " ")
    style = f"Captions,{family},{size},&H00FFFFFF,&H00FFFFFF,&H00101010,&H80000000,0,0,0,0,100,100,0,0,1"
    edges = f"{max(1.0, 0.07 * letters):.1f},0,2,{round(0.05 * width)},{round(0.05 * width)},{round(0.06 * height)},1"
    lines = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {width}",
        f"PlayResY: {height}",
        "WrapStyle: 0",
        "ScaledBorderAndShadow: yes",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: {style},{edges}",
        "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]
    for cue in cues(timeline):
        begin, end = (_hundredths(frame, timeline.frame_rate) for frame in (cue.start, cue.stop))
        lines.append(f"Dialogue: 0,{begin},{end},Captions,,0,0,0,,{_ass_text(cue.text)}")
    _write(path, "\n".join(lines) + "\n")


def _line_height(font: Font) -> float:
    """Of a font, in parts of its letters' size: the format gives sizes as heights of lines."""
    above, below = ImageFont.truetype(str(font.path), 1000, index=font.index).getmetrics()
    return (above + below) / 1000


def read_srt(path: Path) -> list[tuple[float, float, str]]:
    """The cues of a SubRip file: begin and end in seconds, and the words without tags.

    A mark of byte order, any line ends, missing hours and missing numbers are taken as they come.

    Raises:
        InputError: missing, not a text in UTF-8 or UTF-16, longer than 8 MiB, without cues, or a cue without
            readable times; it names the cue's number.
    """
    return _parsed(path, _read(path), _SRT_TAGS)


def read_vtt(path: Path) -> list[tuple[float, float, str]]:
    """The cues of a WebVTT file, like `read_srt`; notes, styles and regions are passed over.

    Raises:
        InputError: as `read_srt`, or the file does not begin with WEBVTT.
    """
    text = _read(path)
    if not text.startswith("WEBVTT"):
        raise InputError(f"{path.name} is not WebVTT: its first word must be WEBVTT.", field="captions")
    blocks = [block for block in re.split(r"\n\s*\n", text)[1:] if not _VTT_BLOCKS.match(block.lstrip())]
    return [(begin, end, html.unescape(words)) for begin, end, words in _parsed(path, "\n\n".join(blocks), _VTT_TAGS)]


def _parsed(path: Path, text: str, tags: re.Pattern[str]) -> list[tuple[float, float, str]]:
    lines = text.split("\n")
    found: list[tuple[float, float, str]] = []
    at = 0
    while at < len(lines):
        if "-->" not in lines[at]:
            at += 1
            continue
        number = len(found) + 1
        timing = _TIMING.fullmatch(lines[at])
        if not timing:
            raise InputError(
                f"Cue {number} of {path.name} has times that cannot be read: {lines[at].strip()[:60]!r}; write them "
                "like 00:00:01,000 --> 00:00:02,500.",
                field="captions",
            )
        begin, end = _seconds(*timing.groups()[:4]), _seconds(*timing.groups()[4:])
        if end <= begin:
            raise InputError(f"Cue {number} of {path.name} ends before it begins; mend its times.", field="captions")
        words = []
        at += 1
        while at < len(lines) and lines[at].strip() and "-->" not in lines[at]:
            words.append(lines[at])
            at += 1
        if at < len(lines) and "-->" in lines[at] and words and words[-1].strip().isdigit():
            words.pop()
        found.append((begin, end, plain_lines(tags.sub("", "\n".join(words)).replace(_JOINER, ""))))
    if not found:
        raise InputError(f"{path.name} holds no captions; choose another file.", field="captions")
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path.name} is larger than {MAX_BYTES >> 20} MiB; that is no caption file.", field="captions"
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); check its path.", field="captions"
        ) from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not written in UTF-8; save it as UTF-8.", field="captions") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return float(whole + Fraction(int(fraction or 0), 10 ** len(fraction or "")))


def _span(timeline: Timeline, cue: Cue, point: str) -> str:
    return " --> ".join(_milliseconds(frame, timeline.frame_rate, point) for frame in (cue.start, cue.stop))


def _milliseconds(frame: int, frame_rate: Fraction, point: str) -> str:
    total = math.floor(Fraction(frame * 1000) / frame_rate + Fraction(1, 2))
    seconds, thousandths = divmod(total, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{thousandths:03d}"


def _hundredths(frame: int, frame_rate: Fraction) -> str:
    """Down, and by half a millisecond more: a renderer that cuts 99.99 ms to 99 must still show the first frame."""
    total = max(0, math.floor(Fraction(frame * 100) / frame_rate - Fraction(1, 20)))
    seconds, hundredths = divmod(total, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{hundredths:02d}"


def _ass_text(text: str) -> str:
    text = text.replace("\\", "\\" + _JOINER).replace("{", "\\{").replace("}", "\\}")
    return text.replace("\n", "\\N")


def _write(path: Path, text: str) -> None:
    with replacing(path) as beside:
        beside.write_text(text, "utf-8", newline="\n")
