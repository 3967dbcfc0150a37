"""A training run on disk: what was asked for, what its processes said, and what it gave."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import InputError
from mova_studio.jobs.training_process import RECORD, read_object, read_record

ASKED = "asked.json"
FORMAT = 1
ENCODE, TRAIN = "encode", "train"
LOG = "log.jsonl"
_KILLED = -9
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Asked:
    """What a run was begun with.

    Attributes:
        name: what people call it.
        model: the checkpoint that it trains.
        clips: the place that was named.
        kinds: of raw clips; () where they were encoded already.
        latents: where the encoded clips lie.
        recipe: name of the shipped recipe; its numbers are in recipe.json.
        mode, steps: the recipe's.
        clips_a_step: how many clips a step learns from.
        created: ISO time.
    """

    name: str
    model: str
    clips: str
    kinds: tuple[str, ...]
    latents: str
    recipe: str
    mode: str
    steps: int
    clips_a_step: int
    created: str


@dataclass(frozen=True)
class Encoding:
    """How far raw clips are encoded.

    Attributes:
        kind: "caption" or "clip": the captions come first.
        done, total: of that kind.
        pace: seconds of one, of late; None where all were there already.
    """

    kind: str
    done: int
    total: int
    pace: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Of that kind."""
        return None if self.pace is None else (self.total - self.done) * self.pace


class TrainingFolder:
    """The folder of one run; `name` is its id."""

    def __init__(self, path: Path) -> None:
        self.path, self.run_id = path, path.name

    @classmethod
    def make(cls, path: Path, asked: Asked, recipe_json: str) -> TrainingFolder:
        """A new run.

        Raises:
            OutputError: the disk is full or refuses.
        """
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise output_error(path, error) from error
        with replacing(path / "recipe.json") as beside:
            beside.write_text(recipe_json + "\n", "utf-8")
        with replacing(path / ASKED) as beside:
            said = {"format": FORMAT, **dataclasses.asdict(asked)}
            beside.write_text(json.dumps(said, ensure_ascii=False, indent=1), "utf-8")
        return cls(path)

    def asked(self) -> Asked:
        """What it was begun with.

        Raises:
            InputError: there is no such run, or another version wrote it.
        """
        said = read_object(self.path / ASKED)
        try:
            if said.pop("format") != FORMAT:
                raise InputError(f"The training run in {self.path} is of another version; update MOVA Studio.")
            return Asked(**said | {"kinds": tuple(said["kinds"])})
        except (KeyError, TypeError) as error:
            raise InputError(f"There is no training run {self.run_id[:40]!r} in this library.", field="run") from error

    def arguments(self, phase: str) -> list[str]:
        """Of the command that carries out a phase; one that was stopped goes on."""
        asked, folder = self.asked(), str(self.path)
        if phase == ENCODE:
            kinds = [f"--kind={kind}" for kind in asked.kinds]
            given = ["--json", "--events", f"--checkpoint={asked.model}", f"--out={asked.latents}", *kinds]
            return ["train", "encode", *given, "--", asked.clips]
        how = "--resume" if (self.path / "state.json").is_file() else f"--recipe={self.path / 'recipe.json'}"
        given = ["--json", f"--checkpoint={asked.model}", f"--data={asked.latents}", f"--out={folder}"]
        return ["train", "run", *given, how]

    def phases(self) -> list[str]:
        """What is still to be done."""
        if self.went_well(TRAIN):
            return []
        encoded = not self.asked().kinds or self.went_well(ENCODE)
        return [TRAIN] if encoded else [ENCODE, TRAIN]

    def went_well(self, phase: str) -> bool:
        """Whether a phase came to its end."""
        answer = self.answer(phase)
        return bool(answer) and "error" not in answer and answer.get("done", True)

    def answer(self, phase: str) -> dict[str, Any]:
        """What a phase's command answered; {} if it has not."""
        return read_object(self.path / f"{phase}.json")

    def encoding(self) -> Encoding | None:
        """How far its clips are encoded; None before the first caption."""
        latest: Encoding | None = None
        seconds: list[float] = []
        for line in reversed(self._said(ENCODE)):
            try:
                told = json.loads(line)
                kind, took = told["event"], told["seconds"]
                latest = latest or Encoding(kind, int(told["done"]), int(told["total"]))
                if kind == latest.kind and took is not None:
                    seconds.append(float(took))
            except (ValueError, KeyError, TypeError):
                continue
        if latest is None or not seconds:
            return latest
        return dataclasses.replace(latest, pace=median(seconds))

    def fault(self) -> str:
        """Why its latest process ended before its time; "" where it did not, or was asked to."""
        record = read_record(self.path)
        phase = record.get("phase", TRAIN)
        answer = self.answer(phase)
        error = answer.get("error")
        if isinstance(error, dict):
            # 130: it was stopped in a phase that knows no half results.
            return "" if error.get("exit_code") == 130 else str(error.get("message", ""))
        code = record.get("code")
        if answer or code is None or record.get("asked"):
            return ""
        if code == _KILLED:
            return "The system ended the process, most likely because memory ran out."
        said = [line for line in self._said(phase) if line.strip()]
        return f"The process ended with exit code {code}: {said[-1].strip()[:300] if said else 'it said nothing'}"

    def saved_step(self) -> int:
        """The step that it can go on from; 0 for none."""
        try:
            return int(read_object(self.path / "state.json")["step"])
        except (KeyError, TypeError, ValueError):
            return 0

    def forget_ends(self) -> None:
        """Before it goes on: how it ended says nothing any more."""
        for file in (self.path / RECORD, self.path / f"{TRAIN}.json"):
            with suppress(OSError):
                file.unlink()

    def logged_now(self) -> bool:
        """Whether the log is of the latest process, which first takes out what the one before wrote too much."""
        try:
            return (self.path / LOG).stat().st_mtime_ns >= (self.path / RECORD).stat().st_mtime_ns
        except OSError:
            return False

    def changed(self) -> tuple[int, ...]:
        """When the files that tell of it were written last; equal as long as nothing of it has changed."""
        files = (ASKED, LOG, RECORD, "state.json", f"{ENCODE}.json", f"{TRAIN}.json", "samples")
        return tuple(_changed(self.path / file) for file in files)

    def trained(self) -> Path | None:
        """The adapter's file or the checkpoint's folder, once it is there."""
        place = self.path / ("checkpoint" if self.asked().mode == "full" else "adapter.safetensors")
        return place if place.exists() else None

    def samples(self) -> list[Path]:
        """The newest step's first."""
        return sorted((self.path / "samples").glob("[0-9]*.mp4"), key=lambda file: (-_step_of(file), file.name))

    def _said(self, phase: str) -> list[str]:
        """The last lines that a phase's command said beside its answer."""
        try:
            with (self.path / f"{phase}.txt").open("rb") as said:
                size = said.seek(0, 2)
                said.seek(max(0, size - _TAIL_BYTES))
                return said.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _step_of(sample: Path) -> int:
    return int(sample.name.partition("-")[0])
