"""Raw films to clips: cut, padded, judged, captioned, with a report; what was done already is not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mova_studio.atomic import check_writable, output_error, replacing
from mova_studio.errors import AnswerError, Cancelled, InputError
from mova_studio.media.aac import SAMPLE_RATE
from mova_studio.media.mp4 import write_mp4
from mova_studio.media.probe import decode_frames, probe
from mova_studio.media.speech import speech_stretches
from mova_studio.prompting.backend import Backend
from mova_studio.training.clips.buckets import Bucket
from mova_studio.training.clips.captioning import caption_clip
from mova_studio.training.clips.cutting import Span, cut_film
from mova_studio.training.clips.decode import FRAME_RATE, pictures, read_clip, sound
from mova_studio.training.clips.padding import pad_to
from mova_studio.training.clips.record import RECORDS, ClipRecord, FilmRecord, load_record, save_record
from mova_studio.training.clips.report import Report, report_of, write_report
from mova_studio.training.clips.scenes import scene_starts
from mova_studio.training.clips.scoring import Fault, Limits, OwnMeasures, Scorer
from mova_studio.training.clips.source import ClipSource, Listing
from mova_studio.training.clips.sources import METADATA

CLIPS = "clips"
RAW, PERSON = "raw", "person"
_VERSION = "prepare.1"
_NAME_DIGITS = 16
Event = dict[str, Any]


@dataclass(frozen=True)
class Preparation:
    """How clips are to be made.

    Attributes:
        seconds: of a clip; the nearest 4n + 1 frames at 24 a second are taken (8.05 s: 193).
        width, height: of a clip; both multiples of 16. Upright films get the two changed over.
        limits: of our own measures.
        scorers: further judges.

    Raises:
        InputError: a length or size that cannot be.
    """

    seconds: float = 8.05
    width: int = 1280
    height: int = 720
    limits: Limits = field(default_factory=Limits)
    scorers: Sequence[Scorer] = ()

    def __post_init__(self) -> None:
        if not 0.2 <= self.seconds <= 60:
            raise InputError(f"Clips of {self.seconds:g} s cannot be made; give 0.2 to 60 s.", field="seconds")
        Bucket(self.width, self.height, self.num_frames)

    @property
    def num_frames(self) -> int:
        """Of a clip, 4n + 1."""
        return 4 * round((self.seconds * float(FRAME_RATE) - 1) / 4) + 1

    def digest(self) -> str:
        """Changes with everything that a clip depends on."""
        parts = [_VERSION, self.num_frames, self.width, self.height, dataclasses.asdict(self.limits)]
        parts += [scorer.name for scorer in (OwnMeasures(self.limits), *self.scorers)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare(
    listing: Listing,
    folder: Path,
    preparation: Preparation,
    *,
    backend: Backend | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Write clips, their metadata.json and a report into `folder`, which `list_clips` reads.

    Films are known by their bytes, so that one that was renamed is not cut again. Captions that somebody wrote into
    metadata.json stay.

    Args:
        backend: writes captions; None keeps those of the raw films.
        on_event: told {"kind": "clip", "name", "done", "total"} for each judged clip, {"kind": "film", ...} for each
            film, {"kind": "skipped", "name", "reason"} for what cannot be read.
        cancelled: asked before every clip, and often in between.

    Raises:
        OutputError: the disk is full, or refuses. What was written stays, and the next run goes on.
        BackendError: nobody answers who should write captions.
        Cancelled: `cancelled()` said so.
    """
    try:
        (folder / CLIPS).mkdir(parents=True, exist_ok=True)
        (folder / RECORDS).mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    check_writable(folder / METADATA)
    run = _Run(folder, preparation, preparation.digest(), backend, _written(folder), on_event, cancelled)
    for skipped in listing.skipped:
        on_event({"kind": "skipped", **vars(skipped)})
    films: dict[str, FilmRecord] = {}
    for done, source in enumerate(listing.clips, start=1):
        digest = _digest(source)
        if digest not in films:
            films[digest] = run.film(source, digest)
        on_event({"kind": "film", "name": source.name, "done": done, "total": len(listing.clips)})
    rows = [
        {"video_path": clip.file, "caption": clip.caption}
        for film in films.values()
        for clip in film.clips
        if clip.file
    ]
    with replacing(folder / METADATA) as beside:
        beside.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")
    report = report_of(list(films.values()), listing.skipped)
    write_report(folder, report)
    return report


@dataclass(frozen=True)
class _Run:
    folder: Path
    preparation: Preparation
    settings: str
    backend: Backend | None
    written: dict[str, str]
    on_event: Callable[[Event], None]
    cancelled: Callable[[], bool]

    def film(self, source: ClipSource, digest: str) -> FilmRecord:
        """All that is to be done for one film, or was."""
        record = load_record(self.folder, digest)
        if record is None or record.settings != self.settings or record.fault or not self._whole(record):
            self._forget(record)
            record = FilmRecord(self.settings, source.name)
        record.name = source.name
        try:
            if not record.num_frames or record.left:
                self._cut_and_judge(source, digest, record)
        except InputError as error:
            self._forget(record)
            record.fault, record.clips, record.left = error.message, [], []
            self.on_event({"kind": "skipped", "name": source.name, "reason": error.message})
        for clip in record.clips:
            if clip.file:
                self._caption(clip, source.caption)
                save_record(self.folder, digest, record)
        save_record(self.folder, digest, record)
        return record

    def _whole(self, record: FilmRecord) -> bool:
        return all((self.folder / clip.file).is_file() for clip in record.clips if clip.file)

    def _forget(self, record: FilmRecord | None) -> None:
        for clip in record.clips if record else ():
            if clip.file:
                (self.folder / CLIPS / Path(clip.file).name).unlink(missing_ok=True)

    def _cut_and_judge(self, source: ClipSource, digest: str, record: FilmRecord) -> None:
        self._go_on()
        info = probe(source.media())
        new = not record.num_frames
        if new:
            record.num_frames = round(info.video_seconds * float(FRAME_RATE))  # until they are counted
        heard = sound(source.media())
        phrases = _phrases(heard)
        if new:
            starts, record.num_frames = scene_starts(self._watched(source))
            cutting = cut_film(record.num_frames, starts, phrases, self.preparation.num_frames)
            record.short, record.speech = cutting.short, cutting.speech
            record.left = [list(span) for span in cutting.clips]
        total = len(record.clips) + len(record.left)
        while record.left:
            self._go_on()
            start, stop = record.left[0]
            clip = self._clip(source, digest, (start, stop), heard)
            clip.speaks = any(begin < stop and end > start for begin, end in phrases)
            record.left = record.left[1:]
            record.clips.append(clip)
            save_record(self.folder, digest, record)
            self.on_event({"kind": "clip", "name": source.name, "done": len(record.clips), "total": total})

    def _watched(self, source: ClipSource) -> Iterator[NDArray[np.uint8]]:
        """All of a film's pictures, which may take minutes."""
        for pixels in pictures(source.media()):
            self._go_on()
            yield pixels

    def _clip(self, source: ClipSource, digest: str, span: Span, heard: NDArray[np.float32]) -> ClipRecord:
        fit = pad_to(self.preparation.width, self.preparation.height)
        start = Fraction(span[0]) / FRAME_RATE
        clip = read_clip(source.media(), span[1] - span[0], fit, start=start, film_sound=heard)
        record = ClipRecord(*span)
        faults: list[Fault] = []
        for scorer in (OwnMeasures(self.preparation.limits), *self.preparation.scorers):
            score = scorer.score(clip)
            record.figures |= score.figures
            faults += score.faults
            if faults:
                break
        record.faults = [[fault.kind, fault.reason] for fault in faults]
        if not faults:
            file = f"{CLIPS}/{digest[:_NAME_DIGITS]}-{span[0]:07d}.mp4"
            write_mp4(
                self.folder / file,
                clip.frames,
                frame_rate=float(FRAME_RATE),
                audio=clip.audio,
                target_lufs=None,
                cancelled=self.cancelled,
            )
            record.file = file
        return record

    def _caption(self, clip: ClipRecord, known: str) -> None:
        theirs = self.written.get(clip.file, "")
        if theirs and theirs != clip.caption:
            clip.caption, clip.captioned_by, clip.note = theirs, PERSON, ""
        if clip.captioned_by == PERSON:
            return
        if self.backend is None:
            if clip.captioned_by in ("", RAW):
                clip.caption, clip.captioned_by = known, RAW if known else ""
            return
        if clip.captioned_by == self.backend.name:
            return
        self._go_on()
        first = decode_frames(self.folder / clip.file)[0]
        try:
            caption = caption_clip(self.backend, first, known, speaks=clip.speaks, cancelled=self.cancelled)
        except AnswerError as error:
            caption, clip.note = "", f"{self.backend.name} wrote no caption: {error.message}"
        else:
            clip.note = "" if caption else f"{self.backend.name} cannot see, and nothing was known of the film."
        clip.caption = caption or known
        clip.captioned_by = self.backend.name if caption else RAW if known else ""

    def _go_on(self) -> None:
        if self.cancelled():
            raise Cancelled


def _digest(source: ClipSource) -> str:
    try:
        return source.digest()
    except InputError:
        return hashlib.sha256(source.name.encode("utf-8", "surrogatepass")).hexdigest()


def _phrases(heard: NDArray[np.float32]) -> list[Span]:
    """What is said in float32 [n] at 48 kHz, as the frames that it touches."""
    per_frame = SAMPLE_RATE / FRAME_RATE
    return [(int(start // per_frame), int(-(-stop // per_frame))) for start, stop in speech_stretches(heard[None])]


def _written(folder: Path) -> dict[str, str]:
    """Captions in the folder's own metadata.json."""
    try:
        rows = json.loads((folder / METADATA).read_bytes())
        return {row["video_path"]: str(row.get("caption") or "").strip() for row in rows}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
